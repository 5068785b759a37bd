"""Where one may share: through the network's interface, or by its own window.

An intent opens the network's own composer; it tells us nothing back, so it is "opened", never
"shared", until a visit by its link proves it. Addresses and parameters are those of the networks'
own documentation, as of autumn 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Network:
    """`family` is the name stories use; `channel` the one of personal links. `address` has
    places for `url`, `text` (both percent-encoded) and `both`, the text followed by the link."""

    code: str
    family: str
    channel: str
    address: str = ""
    by_api: bool = False


_ALL = (
    Network("linkedin", "linkedin", "linkedin", by_api=True),
    Network("linkedin-dialog", "linkedin", "linkedin",
            "https://www.linkedin.com/sharing/share-offsite/?url={url}"),
    Network("x", "x", "other", "https://x.com/intent/tweet?text={text}&url={url}"),
    Network("facebook", "facebook", "other", "https://www.facebook.com/sharer/sharer.php?u={url}"),
    Network("whatsapp", "whatsapp", "message", "https://api.whatsapp.com/send?text={both}"),
    Network("bluesky", "bluesky", "other", "https://bsky.app/intent/compose?text={both}"),
    Network("mastodon", "mastodon", "other", "https://share.joinmastodon.org/#text={both}"),
    Network("telegram", "telegram", "message", "https://t.me/share/url?url={url}&text={text}"),
    Network("threads", "threads", "other", "https://www.threads.net/intent/post?text={text}&url={url}"),
    Network("reddit", "reddit", "other", "https://www.reddit.com/submit?url={url}&title={text}"),
    Network("email", "email", "email", "mailto:?subject={title}&body={both}"),
    Network("sms", "sms", "message", "sms:?&body={both}"),
    Network("copy", "copy", "link"),
    Network("qr", "qr", "qr"),
)  # fmt: skip
NETWORKS: dict[str, Network] = {network.code: network for network in _ALL}


def intent_url(network: str, *, text: str, url: str, title: str) -> str | None:
    """The address that opens the network's own composer; None for copies and QR codes.

    Percent-encoded whole (RFC 3986; a space is %20, also in `mailto:`).
    """
    address = NETWORKS[network].address
    if not address:
        return None
    both = f"{text}\n\n{url}" if text else url
    if network == "email":
        both = both.replace("\n", "\r\n")
    given = {"text": text, "url": url, "both": both, "title": title}
    return address.format(**{name: quote(value, safe="") for name, value in given.items()})
