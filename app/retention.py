"""How long each kind of data is kept, declared once.

Every table names its class beside its columns (`__retention__`); a test fails on a table
without one. The nightly job, the notice to candidates and the register of processing read
the same declarations, so they cannot drift apart. Limits and their sources: CNIL
recruitment guide of 30 January 2023 (refused candidates), CNIL recommendation on logs
(6 to 12 months), CNIL audience measurement (25 months), Défenseur des droits MLD-2015-104.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retention:
    """One class. `after` is counted from `since`; None means "as long as `since` says"."""

    code: str
    since: str
    after: dt.timedelta | None
    personal: bool


def _days(n: int) -> dt.timedelta:
    return dt.timedelta(days=n)


PROGRAMME = Retention("programme", "as long as the programme runs", None, personal=False)
DIRECTORY = Retention("directory", "as long as the person is in the directory", None, personal=True)
MEMBERSHIP = Retention("membership", "the member leaves", _days(5 * 365), personal=True)
CREDENTIAL = Retention("credential", "the person leaves", None, personal=True)
SESSION = Retention("session", "the session's last use", _days(183), personal=True)
SECURITY_LOG = Retention("security-log", "the entry", _days(365), personal=True)
MAIL_LOG = Retention("mail-log", "the message", _days(183), personal=True)
CANDIDATE = Retention("candidate", "the end of the recruitment", _days(92), personal=True)
CONTACT_ENTRY = Retention("contact-entry", "the invitation", _days(30), personal=True)
CLICK = Retention("click", "the click (its visitor key: 48 hours)", _days(760), personal=False)
REFERRAL = Retention(
    "referral", "the end of the referral, then without a name", None, personal=False
)
LEDGER = Retention(
    "ledger", "as long as the programme runs, without a name after an erasure", None, personal=False
)
EVENT = Retention("event", "its last delivery", _days(30), personal=False)
IMPORT_REPORT = Retention("import-report", "the import", _days(30), personal=True)
RAW_EVENT = Retention("raw-event", "its reception", _days(30), personal=True)
IDEMPOTENCY = Retention("idempotency", "the answer", _days(2), personal=False)
ERASURE = Retention(
    "erasure", "the erasure: numbers only, longer than any backup", _days(5 * 365), personal=False
)
REQUEST = Retention("request", "its answer", _days(5 * 365), personal=False)

CORRECTION = Retention("correction", "the answer", _days(183), personal=True)

ALL = tuple(v for v in list(globals().values()) if isinstance(v, Retention))
