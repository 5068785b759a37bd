"""People: the directory, who joined, how they sign in, what they may do.

A *person* is a directory entry: access and addresses, seen by administrators only. A person
becomes a *member* by joining (`Membership`); points, links and consents exist from then on.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from app import retention
from app.db import Encrypted, JSONDict, Model, primary_key, utc_column
from app.people import kinds, names
from app.people.text import fold

ROLES = (
    "member", "contributor", "curator", "recruiter", "hr", "lead", "sponsor", "auditor", "admin",
)  # fmt: skip
KINDS = ("employee", "alumni", "partner")
METHODS = ("password", "passkey", "oidc", "invitation", "reset", "setup", "code")


def BYTEWISE(length: int) -> String:  # noqa: N802 - read as a type
    """Text that both databases order byte by byte, so that a range is a prefix."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def effective_roles(granted: Collection[str], is_member: bool) -> frozenset[str]:
    """Granted roles, and `member` from joining alone."""
    return frozenset({*granted} - {"member"} | ({"member"} if is_member else set()))


class Person(Model):
    """A directory entry. `email` is kept in lower case and is how people are recognised.

    `function` is the family of trades, `contract` the kind of contract in the organisation's
    own words; `hired_on` and `ends_on` are the first and the last day in the organisation;
    `suspended_at` begins a long absence, in which nothing is sent and nobody is ranked.
    """

    __tablename__ = "person"
    __retention__ = retention.DIRECTORY
    __table_args__ = (
        Index("ix_person_name", "name", "id"),
        Index("ix_person_site", "site", "name", "id"),
        Index("ix_person_department", "department", "name", "id"),
        Index("ix_person_kind", "kind", "name", "id"),
        Index("ix_person_hired", "hired_on", "site", "department"),
        Index("ix_person_entity", "entity_id", "name", "id"),
        Index(
            "ix_person_departed", "name", "id", sqlite_where=text("departed_at is not null"),
            postgresql_where=text("departed_at is not null"),
        ),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[str] = mapped_column(String(20), default="employee")
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    employee_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    job_title: Mapped[str | None] = mapped_column(String(200))
    department: Mapped[str | None] = mapped_column(String(200))
    site: Mapped[str | None] = mapped_column(String(200))
    function: Mapped[str | None] = mapped_column(String(200))
    contract: Mapped[str | None] = mapped_column(String(80))
    hired_on: Mapped[dt.date | None]
    ends_on: Mapped[dt.date | None]
    entity_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("entity.id"))
    manager_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    suspended_at: Mapped[dt.datetime | None]
    language: Mapped[str] = mapped_column(String(5), default="fr")
    created_at: Mapped[dt.datetime] = utc_column()
    departed_at: Mapped[dt.datetime | None]
    erased_at: Mapped[dt.datetime | None]

    membership: Mapped[Membership | None] = relationship(back_populates="person", lazy="joined")
    role_grants: Mapped[list[RoleGrant]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", foreign_keys="RoleGrant.person_id"
    )

    @property
    def display_name(self) -> str:
        return self.name

    @property
    def given_name(self) -> str:
        return names.given_name(self.name)

    @property
    def short_name(self) -> str:
        """First name and initial, the form shown to the public (rule P6)."""
        return names.short_name(self.name)

    @property
    def initials(self) -> str:
        return names.initials(self.name)

    @property
    def avatar(self) -> int:
        """Which of the five drawn discs is theirs."""
        return names.avatar(self.id)

    @property
    def is_member(self) -> bool:
        return (
            self.membership is not None
            and self.membership.left_at is None
            and self.departed_at is None
        )

    @property
    def roles(self) -> frozenset[str]:
        """What the person may do now. `member` comes from joining alone."""
        if self.departed_at is not None:
            return frozenset()
        held = effective_roles({grant.role for grant in self.role_grants}, self.is_member)
        return kinds.within(self.kind, held)


class Segment(Model):
    """A part of the directory under a name: a list of people, or a rule over what the directory
    says of them (`segment_rules`); `rule` is None for a list. `search_name` is the name, folded."""

    __tablename__ = "segment"
    __retention__ = retention.PROGRAMME
    __table_args__ = (Index("ix_segment_name", "name", "id"),)

    id: Mapped[uuid.UUID] = primary_key()
    name: Mapped[str] = mapped_column(String(120))
    search_name: Mapped[str] = mapped_column(String(240))
    rule: Mapped[JSONDict | None] = mapped_column(JSON(none_as_null=True))
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[dt.datetime] = utc_column()
    archived_at: Mapped[dt.datetime | None]

    @validates("name")
    def _keep_search_name(self, key: str, name: str) -> str:
        self.search_name = fold(name)[:240]
        return name


class SegmentPerson(Model):
    """A person on a segment's list: put there by a human (`source` None), or by the groups
    of the identity provider (`source` "provider"), which alone take them off again."""

    __tablename__ = "segment_person"
    __retention__ = retention.DIRECTORY
    __table_args__ = (Index("ix_segment_person_person", "person_id"),)

    segment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("segment.id"), primary_key=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    added_at: Mapped[dt.datetime] = utc_column()
    source: Mapped[str | None] = mapped_column(String(20))


class Assignment(Model):
    """One segment that a thing of the programme (a story, an offer, a reward, a charter; known by
    its identifier alone) is meant for (`purpose` "seen"), or that keeps it ("kept")."""

    __tablename__ = "assignment"
    __retention__ = retention.PROGRAMME
    __table_args__ = (Index("ix_assignment_segment", "segment_id"),)

    subject_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(4), primary_key=True)
    segment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("segment.id"), primary_key=True)


class DirectoryCell(Model):
    """How many present people share what rules ask about. Several rows of one combination add
    up: a change writes what it adds or takes away (`is_folded` false), `tallies.fold` sums them."""

    __tablename__ = "directory_cell"
    __retention__ = retention.PROGRAMME
    __table_args__ = (
        Index("ix_directory_cell_site", "site"),
        Index("ix_directory_cell_department", "department"),
        Index(
            "ix_directory_cell_open", "id", sqlite_where=text("is_folded = 0"),
            postgresql_where=text("not is_folded"),
        ),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = primary_key()
    site: Mapped[str | None] = mapped_column(String(200))
    department: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(5))
    contract: Mapped[str | None] = mapped_column(String(80))
    function: Mapped[str | None] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    entity_id: Mapped[uuid.UUID | None]
    people: Mapped[int]
    is_folded: Mapped[bool] = mapped_column(default=False)


class DirectoryValue(Model):
    """How many present people of the folded `DirectoryCell`s share one value of one field: what a
    choice of sites needs, whatever the number of combinations. Several rows add up here too."""

    __tablename__ = "directory_value"
    __retention__ = retention.PROGRAMME
    __table_args__ = (Index("ix_directory_value_field", "field", "value"),)

    id: Mapped[uuid.UUID] = primary_key()
    field: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(200))
    people: Mapped[int]


class PersonWord(Model):
    """A word by which a person is found: of the name, the address, or the employee number, folded
    (`text.fold`). `sort_name` is the whole name, folded, for the order of what is found."""

    __tablename__ = "person_word"
    __retention__ = retention.DIRECTORY
    __table_args__ = (Index("ix_person_word_person", "person_id", "word"),)

    word: Mapped[str] = mapped_column(BYTEWISE(80), primary_key=True)
    sort_name: Mapped[str] = mapped_column(BYTEWISE(80), primary_key=True)
    person_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )


class Membership(Model):
    """The person joined by their own act; `notice_version` is the text they agreed to."""

    __tablename__ = "membership"
    __retention__ = retention.MEMBERSHIP

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), unique=True)
    joined_at: Mapped[dt.datetime] = utc_column()
    left_at: Mapped[dt.datetime | None]
    notice_version: Mapped[str] = mapped_column(String(40))

    person: Mapped[Person] = relationship(back_populates="membership")


class Consent(Model):
    """One choice for one purpose, with the text it answered. A withdrawal dates the row."""

    __tablename__ = "consent"
    __retention__ = retention.MEMBERSHIP
    __table_args__ = (Index("ix_consent_person", "person_id", "purpose"),)

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    purpose: Mapped[str] = mapped_column(String(40))
    text_version: Mapped[str] = mapped_column(String(40))
    granted_at: Mapped[dt.datetime] = utc_column()
    withdrawn_at: Mapped[dt.datetime | None]


class RoleGrant(Model):
    """A role given to a person by a named human (or by the set-up), for one segment or for the
    whole organisation (`segment_id` None). A grant whose `source` is "provider" follows the
    groups of the identity provider, which alone take it back; one without is a human's."""

    __tablename__ = "role_grant"
    __retention__ = retention.CREDENTIAL
    __table_args__ = (
        UniqueConstraint("person_id", "role", "segment_id"),
        Index(
            "uq_role_grant_everywhere", "person_id", "role", unique=True,
            sqlite_where=text("segment_id is null"), postgresql_where=text("segment_id is null"),
        ),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(String(20))
    segment_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("segment.id"))
    granted_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    granted_at: Mapped[dt.datetime] = utc_column()
    source: Mapped[str | None] = mapped_column(String(20))


class Credential(Model):
    """A local password, as its Argon2id hash."""

    __tablename__ = "credential"
    __retention__ = retention.CREDENTIAL

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[dt.datetime] = utc_column()


class Identity(Model):
    """A person as an identity provider names them."""

    __tablename__ = "identity"
    __retention__ = retention.CREDENTIAL
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(300))
    linked_at: Mapped[dt.datetime] = utc_column()


class ProviderSettings(Model):
    """What the administrators decided about signing in with the identity provider: one row.

    `domains` are the mail domains that belong to it, in lower case; without one, no address
    links anybody. `creates_people` makes an entry of the directory at a first sign-in;
    `offers_password` False leaves local passwords to administrators alone.
    """

    __tablename__ = "provider_settings"
    __retention__ = retention.PROGRAMME

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    domains: Mapped[list[str]]
    creates_people: Mapped[bool] = mapped_column(default=False)
    offers_password: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[dt.datetime] = utc_column()


class ProviderMapping(Model):
    """What a group of the identity provider gives. `value` is the group as the provider writes it.

    With a `role`, that role: for one segment, or for the whole organisation (`segment_id` None).
    Without, a place on the list of the segment.
    """

    __tablename__ = "provider_mapping"
    __retention__ = retention.PROGRAMME
    __table_args__ = (Index("ix_provider_mapping_value", "value", "id"),)

    id: Mapped[uuid.UUID] = primary_key()
    value: Mapped[str] = mapped_column(String(300))
    role: Mapped[str | None] = mapped_column(String(20))
    segment_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("segment.id"))
    created_at: Mapped[dt.datetime] = utc_column()


class Login(Model):
    """One signed-in device. The cookie holds a random token, this row its hash.

    `browser` is a family such as 'Firefox, Linux', never what the browser said of itself;
    `method` is how the person was recognised: one of `METHODS`.

    `verified_at` is when a second factor was shown, `factor_due_at` from when on the team's pages
    want one (None: never). `confirmed_at` is when the person last showed who they are. With
    `renewal_due` the next page brings a new token; `previous_hash` is that of the one before.
    """

    __tablename__ = "login"
    __retention__ = retention.SESSION
    __table_args__ = (
        Index("ix_login_person", "person_id"),
        Index("ix_login_previous", "previous_hash"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    browser: Mapped[str] = mapped_column(String(60))
    method: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[dt.datetime] = utc_column()
    seen_at: Mapped[dt.datetime] = utc_column()
    expires_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    verified_at: Mapped[dt.datetime | None]
    factor_due_at: Mapped[dt.datetime | None]
    confirmed_at: Mapped[dt.datetime | None]
    renewal_due: Mapped[bool] = mapped_column(default=False)
    previous_hash: Mapped[str | None] = mapped_column(String(64))


class ParkedForm(Model):
    """What was typed into a form whose session had ended, for half an hour.

    `key_hash` stands for the browser that sent it, `person_id` for whose session it had been,
    where that is known. `content` is JSON: the page, the path, the texts; no secret, no file.
    """

    __tablename__ = "parked_form"
    __retention__ = retention.SESSION
    __table_args__ = (Index("ix_parked_form_expires", "expires_at"),)

    id: Mapped[uuid.UUID] = primary_key()
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    content: Mapped[str] = mapped_column(Encrypted)
    expires_at: Mapped[dt.datetime]


class AccessToken(Model):
    """A bearer token of the API: hashed, scoped, never more than its person may do."""

    __tablename__ = "access_token"
    __retention__ = retention.CREDENTIAL
    __table_args__ = (
        Index("ix_access_token_person", "person_id", postgresql_where=text("revoked_at is null")),
    )

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(String(120))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[dt.datetime] = utc_column()
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]

    person: Mapped[Person] = relationship(lazy="joined")


class SavedView(Model):
    """The filters of one of the team's lists, kept by one person under a name. `query` holds
    only what the list declares as filters (`saved_views`); the list opens on the default one."""

    __tablename__ = "saved_view"
    __retention__ = retention.MEMBERSHIP
    __table_args__ = (
        UniqueConstraint("person_id", "place", "name"),
        Index(
            "uq_saved_view_default", "person_id", "place", unique=True,
            sqlite_where=text("is_default"), postgresql_where=text("is_default"),
        ),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    place: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(String(1000))
    position: Mapped[int]
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime] = utc_column()
