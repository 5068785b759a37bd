"""How long each class of data is kept, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.errors import Sentence
from app.retention import Retention

SINCE: Final[Mapping[str, Sentence]] = {
    "programme": _l("as long as the programme runs"),
    "directory": _l("as long as you are in the directory"),
    "membership": _l("after you leave the programme"),
    "credential": _l("until you leave or take it back"),
    "session": _l("after its last use"),
    "security-log": _l("after it was noted"),
    "mail-log": _l("after the message"),
    "candidate": _l("after the end of the recruitment"),
    "contact-entry": _l("after the invitation"),
    "click": _l("after the opening"),
    "referral": _l("as long as figures are needed, without a name after an erasure"),
    "ledger": _l("as long as the programme runs, without a name after an erasure"),
    "event": _l("after the last delivery"),
    "raw-event": _l("after it arrived"),
    "idempotency": _l("after the answer"),
    "erasure": _l("after the erasure"),
    "import-report": _l("after the import"),
    "request": _l("after the answer"),
    "correction": _l("after the answer"),
}


def kept_for(retention: Retention | None) -> str:
    """A sentence's end, such as "6 months after its last use"."""
    if retention is None:
        return str(_("until it is deleted, with an erasure at the latest"))
    since = str(SINCE.get(retention.code, retention.since))
    if retention.after is None:
        return since
    return str(_("%(time)s %(since)s", time=_length(retention.after.days), since=since))


def _length(days: int) -> str:
    if days >= 730 and days % 365 == 0:
        return str(ngettext("%(num)s year", "%(num)s years", days // 365))
    if days >= 60:
        return str(ngettext("%(num)s month", "%(num)s months", round(days / 30.44)))
    return str(ngettext("%(num)s day", "%(num)s days", days))
