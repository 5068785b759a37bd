"""Settings, read once from the environment and checked before anything starts.

A wrong value stops the start with the variable's name and what was expected, because a
product that starts with half its settings fails later, in front of somebody.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX = "PORTEVOIX_"
LANGUAGES = ("fr", "en")
# Good until about September 2027: LinkedIn keeps each monthly version for a year.
DEFAULT_LINKEDIN_VERSION = "202609"


class SettingsError(Exception):
    """One variable cannot be used; `variable` is its full name."""

    def __init__(self, variable: str, expected: str) -> None:
        super().__init__(f"{variable}: {expected}")
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the operator decides. Times in seconds, sizes in bytes."""

    secret_keys: tuple[str, ...]
    database_url: str
    redis_url: str | None
    base_url: str
    data_dir: Path
    media_url: str | None
    trusted_proxies: int
    locale: str
    timezone: ZoneInfo
    smtp_url: str | None
    mail_from: str
    oidc_issuer: str | None
    oidc_client_id: str | None
    oidc_client_secret: str | None
    linkedin_client_id: str | None
    linkedin_client_secret: str | None
    linkedin_mode: str
    linkedin_auth_url: str
    linkedin_api_url: str
    linkedin_version: str
    share_lease_seconds: int
    share_timeout_seconds: int
    env: str
    clock: dt.datetime | None
    host: str
    port: int
    setup_from_anywhere: bool
    relay_resend_seconds: int
    demo: bool

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")


def _choice(env: Mapping[str, str], name: str, default: str, among: tuple[str, ...]) -> str:
    value = env.get(PREFIX + name) or default
    if value not in among:
        raise SettingsError(PREFIX + name, f"one of {', '.join(among)}, not {value!r}")
    return value


def _number(env: Mapping[str, str], variable: str, default: int, low: int, high: int) -> int:
    raw = env.get(variable) or str(default)
    if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
        raise SettingsError(variable, f"a whole number from {low} to {high}, not {raw!r}")
    return int(raw)


def _url(env: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str | None:
    value = env.get(PREFIX + name)
    if not value:
        return None
    if urlsplit(value).scheme not in schemes:
        wanted = " or ".join(f"{s}://…" for s in schemes)
        raise SettingsError(PREFIX + name, f"an address that starts with {wanted}")
    return value


def _zone(env: Mapping[str, str]) -> ZoneInfo:
    name = env.get(PREFIX + "TIMEZONE") or "Europe/Paris"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        wanted = f"a zone such as Europe/Paris, not {name!r}"
        raise SettingsError(PREFIX + "TIMEZONE", wanted) from error


def _data_dir(env: Mapping[str, str]) -> Path:
    folder = Path(env.get(PREFIX + "DATA_DIR") or "var").absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    except OSError as error:
        raise SettingsError(PREFIX + "DATA_DIR", f"a folder we may write in ({error})") from error
    if not os.access(folder, os.W_OK):
        raise SettingsError(PREFIX + "DATA_DIR", f"a folder we may write in, not {folder}")
    return folder


def _secret_keys(env: Mapping[str, str], data_dir: Path) -> tuple[str, ...]:
    given = env.get(PREFIX + "SECRET_KEY")
    if given:
        keys = tuple(k.strip() for k in given.split(",") if k.strip())
        if not keys or min(map(len, keys)) < 16:
            raise SettingsError(PREFIX + "SECRET_KEY", "keys of at least 16 characters each")
        return keys
    return (_stored_secret(data_dir / "secret_key"),)


def _stored_secret(file: Path) -> str:
    """The key made at the first start. Written whole before it gets its name."""
    if not file.exists():
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_urlsafe(48))
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(draft, file)  # fails where another process was faster: then its key stands
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text().strip()


def _clock(env: Mapping[str, str], product_env: str) -> dt.datetime | None:
    raw = env.get(PREFIX + "CLOCK")
    if not raw:
        return None
    if product_env != "test":
        raise SettingsError(PREFIX + "CLOCK", f"only with {PREFIX}ENV=test")
    try:
        instant = dt.datetime.fromisoformat(raw)
    except ValueError as error:
        raise SettingsError(PREFIX + "CLOCK", "an RFC 3339 instant") from error
    if instant.tzinfo is None:
        raise SettingsError(PREFIX + "CLOCK", "an instant with its offset from UTC")
    return instant.astimezone(dt.UTC)


def _database_url(env: Mapping[str, str], data_dir: Path) -> str:
    url = _url(env, "DATABASE_URL", ("sqlite", "postgresql", "postgres", "postgresql+psycopg"))
    if url is None:
        return f"sqlite:///{data_dir / 'portevoix.db'}"
    scheme, rest = url.split("://", 1)
    return url if scheme == "sqlite" else f"postgresql+psycopg://{rest}"


def _oidc(env: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    issuer = _url(env, "OIDC_ISSUER", ("https", "http"))
    client_id = env.get(PREFIX + "OIDC_CLIENT_ID") or None
    client_secret = env.get(PREFIX + "OIDC_CLIENT_SECRET") or None
    if issuer and not client_id:
        raise SettingsError(PREFIX + "OIDC_CLIENT_ID", "needed with an OIDC issuer")
    return issuer, client_id, client_secret


def _linkedin_version(env: Mapping[str, str]) -> str:
    version = env.get(PREFIX + "LINKEDIN_VERSION") or DEFAULT_LINKEDIN_VERSION
    if not (len(version) == 6 and version.isascii() and version.isdigit()):
        raise SettingsError(PREFIX + "LINKEDIN_VERSION", f"YYYYMM, such as 202609, not {version!r}")
    return version


def _linkedin_client(env: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The developer application that the organisation registered, if any."""
    client_id = env.get(PREFIX + "LINKEDIN_CLIENT_ID") or None
    client_secret = env.get(PREFIX + "LINKEDIN_CLIENT_SECRET") or None
    if client_id and not client_secret:
        raise SettingsError(PREFIX + "LINKEDIN_CLIENT_SECRET", "needed with a LinkedIn client id")
    return client_id, client_secret


def _service(env: Mapping[str, str], name: str, default: str) -> str:
    return (_url(env, name, ("https", "http")) or default).rstrip("/")


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check every setting. Raises `SettingsError` naming the first wrong variable."""
    env = os.environ if environ is None else environ
    data_dir = _data_dir(env)
    product_env = _choice(env, "ENV", "production", ("production", "test"))
    host = env.get("HOST") or "127.0.0.1"
    port = _number(env, "PORT", 8000, 1, 65535)
    issuer, client_id, client_secret = _oidc(env)
    linkedin_id, linkedin_secret = _linkedin_client(env)
    shown_host = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # nosec B104
    return Settings(
        secret_keys=_secret_keys(env, data_dir),
        database_url=_database_url(env, data_dir),
        redis_url=_url(env, "REDIS_URL", ("redis", "rediss", "unix")),
        base_url=(_url(env, "BASE_URL", ("https", "http")) or f"http://{shown_host}:{port}").rstrip(
            "/"
        ),
        data_dir=data_dir,
        media_url=_url(env, "MEDIA_URL", ("s3", "file")),
        trusted_proxies=_number(env, PREFIX + "TRUSTED_PROXIES", 0, 0, 10),
        locale=_choice(env, "LOCALE", "fr", LANGUAGES),
        timezone=_zone(env),
        smtp_url=_url(env, "SMTP_URL", ("smtp", "smtps", "smtp+starttls")),
        mail_from=env.get(PREFIX + "MAIL_FROM") or "Portevoix <ne-pas-repondre@localhost>",
        oidc_issuer=issuer,
        oidc_client_id=client_id,
        oidc_client_secret=client_secret,
        linkedin_client_id=linkedin_id,
        linkedin_client_secret=linkedin_secret,
        linkedin_mode=_choice(
            env, "LINKEDIN_MODE", "self_serve", ("self_serve", "community_management")
        ),
        linkedin_auth_url=_service(env, "LINKEDIN_AUTH_URL", "https://www.linkedin.com"),
        linkedin_api_url=_service(env, "LINKEDIN_API_URL", "https://api.linkedin.com"),
        linkedin_version=_linkedin_version(env),
        share_lease_seconds=_number(env, PREFIX + "SHARE_LEASE_SECONDS", 120, 1, 3600),
        share_timeout_seconds=_number(env, PREFIX + "SHARE_TIMEOUT_SECONDS", 20, 1, 600),
        env=product_env,
        clock=_clock(env, product_env),
        host=host,
        port=port,
        setup_from_anywhere=env.get(PREFIX + "SETUP_FROM_ANYWHERE") == "1",
        relay_resend_seconds=_number(env, PREFIX + "RELAY_RESEND_SECONDS", 120, 1, 3600),
        demo=env.get(PREFIX + "DEMO") == "1",
    )
