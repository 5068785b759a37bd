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


class ReturnToConfirm(DomainError):
    """A former employee is never turned into an employee by a file, SCIM or a form."""

    code = "return-to-confirm"

    def __init__(self) -> None:
        super().__init__(
            _l(
                "This is the account of a former employee. An administrator confirms the return "
                "on their page first."
            )
        )


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


class InvitationRevoked(Gone):
    """Whoever sent the invitation has taken it back."""

    code = "invitation-revoked"

    def __init__(self) -> None:
        super().__init__(_l("This invitation has been taken back."))


class InvitationUsedUp(Gone):
    """An open invitation has let in as many people as it was made for."""

    code = "invitation-used-up"

    def __init__(self) -> None:
        super().__init__(_l("This invitation has been used as often as it was made for."))


class InvitationOver(Gone):
    """An open invitation is past its last day."""

    code = "invitation-over"

    def __init__(self) -> None:
        super().__init__(_l("This invitation is past its last day."))


class InvitationUnknown(NotFound):
    """No open invitation has this code."""

    code = "invitation-unknown"

    def __init__(self) -> None:
        super().__init__(_l("There is no invitation with this code. Check each letter."))


class InvitedRecently(DomainError):
    """At most one invitation a week for one person (rule W9)."""

    code = "invited-recently"

    def __init__(self) -> None:
        super().__init__(_l("An invitation went to this person less than a week ago."))


class NoAddress(DomainError):
    """No mail reaches this person: their invitation is a code on paper."""

    code = "not-by-mail"

    def __init__(self) -> None:
        super().__init__(_l("This person has no address. Make a code on paper for them instead."))


class CodeOnPaperOnly(DomainError):
    """A personal code is for people without an address and without a role of the team."""

    code = "no-personal-code"

    def __init__(self) -> None:
        super().__init__(
            _l(
                "A code on paper is for people who have neither an address nor a role of the "
                "team. Invite this person by mail."
            )
        )


class AddressOfAnother(InvalidInput):
    """A personal code was answered from the mailbox of somebody else of the directory."""

    code = "address-of-another"

    def __init__(self) -> None:
        super().__init__(
            _l("Somebody of the directory has this address already. Go back and give another one.")
        )


class OtherPerson(DomainError):
    """An invitation for one person was opened by another who is signed in."""

    code = "other-person"

    def __init__(self) -> None:
        super().__init__(_l("This invitation is for somebody else."))


class WrongMailCode(InvalidInput):
    """The six figures are wrong, too old or were tried too often: the same words for each."""

    code = "wrong-code"

    def __init__(self) -> None:
        super().__init__(
            _l("This code is not the right one, or no longer good."),
            {"code": _l("Type the six figures of the newest mail, or ask for another code.")},
        )


class NoWorkAddress(DomainError):
    """The identity provider names no address, or has not verified the one it names."""

    status = 403
    code = "no-address"

    def __init__(self) -> None:
        super().__init__(_l("Your account has no verified work address."))


class OtherDomain(DomainError):
    """The account's address or workspace is none of those that belong to this connection."""

    status = 403
    code = "other-domain"

    def __init__(self) -> None:
        super().__init__(_l("Your account is not one of this organisation’s."))


class PasswordClosed(InvalidInput):
    """Signing in by password is left to administrators, for when the provider is away."""

    code = "password-closed"

    def __init__(self) -> None:
        super().__init__(_l("Passwords are not used here any more: sign in with the button above."))


class StepOver(Gone):
    """A sign-in that was begun too long ago, or was finished, or had five wrong codes."""

    code = "sign-in-over"

    def __init__(self) -> None:
        super().__init__(_l("This sign-in has waited too long. Please begin again."))


class WrongCode(InvalidInput):
    """Neither the app's code of now nor a recovery code that is left."""

    code = "wrong-code"

    def __init__(self) -> None:
        super().__init__(
            _l("This code is not right, or it was used before. Wait for the next one, then try.")
        )


class CodesTooSoon(InvalidInput):
    """Wrong codes slow the next one down. `seconds` to wait."""

    code = "codes-too-soon"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            _l(
                "There were several wrong codes. Try again in %(seconds)s seconds, or use a "
                "recovery code now.",
                seconds=seconds,
            )
        )


class WrongPasskey(InvalidInput):
    """The same words for a passkey we do not know, one of somebody who left, a broken answer."""

    code = "wrong-passkey"

    def __init__(self) -> None:
        super().__init__(_l("This passkey does not open an account here."))


class PasskeyTooWeak(InvalidInput):
    """The team's roles need a passkey that asks for a PIN, a finger or a face."""

    code = "passkey-too-weak"

    def __init__(self) -> None:
        super().__init__(
            _l(
                "This passkey did not ask for your PIN, finger or face, which your role needs. "
                "Set one up in the passkey, or choose another one."
            )
        )
