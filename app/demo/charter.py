"""The charter of the demo: the product's own, then a second version with what a year of sites
taught; who agreed to which."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from app.charters import queries as charters
from app.charters import service as charter_service
from app.demo.data import DemoPerson
from app.demo.days import LIVED, Act, Calendar
from app.demo.people import id_of, members

# One person has not gone this way yet, so that the first time can be seen.
NOT_YET = "edouard"
SECOND_DAY = 24  # days before today
TAKEN_BACK = ("erwan.le-bras", 4)
_ADDED_FR = """

## Photos de chantier

- Casque, harnais, garde-corps : une photo montre le travail comme il doit être fait. Si quelque chose manque sur l’image, prévenez plutôt que de publier.
- Un visage, une plaque, l’intérieur d’une école occupée : demandez d’abord, et gardez la réponse."""
_ADDED_EN = """

## Photographs of building sites

- Helmet, harness, guard rail: a photograph shows the work as it should be done. If something is missing in it, say so rather than post it.
- A face, a number plate, the inside of a school in use: ask first, and keep the answer."""
_NOTE_FR = "Une section de plus, sur les photos de chantier, demandée par l’équipe sécurité."
_NOTE_EN = "One more section, on photographs of building sites, asked for by the safety team."


def first_answer(demo: DemoPerson) -> int | None:
    """How many days ago they agreed for the first time; None for who never did."""
    if demo.joined is None or demo.key == NOT_YET:
        return None
    chance = random.Random(f"charter {demo.key}")  # nosec B311
    if not _is_sure(demo) and chance.random() < 0.08:
        return None
    wait = 0 if demo.is_named else chance.choice((0, 0, 0, 1, 2, 6))
    return max(demo.joined - wait, 0)


def second_answer(demo: DemoPerson) -> int | None:
    """The same for the second version; some still have it before them."""
    first = first_answer(demo)
    if first is None or (demo.left is not None and demo.left >= SECOND_DAY - 1):
        return None
    if first < SECOND_DAY:
        return first
    chance = random.Random(f"again {demo.key}")  # nosec B311
    if not _is_sure(demo) and chance.random() < 0.2:
        return None
    wait = 1 + (chance.randrange(3) if _is_sure(demo) else int(chance.expovariate(0.2)))
    answered = max(SECOND_DAY - wait, 0)
    return answered if demo.left is None or answered > demo.left else None


def _is_sure(demo: DemoPerson) -> bool:
    return demo.is_named or demo.key == TAKEN_BACK[0]


def holds(demo: DemoPerson, days_ago: int) -> bool:
    """Whether they had agreed to the version in force when that day began."""
    answer = first_answer(demo) if days_ago >= SECOND_DAY else second_answer(demo)
    if demo.key == TAKEN_BACK[0] and days_ago < TAKEN_BACK[1] + 1:
        return False
    return answer is not None and answer > days_ago


def acts(calendar: Calendar) -> Iterator[Act]:
    """Two versions, and everybody's answers."""
    yield Act(calendar.at(LIVED, 8, 1), partial(charter_service.ensure_default, calendar.at(LIVED)))
    yield Act(calendar.at(SECOND_DAY, 18, 30), _second_version)
    for demo in members():
        first, second = first_answer(demo), second_answer(demo)
        if first is not None:
            yield Act(calendar.at(first, 10, 30), partial(_agree, demo))
        if second is not None and second != first:
            yield Act(calendar.at(second, 9, 20), partial(_agree, demo))
    key, day = TAKEN_BACK
    yield Act(calendar.at(day, 18, 5), lambda: charter_service.withdraw(id_of(key)))


def _second_version() -> None:
    now = charters.current()
    if now is None or now.number > 1:
        return
    actor_id = id_of("nolwenn")
    version_id = charter_service.save_draft(
        actor_id, now.title_fr, now.title_en, now.body_fr + _ADDED_FR, now.body_en + _ADDED_EN,
        _NOTE_FR, _NOTE_EN,
    )  # fmt: skip
    charter_service.publish(actor_id, version_id)


def _agree(demo: DemoPerson) -> None:
    current = charters.current()
    if current is not None:
        charter_service.accept(id_of(demo.key), current.id, demo.language)
