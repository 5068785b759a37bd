"""Posts of a member: uploading a picture, creating a post, deleting it (sections 5, 6, 8).

Creating is the one call that must never happen twice and cannot be asked about afterwards.
So its body leaves in two pieces with a question to the caller in between: before the last
byte nothing can have been posted, after it only LinkedIn's answer tells.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from app.config import Settings
from app.integrations.linkedin import outcomes
from app.integrations.linkedin.outcomes import Deleted, Failure, NotSent, Outcome, Refusal, Unknown
from app.integrations.linkedin.wire import (
    PAUSES,
    Answer,
    Away,
    Timeouts,
    ask,
    bearer,
    exchange,
    is_loopback,
    patiently,
)
from app.integrations.text import JsonObject, as_object

TITLE_LIMIT: Final = 400
"""Characters of an article's title, about."""
ALT_LIMIT: Final = 4086
"""Characters of a picture's alternative text; under 120 is advised."""

_IMAGE_URN: Final = re.compile(r"urn:li:image:[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class Article:
    """A link and what is shown of it; LinkedIn fetches nothing itself.

    `thumbnail` is the URN of an uploaded picture; without it there is no picture.
    """

    source: str
    title: str
    description: str | None = None
    thumbnail: str | None = None


class NotUploaded(Exception):
    """A picture that did not get there; `outcome` says why. Nothing was posted."""

    def __init__(self, outcome: NotSent | Refusal) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


def post_body(
    author_urn: str,
    commentary: str,
    *,
    article: Article | None = None,
    image: tuple[str, str] | None = None,
) -> JsonObject:
    """The body of a new public post.

    `commentary` is little text already (`little.write(little.clean(text))`); `image` is an
    uploaded picture's URN and its alternative text. An article and an image exclude each
    other.
    """
    if article and image:
        raise ValueError("a post holds an article or an image, not both")
    body: JsonObject = {
        "author": author_urn,
        "commentary": commentary,
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    if article:
        body["content"] = {"article": _article(article)}
    if image:
        body["content"] = {"media": _filled({"id": image[0], "altText": image[1]})}
    return body


def _article(article: Article) -> JsonObject:
    return _filled(
        {
            "source": article.source,
            "title": article.title,
            "description": article.description,
            "thumbnail": article.thumbnail,
        }
    )


def _filled(fields: JsonObject) -> JsonObject:
    return {name: value for name, value in fields.items() if value}


def post_url(settings: Settings, urn: str) -> str:
    """The public address of a post."""
    return f"{settings.linkedin_auth_url}/feed/update/{quote(urn, safe=':')}/"


def version_expires_on(version: str) -> dt.date:
    """About when LinkedIn stops answering a version `YYYYMM`: a year on, on the 15th.

    Raises `ValueError` for what is no such version.
    """
    if not re.fullmatch(r"[0-9]{6}", version):
        raise ValueError("a version is YYYYMM")
    return dt.date(int(version[:4]) + 1, int(version[4:]), 15)


def rest_headers(settings: Settings, token: str) -> dict[str, str]:
    """The headers of every call under `/rest`. Raises `Away` for a token no header can hold."""
    return {
        **bearer(token),
        "LinkedIn-Version": settings.linkedin_version,
        "X-Restli-Protocol-Version": "2.0.0",
        "Accept": "application/json",
    }


class _Stopped(Exception):
    """The caller said no before the last byte."""


class _Sending:
    """A body on its way: everything but its last byte, the question, the last byte."""

    def __init__(self, body: bytes, before_last_byte: Callable[[], bool]) -> None:
        self._body = body
        self._ask = before_last_byte
        self.length = len(body)
        self.may_have_left = False

    def __iter__(self) -> Iterator[bytes]:
        yield self._body[:-1]
        if not self._ask():
            raise _Stopped
        self.may_have_left = True
        yield self._body[-1:]


class Client:
    """LinkedIn's API on behalf of one installation; a token comes with each call."""

    def __init__(
        self,
        settings: Settings,
        *,
        timeouts: Timeouts | None = None,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._settings = settings
        self._timeouts = timeouts or Timeouts.of(settings)
        self._pauses = pauses

    # --- posts -------------------------------------------------------------------------

    def create_post(
        self, token: str, body: JsonObject, *, before_last_byte: Callable[[], bool]
    ) -> Outcome:
        """Send a post once, over a connection of its own, and say what became of it.

        `before_last_byte` is called when everything but the last byte has been handed to
        the network: there the caller writes down, durably, that the post is on its way. If
        it answers False, or raises (its exception passes through), the connection is closed
        and nothing was posted. A failure before it is `NotSent`, a failure after it is
        `Unknown`; nothing is ever sent a second time.
        """
        try:
            sending = _Sending(_encoded(body), before_last_byte)
        except ValueError:
            return NotSent("request", retry=False)
        try:
            found = outcomes.of_creation(self._send(token, sending))
        except _Stopped:
            return NotSent("stopped", retry=False)
        except Away as away:
            return Unknown(away.reason) if sending.may_have_left else _not_sent(away)
        if isinstance(found, Unknown) and not sending.may_have_left:
            return NotSent("cut", retry=True)
        return found

    def _send(self, token: str, sending: _Sending) -> Answer:
        headers = {
            **rest_headers(self._settings, token),
            "Content-Type": "application/json",
            "Content-Length": str(sending.length),
        }
        url = f"{self._settings.linkedin_api_url}/rest/posts"
        with exchange(
            "POST", url, headers=headers, content=iter(sending), timeouts=self._timeouts
        ) as answer:
            return answer

    def delete_post(self, token: str, urn: str) -> Deleted | Failure:
        """Take a post back. Deleting twice is harmless, so trouble is tried again."""
        url = f"{self._settings.linkedin_api_url}/rest/posts/{quote(urn, safe='')}"
        try:
            answer = self._calmly("DELETE", url, token)
        except Away as away:
            return _not_sent(away) if away.reason == "request" else Unknown(away.reason)
        if answer.status in {404, 410}:
            return Deleted(was_gone=True)
        if 200 <= answer.status < 300:
            return Deleted(was_gone=False)
        return outcomes.of_failure(answer)

    # --- pictures ----------------------------------------------------------------------

    def upload_image(self, token: str, owner_urn: str, jpeg: bytes) -> str:
        """Upload a picture right before its post; its URN. Raises `NotUploaded`.

        The upload address expires and is used at once, never stored. A picture that no
        post names is seen by nobody, so both calls are tried again on trouble.
        """
        try:
            address, urn = self._upload_place(token, owner_urn)
            answer = patiently(lambda: self._put(token, address, jpeg), self._pauses)
        except Away as away:
            raise NotUploaded(_not_sent(away)) from None
        if not 200 <= answer.status < 300:
            raise NotUploaded(outcomes.of_reading(answer))
        return urn

    def _upload_place(self, token: str, owner_urn: str) -> tuple[str, str]:
        url = f"{self._settings.linkedin_api_url}/rest/images?action=initializeUpload"
        wanted = _encoded({"initializeUploadRequest": {"owner": owner_urn}})
        answer = self._calmly("POST", url, token, wanted)
        if not 200 <= answer.status < 300:
            raise NotUploaded(outcomes.of_reading(answer))
        value = as_object(answer.object.get("value"))
        address, urn = value.get("uploadUrl"), value.get("image")
        if not (isinstance(address, str) and isinstance(urn, str)):
            raise NotUploaded(NotSent("unclear", retry=True))
        if not _IMAGE_URN.fullmatch(urn) or not self._may_upload_to(address):
            raise NotUploaded(NotSent("unclear", retry=True))
        return address, urn

    def _may_upload_to(self, address: str) -> bool:
        """The token travels with the bytes: over TLS, or on this machine if LinkedIn's
        stand-in is here too."""
        here = is_loopback(self._settings.linkedin_api_url)
        try:
            parts = urlsplit(address)
            return bool(parts.hostname) and (
                parts.scheme == "https"
                or (parts.scheme == "http" and here and is_loopback(address))
            )
        except ValueError:
            return False

    def _put(self, token: str, address: str, jpeg: bytes) -> Answer:
        headers = {**bearer(token), "Content-Type": "image/jpeg"}
        return ask("PUT", address, headers=headers, content=jpeg, timeouts=self._timeouts)

    # --- both --------------------------------------------------------------------------

    def _calmly(self, method: str, url: str, token: str, content: bytes | None = None) -> Answer:
        """A call that may be repeated, tried again on trouble. Raises `Away`."""
        headers = rest_headers(self._settings, token)
        if content is not None:
            headers["Content-Type"] = "application/json"
        return patiently(
            lambda: ask(method, url, headers=headers, content=content, timeouts=self._timeouts),
            self._pauses,
        )


def _encoded(body: JsonObject) -> bytes:
    """JSON in UTF-8. Raises `ValueError` for a text that has no encoding (half a pair)."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _not_sent(away: Away) -> NotSent:
    return NotSent(away.reason, retry=away.reason != "request")
