# ruff: noqa: E501  (a browser string is not cut)
"""The click corpus: requests to a personal link, each with the label it must be given.

The labels were set first, from the published behaviour of networks, mail gateways and browsers
alone, and kept before the classifier was changed; a label is never adjusted to what the
classifier says. They follow four rules:

* whoever says it is a program is one; in-app browsers and phones with unlucky names are people;
* what is not a navigation (HEAD, probes, speculative loads, parts of pages) is no visit;
* what a request leaves unsaid convicts nobody: `Sec-Fetch-*` is missing from older Safari, in
  in-app browsers and on plain http. What it does say may speak against it: today's browser
  that names neither where it navigates from nor a language while it lists what it accepts;
* only openings by people are repeats of one another, within ten seconds, for one network part
  of an address and one family of browsers.

Numbers in a case's reason: 3.1 tokens of preview crawlers, search, tools and in-app browsers
(crawler-user-agents of 2026-07-02, device-detector of 2026-08-19, isbot of 2026-07-20);
3.2 mail and chat link scanners; 3.3 requests that are not visits; 4 the counting rule;
5 privacy signals.

A case is one visit or a short story of several. `at` counts seconds from the story's first
request; addresses are those reserved for documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LABELS = (
    "person", "robot", "prefetch", "head", "probe", "scanner", "repeat", "self", "colleague",
    "none",
)  # fmt: skip
HOME, OFFICE, CLOUD = "198.51.100.23", "192.0.2.7", "203.0.113.40"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `reader` is whose session it carries: nobody's, the link's own, a colleague's.
    `link` is 'open', 'withdrawn', 'expired' or 'unknown'; label 'none' means nothing is noted."""

    label: str
    headers: Mapping[str, str]
    method: str = "GET"
    at: float = 0.0
    address: str = HOME
    reader: str = ""
    link: str = "open"


@dataclass(frozen=True, slots=True)
class Case:
    """A name, why the labels are what they are, and the requests in their order."""

    name: str
    why: str
    asked: tuple[Asked, ...] = field(default_factory=tuple)

    @property
    def is_plain(self) -> bool:
        """One request that the hit alone can tell."""
        first = self.asked[0]
        return len(self.asked) == 1 and not first.reader and first.link == "open"


# --- what browsers send --------------------------------------------------------------------

HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FRENCH = "fr-FR,fr;q=0.9,en;q=0.8"
NAVIGATION = {
    "sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site",
    "sec-fetch-user": "?1", "upgrade-insecure-requests": "1",
}  # fmt: skip


def only(agent: str, **more: str) -> dict[str, str]:
    """Nothing but the agent, and what is added."""
    return {"user-agent": agent} | {name.replace("_", "-"): value for name, value in more.items()}


def plain(agent: str, **more: str) -> dict[str, str]:
    """A browser without `Sec-Fetch-*`: Safari before 16.4, in-app browsers, plain http."""
    said = {"accept": HTML, "accept-language": FRENCH, "accept-encoding": "gzip, deflate, br"}
    return only(agent) | said | only(agent, **more)


def full(agent: str, **more: str) -> dict[str, str]:
    """A navigation as today's browsers send it."""
    return plain(agent) | NAVIGATION | only(agent, **more)


WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
LINUX = "Mozilla/5.0 (X11; Linux x86_64)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

CHROME = f"{WINDOWS} {BLINK} Chrome/141.0.0.0 Safari/537.36"
EDGE = f"{WINDOWS} {BLINK} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0"
SAFARI = f"{MAC} {WEBKIT} Version/18.5 Safari/605.1.15"
PHONE = f"{IPHONE} {WEBKIT} Version/18.5 Mobile/15E148 Safari/604.1"
PIXEL = f"{ANDROID} {BLINK} Chrome/141.0.0.0 Mobile Safari/537.36"

# --- programs that say who they are --------------------------------------------------------

PREVIEWS = """
LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)
LinkedInBot/1.0 (compatible; Mozilla/5.0; Jakarta Commons-HttpClient/4.3 +http://www.linkedin.com)
facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)
facebookexternalhit/1.1
facebookexternalhit/1.1;line-poker/1.0
Facebot/1.0 (link preview of a post)
meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)
meta-externalfetcher/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)
meta-externalads/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)
Meta-ExternalHit/1.1 (+https://developers.facebook.com/docs/sharing/webmasters)
facebookcatalog/1.0
Mozilla/5.0 (compatible; FacebookBot/1.0; +https://developers.facebook.com/docs/sharing/webmasters/facebookbot/)
Twitterbot/1.0
Mozilla/5.0 (compatible; Twitterbot/1.0)
Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)
Slackbot 1.0 (+https://api.slack.com/robots)
Slack-ImgProxy (+https://api.slack.com/robots)
Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com
Mozilla/5.0 (compatible; MicrosoftPreview/2.0; +https://aka.ms/MicrosoftPreview)
Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b
WhatsApp/2.23.20.0
WhatsApp/2.24.11.85 A
WhatsApp/2.2413.51 W
TelegramBot (like TwitterBot)
Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)
Bluesky/1.0 (+https://bsky.app)
Mozilla/5.0 (compatible; BlueskyPreviewBot/1.0; +https://bsky.app)
Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)
Mastodon/4.4.1 (http.rb/5.3.1; +https://piaille.fr/)
http.rb/5.1.1 (Mastodon/4.2.8; +https://mastodon.social/)
Friendica 'Interrupted Fern' 2024.12-1571; https://friendica.example
Lemmy/0.19.5; +https://jlai.lu
SummalyBot/5.1.0
Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)
Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0 Safari/537.36 (Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots)
SnapURLPreview/1.0 (+https://snapchat.com)
Viber/22.5.0.0 CFNetwork/1498.700.2 Darwin/23.6.0
ViberUrlDownloader (link preview)
Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; TikTokSpider; ttspider-feedback@tiktok.com)
Synapse (bot; +https://github.com/matrix-org/synapse)
Mattermost-Bot/1.1
Iframely/1.3.1 (+https://iframely.com/docs/about)
Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)
Discourse Forum Onebox v3.4.0
Mozilla/5.0 (compatible; EveryoneSocialBot/1.0; support@everyonesocial.com http://everyonesocial.com/)
Mozilla/5.0 (compatible; YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html)
FastmailUA/1.0 (image proxy of a mail service)
"""
MESSAGES = """
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0
Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1 facebookexternalhit/1.1 Facebot Twitterbot/1.0
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15 facebookexternalhit/1.1 Facebot Twitterbot/1.0
"""
SEARCH = """
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)
Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.7390.54 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
Mozilla/5.0 (compatible; GoogleOther) Chrome/141.0.0.0 Safari/537.36
Mozilla/5.0 (compatible; Google-InspectionTool/1.0)
Mozilla/5.0 (compatible; Google-Safety; +http://www.google.com/bot.html)
Mozilla/5.0 (Linux; Android 7.0; SM-G930V) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36 (compatible; Google-Read-Aloud)
Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)
Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)
Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)
DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)
Mozilla/5.0 (Linux; Android 7.0;) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_10_1) AppleWebKit/600.2.5 (KHTML, like Gecko) Version/8.0.2 Safari/600.2.5 (Amazonbot/0.1; +https://developer.amazon.com/support/amazonbot)
Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)
CCBot/2.0 (https://commoncrawl.org/faq/)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; OAI-SearchBot/1.0; +https://openai.com/searchbot
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)
"""
TOOLS = """
curl/8.5.0
Wget/1.21.4
Wget/1.24.5 (linux-gnu)
python-requests/2.32.3
python-httpx/0.28.1
Python/3.11 aiohttp/3.10.5
Go-http-client/2.0
Java/17.0.11
Java/1.8.0_412 (HttpURLConnection)
okhttp/4.12.0
okhttp/5.0.0-alpha.14 (Android)
Apache-HttpClient/4.5.14 (Java/17.0.11)
node-fetch/1.0 (+https://github.com/bitinn/node-fetch)
axios/1.7.7
libwww-perl/6.77
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36
Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Playwright/1.56
Mozilla/5.0 (Linux; Android 11; moto g power (2022)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Mobile Safari/537.36 Chrome-Lighthouse
Mozilla/5.0 (Linux; Android 8.1.0; Moto G (4)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36 PTST/250901.123456
Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)
Mozilla/5.0 (compatible; Pingdom; uptime check of a page)
Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)
"""
GENERIC = """
Mozilla/5.0 (compatible; ExampleBot; +https://bot.example/)
Some company bot, version 3, asks nicely
Mozilla/5.0 (compatible; the-example-crawler/4.1)
ExampleSpider/2.2 of the example library
Chat client link preview 7.1 (desktop)
Example Title Fetcher/0.9 for forums
Example Vulnerability Scan/5.0 (weekly)
Site Monitor of the example company 2.3
Example Reading Proxy/1.4 (saves data)
"""
SHORT = ("", " ", "-", "x", "Mozilla", "Mozilla/5.0", "Chrome/141.0", "iPhone", "test agent")


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def _each(label: str, why: str, agents: Iterator[str] | list[str]) -> Iterator[Case]:
    for agent in agents:
        yield Case(agent[:70] or "no agent", why, (Asked(label, only(agent), address=CLOUD),))


def programs() -> Iterator[Case]:
    yield from _each("robot", "3.1: fetches a preview and says so", _lines(PREVIEWS))
    yield from _each("robot", "3.1: the sender's phone draws a preview", _lines(MESSAGES))
    yield from _each("robot", "3.1: search or model training, by its token", _lines(SEARCH))
    yield from _each("robot", "3.1: a tool, by its token", _lines(TOOLS))
    yield from _each("robot", "3.1: generic fallback word", _lines(GENERIC))
    yield from _each("robot", "3.1: empty, or under 20 characters", list(SHORT))
    yield Case("no agent header", "3.1: empty agent", (Asked("robot", {"accept": HTML}),))
    mimic = full(SAFARI + " facebookexternalhit/1.1 Facebot Twitterbot/1.0")
    yield Case("iMessage, navigating", "3.1: the token decides", (Asked("robot", mimic),))
    loud = full("LINKEDINBOT/1.0 (COMPATIBLE; MOZILLA/5.0)")
    yield Case("token in capitals", "3.1: tokens ignore case", (Asked("robot", loud),))
    brand = full(CHROME, sec_ch_ua='"HeadlessChrome";v="141", "Not?A_Brand";v="8"')
    yield Case(
        "headless by its brand", "3.1: HeadlessChrome, in `Sec-CH-UA`", (Asked("robot", brand),)
    )


# --- people ----------------------------------------------------------------------------------

TODAY = f"""
{CHROME}
{WINDOWS} {BLINK} Chrome/120.0.0.0 Safari/537.36
{WINDOWS} {BLINK} Chrome/126.0.0.0 Safari/537.36
{WINDOWS} {BLINK} Chrome/133.0.0.0 Safari/537.36
{WINDOWS} {BLINK} Chrome/148.0.0.0 Safari/537.36
{WINDOWS} {BLINK} Chrome/153.0.0.0 Safari/537.36
{MAC} {BLINK} Chrome/124.0.0.0 Safari/537.36
{MAC} {BLINK} Chrome/141.0.0.0 Safari/537.36
{MAC} {BLINK} Chrome/152.0.0.0 Safari/537.36
{LINUX} {BLINK} Chrome/129.0.0.0 Safari/537.36
{LINUX} {BLINK} Chrome/150.0.0.0 Safari/537.36
Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {BLINK} Chrome/141.0.0.0 Safari/537.36
{PIXEL}
{ANDROID} {BLINK} Chrome/125.0.0.0 Mobile Safari/537.36
{ANDROID} {BLINK} Chrome/151.0.0.0 Mobile Safari/537.36
{ANDROID} {BLINK} Chrome/141.0.0.0 Safari/537.36
{EDGE}
{WINDOWS} {BLINK} Chrome/152.0.0.0 Safari/537.36 Edg/152.0.0.0
{MAC} {BLINK} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0
{LINUX} {BLINK} Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0
{ANDROID} {BLINK} Chrome/140.0.0.0 Mobile Safari/537.36 EdgA/140.0.0.0
{WINDOWS} {BLINK} Chrome/138.0.0.0 Safari/537.36 OPR/122.0.0.0
{MAC} {BLINK} Chrome/134.0.0.0 Safari/537.36 OPR/119.0.0.0
{ANDROID} {BLINK} Chrome/137.0.0.0 Mobile Safari/537.36 OPR/91.0.0.0
{WINDOWS} {BLINK} Chrome/140.0.0.0 Safari/537.36 Vivaldi/7.6.3797.52
{WINDOWS} {BLINK} Chrome/134.0.0.0 YaBrowser/25.4.0.0 Safari/537.36
Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S921B) {BLINK} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 10; K) {BLINK} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 10; K) {BLINK} SamsungBrowser/29.0 Chrome/136.0.0.0 Safari/537.36
Mozilla/5.0 (Linux; U; Android 14; fr-fr; 2311DRK48G) {BLINK} Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.22.0
Mozilla/5.0 (Linux; Android 12; NOH-NX9; HMSCore 6.13.0) {BLINK} Chrome/114.0.5735.196 HuaweiBrowser/15.0.4.312 Mobile Safari/537.36
{FIREFOX}
Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0
Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:155.0) Gecko/20100101 Firefox/155.0
Mozilla/5.0 (Windows NT 6.1; Win64; x64; rv:115.0) Gecko/20100101 Firefox/115.0
Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0
Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0
Mozilla/5.0 (X11; FreeBSD amd64; rv:143.0) Gecko/20100101 Firefox/143.0
Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0
Mozilla/5.0 (Android 14; Tablet; rv:137.0) Gecko/137.0 Firefox/137.0
{SAFARI}
{MAC} {WEBKIT} Version/17.4.1 Safari/605.1.15
{MAC} {WEBKIT} Version/26.0 Safari/605.1.15
{MAC} {WEBKIT} Version/26.3 Safari/605.1.15
{PHONE}
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) {WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1
Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {WEBKIT} Version/26.0 Mobile/15E148 Safari/604.1
Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) {WEBKIT} Version/17.6 Mobile/15E148 Safari/604.1
{IPHONE} {WEBKIT} CriOS/141.0.7390.96 Mobile/15E148 Safari/604.1
{IPHONE} {WEBKIT} FxiOS/144.0 Mobile/15E148 Safari/605.1.15
{IPHONE} {WEBKIT} Version/18.0 EdgiOS/140.0.3485.94 Mobile/15E148 Safari/605.1.15
{IPHONE} {WEBKIT} GSA/388.0.811331708 Mobile/15E148 Safari/604.1
{IPHONE} {WEBKIT} Version/18.5 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15
{MAC} {WEBKIT} Version/18.5 Safari/605.1.15 Ddg/18.5
Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Version/18.0 Safari/605.1.15 Epiphany/605.1.15
"""
OLDER = """
Mozilla/5.0 (iPhone; CPU iPhone OS 16_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.3 Mobile/15E148 Safari/604.1
Mozilla/5.0 (iPhone; CPU iPhone OS 15_8_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.6.6 Mobile/15E148 Safari/604.1
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.1.2 Safari/605.1.15
Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1
Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko
Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/75.0.3770.142 Safari/537.36
Mozilla/5.0 (Mobile; Nokia 2780 Flip; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/3.1
Opera/9.80 (Android; Opera Mini/36.2.2254/191.303; U; fr) Presto/2.12.423 Version/12.16
"""
TEXT = """
Lynx/2.9.2 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/3.0.13
Lynx/2.8.9rel.1 libwww-FM/2.14FM SSL-MM/1.4.1 GNUTLS/3.6.13
w3m/0.5.3+git20230121
Links (2.29; Linux 6.8.0 x86_64; GNU C 13.2; text)
ELinks/0.17.1.1 (textmode; Linux 6.8.0 x86_64; 118x40-2)
NetSurf/3.11 (Linux)
"""
IN_APP = f"""
{IPHONE} {WEBKIT} Mobile/15E148 [LinkedInApp]/9.31.1812
Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP4A.250205.002; wv) {BLINK} Version/4.0 Chrome/141.0.7390.97 Mobile Safari/537.36 [LinkedInApp]/4.1.1062
{IPHONE} AppleWebKit/605.1.15 Mobile LinkedInApp/9.30
{IPHONE} {WEBKIT} Mobile/15E148 [FBAN/FBIOS;FBAV/480.0.0.37.110;FBBV/653012345;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;FBSV/18.5;FBSS/3;FBLC/fr_FR]
Mozilla/5.0 (Linux; Android 14; SM-A546B Build/UP1A.231005.007; wv) {BLINK} Version/4.0 Chrome/140.0.7339.155 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/531.0.0.50.107;]
{IPHONE} {WEBKIT} Mobile/15E148 [FBAN/MessengerLiteForiOS;FBAV/470.1.0.42.105;FBDV/iPhone14,5;FBLC/fr]
Mozilla/5.0 (Linux; Android 13; M2101K6G Build/TKQ1.221013.002; wv) {BLINK} Version/4.0 Chrome/138.0.7204.179 Mobile Safari/537.36 [FBAN/Orca-Android;FBAV/525.0.0.50.108;]
{IPHONE} {WEBKIT} Mobile/15E148 Instagram 390.0.0.22.96 (iPhone15,3; iOS 18_5; fr_FR; fr; scale=3.00; 1290x2796)
Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007; wv) {BLINK} Version/4.0 Chrome/139.0.7258.158 Mobile Safari/537.36 Instagram 396.0.0.46.242 Android (34/14; 480dpi; 1080x2115; samsung; fr_FR)
{IPHONE} {WEBKIT} Version/18.5 Mobile/15E148 Safari/604.1 Twitter for iPhone/11.18
Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/BP1A.250305.019; wv) {BLINK} Version/4.0 Chrome/141.0.7390.97 Mobile Safari/537.36 TwitterAndroid Twitter for Android/10.96
{IPHONE} {WEBKIT} Version/18.5 Mobile/15E148 Safari/604.1 Snapchat/13.48.0.42 (like Safari/8619.2.8, panda)
Mozilla/5.0 (Linux; Android 14; SM-G991B; wv) {BLINK} Version/4.0 Chrome/137.0.7151.115 Mobile Safari/537.36 Snapchat/13.40.0.45 (SM-G991B; Android 14#34; gzip; )
{IPHONE} {WEBKIT} Mobile/15E148 MicroMessenger/8.0.60(0x18003c2f) NetType/WIFI Language/fr
Mozilla/5.0 (Linux; Android 13; V2254A Build/TP1A.220624.014; wv) {BLINK} Version/4.0 Chrome/130.0.6723.103 Mobile Safari/537.36 XWEB/1300333 MMWEBSDK/20240802 MicroMessenger/8.0.53.2740(0x28003533) WeChat/arm64
{IPHONE} {WEBKIT} Mobile/15E148 musical_ly_40.5.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/fr Region/FR
{IPHONE} {WEBKIT} Mobile/15E148 BytedanceWebview/d8a21c6 TikTok 40.5.0
Mozilla/5.0 (Linux; Android 14; SM-A155F Build/UP1A.231005.007; wv) {BLINK} Version/4.0 Chrome/139.0.7258.94 Mobile Safari/537.36 trill_400500 BytedanceWebview/d8a21c6
Mozilla/5.0 (Linux; Android 12; CPH2211; wv) {BLINK} Version/4.0 Chrome/136.0.7103.60 Mobile Safari/537.36 TikTok/39.9.4 AppName/musical_ly ByteLocale/fr-FR
{IPHONE} {WEBKIT} Mobile/15E148 Safari Line/15.12.1
Mozilla/5.0 (Linux; Android 14; SO-51D; wv) {BLINK} Version/4.0 Chrome/138.0.7204.63 Mobile Safari/537.36 Line/15.11.0/IAB
{WINDOWS} {BLINK} Teams/1.7.00.21751 Chrome/114.0.5735.289 Electron/25.9.8 Safari/537.36
{MAC} {BLINK} Teams/24295.605.3225.8804 Chrome/126.0.6478.234 Electron/31.7.3 Safari/537.36
{WINDOWS} {BLINK} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0 Teams/25227.203.3888.7261/49
{WINDOWS} {BLINK} Slack/4.46.101 Chrome/140.0.7339.133 Electron/38.1.2 Safari/537.36
{WINDOWS} {BLINK} discord/1.0.9212 Chrome/134.0.6998.205 Electron/35.3.0 Safari/537.36
Mozilla/5.0 (Linux; Android 15; Pixel 7a Build/AP4A.250205.002; wv) {BLINK} Version/4.0 Chrome/141.0.7390.97 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 9; moto e6 plus Build/PTAS29; wv) {BLINK} Version/4.0 Chrome/101.0.4951.61 Mobile Safari/537.36
{IPHONE} {WEBKIT} Mobile/15E148 [Pinterest/iOS]
Mozilla/5.0 (Linux; Android 14; SM-S711B; wv) {BLINK} Version/4.0 Chrome/137.0.7151.61 Mobile Safari/537.36 Telegram-Android/11.9.2 (Samsung SM-S711B; Android 14; SDK 34; HIGH)
"""
CUBOT = f"""
Mozilla/5.0 (Linux; Android 13; CUBOT KINGKONG 9) {BLINK} Chrome/141.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 12; CUBOT P60) {BLINK} Chrome/126.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 11; CUBOT_X50 Build/RP1A.200720.011; wv) {BLINK} Version/4.0 Chrome/119.0.6045.66 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 9; Cubot/J9) {BLINK} Chrome/108.0.0.0 Mobile Safari/537.36
"""
REWRITERS = (
    "https://eur02.safelinks.protection.outlook.com/", "https://urldefense.proofpoint.com/",
    "https://urldefense.com/v3/", "https://protect-eu.mimecast.com/",
    "https://url.uk.m.mimecastprotect.com/", "https://linkprotect.cudasvc.com/",
    "https://secure-web.cisco.com/",
)  # fmt: skip


def people() -> Iterator[Case]:
    for agent in _lines(TODAY):
        yield Case(agent[-60:], "4: a browser navigates", (Asked("person", full(agent)),))
    for agent in _lines(OLDER):
        why = "4: too old for `Sec-Fetch-*`, nothing speaks against"
        yield Case(agent[-60:], why, (Asked("person", plain(agent)),))
    for agent in _lines(TEXT):
        why = "not in 3.1 (`libwww` is the library of robots, Lynx names its own), 20 characters"
        said = only(agent, accept="text/html, text/plain, */*;q=0.1", accept_language="fr")
        yield Case(agent[:60], why, (Asked("person", said),))
    for agent in _lines(IN_APP):
        why = "3.1: an in-app browser is a person"
        yield Case(agent[-60:], why, (Asked("person", plain(agent)),))
        yield Case(f"{agent[-60:]}, bare", why, (Asked("person", only(agent)),))
    for agent in _lines(CUBOT):
        yield Case(agent[13:60], "3.1: CUBOT is a phone", (Asked("person", full(agent)),))
    for host in REWRITERS:
        why = "3.2: a rewriting host in `Referer` is not proof of a machine"
        yield Case(host, why, (Asked("person", full(EDGE, referer=host), address=OFFICE),))
    yield from unsaid()
    yield from private()


def unsaid() -> Iterator[Case]:
    """People whose request lacks something."""
    why = "4: without `Sec-Fetch-*` unknown, accepted while nothing speaks against"
    for agent in (CHROME, EDGE, FIREFOX, SAFARI, PHONE, PIXEL):
        yield Case(f"plain http, {agent[-30:]}", why, (Asked("person", plain(agent)),))
        yield Case(f"bare, {agent[-30:]}", why, (Asked("person", only(agent)),))
    in_app = only(_lines(IN_APP)[1], accept=HTML)
    yield Case(
        "in-app without language", "4: some in-app browsers say little", (Asked("person", in_app),)
    )
    view = full(_lines(IN_APP)[1], x_requested_with="com.linkedin.android")
    yield Case("WebView names its app", "3.1: `; wv)`", (Asked("person", view),))
    typed = full(CHROME, sec_fetch_site="none")
    yield Case("typed or scanned", "4: a navigation from nowhere", (Asked("person", typed),))
    reload = full(CHROME, cache_control="max-age=0")
    yield Case("reload", "4: a navigation", (Asked("person", reload),))
    english = full(CHROME, sec_ch_ua='"Google Chrome";v="141", "Not?A_Brand";v="8"')
    yield Case("brands of Chrome", "4: a navigation", (Asked("person", english),))


def private() -> Iterator[Case]:
    """Privacy signals: counted, and nothing is kept that would know the visitor again."""
    why = "5: the signal forbids an identifier, not counting"
    for name, said in (
        ("GPC", full(FIREFOX, sec_gpc="1")), ("DNT", full(FIREFOX, dnt="1")),
        ("GPC and DNT", full(CHROME, sec_gpc="1", dnt="1")),
        ("DNT 0", full(CHROME, dnt="0")), ("GPC on a phone", full(PHONE, sec_gpc="1")),
    ):  # fmt: skip
        yield Case(name, why, (Asked("person", said),))


# --- requests that are not visits --------------------------------------------------------------

OFFICE_PROBES = ("Microsoft Office Existence Discovery", "Microsoft Office Protocol Discovery")
SPECULATIVE: tuple[dict[str, str], ...] = (
    {"sec-purpose": "prefetch"}, {"sec-purpose": "prefetch;prerender"},
    {"sec-purpose": "prefetch; prerender"}, {"sec-purpose": "prefetch;anonymous-client-ip"},
    {"sec-purpose": "Prefetch"}, {"purpose": "prefetch"}, {"purpose": "preview"},
    {"purpose": "Prefetch"}, {"x-purpose": "preview"}, {"x-purpose": "prefetch"},
    {"x-purpose": "Preview"}, {"x-moz": "prefetch"}, {"x-moz": "Prefetch"},
    {"sec-purpose": "prefetch;prerender", "purpose": "prefetch"},
)  # fmt: skip
PARTS = (
    ("iframe", "navigate"), ("embed", "navigate"), ("object", "navigate"), ("image", "no-cors"),
    ("script", "no-cors"), ("style", "no-cors"), ("empty", "cors"), ("empty", "same-origin"),
    ("empty", "no-cors"), ("document", "cors"), ("font", "cors"), ("video", "no-cors"),
)  # fmt: skip
RANGES = ("bytes=0-0", "bytes=0-1", "bytes=0-99", "bytes=0-1023", "bytes=0-65535")


def no_visits() -> Iterator[Case]:
    for agent in (CHROME, PHONE, FIREFOX, "LinkedInBot/1.0 (compatible; Mozilla/5.0)", ""):
        asked = Asked("head", only(agent), "HEAD")
        yield Case(f"HEAD {agent[-40:]}", "3.3: HEAD is a probe", (asked,))
    for agent in OFFICE_PROBES:
        yield Case(f"HEAD {agent}", "3.2: Office asks first", (Asked("head", only(agent), "HEAD"),))
        asked = Asked("probe", only(agent), "OPTIONS")
        yield Case(f"OPTIONS {agent}", "3.2: Office asks first", (asked,))
    for agent in (CHROME, EDGE, ""):
        asked = Asked("probe", only(agent), "OPTIONS")
        yield Case(f"OPTIONS {agent[-40:]}", "3.3: OPTIONS is a probe", (asked,))
    for told in SPECULATIVE:
        asked = Asked("prefetch", full(CHROME) | told)
        yield Case(f"speculative {told}", "3.3: a speculative load", (asked,))
    for agent in (PHONE, FIREFOX, PIXEL):
        asked = Asked("prefetch", plain(agent, sec_purpose="prefetch"))
        yield Case(f"speculative, {agent[-30:]}", "3.3: whoever does it", (asked,))
    for dest, mode in PARTS:
        asked = Asked("probe", full(CHROME, sec_fetch_dest=dest, sec_fetch_mode=mode))
        yield Case(f"{mode} for {dest}", "3.3: not a navigation", (asked,))
    for part in RANGES:
        yield Case(
            part, "3.3: a small range is a probe", (Asked("probe", plain(CHROME, range=part)),)
        )


# --- scanners ------------------------------------------------------------------------------------

NAMED_SCANNERS = """
Mozilla/4.0 (compatible; ms-office; MSOffice 16)
Mozilla/4.0 (compatible; ms-office; MSOffice rmj)
Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro) MSOffice 16
Mozilla/5.0 (compatible; Barracuda Link Protection)
BarracudaCentral link check/2.1
"""


def scanners() -> Iterator[Case]:
    yield from _each("scanner", "3.2: its string says so", _lines(NAMED_SCANNERS))
    for agent in (CHROME, EDGE, FIREFOX, SAFARI, PHONE, PIXEL):
        said = only(agent, accept="*/*", accept_encoding="gzip, deflate")
        why = "3.2: no `Sec-Fetch-*`, and does not ask for a page as a browser would"
        yield Case(f"anything, {agent[-30:]}", why, (Asked("scanner", said, address=CLOUD),))
        mute = only(agent, accept=HTML, accept_encoding="gzip")
        why = "3.2: no `Sec-Fetch-*`, and lists what it accepts but no language"
        yield Case(f"no language, {agent[-30:]}", why, (Asked("scanner", mute, address=CLOUD),))
    said = only(CHROME, accept="*/*", accept_language="en-US")
    why = "3.2: no `Sec-Fetch-*`, and accepts anything"
    yield Case("anything in English", why, (Asked("scanner", said, address=CLOUD),))


# --- stories of several requests -----------------------------------------------------------------


def stories() -> Iterator[Case]:
    yield from gateways()
    yield from previews_and_people()
    yield from repeats()
    yield from the_house()
    yield from dead_links()
    yield fifty()


def gateways() -> Iterator[Case]:
    why = "3.2: HEAD, then GET without assets within 2 s"
    for agent in (CHROME, EDGE, PHONE):
        for gap in (0.4, 1.9):
            yield Case(f"Safe Links after {gap} s, {agent[-25:]}", why, (
                Asked("head", plain(agent), "HEAD", address=CLOUD),
                Asked("scanner", plain(agent), at=gap, address=CLOUD),
            ))  # fmt: skip
    yield Case("Safe Links, then the person", "3.2: the person comes from elsewhere", (
        Asked("head", only(CHROME), "HEAD", address=CLOUD),
        Asked("scanner", plain(CHROME), at=1, address=CLOUD),
        Asked("person", full(CHROME), at=2, address=OFFICE),
    ))  # fmt: skip
    yield Case("a gateway in the same building", "3.2: a scan is no opening to repeat", (
        Asked("scanner", only(CHROME, accept="*/*"), address=OFFICE),
        Asked("person", full(CHROME), at=4, address=OFFICE),
    ))  # fmt: skip
    yield Case("Office asks, then the browser opens", "3.2: probes before the browser", (
        Asked("head", only(OFFICE_PROBES[0]), "HEAD", address=OFFICE),
        Asked("person", full(EDGE), at=1, address=OFFICE),
    ))  # fmt: skip
    yield Case("a gateway scans twice", "3.2: both are scans", (
        Asked("scanner", only(EDGE, accept="*/*"), address=CLOUD),
        Asked("scanner", only(EDGE, accept="*/*"), at=1, address=CLOUD),
    ))  # fmt: skip


def previews_and_people() -> Iterator[Case]:
    yield Case("WhatsApp draws, the friend opens", "3.1: two different things", (
        Asked("robot", only("WhatsApp/2.24.11.85 A")), Asked("person", full(PIXEL), at=3),
    ))  # fmt: skip
    yield Case("iMessage draws, its Mac opens", "3.1: the preview is no opening to repeat", (
        Asked("robot", plain(_lines(MESSAGES)[2])), Asked("person", full(SAFARI), at=4),
    ))  # fmt: skip
    yield Case("LinkedIn draws, a member opens", "3.1: token, then in-app browser", (
        Asked("robot", only(_lines(PREVIEWS)[0]), address=CLOUD),
        Asked("person", plain(_lines(IN_APP)[0]), at=1),
    ))  # fmt: skip
    yield Case("prerendered, never opened", "3.3: activation sends no second request", (
        Asked("prefetch", full(CHROME, sec_purpose="prefetch;prerender")),
    ))  # fmt: skip
    yield Case("prefetched, then asked for again", "3.3 and 4: the second is a navigation", (
        Asked("prefetch", full(CHROME, sec_purpose="prefetch")),
        Asked("person", full(CHROME), at=3),
    ))  # fmt: skip


def repeats() -> Iterator[Case]:
    why = "4: one opening within ten seconds"
    for agent in (CHROME, PHONE, FIREFOX):
        for gap in (0.3, 3, 9):
            yield Case(f"again after {gap} s, {agent[-25:]}", why, (
                Asked("person", full(agent)), Asked("repeat", full(agent), at=gap),
            ))  # fmt: skip
    yield Case("three presses", why, (
        Asked("person", full(PIXEL)), Asked("repeat", full(PIXEL), at=1),
        Asked("repeat", full(PIXEL), at=2),
    ))  # fmt: skip
    yield Case("a new address of the same network", "the key holds the network part only", (
        Asked("person", full(PIXEL), address="192.0.2.7"),
        Asked("repeat", full(PIXEL), at=5, address="192.0.2.80"),
    ))  # fmt: skip
    yield Case("a new address of the same network, IPv6", "the key holds the network part only", (
        Asked("person", full(PIXEL), address="2001:db8:1::7"),
        Asked("repeat", full(PIXEL), at=5, address="2001:db8:1:5::9"),
    ))  # fmt: skip
    yield Case("after eleven seconds", "a later opening counts", (
        Asked("person", full(CHROME)), Asked("person", full(CHROME), at=11),
    ))  # fmt: skip
    yield Case("another browser at once", "two families of browsers are two people", (
        Asked("person", full(CHROME)), Asked("person", full(FIREFOX), at=2),
    ))  # fmt: skip
    yield Case("the same browser elsewhere", "two networks are two people", (
        Asked("person", full(CHROME), address=HOME),
        Asked("person", full(CHROME), at=2, address=OFFICE),
    ))  # fmt: skip


def the_house() -> Iterator[Case]:
    why = "4: one's own openings are not counted"
    for agent in (CHROME, PHONE, FIREFOX):
        yield Case(f"own link, {agent[-25:]}", why, (Asked("self", full(agent), reader="own"),))
        asked = Asked("colleague", full(agent), reader="colleague")
        yield Case(f"a colleague, {agent[-25:]}", "a colleague is no visitor", (asked,))
    yield Case("own link twice", why, (
        Asked("self", full(CHROME), reader="own"), Asked("self", full(CHROME), at=2, reader="own"),
    ))  # fmt: skip
    yield Case("own link, speculatively", "3.3: nobody opened it", (
        Asked("prefetch", full(CHROME, sec_purpose="prefetch"), reader="own"),
    ))  # fmt: skip
    yield Case("own link, then a friend on the same sofa", "4: only the friend visits", (
        Asked("self", full(PHONE), reader="own"), Asked("person", full(PHONE), at=4),
    ))  # fmt: skip


def dead_links() -> Iterator[Case]:
    for link in ("withdrawn", "expired", "unknown"):
        for agent in (CHROME, "LinkedInBot/1.0 (compatible; Mozilla/5.0)"):
            asked = Asked("none", full(agent), link=link)
            yield Case(
                f"{link}, {agent[-25:]}", "a link that leads nowhere notes nothing", (asked,)
            )


def fifty() -> Case:
    """A team in one room, one image on every laptop, over some twenty minutes."""
    asked, at = [], 0.0
    for number in range(50):
        asked.append(Asked("person", full(EDGE), at=at, address=OFFICE))
        at += 11 + number * 7 % 30
    return Case("fifty colleagues at another company", "alike is not the same person", tuple(asked))


CORPUS: tuple[Case, ...] = (
    *programs(), *people(), *no_visits(), *scanners(), *stories(),
)  # fmt: skip
