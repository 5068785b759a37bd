"""What a directory that speaks SCIM told us, connection by connection.

The person themselves stands in the directory (`app.people`); here stands how one connection
names them and the few attributes that it said, so that it reads back what it wrote. Phones,
addresses, photos and passwords are never kept.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import JSONDict, Model, primary_key, utc_column

KINDS = ("entra", "okta", "other")
_LIVING = text("deleted_at is null")


class ScimConnection(Model):
    """One directory that may write to ours. `kind` is one of `KINDS`, for words only.

    `is_default` marks the connection that the product's own tokens with the scope `scim` use.
    """

    __tablename__ = "scim_connection"
    __retention__ = retention.PROGRAMME
    __table_args__ = (
        Index(
            "uq_scim_connection_default", "is_default", unique=True,
            sqlite_where=text("is_default"), postgresql_where=text("is_default"),
        ),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = primary_key()
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(10), default="other")
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime] = utc_column()
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    used_at: Mapped[dt.datetime | None]


class ScimToken(Model):
    """A bearer token of a connection, as its hash. Two are good while one replaces the other."""

    __tablename__ = "scim_token"
    __retention__ = retention.PROGRAMME
    __table_args__ = (Index("ix_scim_token_connection", "connection_id", "created_at"),)

    id: Mapped[uuid.UUID] = primary_key()
    connection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("scim_connection.id"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[dt.datetime] = utc_column()
    used_at: Mapped[dt.datetime | None]


class ScimCount(Model):
    """How often something happened on a connection on one day, by kind; nobody is named.

    `what` is one of `activity.KINDS`, or an error as `409` or `400 invalidFilter`.
    """

    __tablename__ = "scim_count"
    __retention__ = retention.PROGRAMME
    __table_args__ = (UniqueConstraint("connection_id", "day", "what"),)

    id: Mapped[uuid.UUID] = primary_key()
    connection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("scim_connection.id"))
    day: Mapped[dt.date]
    what: Mapped[str] = mapped_column(String(40))
    times: Mapped[int]


class ScimUser(Model):
    """A person as one connection names them.

    `scim_id` is the SCIM `id`: the person's own when they came, and unchanged where the entry was
    later joined to another one of the same person. `user_key` is the userName as it is compared,
    `email` the work address in its normal form, `manager_ref` whatever named the manager, `said`
    the attributes that are kept, in SCIM's own shape. A deleted one keeps `external_id` and
    `person_id` alone, to recognise a return; `former_id` proposes whom a newcomer may be.
    """

    __tablename__ = "scim_user"
    __retention__ = retention.DIRECTORY
    __table_args__ = (
        Index(
            "uq_scim_user_name", "connection_id", "user_key", unique=True,
            sqlite_where=_LIVING, postgresql_where=_LIVING,
        ),
        Index(
            "uq_scim_user_external", "connection_id", "external_id", unique=True,
            sqlite_where=_LIVING, postgresql_where=_LIVING,
        ),
        Index(
            "uq_scim_user_id", "scim_id", unique=True,
            sqlite_where=_LIVING, postgresql_where=_LIVING,
        ),
        Index(
            "uq_scim_user_person", "person_id", unique=True,
            sqlite_where=_LIVING, postgresql_where=_LIVING,
        ),
        Index(
            "ix_scim_user_page", "connection_id", "id",
            sqlite_where=_LIVING, postgresql_where=_LIVING,
        ),
        Index("ix_scim_user_email", "connection_id", "email"),
        Index("ix_scim_user_modified", "connection_id", "modified_at"),
        Index("ix_scim_user_manager", "connection_id", "manager_ref"),
        Index("ix_scim_user_gone", "person_id"),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = primary_key()
    connection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("scim_connection.id"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    scim_id: Mapped[uuid.UUID]
    external_id: Mapped[str | None] = mapped_column(String(300))
    user_key: Mapped[str | None] = mapped_column(String(300))
    email: Mapped[str | None] = mapped_column(String(254))
    manager_ref: Mapped[str | None] = mapped_column(String(300))
    said: Mapped[JSONDict]
    former_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[dt.datetime] = utc_column()
    modified_at: Mapped[dt.datetime] = utc_column()
    deleted_at: Mapped[dt.datetime | None]


class ScimGroup(Model):
    """A group of one connection: a segment whose list it writes; `segment_id` is the SCIM `id`.

    `display_name` is whole, the segment's name what fits. `name_key` is how it is compared.
    """

    __tablename__ = "scim_group"
    __retention__ = retention.PROGRAMME
    __table_args__ = (
        Index(
            "uq_scim_group_name", "connection_id", "name_key", unique=True,
            sqlite_where=_LIVING, postgresql_where=_LIVING,
        ),
        Index(
            "uq_scim_group_external", "connection_id", "external_id", unique=True,
            sqlite_where=_LIVING, postgresql_where=_LIVING,
        ),
    )  # fmt: skip

    segment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("segment.id"), primary_key=True)
    connection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("scim_connection.id"))
    external_id: Mapped[str | None] = mapped_column(String(300))
    display_name: Mapped[str] = mapped_column(String(300))
    name_key: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[dt.datetime] = utc_column()
    modified_at: Mapped[dt.datetime] = utc_column()
    deleted_at: Mapped[dt.datetime | None]


class ScimGroupRole(Model):
    """What being in a group of a connection gives: a role, for one segment or for the whole
    organisation (`segment_id` None). `group_id` is the SCIM `id` of the group."""

    __tablename__ = "scim_group_role"
    __retention__ = retention.PROGRAMME
    __table_args__ = (Index("ix_scim_group_role_group", "group_id", "id"),)

    id: Mapped[uuid.UUID] = primary_key()
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("scim_group.segment_id"))
    role: Mapped[str] = mapped_column(String(20))
    segment_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("segment.id"))
    created_at: Mapped[dt.datetime] = utc_column()
