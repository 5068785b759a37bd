"""A shelf, and members with points to spend."""

from __future__ import annotations

import uuid
from email import message_from_bytes, policy
from typing import Any

import pytest

from app import ledger
from app.ledger.queries import Balance
from app.people import service as people
from app.people.models import Person
from app.play import accounts
from app.rewards import service
from app.rewards.models import Reward
from tests.conftest import House


class Shop:
    """Rewards and points for a house, by the product's own services."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.hr = self.person("Pauline Delmotte", "hr")
        self.deliverer = self.person("Gaël Lebrun", site="Lorient")

    def person(self, name: str, *roles: str, **more: Any) -> Person:
        """Somebody of the directory who has not joined, and reads English."""
        return self.house.person(name, *roles, joined=False, **{"language": "en"} | more)

    def member(
        self, points: int = 0, name: str = "Maëlle Kerjan", *roles: str, **more: Any
    ) -> Person:
        """Somebody who takes part, with points to spend. Without a password: it costs a
        tenth of a second, and nobody signs in with it here."""
        person = self.person(name, *roles, **more)
        people.join(person.id)
        accounts.open_for(person.id)
        if points:
            give(person.id, points)
        return person

    def balance(self, person: Person) -> Balance:
        return accounts.balance_of(person.id)

    def account(self, person: Person) -> uuid.UUID:
        return accounts.open_for(person.id)

    def reward(self, **fields: Any) -> Reward:
        return service.create_reward(**(self.terms() | {"actor_id": self.hr.id} | fields))

    def terms(self, **fields: Any) -> dict[str, Any]:
        return {
            "title": "Un livre au choix",
            "description": "À retirer à l’accueil.",
            "cost": 80,
            "stock": 3,
            "pay_class": "gift in kind",
            "deliverer_id": self.deliverer.id,
        } | fields

    def mails(self) -> list[tuple[str, str]]:
        """Address and subject of each message since the last look, in order of address."""
        folder = self.house.app.extensions["portevoix"].data_dir / "mail"
        found = []
        for file in sorted(folder.glob("*.eml")):
            message = message_from_bytes(file.read_bytes(), policy=policy.default)
            found.append((message["To"].addresses[0].addr_spec, str(message["Subject"])))
            file.unlink()
        return sorted(found)


def give(person_id: uuid.UUID, points: int) -> None:
    """Points to spend, as an award gives them."""
    account = accounts.open_for(person_id)
    ledger.transfer("award", f"test-{uuid.uuid4()}", account, points)


@pytest.fixture
def shop(house: House) -> Shop:
    return Shop(house)


@pytest.fixture
def any_shop(any_house: House) -> Shop:
    return Shop(any_house)
