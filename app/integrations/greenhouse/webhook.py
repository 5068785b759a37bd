"""Greenhouse web hooks: `{"action": …, "payload": {…}}`, signed over the raw body.

Traps that the vendor's documentation holds:

- A hire is `hire_candidate` ("Candidate hired" is only its label on the screen; the other
  spelling is accepted). It carries the offer, but neither `status`, nor `last_activity_at`,
  nor the job post.
- `unhire_candidate` is the reverse: `last_activity_at` and the job post, but **no offer**.
- The source is called `public_name` in some events and `name` in others.
- Job post events are flat, except `job_post_deleted`.
- The signature covers the body only, not `Greenhouse-Event-ID`: whoever captured one
  delivery can send it again under another id. The business key (application, offer,
  `resolved_at`) is what makes that harmless.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from app.integrations.events import (
    AtsEvent,
    BadSignature,
    Closure,
    Credited,
    EventKind,
    EventSettings,
    ReferralCode,
    UnreadableBody,
)
from app.integrations.text import (
    Json,
    JsonObject,
    UnreadableJson,
    as_id,
    as_object,
    as_objects,
    as_text,
    clean_text,
    fold,
    parse_date,
    parse_day,
    read_json,
)

SUCCESS_STATUS: Final = 200
"""Exactly this one: Greenhouse sends again, for 15 hours, after any other answer."""

# --- the envelope ----------------------------------------------------------------------

_SIGNATURE: Final = re.compile(r"sha256 ([0-9a-f]{64})")
_EVENT_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,200}")


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> None:
    """Check the `Signature` header over the raw bytes against each secret, newest first.

    Raises `BadSignature`. The bytes must be those received: Greenhouse escapes `< > &` and
    letters beyond ASCII before it signs, so a body that was parsed and dumped never matches.
    """
    keys = [secret.encode() for secret in secrets if secret]
    if not keys:
        raise BadSignature("no-secret")
    signature = _header(headers, "signature")
    if signature is None:
        raise BadSignature("missing")
    found = _SIGNATURE.fullmatch(signature)
    if not found:
        raise BadSignature("malformed")
    given = bytes.fromhex(found[1])
    if not any(hmac.compare_digest(given, hmac.digest(key, body, "sha256")) for key in keys):
        raise BadSignature("mismatch")


def event_id(headers: Mapping[str, str], body: bytes) -> str:
    """The delivery's id, the same at each retry; without a usable header, the body's hash."""
    given = _header(headers, "greenhouse-event-id") or ""
    if _EVENT_ID.fullmatch(given):
        return given
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def parse(raw: bytes, settings: EventSettings | None = None) -> AtsEvent:
    """Read a verified body. An unknown action is an `ignored` event, never an error.

    Raises `UnreadableBody`.
    """
    try:
        body = read_json(raw)
    except UnreadableJson as error:
        raise UnreadableBody(error.code) from None
    if not isinstance(body, dict):
        raise UnreadableBody("not-an-object")
    action = as_text(body.get("action"), 100) or ""
    read = _READERS.get(action, _ignored)
    return read(action, as_object(body.get("payload")), settings or EventSettings())


def _header(headers: Mapping[str, str], name: str) -> str | None:
    """A header by its lower-case name, whatever the case it came in; None unless it is one."""
    values = [value for key, value in headers.items() if key.lower() == name]
    return values[0] if len(values) == 1 else None


# --- applications ----------------------------------------------------------------------

# What Greenhouse calls the reasons with which a candidate leaves by himself, and what
# customers call them; reasons and types can be renamed, hence EventSettings.
_WITHDRAWAL_TYPES: Final = frozenset(
    {"they rejected us", "candidate rejected us", "withdrawn", "candidate withdrew"}
    | {"desistement", "ils nous ont refuses", "desistement du candidat", "retrait"}
)
_WITHDRAWAL_REASON: Final = re.compile(r"\b(?:withdr[ae]w|retir\w* (?:sa|leur) candidature|desist)")


def _hired(action: str, payload: JsonObject, settings: EventSettings) -> AtsEvent:
    """Occurred when the offer was accepted: `offer.resolved_at`, the only time it gives."""
    event = _application_event("hired", action, payload, settings)
    return replace(event, occurred_at=event.resolved_at)


def _unhired(action: str, payload: JsonObject, settings: EventSettings) -> AtsEvent:
    """Occurred at `last_activity_at`: nothing else tells when somebody clicked on "Unhire"."""
    return _application_event("unhired", action, payload, settings)


def _stage(action: str, payload: JsonObject, settings: EventSettings) -> AtsEvent:
    """Occurred at `last_activity_at`: no other time says when the stage changed."""
    return _application_event("stage", action, payload, settings)


def _rejected(action: str, payload: JsonObject, settings: EventSettings) -> AtsEvent:
    """Occurred at `rejected_at`. A withdrawal is a rejection with a certain reason."""
    event = _application_event("rejected", action, payload, settings)
    rejected_at = parse_date(as_object(payload.get("application")).get("rejected_at"))
    event = replace(event, occurred_at=rejected_at or event.occurred_at)
    withdrawn = event.kind == "rejected" and _is_withdrawal(event.closure, settings)
    return replace(event, kind="withdrawn") if withdrawn else event


def _unrejected(action: str, payload: JsonObject, settings: EventSettings) -> AtsEvent:
    """Occurred at `last_activity_at`; `rejected_at` is empty again by then."""
    return _application_event("unrejected", action, payload, settings)


def _applied(action: str, payload: JsonObject, settings: EventSettings) -> AtsEvent:
    """Occurred at `applied_at`."""
    event = _application_event("application", action, payload, settings)
    applied_at = parse_date(as_object(payload.get("application")).get("applied_at"))
    return replace(event, occurred_at=applied_at or event.occurred_at)


def _application_updated(action: str, payload: JsonObject, settings: EventSettings) -> AtsEvent:
    """Occurred at `last_activity_at`. Source and credit may be filled in only now."""
    return _application_event("application", action, payload, settings)


def _application_event(
    kind: EventKind, action: str, payload: JsonObject, settings: EventSettings
) -> AtsEvent:
    """Everything that events about an application share; without its id they mean nothing."""
    application = as_object(payload.get("application"))
    application_id = as_id(application.get("id"))
    if application_id is None:
        return AtsEvent(kind="ignored", action=action, problem="missing-application-id")
    candidate = as_object(application.get("candidate"))
    offer = as_object(application.get("offer"))
    jobs = as_objects(application.get("jobs")) or as_objects([application.get("job")])
    source = _source_text(application.get("source"))
    return AtsEvent(
        kind=kind,
        action=action,
        occurred_at=parse_date(application.get("last_activity_at")),
        application_id=application_id,
        candidate_id=as_id(candidate.get("id")),
        is_prospect=application.get("prospect") is True,
        job_ids=_ids(job.get("id") for job in jobs),
        job_post_ids=_ids(job.get("job_post_id") for job in jobs),
        stage_name=as_text(as_object(application.get("current_stage")).get("name")),
        closure=_closure(application.get("rejection_reason")),
        offer_id=as_id(offer.get("id")),
        resolved_at=parse_date(offer.get("resolved_at")),
        starts_at=parse_day(offer.get("starts_at")),
        codes=_codes(application, source, settings),
        source_text=source,
        credited=_credited(application.get("credited_to")),
        candidate_emails=_emails(candidate),
        candidate_first_name=as_text(candidate.get("first_name")),
        candidate_last_name=as_text(candidate.get("last_name")),
    )


def _ids(values: Iterable[Json]) -> tuple[str, ...]:
    """The identifiers among these, each once, in order."""
    return tuple(dict.fromkeys(found for value in values if (found := as_id(value))))


def _source_text(source: Json) -> str | None:
    """`public_name` in hire, unhire and (un)reject; `name` in the others."""
    if isinstance(source, str):
        return as_text(source)
    named = as_object(source)
    return as_text(named.get("public_name")) or as_text(named.get("name"))


def _closure(reason: Json) -> Closure | None:
    if not isinstance(reason, dict):
        return None
    kind = as_object(reason.get("type"))
    return Closure(as_id(reason.get("id")), as_text(reason.get("name")), as_text(kind.get("name")))


def _is_withdrawal(closure: Closure | None, settings: EventSettings) -> bool:
    """The administrator's word first, then the reason's type, then the reason's own name."""
    if closure is None:
        return False
    given = {fold(word) for word in (closure.reason_id, closure.reason, closure.type_name) if word}
    if given & {fold(word) for word in settings.withdrawal_reasons}:
        return True
    if given & {fold(word) for word in settings.rejection_reasons}:
        return False
    if fold(closure.type_name or "") in _WITHDRAWAL_TYPES:
        return True
    return closure.type_name is None and bool(_WITHDRAWAL_REASON.search(fold(closure.reason or "")))


def _credited(value: Json) -> Credited | None:
    person = as_object(value)
    employee_id, name = as_id(person.get("employee_id")), as_text(person.get("name"))
    email = as_text(person.get("email"))
    return Credited(employee_id, email, name) if employee_id or email or name else None


def _emails(candidate: JsonObject) -> tuple[str, ...]:
    addresses = as_objects(candidate.get("email_addresses"))
    found = (as_text(address.get("value")) for address in addresses)
    return tuple(dict.fromkeys(email for email in found if email and "@" in email))


# --- our codes -------------------------------------------------------------------------

_PREFIX: Final = "pvx_"
_CODE: Final = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{8,12}(?![A-Za-z0-9_-])")
_PREFIXED: Final = re.compile(r"pvx_[A-Za-z0-9_-]{4,12}(?![A-Za-z0-9_-])")
_CODE_FIELD: Final = re.compile(r"portevoix|referral|referrer|coopt|parrain|recommand")
_CODES_LIMIT: Final = 20


def _codes(
    application: JsonObject, source: str | None, settings: EventSettings
) -> tuple[ReferralCode, ...]:
    """The words that could be one of our codes, strongest first, at most twenty.

    In a field meant for codes, and in the source, any word of the right form counts. In
    other custom fields only words with our prefix do: their text is the candidate's, and we
    have no business carrying it around.
    """
    own = {fold(name) for name in settings.code_fields}
    named, others = [], []
    for path, names, text in _custom_fields(application):
        if own & set(names) or _CODE_FIELD.search(" ".join(names)):
            named += [ReferralCode(code, path) for code in _code_like(text)]
        else:
            others += [ReferralCode(code, path) for code in _prefixed(text)]
    unique: dict[str, ReferralCode] = {}
    for code in (*named, *others, *(ReferralCode(code, "source") for code in _code_like(source))):
        unique.setdefault(code.value, code)
    return tuple(unique.values())[:_CODES_LIMIT]


def _prefixed(text: str) -> list[str]:
    """The words that bear our prefix, each as written and, if long enough, without it."""
    words = _PREFIXED.findall(text)
    bare = [word.removeprefix(_PREFIX) for word in words]
    return [*words, *(word for word in bare if len(word) >= 8)]


def _code_like(text: str | None) -> list[str]:
    """The words with our prefix, then all others of the right form."""
    return [*_prefixed(text), *_CODE.findall(text)] if text else []


def _custom_fields(application: JsonObject) -> Iterator[tuple[str, tuple[str, str], str]]:
    """(path, key and name folded, text) of each text in the custom fields.

    The key is fixed when a field is made and survives its renaming: both are looked at.
    """
    owners = (
        ("application", application),
        ("candidate", as_object(application.get("candidate"))),
        ("offer", as_object(application.get("offer"))),
    )
    for owner, holder in owners:
        for key, value in as_object(holder.get("custom_fields")).items():
            item = as_object(value)
            names = (fold(key), fold(as_text(item.get("name")) or ""))
            for text in _texts(item.get("value")):
                yield f"{owner}.custom_fields.{clean_text(key, 100)}", names, text


def _texts(value: Json) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for item in values if (text := as_text(item, 2_000))]


# --- candidates ------------------------------------------------------------------------


def _deleted(action: str, payload: JsonObject, _settings: EventSettings) -> AtsEvent:
    """The person is gone; the hook gives no time.

    A merge looks like this too when only the delete hook is set up: then the list of
    deleted applications is usually empty, because they moved to the other person.
    """
    person = as_object(payload.get("person"))
    applications = person.get("deleted_application_ids")
    event = _candidate_event("candidate_erased", action, person.get("id"))
    return replace(
        event,
        deleted_application_ids=_ids(applications if isinstance(applications, list) else []),
    )


def _anonymized(action: str, payload: JsonObject, _settings: EventSettings) -> AtsEvent:
    """`erased_fields` lists what was erased there: it may be less than the whole person."""
    names = payload.get("anonymized_fields")
    fields = (as_text(name, 100) for name in (names if isinstance(names, list) else []))
    event = _candidate_event("candidate_erased", action, payload.get("candidate_id"))
    return replace(event, erased_fields=tuple(name for name in fields if name))


def _merged(action: str, payload: JsonObject, _settings: EventSettings) -> AtsEvent:
    """`person.id` is gone, `new_candidate_id` remains."""
    person = as_object(payload.get("person"))
    event = _candidate_event("candidate_merged", action, person.get("id"))
    target = as_id(person.get("new_candidate_id"))
    if target is None:
        return replace(event, kind="ignored", problem=event.problem or "missing-merge-target")
    return replace(event, merged_into=target)


def _candidate_event(kind: EventKind, action: str, candidate_id: Json) -> AtsEvent:
    found = as_id(candidate_id)
    if found is None:
        return AtsEvent(kind="ignored", action=action, problem="missing-candidate-id")
    return AtsEvent(kind=kind, action=action, candidate_id=found)


def _application_deleted(action: str, payload: JsonObject, _settings: EventSettings) -> AtsEvent:
    """One application taken off a job, or merged into its double: its person stays."""
    application = as_object(payload.get("application"))
    return AtsEvent(
        kind="ignored",
        action=action,
        application_id=as_id(application.get("id")),
        candidate_id=as_id(application.get("candidate_id")),
        job_ids=_ids([application.get("job_id")]),
        deleted_application_ids=_ids([application.get("id")]),
    )


# --- jobs and job posts ----------------------------------------------------------------


def _post_changed(action: str, payload: JsonObject, _settings: EventSettings) -> AtsEvent:
    """`live` says whether the post can be seen; a post that is only internal is not ours."""
    if payload.get("live") is False:
        return _post_event("job_closed", action, payload)
    shown = payload.get("live") is True and payload.get("external") is not False
    return _post_event("job_opened" if shown else "ignored", action, payload)


def _post_deleted(action: str, payload: JsonObject, _settings: EventSettings) -> AtsEvent:
    nested = as_object(payload.get("job_post"))
    return _post_event("job_closed", action, nested or payload)


def _post_event(kind: EventKind, action: str, post: JsonObject) -> AtsEvent:
    """Occurred at the post's `updated_at`."""
    event = AtsEvent(
        kind=kind,
        action=action,
        occurred_at=parse_date(post.get("updated_at")),
        job_ids=_ids([post.get("job_id")]),
        job_post_ids=_ids([post.get("id")]),
    )
    return event if event.job_post_ids else _without_job(event)


def _job_changed(action: str, payload: JsonObject, _settings: EventSettings) -> AtsEvent:
    """Closes every post of a closed job. An open job opens nothing: its posts may be hidden."""
    job = as_object(payload.get("job"))
    closed = fold(as_text(job.get("status")) or "") == "closed"
    kind: EventKind = "job_closed" if closed else "ignored"
    return _job_event(kind, action, job, parse_date(job.get("closed_at")))


def _job_deleted(action: str, payload: JsonObject, _settings: EventSettings) -> AtsEvent:
    """All posts of the job went with it, without a hook of their own."""
    return _job_event("job_closed", action, as_object(payload.get("job")), None)


def _job_event(
    kind: EventKind, action: str, job: JsonObject, occurred_at: datetime | None
) -> AtsEvent:
    event = AtsEvent(
        kind=kind, action=action, occurred_at=occurred_at, job_ids=_ids([job.get("id")])
    )
    return event if event.job_ids else _without_job(event)


def _without_job(event: AtsEvent) -> AtsEvent:
    return replace(event, kind="ignored", problem="missing-job-id")


# --- the table -------------------------------------------------------------------------


def _ping(action: str, _payload: JsonObject, _settings: EventSettings) -> AtsEvent:
    """Sent when the hook is saved; a failed one leaves the hook disabled."""
    return AtsEvent(kind="ping", action=action)


def _ignored(action: str, _payload: JsonObject, _settings: EventSettings) -> AtsEvent:
    return AtsEvent(kind="ignored", action=action)


_READERS: Final[Mapping[str, Callable[[str, JsonObject, EventSettings], AtsEvent]]] = {
    "ping": _ping,
    "hire_candidate": _hired,
    "candidate_hired": _hired,
    "unhire_candidate": _unhired,
    "candidate_stage_change": _stage,
    "reject_candidate": _rejected,
    "unreject_candidate": _unrejected,
    "new_candidate_application": _applied,
    "new_prospect_application": _applied,
    "application_updated": _application_updated,
    "delete_application": _application_deleted,
    "delete_candidate": _deleted,
    "candidate_anonymized": _anonymized,
    "merge_candidate": _merged,
    "job_post_created": _post_changed,
    "job_post_updated": _post_changed,
    "job_post_deleted": _post_deleted,
    "job_created": _job_changed,
    "job_updated": _job_changed,
    "job_approved": _job_changed,
    "job_deleted": _job_deleted,
}
