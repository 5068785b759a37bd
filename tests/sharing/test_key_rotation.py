"""Keys are changed under traffic, a slice (`make soak` has ten thousand connections); and two
people's encrypted tokens that were swapped open for neither."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from app import clock, crypto, outbox
from app.db import db, transaction
from app.sharing import grants, publisher, sealing
from app.sharing.models import GrantRevocation
from standin.linkedin import StandIn
from tests.conftest import House
from tests.sharing import kit, rotation
from tests.sharing.crowd import subject_of


@pytest.fixture(autouse=True)
def _keys() -> object:
    """Whatever a test does with the keys of this process, they are as before."""
    kept = crypto._keys
    yield
    crypto.start(kept)


def test_no_token_is_lost_when_keys_change_under_traffic(any_app: Flask, tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(3), "big")
    print("seed", seed)
    clock.release()
    report = rotation.rotate(tmp_path, seed, 300)
    print(report)
    assert 0 < report.cut_short_at < 300 and report.renewals >= 10


def _swap(house: House, one: object, other: object) -> None:
    """What somebody with the database in their hands can do."""
    with transaction() as session:
        rows = session.execute(
            text("SELECT person_id, access_token, refresh_token FROM share_grant")
        ).all()
        assert len(rows) == 2
        for row, taken in zip(rows, reversed(rows), strict=True):
            session.execute(
                text(
                    "UPDATE share_grant SET access_token = :a, refresh_token = :r"
                    " WHERE person_id = :p"
                ),
                {"a": taken.access_token, "r": taken.refresh_token, "p": row.person_id},
            )


def test_swapped_tokens_open_for_neither_and_both_are_told(
    any_house: House, standin: StandIn
) -> None:
    ana, bea = kit.member(any_house, "Ana Lebrun"), kit.member(any_house, "Bea Roux")
    story_id = kit.story(any_house)
    pressed = [kit.press(person, story_id) for person in (ana, bea)]
    _swap(any_house, ana, bea)
    for person in (ana, bea):
        grant = grants.grant_of(person.id)
        assert grant is not None
        with pytest.raises(sealing.TokenMisplaced):
            sealing.access_token(grant)
    db.session.remove()
    publisher.publish_due()
    assert standin.posts() == [] and standin.requests()["counts"] == {}, "nothing was even asked"
    for one in pressed:
        found = kit.share(one.id)
        assert (found.status, found.reason) == ("paused", "reconnect")
    before = _mails(any_house)
    outbox.drain()
    told = [file.read_text() for file in sorted(_mails(any_house) - before)]
    assert len(told) == 2 and {_to(one) for one in told} == {ana.email, bea.email}


def _mails(house: House) -> set[Path]:
    return set((house.app.extensions["portevoix"].data_dir / "mail").glob("*.eml"))


def _to(message: str) -> str:
    line = next(line for line in message.splitlines() if line.startswith("To: "))
    return line.rsplit("<", 1)[1].rstrip(">")


def test_swapped_tokens_are_not_revoked_for_the_other(any_house: House, standin: StandIn) -> None:
    """Ana disconnects: what is stored under her name is Bea's, and is only forgotten."""
    ana, bea = kit.member(any_house, "Ana Lebrun"), kit.member(any_house, "Bea Roux")
    bea_subject = subject_of(bea.id)
    _swap(any_house, ana, bea)
    db.session.expire_all()
    assert grants.end(ana.id) is not None
    outbox.drain()
    assert grants.grant_of(ana.id) is None and db.session.query(GrantRevocation).count() == 0
    assert all(t["state"] == "active" for t in standin.tokens() if t["member"] == bea_subject)
    assert "POST /oauth/v2/revoke" not in standin.requests()["counts"]
