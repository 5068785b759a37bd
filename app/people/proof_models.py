"""What people show besides a password: passkeys, codes of an app, recovery codes."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Encrypted, Model, primary_key, utc_column


class Passkey(Model):
    """A key of WebAuthn. `credential_id` and `public_key` are base64url; `sign_count` is what
    the authenticator counted last (0 for those that do not count)."""

    __tablename__ = "passkey"
    __retention__ = retention.CREDENTIAL
    __table_args__ = (Index("ix_passkey_person", "person_id"),)

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(String(60))
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[str] = mapped_column(Text)
    sign_count: Mapped[int]
    transports: Mapped[list[str]]
    created_at: Mapped[dt.datetime] = utc_column()
    used_at: Mapped[dt.datetime | None]


class SecondFactor(Model):
    """A person's second factor. `asked_at` is when it was first asked of them, `secret` that of
    their app once they have shown a code of it, `last_counter` the step of the last code taken
    (steps of 30 seconds since the epoch). `wrong_count` counts since the last right code."""

    __tablename__ = "second_factor"
    __retention__ = retention.CREDENTIAL

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    asked_at: Mapped[dt.datetime | None]
    secret: Mapped[str | None] = mapped_column(Encrypted)
    set_at: Mapped[dt.datetime | None]
    last_counter: Mapped[int] = mapped_column(default=0)
    wrong_count: Mapped[int] = mapped_column(default=0)
    wrong_at: Mapped[dt.datetime | None]


class RecoveryCode(Model):
    """One of ten, as its keyed hash; good once."""

    __tablename__ = "recovery_code"
    __retention__ = retention.CREDENTIAL
    __table_args__ = (Index("ix_recovery_code_person", "person_id"),)

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    used_at: Mapped[dt.datetime | None]


class SignInStep(Model):
    """Something half done in one browser: a password without its code, a passkey that was asked.

    The browser's session holds a random token, the row its hash. `kind` is one of
    `steps.KINDS`, `challenge` what a passkey has to sign, `method` how the person was
    recognised. A row ends when it is used, after five wrong codes, or after ten minutes.
    """

    __tablename__ = "sign_in_step"
    __retention__ = retention.SESSION
    __table_args__ = (Index("ix_sign_in_step_expires", "expires_at"),)

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    method: Mapped[str | None] = mapped_column(String(20))
    challenge: Mapped[str | None] = mapped_column(String(120))
    wrong_count: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[dt.datetime]


class SignInPolicy(Model):
    """What the organisation asks at its own door: one row. `grace_days` are calendar days from
    when a person is first asked for a second factor until the team's pages want it."""

    __tablename__ = "sign_in_policy"
    __retention__ = retention.PROGRAMME

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    second_factor_required: Mapped[bool] = mapped_column(default=True)
    grace_days: Mapped[int] = mapped_column(default=14)
