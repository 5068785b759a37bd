"""Job postings as every importer hands them over, and the words feeds use for the same thing.

A reader gives a `FeedReading` or raises `FeedError`. It never decides what closes: it says
whether the reading is `complete` and which identifiers it has seen, and the caller, who
knows yesterday's run, decides (absence closes only after a complete reading that did not
shrink by more than half).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, TypeVar

from app.integrations.text import clean_text, fold

MAX_FEED_BYTES: Final = 50_000_000
MAX_ROWS: Final = 50_000

Workplace = Literal["onsite", "hybrid", "remote"]
PostingKind = Literal["job", "prospect_post"]
Status = Literal["open", "closed", "pool"]
Interval = Literal["year", "month", "week", "day", "hour"]
FeedFault = Literal[
    "empty",
    "truncated",
    "html",
    "too-large",
    "not-utf8",
    "not-json",
    "wrong-shape",
    "missing-column",
    "header-unreadable",
    "bad-token",
]


class FeedError(Exception):
    """The feed as a whole cannot be read: keep what we have, and tell the administrator.

    `code` is stable and for the caller to translate; `detail` names the missing column (our
    field name, or the header that the mapping asked for), otherwise it is empty.
    """

    def __init__(self, code: FeedFault, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Salary:
    """Pay as advertised, in units of `currency` (never cents); what is not said is None."""

    minimum: Decimal | None
    maximum: Decimal | None
    currency: str | None
    interval: Interval | None
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One advert. `external_id` is the vendor's posting; `job_id` the job that webhooks name.

    `country_codes` are ISO 3166 alpha-2, sorted. `contract` and `raw_status` are as the
    customer wrote them. `description_html` is sanitised. Times are aware and in UTC.
    """

    external_id: str
    title: str
    job_id: str | None = None
    description_html: str = ""
    language: str | None = None
    department: str | None = None
    locations: tuple[str, ...] = ()
    country_codes: tuple[str, ...] = ()
    workplace: Workplace | None = None
    contract: str | None = None
    salary: Salary | None = None
    apply_url: str | None = None
    is_open: bool = True
    published_at: datetime | None = None
    updated_at: datetime | None = None
    kind: PostingKind = "job"
    raw_status: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken. `line` is the physical line of a CSV, else the row's number.

    Codes: `missing-id`, `missing-title`, `duplicate-id` (the row that lost), `bad-url`,
    `wrong-cell-count`, `unclosed-quote`, `cell-too-long`, `wrong-shape`.
    """

    line: int
    code: str
    value: str


@dataclass(frozen=True, slots=True)
class Note:
    """A row that was taken without one of its values, or a remark on the feed (line 0).

    Codes: `bad-date`, `bad-salary`, `unknown-status`, `unknown-workplace`,
    `unknown-country`, `fewer-rows-than-announced`, `no-rows`, `unclosed-quote`,
    `unfinished-last-row`, `single-job`.
    """

    line: int
    code: str
    value: str


@dataclass(frozen=True, slots=True)
class FeedReading:
    """What a feed says.

    `complete` is False when something may be missing (fewer rows than announced, no row at
    all, a row whose identifier is unknown, an unfinished end): then absence closes nothing.
    `seen_ids` also holds the identifiers of rejected rows, which are not absent either.
    """

    postings: tuple[Posting, ...]
    rejected: tuple[Rejected, ...]
    notes: tuple[Note, ...]
    complete: bool
    seen_ids: frozenset[str]
    ignored_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """What an administrator said about one feed.

    `contract_names` and `workplace_names`: the customer's names of these fields, tried
    before the usual ones. `workplace_words` and `status_words`: their words for these.
    `base_url`: what relative addresses are relative to (the feed's own address).
    """

    contract_names: tuple[str, ...] = ()
    workplace_names: tuple[str, ...] = ()
    workplace_words: Mapping[str, Workplace] = field(default_factory=dict)
    status_words: Mapping[str, Status] = field(default_factory=dict)
    base_url: str | None = None
    max_bytes: int = MAX_FEED_BYTES


class Collector:
    """Gathers the rows of one run; of two rows with one identifier the newest stays."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[int, Posting]] = {}
        self._rejected: list[Rejected] = []
        self._notes: list[Note] = []
        self._seen: set[str] = set()
        self._complete = True

    def add(self, line: int, posting: Posting) -> None:
        """Take a row. The newer `updated_at` wins, then a known one, then the later row."""
        self._seen.add(posting.external_id)
        held = self._taken.get(posting.external_id)
        loser = line
        if held is None or not _is_newer(held[1], posting):
            self._taken[posting.external_id] = (line, posting)
            loser = held[0] if held else 0
        if held is not None:
            self._rejected.append(Rejected(loser, "duplicate-id", posting.external_id))

    def reject(self, line: int, code: str, value: str, external_id: str | None = None) -> None:
        """Refuse a row; without a known identifier nobody can say what is absent."""
        self._rejected.append(Rejected(line, code, clean_text(value, 80)))
        if external_id:
            self._seen.add(external_id)
        else:
            self._complete = False

    def note(self, line: int, code: str, value: str) -> None:
        """Remember that a value of this row was left out."""
        self._notes.append(Note(line, code, clean_text(value, 80)))

    def doubt(self, code: str, value: str = "") -> None:
        """Say that the feed may not be whole."""
        self._complete = False
        self.note(0, code, value)

    def reading(self, ignored_columns: tuple[str, ...] = ()) -> FeedReading:
        """Everything gathered; a feed without a single row is never complete."""
        if not self._seen:
            self.doubt("no-rows")
        return FeedReading(
            postings=tuple(posting for _, posting in self._taken.values()),
            rejected=tuple(sorted(self._rejected, key=lambda row: row.line)),
            notes=tuple(self._notes),
            complete=self._complete,
            seen_ids=frozenset(self._seen),
            ignored_columns=ignored_columns,
        )


def _is_newer(held: Posting, other: Posting) -> bool:
    """Whether the row we hold is surely newer than the one that comes after it."""
    if held.updated_at is None or other.updated_at is None:
        return held.updated_at is not None
    return held.updated_at > other.updated_at


# --- the words of feeds ----------------------------------------------------------------

_WORKPLACES: Final[Mapping[Workplace, str]] = {
    "remote": "remote|full|full remote|fully remote|100 remote|100|total|totale|complet|complete"
    "|oui|yes|true|teletravail|teletravail total|teletravail complet|100 teletravail"
    "|a distance|distanciel|home office|work from home|telecommute",
    "hybrid": "partiel|partielle|partiellement|hybride|hybrid|partial|occasionnel|ponctuel"
    "|teletravail partiel|teletravail occasionnel|teletravail ponctuel|flexible",
    "onsite": "non|no|false|none|aucun|jamais|0|sur site|on site|onsite|sur place|presentiel"
    "|office|in office|pas de teletravail|sans teletravail|no remote",
}
_SOME_DAYS: Final = re.compile(r"\b[1-4] (?:j|jours?|days?)\b")
_STATUSES: Final[Mapping[Status, str]] = {
    "open": "publiee|publie|published|open|opened|ouverte|ouvert|active|actif|en ligne|online"
    "|live|en cours|listed|diffusee",
    "closed": "pourvue|pourvu|filled|closed|close|fermee|ferme|cloturee|cloture|archivee|archive"
    "|archived|suspendue|suspendu|expiree|expired|annulee|annule|cancelled|canceled|brouillon"
    "|draft|depubliee|unpublished|inactive|inactif|en pause|paused|on hold|internal|interne"
    "|unlisted|retiree|terminee",
    "pool": "vivier|talent pool|pool|candidature spontanee|candidatures spontanees|spontanee"
    "|spontaneous|prospect|general application|open application",
}
_INTERVALS: Final[Mapping[Interval, str]] = {
    "year": "an|annee|annuel|annuelle|par an|year|yearly|annual|annually|per year|pa",
    "month": "mois|mensuel|mensuelle|par mois|month|monthly|per month",
    "week": "semaine|hebdomadaire|par semaine|week|weekly|per week",
    "day": "jour|journalier|par jour|day|daily|per day|tjm",
    "hour": "heure|horaire|par heure|h|hour|hourly|per hour",
}
# English and French names as adverts write them; codes alone are taken from country columns
# only, because "Paris, CA" or "Dover, DE" are not in Canada or Germany.
_COUNTRIES: Final[Mapping[str, str]] = {
    "AE": "emirats arabes unis|united arab emirates|uae",
    "AR": "argentine|argentina",
    "AT": "autriche|austria|osterreich",
    "AU": "australie|australia",
    "BE": "belgique|belgium|belgie",
    "BG": "bulgarie|bulgaria",
    "BR": "bresil|brazil|brasil",
    "CA": "canada",
    "CH": "suisse|switzerland|schweiz",
    "CI": "cote d ivoire|cote divoire|ivory coast",
    "CL": "chili|chile",
    "CM": "cameroun|cameroon",
    "CN": "chine|china",
    "CO": "colombie|colombia",
    "CY": "chypre|cyprus",
    "CZ": "tchequie|republique tcheque|czechia|czech republic",
    "DE": "allemagne|germany|deutschland",
    "DK": "danemark|denmark",
    "DZ": "algerie|algeria",
    "EE": "estonie|estonia",
    "EG": "egypte|egypt",
    "ES": "espagne|spain|espana",
    "FI": "finlande|finland",
    "FR": "france",
    "GB": "royaume uni|united kingdom|uk|great britain|grande bretagne|england|angleterre"
    "|scotland|ecosse|wales|pays de galles|northern ireland",
    "GP": "guadeloupe",
    "GR": "grece|greece",
    "HK": "hong kong",
    "HR": "croatie|croatia",
    "HU": "hongrie|hungary",
    "ID": "indonesie|indonesia",
    "IE": "irlande|ireland",
    "IL": "israel",
    "IN": "inde|india",
    "IS": "islande|iceland",
    "IT": "italie|italy|italia",
    "JP": "japon|japan",
    "KE": "kenya",
    "KR": "coree du sud|south korea",
    "LT": "lituanie|lithuania",
    "LU": "luxembourg",
    "LV": "lettonie|latvia",
    "MA": "maroc|morocco",
    "MC": "monaco",
    "MG": "madagascar",
    "MQ": "martinique",
    "MT": "malte|malta",
    "MU": "ile maurice|maurice|mauritius",
    "MX": "mexique|mexico",
    "MY": "malaisie|malaysia",
    "NC": "nouvelle caledonie|new caledonia",
    "NG": "nigeria",
    "NL": "pays bas|netherlands|the netherlands|nederland|holland",
    "NO": "norvege|norway",
    "NZ": "nouvelle zelande|new zealand",
    "PF": "polynesie francaise|french polynesia",
    "PH": "philippines",
    "PL": "pologne|poland|polska",
    "PT": "portugal",
    "QA": "qatar",
    "RE": "la reunion|reunion",
    "RO": "roumanie|romania",
    "RS": "serbie|serbia",
    "SA": "arabie saoudite|saudi arabia",
    "SE": "suede|sweden",
    "SG": "singapour|singapore",
    "SI": "slovenie|slovenia",
    "SK": "slovaquie|slovakia",
    "SN": "senegal",
    "TH": "thailande|thailand",
    "TN": "tunisie|tunisia",
    "TR": "turquie|turkey|turkiye",
    "TW": "taiwan",
    "UA": "ukraine",
    "US": "etats unis|united states|united states of america|usa|us",
    "VN": "viet nam|vietnam",
    "ZA": "afrique du sud|south africa",
}


_Code = TypeVar("_Code", bound=str)


def _by_word(table: Mapping[_Code, str]) -> dict[str, _Code]:
    return {word: code for code, words in table.items() for word in words.split("|")}


_WORKPLACE_BY_WORD: Final = _by_word(_WORKPLACES)
_STATUS_BY_WORD: Final = _by_word(_STATUSES)
_INTERVAL_BY_WORD: Final = _by_word(_INTERVALS)
_COUNTRY_BY_NAME: Final = _by_word(_COUNTRIES)
_CURRENCY_BY_SIGN: Final = {"€": "EUR", "EURO": "EUR", "EUROS": "EUR", "£": "GBP"}

_BETWEEN_PLACES: Final = re.compile(r"\s*[/;|\n]\s*|\s+(?:ou|or)\s+")
_NOT_A_PLACE: Final = re.compile(
    r"(?:full(?:y)? )?(?:remote|teletravail|anywhere|a distance|distanciel|home office"
    r"|work from home)\b"
)
_PLACES_LIMIT: Final = 50


def workplace_of(written: str, own_words: Mapping[str, Workplace]) -> Workplace | None:
    """Where the work is done, from one cell: "Partiel", "2 jours/semaine", "On-site"…

    `own_words` are the administrator's and win. None when the words are not known.
    """
    words = fold(written)
    usual = "hybrid" if _SOME_DAYS.search(words) else _WORKPLACE_BY_WORD.get(words)
    return _own(words, own_words) or usual


def status_of(written: str, own_words: Mapping[str, Status]) -> Status | None:
    """Whether a row is open, closed, or an open pool; None when the word is not known."""
    words = fold(written)
    return _own(words, own_words) or _STATUS_BY_WORD.get(words)


def _own(words: str, own_words: Mapping[str, _Code]) -> _Code | None:
    return next((code for word, code in own_words.items() if fold(word) == words), None)


def interval_of(written: str) -> Interval | None:
    """The period a salary is paid for; None when the word is not known."""
    return _INTERVAL_BY_WORD.get(fold(written))


def currency_of(written: str) -> str | None:
    """The ISO 4217 code; a dollar sign alone is nobody's currency."""
    sign = written.strip().upper()
    return _CURRENCY_BY_SIGN.get(sign) or (sign if re.fullmatch("[A-Z]{3}", sign) else None)


def country_named(name: str) -> str | None:
    """ISO 3166 alpha-2 of a country's French or English name."""
    return _COUNTRY_BY_NAME.get(fold(name))


def country_of(cell: str) -> str | None:
    """ISO 3166 alpha-2 of a country column, which may hold the code itself."""
    code = cell.strip().upper()
    return code if code in _COUNTRIES else country_named(cell)


def countries_in(places: Iterable[str]) -> tuple[str, ...]:
    """The countries that end these places ("Lyon, Auvergne-Rhône-Alpes, France"), sorted."""
    found = {country_named(place.rpartition(",")[2]) for place in places}
    return tuple(sorted(code for code in found if code))


def split_places(written: str) -> tuple[str, ...]:
    """The places of a free-text location, in order; "Remote - EU" is not a place."""
    parts = (clean_text(part, 120) for part in _BETWEEN_PLACES.split(written))
    places = (part for part in parts if fold(part) and not is_remote_place(part))
    return tuple(dict.fromkeys(places))[:_PLACES_LIMIT]


def is_remote_place(written: str) -> bool:
    """Whether a location says "from anywhere" rather than where."""
    return bool(_NOT_A_PLACE.match(fold(written)))
