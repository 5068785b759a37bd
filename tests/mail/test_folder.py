"""The mail folder is emptied of what is older than six months."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask import Flask
from flask_mailman import EmailMultiAlternatives

from app import clock, retention
from app.mail.folder import EmailBackend, mail_folder
from app.privacy import purge, register
from app.rights import my_data
from tests.conftest import START, House

KEPT = retention.MAIL_LOG.after or dt.timedelta(0)
DAY = dt.timedelta(days=1)


def write(count: int = 1) -> list[Path]:
    """Messages in the folder, written at the present; the files."""
    before = names()
    EmailBackend().send_messages(
        [EmailMultiAlternatives(f"Bonjour {n}", "…", "a@x.example", ["b@x.example"])
         for n in range(count)]
    )  # fmt: skip
    return [mail_folder() / name for name in sorted(names() - before)]


def names() -> set[str]:
    """What lies in the folder."""
    folder = mail_folder()
    return {file.name for file in folder.iterdir()} if folder.exists() else set()


def planned() -> tuple[int, int]:
    """What goes tonight, and within thirty days."""
    return next((due.now, due.soon) for due in purge.preview(30) if due.key == "mails")


def test_a_message_is_kept_half_a_year_by_the_products_clock(app: Flask) -> None:
    (old,) = write()
    clock.freeze(START + KEPT - DAY)
    (young,) = write()
    assert purge.run("mails") == {"mails": 0}
    assert names() == {old.name, young.name}
    clock.freeze(START + KEPT + DAY)
    assert purge.run("mails") == {"mails": 1}
    assert names() == {young.name}
    assert purge.run("mails") == {"mails": 0}


def test_the_page_says_how_many_go_before_they_go(house: House) -> None:
    write(2)
    clock.freeze(START + KEPT - 10 * DAY)
    write(3)
    had = names()
    assert planned() == (0, 2)
    clock.freeze(START + KEPT + DAY)
    assert planned() == (2, 0)
    admin = house.person("Pauline Ferré", "admin")
    page = house.browser(admin).get("/studio/retention?lang=en").text
    assert "Messages in the mail folder, after six months" in page
    assert names() >= had


def test_an_installation_that_never_wrote_a_message_has_nothing_to_forget(app: Flask) -> None:
    assert not mail_folder().exists()
    assert planned() == (0, 0)
    assert purge.run("mails") == {"mails": 0}
    assert not mail_folder().exists()


def test_a_draft_that_a_power_cut_left_goes_and_what_others_put_there_stays(app: Flask) -> None:
    (message,) = write()
    message.rename(message.with_suffix(".new"))
    for name in ("README.txt", "2020.eml", f"copy-of-{message.name}"):
        (mail_folder() / name).write_text("…")
    clock.freeze(START + KEPT + DAY)
    assert purge.run("mails") == {"mails": 1}
    assert names() == {"README.txt", "2020.eml", f"copy-of-{message.name}"}


def test_it_deals_with_so_many_at_a_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    write(5)
    clock.freeze(START + KEPT + DAY)
    monkeypatch.setattr(purge, "MOST", 2)
    assert planned() == (2, 0), "a preview counts no further"
    assert purge.run("mails") == {"mails": 5}
    assert names() == set()


def test_one_that_cannot_be_deleted_leaves_the_others_their_turn(app: Flask) -> None:
    first, *_, last = write(4)
    for stuck in (first, last):
        stuck.unlink()
        stuck.mkdir()
    clock.freeze(START + KEPT + DAY)
    with pytest.raises(OSError):  # noqa: PT011 - which one it is depends on the system
        purge.run("mails")
    assert names() == {first.name, last.name}


def test_the_register_and_my_data_say_how_long(house: House) -> None:
    maelle = house.person("Maëlle Kerjan")
    with house.app.test_request_context(headers={"Accept-Language": "en"}):
        (line,) = (line for line in register.lines() if line.key == "mail.folder")
        (part,) = (part for part in my_data.parts("person", maelle.id) if part.key == "mail.folder")
    assert line.kept == part.kept == "6 months after the message"
