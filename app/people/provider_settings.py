"""What the administrators decided about signing in with the identity provider.

Until they named the mail domains that belong to it, the provider lets in only the people it
knows by a lasting key: an address on its own links nobody.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app import audit, clock
from app.db import db, transaction
from app.people.errors import PasswordClosed, check_form
from app.people.models import Person, ProviderSettings
from app.people.text import normal_address
from app.web import current_settings

log = logging.getLogger(__name__)

LOCAL = frozenset({"password", "reset"})
"""Ways to sign in that need nothing but a local password."""
MOST_DOMAINS = 100
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The settings. `domains` in lower case, an international one in its ASCII form."""

    domains: tuple[str, ...] = ()
    creates_people: bool = False
    offers_password: bool = True

    def owns(self, address: str) -> bool:
        """Whether an address, in its normal form, is in one of the domains itself."""
        return address.rpartition("@")[2] in self.domains


def chosen(session: Session | None = None) -> Chosen:
    """What holds now."""
    row = (session or db.session).get(ProviderSettings, 1)
    if row is None:
        return Chosen()
    return Chosen(tuple(row.domains), row.creates_people, row.offers_password)


def save(
    domains: Iterable[str],
    *,
    creates_people: bool,
    offers_password: bool,
    actor_id: uuid.UUID | None = None,
) -> bool:
    """Decide anew; False when it was so already. Raises `InvalidInput` on the field `domains`."""
    new = Chosen(_checked(domains), creates_people, offers_password)
    with transaction() as session:
        if chosen(session) == new:
            return False
        row = session.get(ProviderSettings, 1) or ProviderSettings(id=1)
        row.domains, row.creates_people = list(new.domains), new.creates_people
        row.offers_password, row.changed_at = new.offers_password, clock.now()
        session.add(row)
        audit.record(
            "provider.changed", "provider", 1, actor_id=actor_id, domains=len(new.domains),
            creates_people=creates_people, offers_password=offers_password,
        )  # fmt: skip
    return True


def offers_password() -> bool:
    """Whether the sign-in page asks for a password: always, where there is no provider."""
    return current_settings().oidc_issuer is None or chosen().offers_password


def refuse_password(session: Session, person: Person, method: str) -> None:
    """Raises `PasswordClosed` where local passwords are for administrators alone. Theirs stay,
    for the day on which the provider is away; each use is written into the log."""
    if method not in LOCAL or current_settings().oidc_issuer is None:
        return
    if chosen(session).offers_password:
        return
    if "admin" not in person.roles:
        raise PasswordClosed
    log.warning("an administrator signed in by password although passwords are closed")


def _checked(domains: Iterable[str]) -> tuple[str, ...]:
    found = sorted({normal_address(f"@{domain.strip().lstrip('@')}")[1:] for domain in domains})
    found = [domain for domain in found if domain]
    wrong = [domain for domain in found if not _DOMAIN.fullmatch(domain)]
    if wrong:
        sentence = _l("This is not a mail domain: %(domain)s", domain=wrong[0][:100])
        raise check_form({"domains": sentence})
    if len(found) > MOST_DOMAINS:
        raise check_form({"domains": _l("At most %(most)s domains.", most=MOST_DOMAINS)})
    return tuple(found)
