"""What an applicant tracking system tells us happened, in words that no vendor owns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

EventKind = Literal[
    "hired",
    "unhired",
    "stage",
    "rejected",
    "unrejected",
    "withdrawn",
    "application",
    "candidate_erased",
    "candidate_merged",
    "job_closed",
    "job_opened",
    "ping",
    "ignored",
]


class BadSignature(Exception):
    """The delivery was not signed by somebody who holds one of our secrets: answer 401.

    `code`: `no-secret`, `missing`, `malformed` or `mismatch`. Do not tell the sender which.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UnreadableBody(Exception):
    """The body is not what the vendor sends: answer 400.

    `code`: `empty`, `not-utf8`, `not-json`, `duplicate-key`, `not-a-number`,
    `too-many-digits`, `too-deep`, `not-an-object`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class ReferralCode:
    """A word that has the form of one of our codes, and where it stood.

    `field` is a path such as `application.custom_fields.referral_code` or `source`.
    """

    value: str
    field: str


@dataclass(frozen=True, slots=True)
class Credited:
    """The person whom the tracking system credits; a non-user has a name only.

    The name is for the eyes of whoever decides, never for matching: two people share one.
    """

    employee_id: str | None
    email: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Closure:
    """Why an application ended, in the customer's words (they are free text of theirs)."""

    reason_id: str | None
    reason: str | None
    type_name: str | None


@dataclass(frozen=True, slots=True)
class EventSettings:
    """What an administrator said about one connection.

    `code_fields`: keys or names of custom fields that hold our code. `withdrawal_reasons`
    and `rejection_reasons`: rejection reasons (id, name or type) that mean the candidate
    left, or did not; they win over what we recognise by ourselves.
    """

    code_fields: tuple[str, ...] = ()
    withdrawal_reasons: tuple[str, ...] = ()
    rejection_reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AtsEvent:
    """One fact. Identifiers are text; times are aware and in UTC, always the vendor's own.

    - `kind` `ignored` is an answer of success and no act; `problem` then says what an event
      that we know was lacking (`missing-application-id`, `missing-candidate-id`,
      `missing-job-id`, `missing-merge-target`), else it is None.
    - `occurred_at` orders events of one application: an older event changes nothing but the
      history. It is None where the vendor gives no time; never replace it by "now" when
      comparing. Each reader says which time it takes.
    - `job_closed` / `job_opened`: the posts in `job_post_ids` only, if there are any; else
      every post of the jobs in `job_ids`.
    - `unhired` undoes the hire with the same `offer_id` or `resolved_at`; when the vendor
      names neither, the latest hire of `application_id` that is not after `occurred_at`.
    - `codes` in order of strength: named code fields, other custom fields, source text.
    - `deleted_application_ids` may come with `ignored` too: one application removed, its
      person kept.
    - `candidate_*` and `credited` are personal data, there for matching within this one
      call: compare or hash them, **never store or log them**. They stay out of `repr`.
    """

    kind: EventKind
    action: str
    problem: str | None = None
    occurred_at: datetime | None = None
    application_id: str | None = None
    candidate_id: str | None = None
    is_prospect: bool = False
    job_ids: tuple[str, ...] = ()
    job_post_ids: tuple[str, ...] = ()
    stage_name: str | None = None
    closure: Closure | None = None
    offer_id: str | None = None
    resolved_at: datetime | None = None
    starts_at: date | None = None
    codes: tuple[ReferralCode, ...] = ()
    source_text: str | None = None
    credited: Credited | None = field(default=None, repr=False)
    candidate_emails: tuple[str, ...] = field(default=(), repr=False)
    candidate_first_name: str | None = field(default=None, repr=False)
    candidate_last_name: str | None = field(default=None, repr=False)
    erased_fields: tuple[str, ...] = ()
    merged_into: str | None = None
    deleted_application_ids: tuple[str, ...] = ()
