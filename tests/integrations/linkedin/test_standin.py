"""The client against the LinkedIn stand-in, which was written from the same reference.

Nothing is replaced on either side: real HTTP, real signatures, and a reader of little text
that knows nothing of our writer.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import itertools
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from PIL import Image

from app import clock
from app.config import Settings
from app.integrations.linkedin.analytics import Analytics, NotRead
from app.integrations.linkedin.little import MAX_UNITS, clean, units, write
from app.integrations.linkedin.oauth import AuthRefused, LinkedInAuth, error_reason
from app.integrations.linkedin.outcomes import (
    Deleted,
    Duplicate,
    MediaNotReady,
    NoPermission,
    NotSent,
    Outcome,
    Published,
    Refused,
    Throttled,
    TokenRefused,
    Unknown,
    VersionRefused,
)
from app.integrations.linkedin.posts import Article, Client, post_body, post_url
from app.integrations.linkedin.wire import Timeouts
from standin.linkedin import CLIENT_ID, CLIENT_SECRET, CMA_CLIENT_ID, CMA_CLIENT_SECRET, StandIn

HASTY = Timeouts(connect=2.0, write=2.0, read=0.5, total=3.0)  # against silence alone
MEMBER = "maelle"
AUTHOR = f"urn:li:person:{MEMBER}"


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn() as made:
        made.add_members([{"sub": MEMBER, "name": "Maëlle Kerjan"}])
        yield made


@pytest.fixture
def linkedin(running: StandIn) -> StandIn:
    running.reset()
    return running


@pytest.fixture
def settings(settings_at: Callable[..., Settings], linkedin: StandIn) -> Settings:
    return settings_at(
        linkedin.address, LINKEDIN_CLIENT_ID=CLIENT_ID, LINKEDIN_CLIENT_SECRET=CLIENT_SECRET
    )


@pytest.fixture
def cma_settings(settings_at: Callable[..., Settings], linkedin: StandIn) -> Settings:
    return settings_at(
        linkedin.address,
        LINKEDIN_CLIENT_ID=CMA_CLIENT_ID,
        LINKEDIN_CLIENT_SECRET=CMA_CLIENT_SECRET,
        LINKEDIN_MODE="community_management",
    )


@pytest.fixture
def client(settings: Settings) -> Client:
    return Client(settings, pauses=(0.0, 0.0))


@pytest.fixture
def token(linkedin: StandIn) -> str:
    return str(linkedin.issue_token(member=MEMBER, scope="w_member_social"))


def code_of(linkedin: StandIn, auth: LinkedInAuth) -> str:
    """What a member does: read, allow, come back."""
    errand = auth.begin()
    back = parse_qs(urlsplit(linkedin.authorize(errand.url, member=MEMBER)).query)
    assert back["state"] == [errand.state]
    return back["code"][0]


def auth_of(settings: Settings) -> LinkedInAuth:
    """The stand-in's applications come back to any address of this machine."""
    here = dataclasses.replace(settings, base_url="http://127.0.0.1:8000")
    return LinkedInAuth(here, identity_pauses=(0.0, 0.0, 0.0))


def create(client: Client, token: str, text: str, **more: Any) -> Outcome:
    body = post_body(AUTHOR, write(clean(text)), **more)
    return client.create_post(token, body, before_last_byte=lambda: True)


# --- consent ---------------------------------------------------------------------------


@pytest.mark.parametrize("issuer", ["https://www.linkedin.com", "https://www.linkedin.com/oauth"])
def test_it_brings_a_consent_home(issuer: str, linkedin: StandIn, settings: Settings) -> None:
    linkedin.set(issuer=issuer)
    auth = auth_of(settings)
    before = clock.now()
    granted = auth.finish(code_of(linkedin, auth))
    assert (granted.subject, granted.name) == (MEMBER, "Maëlle Kerjan")
    assert set(granted.scopes) == {"openid", "profile", "w_member_social"}
    assert granted.refresh_token is None
    assert dt.timedelta(days=59) < granted.expires_at - before < dt.timedelta(days=61)
    assert create(Client(settings), granted.access_token, "Bonjour") == Published(
        linkedin.posts()[0]["urn"]
    )


def test_it_uses_a_code_once(linkedin: StandIn, settings: Settings) -> None:
    auth = auth_of(settings)
    code = code_of(linkedin, auth)
    auth.finish(code)
    for used in (code, "never-given"):
        with pytest.raises(AuthRefused) as caught:
            auth.finish(used)
        assert caught.value.reason == "expired-code"


def test_it_says_that_the_secret_is_wrong(
    linkedin: StandIn, settings_at: Callable[..., Settings]
) -> None:
    auth = auth_of(settings_at(linkedin.address, LINKEDIN_CLIENT_ID=CLIENT_ID))
    with pytest.raises(AuthRefused) as caught:
        auth.finish(code_of(linkedin, auth))
    assert caught.value.reason == "client"


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        ("cancel_login", "cancelled"),
        ("cancel_authorize", "cancelled"),
        ("unauthorized_scope", "scope"),
    ],
)
def test_it_hears_a_no(consent: str, reason: str, linkedin: StandIn, settings: Settings) -> None:
    linkedin.set(consent=consent)
    back = linkedin.authorize(auth_of(settings).begin().url, member=MEMBER)
    error = parse_qs(urlsplit(back).query)["error"][0]
    assert error_reason(error) == reason


@pytest.mark.parametrize("refusals", [1, 3])
def test_it_bears_with_a_fresh_token(refusals: int, linkedin: StandIn, settings: Settings) -> None:
    linkedin.fault("503", path="/oauth/openid/jwks", method="GET", times=1)
    linkedin.set(fresh_refusals=refusals)
    auth = auth_of(settings)
    granted = auth.finish(code_of(linkedin, auth))
    assert (granted.subject, granted.name) == (MEMBER, "Maëlle Kerjan")
    counts = linkedin.requests()["counts"]
    assert counts["GET /v2/userinfo"] == refusals + 1


def test_it_knows_the_member_of_a_community_management_application(
    linkedin: StandIn, cma_settings: Settings
) -> None:
    auth = auth_of(cma_settings)
    granted = auth.finish(code_of(linkedin, auth))
    assert granted.name == "Maëlle Kerjan"
    assert set(granted.scopes) == set(auth.scopes)
    body = post_body(f"urn:li:person:{granted.subject}", "Bonjour")
    found = Client(cma_settings).create_post(
        granted.access_token, body, before_last_byte=lambda: True
    )
    assert isinstance(found, Published)


def test_it_refreshes_where_linkedin_lets_it(linkedin: StandIn, settings: Settings) -> None:
    linkedin.set(partner=True)
    auth = auth_of(settings)
    granted = auth.finish(code_of(linkedin, auth))
    assert granted.refresh_token and granted.refresh_expires_at
    again = auth.refresh(granted.refresh_token)
    assert again.access_token != granted.access_token
    assert again.refresh_expires_at and again.refresh_expires_at <= granted.refresh_expires_at
    assert auth.introspect(again.access_token).active
    with pytest.raises(AuthRefused) as caught:
        auth.refresh("never-given")
    assert caught.value.reason == "expired-code"


def test_it_revokes_and_asks(linkedin: StandIn, settings: Settings) -> None:
    auth = auth_of(settings)
    granted = auth.finish(code_of(linkedin, auth))
    told = auth.introspect(granted.access_token)
    assert (told.active, told.status) == (True, "active")
    assert set(told.scopes) == set(granted.scopes)
    assert auth.revoke(granted.access_token)
    told = auth.introspect(granted.access_token)
    assert (told.active, told.status) == (False, "revoked")
    assert create(Client(settings), granted.access_token, "x") == TokenRefused("revoked")


# --- posts -----------------------------------------------------------------------------


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (120, 63), "#00664a").save(out, "JPEG")
    return out.getvalue()


def test_it_publishes_an_article_with_its_picture_and_takes_it_back(
    linkedin: StandIn, settings: Settings, client: Client, token: str
) -> None:
    thumbnail = client.upload_image(token, AUTHOR, jpeg())
    article = Article("https://p.example/r/x_1", "La halle (1)", "Une *visite*", thumbnail)
    found = create(client, token, "Venez voir (samedi) #la_halle !", article=article)
    (post,) = linkedin.posts(author=AUTHOR)
    assert found == Published(post["urn"])
    assert post["text"] == "Venez voir (samedi) #la_halle !"
    assert not post["cut"]
    content = post["content"]
    assert (content["source"], content["title"], content["description"]) == (
        "https://p.example/r/x_1",
        "La halle (1)",
        "Une *visite*",
    )
    assert content["thumbnail"]["urn"] == thumbnail
    assert (content["thumbnail"]["width"], content["thumbnail"]["height"]) == (120, 63)
    assert post["url"] == post_url(settings, post["urn"])
    assert client.delete_post(token, post["urn"]) == Deleted(was_gone=False)
    assert linkedin.posts(author=AUTHOR)[0]["deleted_at"]
    assert client.delete_post(token, "urn:li:share:1") == Deleted(was_gone=True)


def test_it_publishes_a_picture_with_its_words(
    linkedin: StandIn, client: Client, token: str
) -> None:
    urn = client.upload_image(token, AUTHOR, jpeg())
    assert isinstance(create(client, token, "Photo", image=(urn, "La halle")), Published)
    content = linkedin.posts()[0]["content"]
    assert (content["kind"], content["alt_text"], content["image"]["urn"]) == (
        "image",
        "La halle",
        urn,
    )


def test_it_hears_of_a_duplicate(linkedin: StandIn, client: Client, token: str) -> None:
    first = create(client, token, "Deux fois")
    assert isinstance(first, Published)
    assert create(client, token, "Deux fois") == Duplicate(first.urn)
    assert first.urn
    client.delete_post(token, first.urn)
    assert create(client, token, "Deux fois") == Duplicate(first.urn)


def test_it_waits_for_a_picture(linkedin: StandIn, client: Client, token: str) -> None:
    linkedin.set(processing_seconds=60.0)
    urn = client.upload_image(token, AUTHOR, jpeg())
    assert create(client, token, "Photo", image=(urn, "")) == MediaNotReady()
    assert not linkedin.posts()


def test_it_hears_of_a_length(client: Client, token: str) -> None:
    long = "x" * (MAX_UNITS + 1)
    assert units(long) > MAX_UNITS
    found = create(client, token, long)
    assert isinstance(found, Refused)
    assert (found.code, found.permanent) == ("FIELD_LENGTH_TOO_LONG", True)


def test_it_hears_of_a_version(
    settings_at: Callable[..., Settings], linkedin: StandIn, token: str
) -> None:
    old = settings_at(linkedin.address, LINKEDIN_VERSION="202001")
    found = create(Client(old), token, "x")
    assert found == VersionRefused("Requested version 20200101 is not active")


def test_it_hears_of_a_missing_permission(linkedin: StandIn, client: Client) -> None:
    reader = linkedin.issue_token(member=MEMBER, scope="openid profile")
    found = create(client, reader, "x")
    assert isinstance(found, NoPermission)
    assert "posts.CREATE" in found.message


@pytest.mark.parametrize("limit", ["member_day_limit", "app_day_limit"])
def test_it_hears_whose_limit_it_is(
    limit: str, linkedin: StandIn, client: Client, token: str
) -> None:
    linkedin.set(**{limit: 1})
    assert isinstance(create(client, token, "un"), Published)
    found = create(client, token, "deux")
    assert isinstance(found, Throttled)
    assert found.scope == {"member_day_limit": "member", "app_day_limit": "application"}[limit]
    assert found.until > clock.now()
    assert found.until.time() == dt.time(0)


@pytest.mark.parametrize(
    ("fault", "meaning", "posted"),
    [
        ("drop_after_accept", Unknown("cut"), True),
        ("silence:3+commit", Unknown("timeout"), True),
        ("silence:3", Unknown("timeout"), False),
        ("half", Unknown("cut"), True),
        ("garbage", Unknown("cut"), False),
        ("no_header", Published(None), True),
        ("500", Unknown("server-error"), False),
        ("500+commit", Unknown("server-error"), True),
        ("500-html", Unknown("server-error"), False),
        ("502", Unknown("server-error"), False),
        ("503", Unknown("server-error"), False),
        ("504", Unknown("server-error"), False),
        ("401-invalid", TokenRefused("invalid"), False),
        ("401-revoked", TokenRefused("revoked"), False),
        ("401-expired", TokenRefused("expired"), False),
        ("401-empty", TokenRefused("invalid"), False),
        ("400-MEDIA_ASSET_WAITING_UPLOAD", MediaNotReady(), False),
    ],
)
def test_it_says_what_can_be_known_of_each_fault(
    fault: str, meaning: Outcome, posted: bool, linkedin: StandIn, settings: Settings, token: str
) -> None:
    linkedin.fault(fault, path="/rest/posts", method="POST")
    client = Client(settings, timeouts=HASTY if "silence" in fault else None)
    assert create(client, token, f"Avec {fault}") == meaning
    assert len(linkedin.posts()) == posted
    assert linkedin.requests()["counts"]["POST /rest/posts"] == 1


@pytest.mark.parametrize(
    ("fault", "code", "permanent"),
    [
        ("400-MISSING_FIELD", "MISSING_FIELD", True),
        ("400-INVALID_VALUE_BLANK_FIELD", "INVALID_VALUE_BLANK_FIELD", True),
        ("400-MEDIA_ASSET_PROCESSING_FAILED", "MEDIA_ASSET_PROCESSING_FAILED", True),
        ("404", "NOT_FOUND", True),
        ("409", "CONFLICT", False),
        ("422", "UNPROCESSABLE_ENTITY", True),
    ],
)
def test_it_names_each_refusal(
    fault: str, code: str, permanent: bool, linkedin: StandIn, client: Client, token: str
) -> None:
    linkedin.fault(fault, path="/rest/posts", method="POST")
    found = create(client, token, "x")
    assert isinstance(found, Refused)
    assert (found.code, found.permanent) == (code, permanent)


def test_it_leaves_nothing_behind_when_the_caller_says_no(
    linkedin: StandIn, client: Client, token: str
) -> None:
    found = client.create_post(token, post_body(AUTHOR, "Non"), before_last_byte=lambda: False)
    assert found == NotSent("stopped", retry=False)
    assert isinstance(create(client, token, "Oui"), Published)
    assert [post["text"] for post in linkedin.posts()] == ["Oui"]


# --- figures ---------------------------------------------------------------------------


def test_it_reads_figures_and_keeps_unknown_from_zero(
    linkedin: StandIn, cma_settings: Settings
) -> None:
    scope = "r_basicprofile w_member_social r_member_postAnalytics"
    token = linkedin.issue_token(member=MEMBER, scope=scope, client_id=CMA_CLIENT_ID)
    found = create(Client(cma_settings), token, "Mesuré")
    assert isinstance(found, Published) and found.urn
    analytics = Analytics(cma_settings)
    unknown = {"IMPRESSION": None, "MEMBERS_REACHED": None, "REACTION": None}
    assert analytics.post_counts(token, found.urn) == unknown
    linkedin.set(analytics_delay_seconds=0.0)
    counts = analytics.post_counts(token, found.urn)
    assert all(isinstance(count, int) for count in counts.values())


def test_it_reads_no_figures_without_the_permission(
    linkedin: StandIn, settings: Settings, token: str
) -> None:
    with pytest.raises(NotRead) as caught:
        Analytics(settings).post_counts(token, "urn:li:share:1")
    assert isinstance(caught.value.outcome, NoPermission)


# --- little text, read by somebody else ------------------------------------------------

PIECES = st.sampled_from(
    [
        *"|{}@[]()<>#\\*_~&",
        *("🙂", "👩\u200d💻", "❤\ufe0f", "1\ufe0f\u20e3", "#\ufe0f\u20e3", "🇫🇷", "👍\U0001f3fd"),
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        *("e\u0301", "a\u0323\u0307", "क्षि", "می\u200cخواهم", "שלום\u200f", "\u202eevil", "\u200b"),
        *(
            "#",
            "##",
            "#hiring",
            "#open_source",
            "#2026",
            "#_",
            "#é",
            "#e\u0301",
            "#हिन्दी",
            "C#",
            "&#233;",
        ),
        *("@[Halvenne](urn:li:organization:1)", "@[x](urn:li:person:maelle)", "@Maëlle"),
        *("{hashtag|\\#|tag}", "\\{hashtag", "\\(", "\\\\", "\\#a"),
        *("https://a_b.example/x_(y)~z#top", "www.a.example/#_", "a.example/#top", "x_y@z.example"),
        *("(This is also a test.)", "*gras*", "~barré~", "<b>", "mot", "Ⅻ", "½", "漢字"),
        *(" ", "\n", "\n\n", "\t", "\u00a0", "\r\n", "\u2028", "\x00", "\ufeff"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), min_size=1, max_size=14).map("".join)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def lenient() -> Iterator[StandIn]:
    with StandIn(lenient=True) as made:
        yield made


@profile(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@example("This is a test. (This is also a test.)")
@example("#a\\_b@[x](urn:li:person:y){hashtag|\\#|z}")
@given(TEXTS)
def test_it_shows_a_member_exactly_what_was_cleaned(
    lenient: StandIn, settings_at: Callable[..., Settings], text: str
) -> None:
    shown = clean(text)
    author = f"urn:li:person:m{next(_numbers)}"  # somebody new: no duplicates, no limits
    if shown:
        client = Client(settings_at(lenient.address))
        found = client.create_post(
            author, post_body(author, write(shown)), before_last_byte=lambda: True
        )
        (post,) = lenient.posts(author=author)
        assert found == Published(post["urn"])
        assert post["text"] == shown
        assert not post["cut"]
