"""The three journeys of the referral job, told once and read in any combination."""

from __future__ import annotations

import re
import uuid

from playwright.sync_api import Browser

from tests.browser.product import PRIVATE, Combination, Product, Reader, reading

CODE = re.compile(r"\b(\d{6})\b")
CSV = "reference;intitule;ville;contrat;statut\n{0}-1;Menuiserie d’essai {0};Lorient;CDI;Publiée\n{0}-2;;Lorient;CDI;Publiée\n"


def ambassador(browser: Browser, product: Product, how: Combination) -> None:
    """Find an offer, write why, take a link, see what became of it, read the points, redeem."""
    with reading(browser, product, how) as me:
        me.sign_in("aminata")
        me.open("/")
        me.open("/offers")
        me.press("article.offer-card h2 a")
        if not me.page.query_selector("input[id^=link-]"):
            me.press("form[action$='/links'] button")
        address = me.page.input_value("input[id^=link-]")
        assert address.startswith(product.url + "/r/")
        words = f"Je pense à vous {uuid.uuid4().hex[:6]}"
        me.page.fill("textarea[name=words]", words)
        me.press("form[action$='/recommendation'] button")
        assert me.page.input_value("textarea[name=words]") == words
        me.open("/referrals")
        me.press("main a[href^='/referrals/']")
        me.open("/referrals?tab=links")
        me.reads(address)
        me.open("/play")
        me.open("/play/rewards")
        me.open("/play/rules")
        _redeem(me)
        me.open("/me/tokens")
        me.audit()


def _redeem(me: Reader) -> None:
    """Buy what is within reach, read the receipt, and give it back."""
    me.open("/play/rewards")
    me.page.click("main a[href^='/play/rewards/']")
    me.page.wait_for_url("**/play/rewards/*")
    me.page.click("details.confirm summary")
    me.press("form[action$='/redemptions'] button")
    assert "/play/redemptions/" in me.page.url
    me.page.click("details.confirm summary")
    me.press("form[action$='/cancellation'] button")
    me.open("/play/redemptions")


def candidate(
    browser: Browser, product: Product, how: Combination, code: str, *, blocked: bool
) -> None:
    """Follow the link, apply in two steps, open the private page, act with a code; with
    nothing stored on the device and one host contacted. `blocked`: cookies are refused."""
    mailbox = f"camille.{uuid.uuid4().hex[:8]}@mail.example"
    with reading(browser, product, how) as visitor:
        if blocked:
            visitor.block_cookies()
        visitor.open(f"/r/{code}?lang={how.language}")
        assert visitor.page.get_attribute("html", "lang") == how.language
        visitor.page.fill("input[name=first_name]", "Camille")
        visitor.page.fill("input[name=last_name]", "Exemple")
        visitor.page.fill("input[name=email]", "not an address")
        _agree(visitor)
        visitor.press("#apply button[type=submit]")
        assert visitor.page.input_value("input[name=first_name]") == "Camille", (
            "what was typed is kept"
        )
        visitor.page.fill("input[name=email]", mailbox)
        _agree(visitor)
        visitor.press("#apply button[type=submit]")
        assert "/next/" in visitor.page.url
        visitor.page.fill("textarea[name=message]", "<script>alert(1)</script> Bonjour")
        visitor.press("form.apply button[type=submit]")
        assert "/done/" in visitor.page.url
        token = product.mail_to(mailbox, PRIVATE)
        visitor.open(f"/c/{token}?lang={how.language}")
        _withdraw(visitor, mailbox)
        stored = visitor.stored()
        assert not any(stored.values()), stored
        assert visitor.hosts == {product.url.split("/")[2]}
        visitor.audit()


def _agree(visitor: Reader) -> None:
    for box in visitor.page.query_selector_all("#apply input[type=checkbox]"):
        if not box.is_checked():
            box.check()


def _withdraw(visitor: Reader, mailbox: str) -> None:
    page = visitor.page
    page.click("#act-withdrawal summary")
    visitor.press(
        "#act-withdrawal form[action$='/codes'] button, #act-withdrawal form[action*='/codes'] button"
    )
    code = visitor.product.mail_to(mailbox, CODE)
    page.fill("#act-withdrawal input[name=code]", code)
    visitor.press("#act-withdrawal form[action*='/withdrawal'] button")
    assert page.query_selector("#act-withdrawal") is None, "what is withdrawn cannot be withdrawn"


def recruiter(browser: Browser, product: Product, how: Combination) -> None:
    """Read the board, record a stage, say what comes next, import a file with its report."""
    with reading(browser, product, how) as me:
        me.sign_in("sofiane")
        me.open("/studio/referrals")
        me.open("/studio/referrals?view=all")
        me.press("table.board tbody th a")
        me.page.select_option("select[name=stage]", "screened")
        me.press("form[action$='/stages'] button[type=submit]")
        me.page.fill("input[name=next_step]", "Une heure avec l’équipe")
        me.press("form[action$='/next-step'] button[type=submit]")
        assert me.page.input_value("input[name=next_step]") == "Une heure avec l’équipe"
        me.open("/studio/events")
        _import(me)
        me.open("/studio/offers")
        me.press("main table a[href^='/studio/offers/']")
        me.open("/studio/connections")
        me.open("/studio/connections/new")
        me.audit()


def _import(me: Reader) -> None:
    name = uuid.uuid4().hex[:6]
    me.open("/studio/imports/new")
    sources = me.page.query_selector_all("select[name=source] option")
    spreadsheet = next(s for s in sources if "csv" in (s.text_content() or "").lower())
    me.page.select_option("select[name=source]", spreadsheet.get_attribute("value"))
    data = CSV.format(name).encode("utf-8-sig")
    me.page.set_input_files(
        "input[type=file]", {"name": "offres.csv", "mimeType": "text/csv", "buffer": data}
    )
    me.press("main form.form button[type=submit]")
    assert "/studio/imports/" in me.page.url
    me.press("form[action$='/confirmation'] .form-press button")
    for _ in range(100):
        if me.page.query_selector("a[href$='/report.csv']"):
            break
        me.page.wait_for_timeout(200)
        me.page.reload()
    me.reads(f"Menuiserie d’essai {name}")
