"""An offer and an application in words, for people outside the house and for machines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from flask_babel import format_currency, get_locale
from flask_babel import gettext as _

from app.integrations.text import fold
from app.referrals.models import Offer
from app.referrals.offer_queries import OfferRow


@dataclass(frozen=True, slots=True)
class Fact:
    """One of the figures under the title: what it is, the value, perhaps a word more."""

    about: str
    value: str
    note: str = ""


def money(amount: int, currency: str) -> str:
    """A salary: no cents, the sign where the language puts it."""
    pattern = get_locale().currency_formats["standard"].pattern.replace("0.00", "0")
    return str(format_currency(amount, currency, format=pattern, currency_digits=False))


def salary(offer: Offer | OfferRow) -> str:
    """The pay as far as it is known, or nothing."""
    low, high, currency = offer.salary_min, offer.salary_max, offer.salary_currency
    if not currency or (low is None and high is None):
        return offer.salary_text
    if low is not None and high is not None and low != high:
        return str(_("%(low)s to %(high)s", low=money(low, currency), high=money(high, currency)))
    if low is None:
        return str(_("up to %(high)s", high=money(high or 0, currency)))
    if low == high:
        return money(low, currency)
    return str(_("from %(low)s", low=money(low, currency)))


def _interval(offer: Offer | OfferRow) -> str:
    words: dict[str, str] = {
        "year": _("a year, before tax"), "month": _("a month, before tax"),
        "week": _("a week, before tax"), "day": _("a day, before tax"),
        "hour": _("an hour, before tax"),
    }  # fmt: skip
    return words.get(offer.salary_interval or "", "")


def pay(offer: Offer | OfferRow) -> Fact | None:
    """The salary and what it counts for; None where nothing is known of it."""
    value = salary(offer)
    if not value:
        return None
    typed = value == offer.salary_text
    return Fact(_("Pay"), value, "" if typed else _interval(offer))


def remote(offer: Offer) -> str:
    """Where the work is done, where the offer says so."""
    words: dict[str, str] = {
        "onsite": _("On site"), "hybrid": _("Partly from home"), "remote": _("From anywhere"),
    }  # fmt: skip
    return words.get(offer.remote or "", "")


def facts(offer: Offer) -> list[Fact]:
    """At most three, and only what is known."""
    paid = pay(offer)
    found = [paid] if paid else []
    if offer.location:
        found.append(Fact(_("Place"), offer.location, remote(offer)))
    elif offer.remote:
        found.append(Fact(_("Place"), remote(offer)))
    if offer.department:
        found.append(Fact(_("Team"), offer.department))
    elif offer.contract:
        found.append(Fact(_("Contract"), offer.contract))
    return found


def kicker(offer: Offer) -> str:
    """Contract and place, as far as they are known."""
    if offer.contract and offer.location:
        return str(_("%(contract)s in %(place)s", contract=offer.contract, place=offer.location))
    return offer.contract or offer.location


def rewarded(facts: Collection[str]) -> str:
    """What gives points to who recommended, as it stands in a sentence; empty for no `facts`."""
    names: dict[str, str] = {
        "application": _("an application"),
        "interview": _("an interview"),
        "hire": _("a hire"),
    }
    said = [name for fact, name in names.items() if fact in facts]
    if len(said) < 2:
        return "".join(said)
    return str(_("%(most)s and %(last)s", most=", ".join(said[:-1]), last=said[-1]))


# --- for search engines ------------------------------------------------------------------

_EMPLOYMENT = (
    # Words of a contract, folded, and schema.org's name for it; the first that fits counts.
    ("stage", "INTERN"), ("internship", "INTERN"), ("intern", "INTERN"),
    ("alternance", "OTHER"), ("apprentissage", "OTHER"), ("apprenticeship", "OTHER"),
    ("temps partiel", "PART_TIME"), ("part time", "PART_TIME"),
    ("interim", "TEMPORARY"), ("temporary", "TEMPORARY"), ("cdd", "TEMPORARY"),
    ("fixed term", "TEMPORARY"), ("saisonnier", "TEMPORARY"),
    ("freelance", "CONTRACTOR"), ("independant", "CONTRACTOR"), ("contractor", "CONTRACTOR"),
    ("benevol", "VOLUNTEER"), ("volunteer", "VOLUNTEER"),
    ("cdi", "FULL_TIME"), ("permanent", "FULL_TIME"), ("temps plein", "FULL_TIME"),
    ("full time", "FULL_TIME"),
)  # fmt: skip
_UNITS = {"year": "YEAR", "month": "MONTH", "week": "WEEK", "day": "DAY", "hour": "HOUR"}


def _employment(contract: str) -> str | None:
    words = f" {fold(contract)} "
    return next((name for mark, name in _EMPLOYMENT if f" {mark}" in words), None)


def _base_salary(offer: Offer) -> dict[str, object] | None:
    unit = _UNITS.get(offer.salary_interval or "")
    if not offer.salary_currency or unit is None:
        return None
    value: dict[str, object] = {"@type": "QuantitativeValue", "unitText": unit}
    if offer.salary_min is not None:
        value["minValue"] = offer.salary_min
    if offer.salary_max is not None:
        value["maxValue"] = offer.salary_max
    if len(value) == 2:
        return None
    return {"@type": "MonetaryAmount", "currency": offer.salary_currency, "value": value}


def _places(offer: Offer) -> list[dict[str, object]]:
    countries: list[str | None] = list(offer.country_codes or []) or [None]
    if not offer.location and countries == [None]:
        return []
    found: list[dict[str, object]] = []
    for country in countries:
        parts: dict[str, object] = {"@type": "PostalAddress"}
        if offer.location:
            parts["addressLocality"] = offer.location
        if country:
            parts["addressCountry"] = country
        found.append({"@type": "Place", "address": parts})
    return found


def _day(at: dt.datetime) -> str:
    return at.date().isoformat()


def job_posting(
    offer: Offer, organisation: str, website: str | None, url: str, company: str = ""
) -> dict[str, object]:
    """The offer as schema.org's JobPosting (Google, "Job posting structured data"). `company` is
    the entity that hires, '' where it is the organisation itself, whose website it then is."""
    employer: dict[str, object] = {"@type": "Organization", "name": company or organisation}
    if company:
        employer["parentOrganization"] = {"@type": "Organization", "name": organisation}
    elif website:
        employer["sameAs"] = website
    places = _places(offer)
    optional: dict[str, object | None] = {
        "employmentType": _employment(offer.contract),
        "jobLocation": places[0] if len(places) == 1 else places or None,
        "jobLocationType": "TELECOMMUTE" if offer.remote == "remote" else None,
        "applicantLocationRequirements": [
            {"@type": "Country", "name": code} for code in offer.country_codes or []
        ]
        if offer.remote == "remote"
        else None,
        "baseSalary": _base_salary(offer),
    }
    return {
        "@context": "https://schema.org/",
        "@type": "JobPosting",
        "title": offer.title,
        "description": offer.description_html or offer.title,
        "identifier": {"@type": "PropertyValue", "name": organisation, "value": str(offer.id)},
        "datePosted": _day(offer.opened_at or offer.created_at),
        "hiringOrganization": employer,
        "directApply": True,
        "inLanguage": offer.language,
        "url": url,
    } | {name: value for name, value in optional.items() if value}
