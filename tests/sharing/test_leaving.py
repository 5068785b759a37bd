"""Leaving, departing, disconnecting: planned posts cancelled, the permission taken back at
LinkedIn and forgotten here, all of it within one round of the workers. F12, F101, rules N4, N6."""

from __future__ import annotations

import base64
import datetime as dt
import logging
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import clock, crypto, outbox
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.integrations.linkedin.oauth import AuthRefused, LinkedInAuth
from app.outbox.models import OutboxEvent
from app.people import service as people
from app.people.models import Person
from app.sharing import grants, sealing, service
from app.sharing.models import Grant, GrantRevocation, ReachFigure, Share
from standin.linkedin import CLIENT_SECRET, StandIn
from tests.conftest import House
from tests.sharing.flow import GAEL, MAELLE, PAGE, agree, all_grants, code_in, connect, go, newcomer
from tests.sharing.kit import press, share, story


@pytest.fixture(autouse=True)
def _members(standin: StandIn) -> None:
    standin.add_members(
        [{"sub": MAELLE, "name": "Maëlle Kerjan"}, {"sub": GAEL, "name": "Gaël Lebrun"}]
    )


class Life:
    """A member with a connection, one post online, two planned, and figures of both kinds."""

    def __init__(self, house: House, standin: StandIn) -> None:
        self.house, self.standin = house, standin
        self.person = newcomer(house)
        self.browser = house.browser(self.person)
        standin.set(partner=True)  # a refresh token must go the same way
        connect(self.browser, standin)
        story_id = story(house)
        self.online = press(self.person, story_id).id
        outbox.drain()
        assert share(self.online).status == "published"
        self.planned = [
            press(
                self.person, story_id, f"Demain {n}.", publish_at=clock.now() + dt.timedelta(days=n)
            ).id
            for n in (1, 2)
        ]
        self._figures()

    def _figures(self) -> None:
        with transaction() as session:
            for metric, truth in (("impressions", "measured"), ("comments", "declared")):
                row = ReachFigure(share_id=self.online, metric=metric, value=7, truth=truth)
                session.add(row)

    def tokens(self) -> list[str]:
        """The two tokens in clear."""
        grant = grants.grant_of(self.person.id)
        assert grant is not None
        refresh = sealing.refresh_token(grant)
        assert refresh
        return [sealing.access_token(grant), refresh]


@pytest.fixture
def life(house: House, standin: StandIn) -> Life:
    return Life(house, standin)


def _leave(life: Life) -> None:
    assert life.browser.post("/me/leaving").status_code == 303


def _depart(life: Life) -> None:
    people.depart(life.person.id)


def _disconnect(life: Life) -> None:
    assert life.browser.post(f"{PAGE}/ending").status_code == 303


@pytest.mark.parametrize(
    ("go_away", "reason"),
    [(_leave, "left"), (_depart, "left"), (_disconnect, "disconnected")],
    ids=["leaving", "departing", "disconnecting"],
)
def test_it_cancels_revokes_and_forgets(
    life: Life, standin: StandIn, go_away: Callable[[Life], None], reason: str
) -> None:
    tokens = life.tokens()
    go_away(life)
    outbox.drain()
    assert [t["state"] for t in standin.tokens() if t["member"] == MAELLE] == ["revoked"]
    assert _refresh_is_refused(life, tokens[1])
    assert all_grants() == []
    assert db.session.scalars(select(GrantRevocation.id)).all() == []
    for planned in life.planned:
        assert (share(planned).status, share(planned).reason) == ("cancelled", reason)
    assert share(life.online).status == "published"
    figures = db.session.execute(select(ReachFigure.metric, ReachFigure.truth)).all()
    assert [tuple(row) for row in figures] == [("comments", "declared")]
    assert _found_in(life.house, tokens) == []
    clock.travel(dt.timedelta(days=3))
    outbox.drain()
    assert len(standin.posts()) == 1


def _refresh_is_refused(life: Life, refresh_token: str) -> bool:
    """The other token is no good at LinkedIn, either."""
    with pytest.raises(AuthRefused):
        LinkedInAuth(life.house.app.extensions["portevoix"]).refresh(refresh_token)
    return True


def _found_in(house: House, secrets: list[str]) -> list[str]:
    """Where a secret lies, in clear or behind any encryption that this installation can open:
    every cell of the database, and every file of the data folder."""
    db.session.rollback()
    folder = Path(house.app.extensions["portevoix"].data_dir)
    base = sqlite3.connect(folder / "portevoix.db")
    found = []
    for (table,) in base.execute("select name from sqlite_master where type = 'table'").fetchall():
        cells = [cell for row in base.execute(f"select * from {table}") for cell in row]
        texts = [_opened(cell) for cell in cells if isinstance(cell, str)]
        found += [table for text in texts if any(s in text for s in secrets)]
    base.close()
    files = [f for f in folder.rglob("*") if f.is_file() and ".db" not in f.name]
    found += [f.name for f in files if any(s.encode() in f.read_bytes() for s in secrets)]
    return found


def _opened(cell: str) -> str:
    try:
        return crypto.decrypt(cell)
    except (crypto.CannotDecrypt, ValueError):
        return cell


def test_a_token_is_found_by_this_search_while_it_is_there(life: Life) -> None:
    """The search above would find it: encrypted in its own row, and nowhere else."""
    assert set(_found_in(life.house, life.tokens())) == {"share_grant"}


def test_it_is_over_at_once_even_while_linkedin_is_away(life: Life, standin: StandIn) -> None:
    tokens = life.tokens()
    standin.fault("500", path="/oauth/v2/revoke", times=None)
    _disconnect(life)
    outbox.drain()
    assert all_grants() == []
    assert _found_in(life.house, tokens) == []


def test_it_ends_on_both_databases(any_house: House, standin: StandIn) -> None:
    """The services alone, with a refresh token: both are taken back, and nothing stays."""
    standin.set(partner=True)
    person = newcomer(any_house)
    connect(any_house.browser(person), standin)
    planned = press(person, story(any_house), publish_at=clock.now() + dt.timedelta(days=1)).id
    people.leave(person.id)
    outbox.drain()
    assert share(planned).status == "cancelled"
    assert all_grants() == []
    assert db.session.scalars(select(GrantRevocation.id)).all() == []
    assert {t["state"] for t in standin.tokens()} == {"revoked"}
    assert grants.end(person.id) is None


def test_a_post_on_its_last_byte_is_told_truly_after_leaving(life: Life) -> None:
    """What may have left stays unknown or online; nothing is rewritten by leaving."""
    with transaction() as session:
        found = session.get_one(Share, life.planned[0])
        found.status, found.phase, found.attempt = "publishing", "sent", 1
        found.lease_until = clock.now() + dt.timedelta(minutes=2)
    _leave(life)
    outbox.drain()
    assert share(life.planned[0]).status == "publishing"
    assert share(life.planned[1]).status == "cancelled"


def test_nothing_comes_back_with_the_member(life: Life, standin: StandIn) -> None:
    _leave(life)
    outbox.drain()
    people.join(life.person.id)
    outbox.drain()
    again = life.house.browser(life.person)
    page = again.get(PAGE).get_data(as_text=True)
    assert 'name="consent"' in page and "Your connection" not in page
    assert share(life.planned[0]).status == "cancelled"


def test_a_consent_that_comes_back_after_leaving_stores_nothing(
    house: House, standin: StandIn
) -> None:
    person = newcomer(house)
    client = house.browser(person)
    back = agree(standin, go(client))
    people.leave(person.id)
    assert client.get(back).status_code in (303, 403)
    other = house.browser(person)
    assert other.get(back).status_code == 403
    assert all_grants() == []


def test_the_page_of_leaving_says_so(life: Life) -> None:
    page = life.browser.get("/me/leaving").get_data(as_text=True)
    assert "Posts that wait are cancelled" in page
    assert "LinkedIn is disconnected" in page


def test_an_old_token_on_its_way_out_is_swept_within_the_hour(life: Life, standin: StandIn) -> None:
    """The workers were down: the token goes all the same."""
    _disconnect(life)
    assert len(db.session.scalars(select(GrantRevocation.id)).all()) == 2
    clock.travel(dt.timedelta(minutes=61))
    assert grants.forget_stale_revocations() == 2
    assert db.session.scalars(select(GrantRevocation.id)).all() == []


# --- secrets through a whole life --------------------------------------------------------


def test_no_secret_is_written_anywhere_in_a_whole_life(
    house: House, standin: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    """Connect (with some failures), post, be refused, renew, withdraw, leave: tokens, codes,
    states and the client's secret are in no log line, mail, fact or audit entry."""
    caplog.set_level(logging.DEBUG)
    secrets = [CLIENT_SECRET]
    person = newcomer(house, "Maëlle Kerjan", "admin")
    client = house.browser(person)
    secrets += _stumble(client, standin)
    back = agree(standin, go(client))
    secrets.append(code_in(back))
    client.get(back)
    secrets += _tokens_of(person)
    story_id = story(house)
    posted = press(person, story_id).id
    outbox.drain()
    standin.fault("401-revoked", path="/rest/posts")
    press(person, story_id, "Encore un mot.")
    outbox.drain()
    assert grants.grant_of(person.id).state == "reconnect"  # type: ignore[union-attr]
    connect(client, standin)
    secrets += _tokens_of(person)
    standin.fault("426", path="/rest/posts")
    press(person, story_id, "Un troisième.")
    outbox.drain()
    service.withdraw(person.id, posted)
    outbox.drain()
    assert share(posted).status == "withdrawn"
    client.post("/me/leaving")
    outbox.drain()
    assert len(set(secrets)) >= 7 and min(map(len, secrets)) > 15
    told = [record.getMessage() + str(record.__dict__) for record in caplog.records]
    assert len(told) > 10
    assert [line for line in told if any(s in line for s in secrets)] == []
    assert _found_in(house, secrets) == []
    for rows in (select(OutboxEvent.payload), select(AuditEntry.details)):
        for payload in db.session.scalars(rows):
            assert not any(s in str(payload) for s in secrets)
    mails = [f.read_bytes() for f in _mail_folder(house).glob("*.eml")]
    assert len(mails) >= 3
    for raw in mails:
        text = _decoded(raw)
        assert not any(s in text for s in secrets)


def _stumble(client: FlaskClient, standin: StandIn) -> list[str]:
    """Ways back that fail, with their codes and states."""
    seen = []
    for action in ("500", "401-invalid", "drop_after_accept"):
        back = agree(standin, address := go(client))
        seen += [code_in(back), re.search(r"state=([^&]+)", address)[1]]
        standin.fault(action, path="/oauth/v2/accessToken", times=1)
        assert client.get(back).status_code in (400, 403, 424)
        standin.clear_faults()
    assert client.get(agree(standin, go(client), decision="cancel_login")).status_code == 403
    return seen


def _tokens_of(person: Person) -> list[str]:
    db.session.rollback()
    grant = db.session.scalars(select(Grant).where(Grant.person_id == person.id)).one()
    return [sealing.access_token(grant)]


def _mail_folder(house: House) -> Path:
    return Path(house.app.extensions["portevoix"].data_dir) / "mail"


def _decoded(raw: bytes) -> str:
    """A message with its encoded parts opened."""
    text = raw.decode("utf-8", "replace")
    for block in re.findall(r"\n\n((?:[A-Za-z0-9+/=]{60,}\n)+)", text):
        text += base64.b64decode(block).decode("utf-8", "replace")
    return text.replace("=\n", "")
