"""Writing in the browser: nothing typed is lost, nobody is overwritten (F1, F2, F3, F7)."""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import clock
from app.db import db
from app.library import service
from app.library.material import material
from app.library.models import Story, Topic
from tests.conftest import START
from tests.library.conftest import Desk, photo

DAY = dt.timedelta(days=1)
LIST = "/studio/stories"


@pytest.fixture
def ines(desk: Desk) -> FlaskClient:
    """A curator's browser."""
    return desk.house.browser(desk.curator)


@pytest.fixture
def gael(desk: Desk) -> FlaskClient:
    """A contributor's browser."""
    return desk.house.browser(desk.contributor)


def text(answer: TestResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def form_of(page: str) -> dict[str, str]:
    """What the editor's form would send as it stands."""
    form = page.split('<form class="editor"')[1].split("</form>")[0]
    fields = {
        name: unescape(value)
        for name, value in re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', form)
        if name not in ("networks", "is_commercial", "forget_picture")
    }
    for name, words in re.findall(
        r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL
    ):
        fields[name] = unescape(words)
    for name, options in re.findall(
        r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return fields


def only() -> Story:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Story)).one()


def test_it_writes_a_draft_in_two_languages_and_publishes_it(ines: FlaskClient) -> None:
    fields = form_of(text(ines.get(f"{LIST}/new")))
    assert fields["language"] == "fr"
    fields |= {
        "title_fr": "Une halle", "summary_fr": "En bois.", "body_fr": "# Lundi\r\n\r\nTout tient.",
        "title_en": "A hall", "caption_fr_0": "Venez voir.", "caption_kind_fr_0": "long",
        "caption_en_1": "Come and see.", "topics": "Chantiers, Bois ; Métiers",
        "url": "https://halvenne.example/", "visible_from": "2026-11-18T08:30",
        "expires_at": "2026-12-18T18:00", "kind": "story", "evidence": "Mesuré par Yann.",
        "act": "save",
    }  # fmt: skip
    answer = ines.post(LIST, data={**fields, "networks": ["linkedin", "qr"], "is_commercial": "1"})
    row = only()
    here = f"{LIST}/{row.id}"
    assert (answer.status_code, answer.location) == (303, here)
    assert row.visible_from == dt.datetime(2026, 11, 18, 7, 30, tzinfo=dt.UTC)  # Paris, in winter
    assert row.expires_at == dt.datetime(2026, 12, 18, 17, 0, tzinfo=dt.UTC)
    assert (row.networks, row.is_commercial, row.kind) == (["linkedin", "qr"], True, "story")
    assert {t.name for t in row.topics} == {"Chantiers", "Bois", "Métiers"}
    assert [(s.kind, s.text) for s in material(row.id).starts] == [("long", "Venez voir.")]
    assert [s.text for s in material(row.id, "en").starts] == ["Come and see."]
    page = text(ines.get(here))
    again = form_of(page)
    assert again["visible_from"] == "2026-11-18T08:30"
    assert again["body_fr"] == "# Lundi\n\nTout tient."
    assert again["caption_fr_1"] == again["caption_fr_2"] == "" and "caption_fr_3" not in again
    assert 'value="linkedin" checked' in page
    assert 'value="x" checked' not in page
    ines.post(here, data={**again, "networks": ["linkedin", "qr"], "is_commercial": "1",
                          "act": "publish"})  # fmt: skip
    row = only()
    assert (row.status, row.version, row.networks) == ("published", 2, ["linkedin", "qr"])


def test_saving_an_untouched_form_changes_nothing(desk: Desk, ines: FlaskClient) -> None:
    """Even seconds that the form does not show stay."""
    found = desk.draft(
        expires_at=START + DAY + dt.timedelta(seconds=7), captions=["Un", "Deux"], topics=["Bois"],
        translations={"en": {"title": "Metres"}}, body="Un\n\nDeux", url="https://a.example/",
    )  # fmt: skip
    fields = form_of(text(ines.get(f"{LIST}/{found}")))
    assert ines.post(f"{LIST}/{found}", data=fields).status_code == 303
    row = only()
    assert (row.version, row.expires_at) == (1, START + DAY + dt.timedelta(seconds=7))


def test_a_form_with_faults_comes_back_with_everything_typed(ines: FlaskClient) -> None:
    typed = {
        "language": "en", "title_en": "", "title_fr": "Gardé & lu", "body_fr": "<b>mes mots</b>",
        "summary_en": "x" * 601, "caption_en_0": "y" * 3001, "caption_fr_1": "Une accroche",
        "topics": "!!!", "url": "nowhere", "visible_from": "demain", "kind": "poem",
        "expires_at": "2026-12-18T18:00", "alt_en": "What it shows", "evidence": "Chiffres",
    }  # fmt: skip
    answer = ines.post(LIST, data={**typed, "networks": ["x"]})
    page = text(answer, 422)
    again = form_of(page)
    for name in ("title_fr", "body_fr", "summary_en", "caption_en_0", "topics", "url", "alt_en",
                 "visible_from", "expires_at", "evidence"):  # fmt: skip
        assert again[name] == typed[name], name
    assert again["caption_fr_0"] == "Une accroche"
    assert 'value="x" checked' in page
    for name in ("title_en", "summary_en", "caption_en_0", "topics", "url", "visible_from", "kind"):
        assert f'id="{name}-error"' in page, name
        assert f'<a href="#{name}">' in page, name
    assert db.session.scalars(select(Story)).all() == []


def test_a_picture_is_kept_with_a_form_that_comes_back(ines: FlaskClient) -> None:
    answer = ines.post(
        LIST,
        data={"language": "fr", "title_fr": "", "picture": (io.BytesIO(photo()), "halle.jpg")},
    )
    again = form_of(text(answer, 422))
    assert uuid.UUID(again["picture_id"])
    again |= {"title_fr": "Une halle", "act": "publish"}
    page = text(ines.post(LIST, data=again), 422)
    assert 'id="alt_fr-error"' in page  # a picture speaks to everybody before it is public
    again |= {"alt_fr": "Une halle en bois.", "act": "publish"}
    assert ines.post(LIST, data=again).status_code == 303
    row = only()
    assert (row.status, str(row.picture_id)) == ("published", again["picture_id"])
    page = text(ines.get(f"{LIST}/{row.id}"))
    fields = form_of(page) | {"forget_picture": "1"}
    page = text(ines.post(f"{LIST}/{row.id}", data=fields), 422)
    assert 'id="body_fr-error"' in page  # nothing would be left to read
    ines.post(f"{LIST}/{row.id}", data=fields | {"body_fr": "Un texte."})
    assert only().picture_id is None


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"\xff\xd8\xff" + b"\x00" * 50])
def test_what_is_no_picture_is_said_beside_it(ines: FlaskClient, data: bytes) -> None:
    answer = ines.post(
        LIST,
        data={"language": "fr", "title_fr": "Gardé", "picture": (io.BytesIO(data), "x.jpg")},
    )
    page = text(answer, 422)
    assert 'id="picture-error"' in page
    assert 'value="Gardé"' in page
    assert db.session.scalars(select(Story)).all() == []


def test_a_picture_of_21_mb_is_refused_and_nothing_typed_is_lost(ines: FlaskClient) -> None:
    data = photo() + b"\x00" * (21 * 1024 * 1024)
    answer = ines.post(
        LIST,
        data={"language": "fr", "title_fr": "Gardé", "picture": (io.BytesIO(data), "x.jpg")},
    )
    page = text(answer, 422)
    assert 'id="picture-error"' in page
    assert 'value="Gardé"' in page
    assert "20 MB at most" in page


def test_the_later_writer_is_told_and_keeps_both_texts(desk: Desk, ines: FlaskClient) -> None:
    found = desk.draft()
    fields = form_of(text(ines.get(f"{LIST}/{found}")))
    service.change_story(found, {"title": "D’une autre"}, desk.contributor.id)
    fields |= {"title_fr": "De moi", "url": "nowhere"}
    page = text(ines.post(f"{LIST}/{found}", data=fields), 409)
    assert "Somebody changed this story while you were writing." in page
    assert form_of(page)["title_fr"] == "De moi"
    assert material(found).title == "D’une autre"
    # A fault in between does not make the form forget which version it answers.
    service.change_story(found, {"summary": "Encore"}, desk.contributor.id)
    fields = form_of(page)
    assert fields["version"] == "2"
    page = text(ines.post(f"{LIST}/{found}", data=fields), 409)
    fields = form_of(page) | {"url": "nowhere"}
    page = text(ines.post(f"{LIST}/{found}", data=fields), 422)
    assert form_of(page)["version"] == "3"
    service.change_story(found, {"summary": "Et encore"}, desk.contributor.id)
    fields = form_of(page) | {"url": ""}
    text(ines.post(f"{LIST}/{found}", data=fields), 409)
    fields["version"] = "4"
    assert ines.post(f"{LIST}/{found}", data=fields).status_code == 303
    assert material(found).title == "De moi"


def test_words_survive_a_draft_that_was_discarded_meanwhile(desk: Desk, ines: FlaskClient) -> None:
    found = desk.draft()
    fields = form_of(text(ines.get(f"{LIST}/{found}"))) | {"title_fr": "De moi"}
    service.discard(found, desk.contributor.id)
    page = text(ines.post(f"{LIST}/{found}", data=fields), 404)
    assert form_of(page)["title_fr"] == "De moi"
    assert f'action="{LIST}"' in page


def test_a_contributor_writes_drafts_and_reads_the_rest(
    desk: Desk, gael: FlaskClient, ines: FlaskClient
) -> None:
    mine, theirs, public = desk.draft(title="Mien"), desk.draft(desk.curator), desk.story()
    page = text(gael.get(f"{LIST}/{mine}"))
    assert 'value="publish"' not in page
    assert gael.get(f"{LIST}/{theirs}").status_code == 404
    assert gael.get(f"{LIST}/{public}").location == f"{LIST}/{public}/preview"
    assert gael.post(f"{LIST}/{public}", data={"title_fr": "x"}).status_code in (403, 404)
    fields = form_of(page) | {"title_fr": "Mieux", "act": "publish"}
    refused = text(gael.post(f"{LIST}/{mine}", data=fields), 403)
    assert form_of(refused)["title_fr"] == "Mieux"
    assert gael.post(f"{LIST}/{mine}/publication").status_code == 403
    assert gael.post(f"{LIST}/{public}/withdrawal").status_code == 403
    assert gael.post(f"{LIST}/{theirs}/discarding").status_code == 404
    assert gael.post(f"{LIST}/{mine}/discarding").location == LIST
    assert "As members see it" in text(ines.get(f"{LIST}/{public}"))


def test_its_author_keeps_a_sensitive_story_as_a_draft_for_somebody_else(
    desk: Desk, ines: FlaskClient
) -> None:
    """Rule L4."""
    answer = ines.post(
        LIST,
        data={"language": "fr", "title_fr": "Résultats", "summary_fr": "x", "topics": "Finance",
              "act": "publish"},
    )  # fmt: skip
    row = only()
    assert (answer.status_code, row.status) == (303, "draft")
    assert "somebody other than its author publishes it" in text(ines.get(answer.location))
    assert ines.post(f"{LIST}/{row.id}/publication").status_code == 303
    assert only().status == "draft"
    other = desk.house.browser(desk.house.person("Léa Brunet", "curator", joined=False))
    other.post(f"{LIST}/{row.id}/publication")
    assert only().status == "published"
    fields = form_of(text(ines.get(f"{LIST}/{row.id}"))) | {"title_fr": "Autres"}
    page = text(ines.post(f"{LIST}/{row.id}", data=fields), 409)
    assert form_of(page)["title_fr"] == "Autres"


def test_it_previews_publishes_withdraws_and_discards(desk: Desk, ines: FlaskClient) -> None:
    found = desk.draft(body="Le **texte**.", translations={"en": {"title": "Metres"}})
    here = f"{LIST}/{found}"
    page = text(ines.get(f"{here}/preview"))
    assert "<strong>texte</strong>" in page
    assert "Metres" in text(ines.get(f"{here}/preview?text=en"))
    assert "Discard this draft" in text(ines.get(here))
    assert ines.post(f"{here}/publication").location == here
    assert "Withdraw this story" in text(ines.get(here))
    assert ines.post(f"{here}/discarding").status_code == 409
    assert ines.post(f"{here}/withdrawal").location == here
    assert only().status == "withdrawn"
    bare = desk.draft(summary="")
    page = text(ines.post(f"{LIST}/{bare}/publication"), 422)
    assert 'id="body_fr-error"' in page


# --- lists -------------------------------------------------------------------------------


def listed(page: str) -> list[str]:
    found = re.findall(r'<th scope="row"><a href="/studio/stories/[^"]+">([^<]+)</a>', page)
    return [unescape(title) for title in found]


def test_the_list_is_narrowed_by_what_the_address_says(desk: Desk, ines: FlaskClient) -> None:
    desk.draft(title="Brouillon", topics=["Bois"])
    desk.draft(desk.curator, title="À moi", kind="news")
    desk.story(title="Public", translations={"en": {"title": "Public"}})
    desk.story(title="Demain", visible_from=START + DAY)
    assert listed(text(ines.get(LIST))) == ["Demain", "Public", "À moi", "Brouillon"]
    for query, found in {
        "status=draft": ["À moi", "Brouillon"], "status=scheduled": ["Demain"],
        "status=published": ["Public"], "kind=news": ["À moi"], "topic=bois": ["Brouillon"],
        "language=en": ["Public"], "mine=1": ["À moi"], "q=BROUILLON": ["Brouillon"],
        "status=nonsense": ["Demain", "Public", "À moi", "Brouillon"],
    }.items():  # fmt: skip
        assert listed(text(ines.get(f"{LIST}?{query}"))) == found, query
    assert "No story fits" in text(ines.get(f"{LIST}?q=xyz"))
    fragment = text(ines.get(f"{LIST}?q=demain", headers={"HX-Request": "true"}))
    assert "<html" not in fragment and listed(fragment) == ["Demain"]


@pytest.mark.parametrize(
    "query", ["after=%00", "after=x", "q=%00", "topic=%00&kind=%00", "status=%00"]
)
def test_the_list_never_breaks_on_an_address_that_nobody_gave(
    ines: FlaskClient, query: str
) -> None:
    assert ines.get(f"{LIST}?{query}").status_code in (200, 422)


def test_an_administrator_says_which_topics_are_sensitive(desk: Desk, ines: FlaskClient) -> None:
    desk.draft(topics=["Chantiers", "Finance"])
    by_code = {t.code: t for t in db.session.scalars(select(Topic))}
    assert "Sensitive: two people" in text(ines.get("/studio/topics"))
    path = f"/studio/topics/{by_code['chantiers'].id}/sensitivity"
    assert ines.post(path, data={"sensitive": "1"}).status_code == 403
    admin = desk.house.browser(desk.house.person("Rozenn Le Gall", "admin", joined=False))
    assert "Ask for two people" in text(admin.get("/studio/topics?lang=en"))
    assert admin.post(path, data={"sensitive": "1"}).location == "/studio/topics"
    db.session.rollback()
    db.session.expire_all()
    assert {t.code: t.is_sensitive for t in db.session.scalars(select(Topic))} == {
        "chantiers": True, "finance": True,
    }  # fmt: skip


def test_the_studio_asks_little(
    desk: Desk, ines: FlaskClient, count_queries: Callable[..., int]
) -> None:
    for number in range(6):
        desk.draft(title=f"Récit {number}", topics=[f"T{number}", "Bois"],
                   translations={"en": {"title": f"Tale {number}"}})  # fmt: skip
    story = desk.draft(picture_id=desk.picture(), captions=["a"])
    for path, budget in ((LIST, 10), (f"{LIST}?topic=bois", 10), (f"{LIST}/{story}", 12)):
        text(ines.get(path))
        assert count_queries(lambda path=path: text(ines.get(path))) <= budget


def test_the_clock_is_the_organisations(desk: Desk, ines: FlaskClient) -> None:
    found = desk.draft(expires_at=dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC))
    assert form_of(text(ines.get(f"{LIST}/{found}")))["expires_at"] == "2026-07-01T14:00"
    assert clock.now() == START
