"""What can go wrong around people, named for what happened."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.errors import DomainError, Gone, InvalidInput, NotFound, Sentence


def check_form(errors: dict[str, Sentence]) -> InvalidInput:
    """The usual answer to a form with faults, field by field."""
    return InvalidInput(_l("Please check the form."), errors)


class NoSuchPerson(NotFound):
    """Nobody of that identifier in the directory."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such person in the directory."))


class AlreadyMember(DomainError):
    """The person takes part already; joining twice changes nothing."""

    code = "already-member"

    def __init__(self) -> None:
        super().__init__(_l("You have already joined the programme."))


class NotMember(DomainError):
    """Only somebody who takes part can do this."""

    code = "not-a-member"

    def __init__(self) -> None:
        super().__init__(_l("You are not taking part in the programme."))


class Departed(DomainError):
    """The person has left the organisation."""

    code = "departed"

    def __init__(self) -> None:
        super().__init__(_l("This person has left the organisation."))


class LastAdmin(DomainError):
    """Without an administrator nobody could repair anything."""

    code = "last-admin"

    def __init__(self) -> None:
        super().__init__(_l("At least one administrator must remain. Name another one first."))


class LinkExpired(Gone):
    """A signed link is too old."""

    code = "link-expired"

    def __init__(self) -> None:
        super().__init__(_l("This link is no longer valid."))


class LinkUsed(Gone):
    """A signed link has done its work already."""

    code = "link-used"

    def __init__(self) -> None:
        super().__init__(_l("This link has already been used."))


class LinkUnreadable(NotFound):
    """Nothing we ever signed."""

    def __init__(self) -> None:
        super().__init__(_l("This link is incomplete."))


class WrongSignIn(InvalidInput):
    """The same words whether the account, the password or the person is missing."""

    code = "wrong-sign-in"

    def __init__(self) -> None:
        super().__init__(_l("This address and this password do not go together."))


class NotInDirectory(DomainError):
    """The identity provider knows somebody whom our directory does not."""

    status = 403
    code = "not-in-directory"

    def __init__(self) -> None:
        super().__init__(_l("You are not in the directory of this programme."))


class OtherIdentity(DomainError):
    """The address belongs to a person whom the provider named differently before."""

    status = 403
    code = "other-identity"

    def __init__(self) -> None:
        super().__init__(_l("This is not the account we know for this person."))
