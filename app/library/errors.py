"""What the library refuses, in words."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.errors import DomainError, Forbidden, Gone, InvalidInput, NotFound


class UnknownStory(NotFound):
    """No such story, or not yet for this reader."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such story."))


class UnknownTopic(NotFound):
    """No story was ever about this."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such topic."))


class StoryWithdrawn(Gone):
    """It was published and taken back."""

    code = "story-withdrawn"

    def __init__(self) -> None:
        super().__init__(_l("This story was withdrawn. It can no longer be shared."))


class StoryExpired(Gone):
    """Its window is over."""

    code = "story-expired"

    def __init__(self) -> None:
        super().__init__(_l("This story has expired. It can no longer be shared."))


class NetworkNotOffered(InvalidInput):
    """The story is not meant for that network."""

    code = "network-not-offered"

    def __init__(self) -> None:
        sentence = _l("This story is not meant for that network.")
        super().__init__(sentence, {"network": sentence})


class StoryChanged(DomainError):
    """Somebody else saved it since this form was opened."""

    code = "changed-meanwhile"

    def __init__(self) -> None:
        super().__init__(_l("Somebody changed this story while you were writing."))


class SecondApprovalNeeded(DomainError):
    """A sensitive topic wants a second pair of eyes (rule L4)."""

    code = "second-approval-needed"

    def __init__(self) -> None:
        super().__init__(
            _l("A topic of this story is sensitive: somebody other than its author publishes it.")
        )


class StoryIsPublic(DomainError):
    """Only a draft can be discarded; a published story is withdrawn."""

    code = "story-is-public"

    def __init__(self) -> None:
        super().__init__(_l("Only a draft can be discarded. A published story is withdrawn."))


class NotYours(Forbidden):
    """A contributor writes their own drafts; the rest is for curators."""

    def __init__(self) -> None:
        super().__init__(_l("Your own drafts are yours to change. Curators do the rest."))
