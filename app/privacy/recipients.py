"""With whom the installation exchanges data, declared once for the documents (rules T1, D1).

Each declaration says what leaves, what comes, and what of it is really set, which is read when
a document is asked for. It also names the settings and the code behind it: a test walks both
and fails on a setting or on code that speaks over the network and belongs to no declaration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import func, make_url, or_, select

from app import clock
from app.db import db
from app.errors import Sentence
from app.people.models import AccessToken
from app.provisioning.scim.models import ScimConnection
from app.referrals.connections import kind_name
from app.referrals.models import Connection
from app.sharing.networks import NETWORKS
from app.sharing.words import NETWORK_NAMES
from app.web import current_settings

_HERE: Final = ("", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody outside. `found` gives what is set on the day, such as a host or a connection's
    name, and nothing where it is not connected. `settings` are fields of `config.Settings`;
    `code` are modules, or packages with all that is in them."""

    key: str
    title: Sentence
    found: Callable[[], list[str]]
    sent: Callable[[], str]
    received: Callable[[], str]
    settings: tuple[str, ...] = ()
    code: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A recipient in the reader's language; `found` is empty where it is not connected."""

    key: str
    title: str
    found: tuple[str, ...]
    sent: str
    received: str


def lines() -> list[Line]:
    """Every recipient, as it stands on the day."""
    return [
        Line(each.key, str(each.title), tuple(each.found()), each.sent(), each.received())
        for each in RECIPIENTS
    ]


# --- what is set -------------------------------------------------------------------------


def _hosts(*addresses: str | None) -> list[str]:
    """The hosts of some addresses, each once; never what else an address holds, such as a
    password."""
    hosts = (urlsplit(address).hostname or "" for address in addresses if address)
    return [*dict.fromkeys(host for host in hosts if host)]


def _linkedin() -> list[str]:
    settings = current_settings()
    if not settings.linkedin_client_id:
        return []
    return _hosts(settings.linkedin_auth_url, settings.linkedin_api_url)


def _reads_figures() -> bool:
    return current_settings().linkedin_mode == "community_management"


def _windows() -> list[str]:
    """The networks whose own window a member may open; mail and messages are the member's."""
    opened = (each for each in NETWORKS.values() if each.address.startswith("https:"))
    return [*dict.fromkeys(str(NETWORK_NAMES[each.family]) for each in opened)]


def _provider() -> list[str]:
    return _hosts(current_settings().oidc_issuer)


def _directories() -> list[str]:
    return [*db.session.scalars(select(ScimConnection.name).order_by(ScimConnection.id))]


def _tracking_systems() -> list[str]:
    """Connections of every kind, those that only bring offers too."""
    rows = db.session.execute(
        select(Connection.name, Connection.kind)
        .where(Connection.deleted_at.is_(None))
        .order_by(Connection.created_at, Connection.id)
    )
    return [
        row.name if row.name == kind_name(row.kind) else f"{row.name} ({kind_name(row.kind)})"
        for row in rows
    ]


def _mail_server() -> list[str]:
    return _hosts(current_settings().smtp_url)


def _programs() -> list[str]:
    usable = or_(AccessToken.expires_at.is_(None), AccessToken.expires_at > clock.now())
    count = db.session.scalar(
        select(func.count())
        .select_from(AccessToken)
        .where(AccessToken.revoked_at.is_(None), usable)
    )
    return [ngettext("%(num)d token in use", "%(num)d tokens in use", count)] if count else []


def _storage() -> list[str]:
    """Hosts of the database and the queue that are not this machine."""
    settings = current_settings()
    database = make_url(settings.database_url)
    named = database.query.get("host", ())  # libpq takes hosts there as well, and sockets
    hosts = [database.host or "", *((named,) if isinstance(named, str) else named)]
    everywhere = dict.fromkeys(hosts + _hosts(settings.redis_url))
    return [host for host in everywhere if host not in _HERE and not host.startswith("/")]


# --- the declarations --------------------------------------------------------------------

RECIPIENTS: Final = (
    Recipient(
        "linkedin", _l("LinkedIn, connected by members"), _linkedin,
        lambda: _(
            "What a member presses to publish, text, picture and link, with the member’s own"
            " permission. A post that the member withdraws is named again, to be removed."
        ),
        lambda: (
            _(
                "The key of the permission, the member’s name and number there, and figures of"
                " the posts published from here. Nothing about the member’s network is read."
            )
            if _reads_figures()
            else _(
                "The key of the permission, and the member’s name and number there. Nothing"
                " about the member’s network is read."
            )
        ),
        ("linkedin_client_id", "linkedin_client_secret", "linkedin_mode", "linkedin_auth_url",
         "linkedin_api_url", "linkedin_version"),
        ("app.integrations.linkedin",),
    ),
    Recipient(
        "windows", _l("Networks, in their own windows"), _windows,
        lambda: _(
            "Only when a member opens such a window: the text and the link the member chose, by"
            " the member’s own browser. The programme itself calls nobody."
        ),
        lambda: _("Nothing."),
        (), ("app.sharing.networks",),
    ),
    Recipient(
        "provider", _l("Identity provider"), _provider,
        lambda: _(
            "Who signs in goes there with the request and the language of the page; whoever signs"
            " out, with the proof that the provider gave. Nothing of what anybody does here."
        ),
        lambda: _(
            "Name, address and number of whoever signs in, and their groups where the provider "
            "names them."
        ),
        ("oidc_issuer", "oidc_client_id", "oidc_client_secret"),
        ("app.people.oidc", "app.people.provider_keys"),
    ),
    Recipient(
        "directories", _l("Staff directories (SCIM)"), _directories,
        lambda: _(
            "To a directory that asks: the entries and groups that it wrote itself. It is not"
            " told who takes part, nor what anybody does here."
        ),
        lambda: _(
            "Entries of the directory: name, work address, employee number, job, department,"
            " manager, departures; and groups with their members."
        ),
        (), ("app.provisioning.scim",),
    ),
    Recipient(
        "tracking", _l("Applicant tracking systems and offer feeds"), _tracking_systems,
        lambda: _(
            "To fetch offers, a request that names nobody. A candidate who goes on to the"
            " employer’s own form takes along, in its address, that it is a referral, and types"
            " the rest there."
        ),
        lambda: _(
            "Offers; and for applications the stage, the candidate, and whom that system credits"
            " with the referral: name, address or employee number."
        ),
        (), ("app.integrations.fetching", "app.integrations.greenhouse",
             "app.integrations.csv_feed", "app.referrals.fetching"),
    ),
    Recipient(
        "pages", _l("Web pages that the team names"),
        lambda: [_("at the press of whoever writes a story")],
        lambda: _("A request for the page and its picture, which names nobody."),
        lambda: _("Title, description and picture of the page."),
        (), ("app.integrations.pages", "app.library.previews"),
    ),
    Recipient(
        "mail", _l("Mail server"), _mail_server,
        lambda: _("The messages, each with the name and the address of whom it is for."),
        lambda: _("Nothing."),
        ("smtp_url", "mail_from"), ("app.mail",),
    ),
    Recipient(
        "programs", _l("Software that holds a token"), _programs,
        lambda: _(
            "What whoever made the token may read here, and no more than the token’s own scopes."
        ),
        lambda: _("What that person may write here, within the same scopes."),
        (), ("app.api", "app.people.tokens"),
    ),
    Recipient(
        "storage", _l("Database and queue on other machines"), _storage,
        lambda: _(
            "To the database everything that is kept, keys to other systems encrypted. To the"
            " queue what is to be done, by number and without names; and, for a day at most, how"
            " often a network address knocked at a limited page."
        ),
        lambda: _("The same, when it is read."),
        ("database_url", "redis_url"),
        ("app.db", "app.prepared", "app.jobs", "app.referrals.code_map",
         "app.referrals.visitors", "app.web.health", "app.web.limits"),
    ),
)  # fmt: skip
