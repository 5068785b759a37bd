"""The organisation's settings and its entities."""

from __future__ import annotations

import io
from email.utils import parseaddr

import pytest
from PIL import Image
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.db import db
from app.people import service as people
from app.people import thresholds
from app.settings import entities, organisation, save_organisation
from tests.conftest import House
from tests.people.conftest import mails

FORM = {
    "name": "Halvenne", "brand": "#00664a", "about": "", "other_about": "", "website": "https://halvenne.example",
    "privacy_contact": "vie@halvenne.example", "promise_days": "7", "sender_name": "",
    "joining_threshold": "", "team_threshold": "",
}  # fmt: skip


def _notes(kind: str) -> list[AuditEntry]:
    wanted = select(AuditEntry).where(AuditEntry.target_kind == kind).order_by(AuditEntry.id)
    return list(db.session.scalars(wanted))


def test_it_keeps_what_was_changed_and_says_which_fields(house: House) -> None:
    admin = house.person("Pauline Ferré", "admin")
    save_organisation(name="Halvenne", brand="#00664a")
    browser = house.browser(admin)
    assert browser.post("/studio/organisation", data=FORM).status_code == 303
    row = organisation()
    assert row is not None
    assert (row.website, row.promise_days) == ("https://halvenne.example", 7)
    assert _notes("organisation")[-1].details == {"fields": "website privacy_contact promise_days"}
    count = len(_notes("organisation"))
    browser.post("/studio/organisation", data=FORM)
    assert len(_notes("organisation")) == count, "nothing changed, nothing is noted"


def test_the_foot_of_public_pages_speaks_the_readers_language(house: House) -> None:
    browser = house.browser(house.person("Pauline Ferré", "admin"))
    stranger = house.app.test_client()
    said = FORM | {"about": "Halvenne construit.", "other_about": "Halvenne builds."}
    for sent, english in ((said, "Halvenne builds."), (said | {"other_about": ""}, said["about"])):
        assert browser.post("/studio/organisation", data=sent).status_code == 303
        for language, told in (("fr", said["about"]), ("en", english)):
            foot = stranger.get(f"/offline?lang={language}").get_data(as_text=True)
            assert [text in foot for text in (said["about"], "Halvenne builds.")] == [
                told == said["about"], told == "Halvenne builds."
            ]  # fmt: skip
    form = browser.get("/studio/organisation?lang=en").get_data(as_text=True)
    assert "What it does, in the other language" in form


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "), ("brand", "green"), ("website", "javascript:alert(1)"),
        ("promise_days", "0"), ("promise_days", "ten"), ("joining_threshold", "9"),
        ("team_threshold", "4"), ("sender_name", "A <a@b.example>"), ("about", "x" * 501),
        ("other_about", "x" * 501),
    ],
)  # fmt: skip
def test_it_refuses_what_cannot_be_and_keeps_what_was_typed(
    house: House, field: str, value: str
) -> None:
    save_organisation(name="Halvenne", brand="#00664a")
    browser = house.browser(house.person("Pauline Ferré", "admin"))
    answer = browser.post(
        "/studio/organisation", data=FORM | {field: value, "privacy_contact": "typed"}
    )
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert 'value="typed"' in page
    assert f'id="{field}-error"' in page
    row = organisation()
    assert row is not None
    assert row.privacy_contact == ""


def test_thresholds_only_rise(house: House) -> None:
    save_organisation(name="Halvenne", brand="#00664a")
    assert (thresholds.joining(), thresholds.team()) == (10, 5)
    save_organisation(name="Halvenne", brand="#00664a", joining_threshold=25, team_threshold=8)
    assert (thresholds.joining(), thresholds.team()) == (25, 8)


def _png(width: int = 400, height: int = 120) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGBA", (width, height), (0, 102, 74, 255)).save(file, "PNG")
    file.seek(0)
    return file


def test_a_logo_is_redrawn_shown_and_taken_away(house: House) -> None:
    save_organisation(name="Halvenne", brand="#00664a")
    browser = house.browser(house.person("Pauline Ferré", "admin"))
    sent = browser.post("/studio/organisation", data=FORM | {"logo": (_png(), "logo.png")})
    assert sent.status_code == 303
    row = organisation()
    assert row is not None
    assert row.logo_src is not None
    assert row.logo_src.startswith("/media/")
    assert browser.get(row.logo_src).status_code == 200
    assert f'src="{row.logo_src}"' in browser.get("/studio/organisation").get_data(as_text=True)
    browser.post("/studio/organisation", data=FORM | {"no_logo": "yes"})
    db.session.expire_all()
    assert row.logo_src is None


def test_what_is_no_picture_changes_nothing(house: House) -> None:
    save_organisation(name="Halvenne", brand="#00664a")
    browser = house.browser(house.person("Pauline Ferré", "admin"))
    form = FORM | {"name": "Autre", "logo": (io.BytesIO(b"<svg/>"), "logo.svg")}
    assert browser.post("/studio/organisation", data=form).status_code == 422
    row = organisation()
    assert row is not None
    assert row.name == "Halvenne"


def test_mails_bear_the_name_of_the_sender(house: House) -> None:
    save_organisation(name="Halvenne", brand="#00664a", sender_name="Équipe des Voix, Halvenne")
    people.invite(house.person("Nadia Ferrand", joined=False).id, actor_id=None)
    [sender] = [message["From"] for message in mails(house.app)]
    assert parseaddr(str(sender)) == ("Équipe des Voix, Halvenne", "ne-pas-repondre@localhost")


def test_entities_are_made_renamed_and_archived(house: House) -> None:
    save_organisation(name="Halvenne", brand="#00664a")
    browser = house.browser(house.person("Pauline Ferré", "admin"))
    assert "No entity" in browser.get("/studio/entities?lang=en").get_data(as_text=True)
    browser.post("/studio/entities", data={"code": "HLV-56", "name": "Halvenne Lorient"})
    [row] = entities.entities()
    taken = browser.post("/studio/entities", data={"code": "HLV-56", "name": "Autre"})
    assert taken.status_code == 422
    browser.post(f"/studio/entities/{row.id}", data={"code": "HLV-1", "name": "Halvenne Bretagne"})
    browser.post(f"/studio/entities/{row.id}/archival", data={"archived": "yes"})
    db.session.expire_all()
    assert entities.entities() == []
    assert [(e.code, e.name) for e in entities.entities(archived=True)] == [
        ("HLV-1", "Halvenne Bretagne")
    ]
    assert [note.action for note in _notes("entity")] == [
        "entity.made", "entity.changed", "entity.archived",
    ]  # fmt: skip


@pytest.mark.parametrize("role", ["member", "hr", "lead", "auditor"])
def test_only_administrators_change_the_organisation(house: House, role: str) -> None:
    roles = [] if role == "member" else [role]
    browser = house.browser(house.person("Théo Le Goff", *roles))
    assert browser.get("/studio/organisation").status_code == 403
    assert browser.post("/studio/organisation", data=FORM).status_code == 403
    assert browser.post("/studio/entities", data={"code": "a", "name": "b"}).status_code == 403
