"""What the referral side refuses, in words."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.errors import DomainError, Forbidden, Gone, NotFound


class OfferClosed(DomainError):
    """The offer takes no more applications or links."""

    code = "offer-closed"

    def __init__(self) -> None:
        super().__init__(_l("This offer is closed."))


class UnknownOffer(NotFound):
    """No such offer, or not yet published."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such offer."))


class UnknownReferral(NotFound):
    """No such referral, or not this reader's."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such referral."))


class CannotFollow(DomainError):
    """Somebody who recruits nowhere, or not where this offer is kept."""

    status = 422
    code = "cannot-follow"

    def __init__(self) -> None:
        super().__init__(_l("This recruiter does not work on this offer."))


class LinkWithdrawn(Gone):
    """The link was revoked or has expired."""

    def __init__(self) -> None:
        super().__init__(_l("This link is no longer in use."))


class ContactEntryDisabled(Forbidden):
    """Entering a contact for somebody is off: the person types their own data (rule P2)."""

    code = "contact-entry-disabled"

    def __init__(self) -> None:
        super().__init__(
            _l("Entering a contact for somebody is switched off. Send them your link instead.")
        )


class WrongCode(DomainError):
    """The code from the mailbox is wrong, used up or too old."""

    status = 422
    code = "wrong-code"

    def __init__(self) -> None:
        super().__init__(_l("This code is wrong or too old. You may ask for a new one."))
