"""What the directory, joining and signing in keep about people, and how it is erased."""

from __future__ import annotations

import uuid
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app import clock, personal_data, rights
from app.db import before_commit
from app.errors import Sentence
from app.people import joining_models as joining
from app.people import personal_codes
from app.people import proof_models as proofs
from app.people import transition_models as ways
from app.people.directory import depart
from app.people.errors import LastAdmin, NoSuchPerson
from app.people.lookup import load_person
from app.people.membership import end_membership
from app.people.models import (
    AccessToken,
    Consent,
    Credential,
    DirectoryCell,
    DirectoryValue,
    Identity,
    Login,
    Membership,
    ParkedForm,
    Person,
    PersonWord,
    RoleGrant,
    SavedView,
    Segment,
    SegmentPerson,
)
from app.people.names import ERASED
from app.people.tallies import fold_cells
from app.personal_data import PERSON, Subject, both, deletes, holds, rows

SIGN_IN = _l("to let you in, and nobody else in your place")
TAKING_PART = _l("to take part in the programme")
INVITING = _l("to invite you once, and to know your team and your language")
PROOF = _l("to prove what you were told and what you answered")
_PROOF_STAYS = _l(
    "The answers to choices stay as proof, with their dates and without your name (GDPR, "
    "article 17.3.e), for five years after you left."
)


def _marks(session: Session, person_id: uuid.UUID) -> tuple[str, ...] | None:
    try:
        person = load_person(session, person_id)
    except NoSuchPerson:
        return None
    own = session.get(ways.PersonalAddress, person_id)
    marks = (person.email, person.name, person.employee_id, own.email if own else None)
    return tuple(filter(None, marks))


def _simple(
    key: str, model: type[Any], mine: InstrumentedAttribute[Any], title: Sentence,
    purpose: Sentence, source: str = "use", *, basis: str = "contract", to: tuple[str, ...] = (),
    hides: tuple[str, ...] = (), also: tuple[InstrumentedAttribute[Any], ...] = (),
) -> None:  # fmt: skip
    """A table whose rows belong to one person each, and go with them."""
    holds(
        f"people.{key}", model, title=title, purpose=purpose, basis=basis, source=source,
        recipients=("you", *to), exports={PERSON: rows(model, mine, *also, hides=("id", *hides))},
        erasures={PERSON: deletes(model, mine)},
    )  # fmt: skip


_EMPTIED = (
    "employee_id", "job_title", "department", "site", "function", "contract", "hired_on",
    "ends_on", "entity_id", "manager_id", "suspended_at",
)  # fmt: skip


# --- the entry ---------------------------------------------------------------------------


def _leave(session: Session, subject: Subject) -> None:
    """Everything that leaving and a departure end. The last administrator names another one
    first (`LastAdmin`); a restored backup may know of no other, and its console names one."""
    person = session.get_one(Person, subject.id)
    end_membership(person)
    try:
        depart(person.id)
    except LastAdmin:
        if subject.asked_by != rights.LIST:
            raise
        person.departed_at, person.role_grants = clock.now(), []
    session.flush()


def _empty(session: Session, subject: Subject) -> None:
    """The row stays, because lines of the ledger and decisions hang on its number; nothing in
    it says whose it was. Written past the session: what follows the directory's changes would
    keep what they take away."""
    session.flush()
    session.execute(
        update(Person)
        .where(Person.id == subject.id)
        .values(
            dict.fromkeys(_EMPTIED)
            | {"name": ERASED, "email": f"{subject.id}@erased.invalid", "kind": "employee"}
            | {"erased_at": clock.now()}
        ),
        execution_options={"synchronize_session": "fetch"},
    )
    session.execute(
        update(Person).where(Person.manager_id == subject.id).values(manager_id=None),
        execution_options={"synchronize_session": "fetch"},
    )
    session.execute(delete(PersonWord).where(PersonWord.person_id == subject.id))
    before_commit(fold_cells)  # the counters forget what only this person had


def _forget_requests(session: Session, subject: Subject) -> None:
    """Answers to an open invitation from the same mailbox."""
    theirs = joining.JoinRequest.email.in_(mark.lower() for mark in subject.marks)
    session.execute(delete(joining.JoinRequest).where(theirs))


def _code_rows(session: Session, person_id: uuid.UUID) -> list[personal_data.Row]:
    hidden = ("id", "batch_id", "code", "code_hash", "created_by", "uses")
    found = rows(joining.OpenInvitation, joining.OpenInvitation.batch_id, hides=hidden)
    return [*found(session, person_id)]


def _forget_codes(session: Session, subject: Subject) -> None:
    personal_codes.forget(session, subject.id)


def _forget_grants(session: Session, subject: Subject) -> None:
    """Their own; of those they gave to others only who gave them."""
    session.execute(delete(RoleGrant).where(RoleGrant.person_id == subject.id))
    session.execute(
        update(RoleGrant).where(RoleGrant.granted_by == subject.id).values(granted_by=None)
    )


def _forget_moves(session: Session, subject: Subject) -> None:
    session.execute(
        delete(ways.Placement).where(ways.Placement.person_id == subject.id),
    )
    session.execute(
        update(ways.Placement)
        .where(ways.Placement.manager_id == subject.id)
        .values(manager_id=None)
    )


def _forget_rounds(session: Session, subject: Subject) -> None:
    made = joining.InvitationRound
    session.execute(update(made).where(made.started_by == subject.id).values(started_by=None))


def _forget_lists_made(session: Session, subject: Subject) -> None:
    session.execute(update(Segment).where(Segment.created_by == subject.id).values(created_by=None))


def _request_rows(session: Session, person_id: uuid.UUID) -> list[personal_data.Row]:
    person = session.get(Person, person_id)
    if person is None:
        return []
    found = rows(joining.JoinRequest, joining.JoinRequest.email, hides=("id", "invitation_id"))
    return list(found(session, person.email))  # type: ignore[arg-type]


# --- declarations: the last ones are erased first -----------------------------------------


def declare() -> None:
    """Say all of it."""
    personal_data.identified_by(PERSON, _marks, _leave)
    holds(
        "people.entry", Person, PersonWord, DirectoryCell, DirectoryValue,
        title=_l("Your entry in the directory"), purpose=INVITING, basis="interest",
        source="employer", recipients=("administrators",),
        exports={PERSON: rows(Person, Person.id, hides=("erased_at",))},
        erasures={PERSON: _empty},
        stays=_l("A random number stays in your place, so that figures and accounts still add up."),
    )  # fmt: skip
    _simple("membership", Membership, Membership.person_id, _l("Taking part"), TAKING_PART)
    _declare_choices()
    _declare_ways()
    _declare_signing_in()
    _declare_rights()


def _declare_choices() -> None:
    for key, model, mine, title in (
        ("consents", Consent, Consent.person_id, _l("Your choices")),
        ("answers", joining.ConsentRecord, joining.ConsentRecord.person_id,
         _l("The proof of your choices")),
    ):  # fmt: skip
        holds(
            f"people.{key}", model, title=title, purpose=PROOF, basis="law", source="you",
            recipients=("you", "administrators"), exports={PERSON: rows(model, mine, hides=("id",))},
            stays=_PROOF_STAYS,
        )  # fmt: skip
    pause = joining.Pause
    _simple("pause", pause, pause.person_id, _l("Your pause"), TAKING_PART, "you")


def _declare_ways() -> None:
    """Invitations, places, what comes after the last day."""
    _simple(
        "invitation", joining.Invitation, joining.Invitation.person_id,
        _l("The invitation you were sent"), INVITING, "colleagues", basis="interest",
        to=("administrators",),
    )  # fmt: skip
    _simple(
        "held_invitation", ways.HeldInvitation, ways.HeldInvitation.person_id,
        _l("An invitation that waits for your first day"), INVITING, "colleagues",
        basis="interest", to=("administrators",), hides=("asked_by",),
    )  # fmt: skip
    holds(
        "people.requests", joining.JoinRequest, title=_l("Requests to join"), purpose=INVITING,
        basis="contract", source="you", recipients=("administrators",),
        exports={PERSON: _request_rows}, erasures={PERSON: _forget_requests},
    )  # fmt: skip
    holds(
        "people.personal_code", joining.OpenInvitation, title=_l("A code on paper made for you"),
        purpose=INVITING, basis="interest", source="colleagues", recipients=("administrators",),
        exports={PERSON: _code_rows}, erasures={PERSON: _forget_codes},
    )  # fmt: skip
    holds(
        "people.places", ways.Placement, title=_l("Places you had before"), purpose=TAKING_PART,
        basis="interest", source="employer", recipients=("administrators",),
        exports={PERSON: rows(ways.Placement, ways.Placement.person_id,
                              hides=("id", "manager_id"))},
        erasures={PERSON: _forget_moves},
    )  # fmt: skip
    _simple(
        "personal_address", ways.PersonalAddress, ways.PersonalAddress.person_id,
        _l("Your own address, for after your last day"),
        _l("to reach you once you have left, if you wish"), "you", basis="consent",
    )  # fmt: skip
    _simple(
        "alumnus", ways.Alumnus, ways.Alumnus.person_id, _l("Your account as a former colleague"),
        TAKING_PART, "you", basis="consent",
    )  # fmt: skip
    _simple(
        "segments", SegmentPerson, SegmentPerson.person_id, _l("Lists of the directory you are on"),
        _l("to show you what concerns your team"), "colleagues", basis="interest",
        to=("administrators",),
    )  # fmt: skip
    personal_data.holds(
        "people.segments_made", Segment, title=_l("Lists you made"),
        purpose=_l("to show colleagues what concerns their team"), basis="interest",
        source="use", recipients=("administrators",),
        exports={PERSON: rows(Segment, Segment.created_by, hides=("id", "rule"))},
        erasures={PERSON: _forget_lists_made},
    )  # fmt: skip
    made = joining.InvitationRound
    personal_data.holds(
        "people.invitation_rounds", made, title=_l("Rounds of invitations you began"),
        purpose=INVITING, basis="interest", source="use", recipients=("administrators",),
        exports={PERSON: rows(made, made.started_by, hides=(
            "id", "segment_id", "is_limited", "total", "done", "place", "finished_at"))},
        erasures={PERSON: _forget_rounds},
    )  # fmt: skip


def _declare_signing_in() -> None:
    _simple(
        "password", Credential, Credential.person_id, _l("Your password"), SIGN_IN, "you",
        hides=("password_hash",),
    )  # fmt: skip
    _simple(
        "identities", Identity, Identity.person_id, _l("How the identity provider names you"),
        SIGN_IN, "provider",
    )  # fmt: skip
    _simple(
        "passkeys", proofs.Passkey, proofs.Passkey.person_id, _l("Your passkeys"), SIGN_IN, "you",
        hides=("credential_id", "public_key", "sign_count"),
    )  # fmt: skip
    _simple(
        "second_factor", proofs.SecondFactor, proofs.SecondFactor.person_id,
        _l("Your second factor"), SIGN_IN, "you", hides=("secret", "last_counter"),
    )  # fmt: skip
    _simple(
        "recovery_codes", proofs.RecoveryCode, proofs.RecoveryCode.person_id,
        _l("Your recovery codes"), SIGN_IN, hides=("code_hash",),
    )  # fmt: skip
    _simple(
        "steps", proofs.SignInStep, proofs.SignInStep.person_id, _l("Sign-ins under way"), SIGN_IN,
        hides=("token_hash", "challenge"),
    )  # fmt: skip
    _simple(
        "codes", joining.EmailCode, joining.EmailCode.person_id, _l("Codes sent to your mailbox"),
        SIGN_IN, hides=("code_hash", "request_id"),
    )  # fmt: skip
    _simple(
        "devices", Login, Login.person_id, _l("Devices that are or were signed in"), SIGN_IN,
        hides=("token_hash", "previous_hash"),
    )  # fmt: skip
    _simple(
        "parked", ParkedForm, ParkedForm.person_id, _l("Forms that wait for you to sign in"),
        _l("so that nothing you typed is lost"), "you", hides=("key_hash", "content"),
    )  # fmt: skip
    _simple(
        "tokens", AccessToken, AccessToken.person_id, _l("Your tokens for programs"), SIGN_IN,
        "you", hides=("token_hash",),
    )  # fmt: skip


def _declare_rights() -> None:
    holds(
        "people.roles", RoleGrant, title=_l("What you may do for the organisation"),
        purpose=_l("to give access to those who work with it, and to them only"),
        basis="interest", source="colleagues", recipients=("administrators",),
        exports={PERSON: rows(RoleGrant, RoleGrant.person_id, hides=("id", "granted_by"))},
        erasures={PERSON: _forget_grants},
    )  # fmt: skip
    review = ways.RoleReview
    holds(
        "people.role_reviews", review, title=_l("Roles to look at again"),
        purpose=_l("to take back what somebody no longer needs"), basis="interest",
        source="use", recipients=("administrators",),
        exports={PERSON: rows(review, review.person_id, hides=("id", "settled_by"))},
        erasures={PERSON: both(deletes(review, review.person_id), _forget_settled)},
    )  # fmt: skip
    _simple(
        "views", SavedView, SavedView.person_id, _l("Views of lists you saved"),
        _l("to open lists as you left them"), "you",
    )  # fmt: skip


def _forget_settled(session: Session, subject: Subject) -> None:
    review = ways.RoleReview
    session.execute(update(review).where(review.settled_by == subject.id).values(settled_by=None))
