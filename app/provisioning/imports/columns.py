"""Which column of a file serves which field: guessed from its title, chosen by a person.

Titles are those of the HR tools one meets in France and elsewhere. What must not be kept about
people (rule M1: birth dates, social security numbers, bank accounts, sex, nationality, family,
pictures, phones, addresses, pay, health) is no choice at all, and every column that serves no
field is dropped before anything is written (rule M4).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

TITLES: Final[Mapping[str, tuple[str, ...]]] = {
    "employee_id": (
        "employee id", "employee number", "employee no", "employee code", "emp id", "worker id",
        "person number", "personnel number", "staff id", "matricule", "matricule salarie",
        "matricule employe", "numero de matricule", "no matricule", "n° matricule", "code salarie",
        "identifiant salarie", "numero salarie", "numero employe", "id salarie", "user id",
    ),
    "entity": (
        "company code", "company", "entity", "entity code", "legal entity", "societe",
        "code societe", "entite", "code entite", "entite legale", "entreprise", "organization",
    ),
    "given": ("first name", "given name", "firstname", "givenname", "forename", "prenom",
              "prenom usuel", "prenom d'usage", "legal first name", "preferred first name"),
    "family": ("last name", "family name", "surname", "lastname", "nom", "nom de famille",
               "nom usuel", "nom d'usage", "legal last name"),
    "name": ("name", "full name", "fullname", "display name", "worker", "employee name",
             "nom complet", "nom et prenom", "nom prenom", "prenom et nom", "prenom nom",
             "collaborateur", "salarie", "employe"),
    "email": (
        "email", "e-mail", "mail", "work email", "work e-mail", "email address", "e-mail address",
        "business email", "primary work email", "company email", "courriel",
        "courriel professionnel", "adresse mail", "adresse e-mail", "adresse email",
        "adresse electronique", "email professionnel", "e-mail professionnel", "mail pro",
        "email pro", "mail professionnel", "adresse mail professionnelle",
    ),
    "kind": ("kind", "type", "person type"),
    "language": ("language", "preferred language", "locale", "langue", "langue preferee"),
    "department": ("department", "service", "departement", "direction", "division", "team",
                   "equipe", "business unit", "unite", "unite organisationnelle", "cost center"),
    "site": ("site", "location", "work location", "office", "etablissement", "lieu",
             "lieu de travail", "site de travail", "agence", "bureau", "ville"),
    "job_title": ("job title", "title", "position", "position title", "business title", "poste",
                  "intitule de poste", "intitule du poste", "libelle emploi", "emploi", "fonction",
                  "libelle poste"),
    "function": ("function", "job family", "job function", "job category", "famille de metiers",
                 "famille metier", "metier", "filiere", "fonction", "categorie d'emploi"),
    "contract": ("contract", "contract type", "employment type", "worker type", "type de contrat",
                 "contrat", "nature du contrat", "nature de contrat"),
    "hired_on": ("start date", "hire date", "date of hire", "joining date", "entry date",
                 "original hire date", "date d'entree", "date entree", "date d'embauche",
                 "date embauche", "date de debut", "date debut contrat", "debut de contrat",
                 "date d'arrivee"),
    "ends_on": ("end date", "termination date", "leaving date", "contract end date",
                "last day of work", "date de sortie", "date sortie", "date de fin", "date fin",
                "date de fin de contrat", "date fin contrat", "fin de contrat", "date de depart"),
    "manager": ("manager id", "manager employee id", "supervisor id", "manager", "reports to",
                "manager number", "responsable", "responsable matricule", "matricule responsable",
                "matricule manager", "matricule du responsable", "n+1", "code manager",
                "superieur hierarchique", "responsable hierarchique"),
}  # fmt: skip
"""The titles by which each field is recognised, in plain letters; the order of the page."""

FIELDS: Final = tuple(TITLES)
RECOGNISED_BY: Final = frozenset({"employee_id", "email"})
"""One of them has to be there."""
NAMED_BY: Final = frozenset({"name", "given", "family"})
"""The name may come as its two parts."""

FORBIDDEN: Final = frozenset({
    "birth", "naissance", "dob", "age", "ne", "nee", "nir", "insee", "ssn", "secu", "securite",
    "security", "iban", "rib", "bic", "bank", "banque", "bancaire", "sex", "sexe", "gender",
    "genre", "civilite", "salutation", "nationality", "nationalite", "citizenship",
    "citoyennete", "marital", "matrimonial", "matrimoniale", "spouse", "conjoint", "epoux",
    "children", "child", "enfant", "enfants", "familiale", "phone", "telephone", "tel",
    "telephones", "mobile", "portable", "gsm", "fax", "photo", "photograph", "picture", "image",
    "avatar", "street", "rue", "postal", "postale", "zip", "domicile", "home", "emergency",
    "urgence", "prevenir", "salary", "salaire", "remuneration", "pay", "wage", "handicap",
    "disability", "rqth", "health", "sante", "medical", "religion", "union", "syndicat",
    "passport", "passeport", "identite", "ethnicity", "race",
})  # fmt: skip
"""A title with one of these words is about what must not be known."""
_ADDRESS: Final = frozenset({"adresse", "address", "adresses", "addresses"})
_MAIL: Final = frozenset({"mail", "email", "electronique", "courriel", "e"})
_PERSONAL: Final = frozenset({"personal", "private", "personnel", "personnelle", "perso", "prive"})


def plain(title: str) -> str:
    """Lower case, without accents, one space between words."""
    letters = unicodedata.normalize("NFKD", title.replace("’", "'").replace("°", " "))
    kept = "".join(c for c in letters if not unicodedata.combining(c))
    return " ".join(kept.replace("_", " ").lower().split())


def _known(title: str) -> str:
    """A title without what stands in brackets, a colon or a star of a form."""
    return re.sub(r"\s*[(\[].*?[)\]]|[*:]", " ", title).strip()


_FIELDS_OF: Final[dict[str, list[str]]] = {}
for _field, _titles in TITLES.items():
    for _title in _titles:
        _FIELDS_OF.setdefault(plain(_title), []).append(_field)


def is_forbidden(title: str) -> bool:
    """Whether a column is about what must not be known of people."""
    words = plain(title)
    if words in _FIELDS_OF:
        return False
    found = set(re.findall(r"[a-z0-9]+", words))
    if found & FORBIDDEN:
        return True
    if found & _ADDRESS:
        return not found & _MAIL or bool(found & _PERSONAL)
    return bool(found & _PERSONAL and found & _MAIL)


def unique_titles(cells: Sequence[str]) -> list[str]:
    """Titles that tell columns apart: no two alike, none empty."""
    taken: dict[str, int] = {}
    titles = []
    for number, cell in enumerate(cells, start=1):
        title = " ".join("".join(c if c.isprintable() else " " for c in cell).split())[:100]
        title = title or f"({number})"
        taken[title] = taken.get(title, 0) + 1
        titles.append(title if taken[title] == 1 else f"{title} ({taken[title]})")
    return titles


def key_of(titles: Sequence[str]) -> str:
    """Names a set of titles, in whatever order the columns stand."""
    return hashlib.sha256("\n".join(sorted(plain(t) for t in titles)).encode()).hexdigest()


def guess(titles: Sequence[str]) -> dict[str, str]:
    """Field → title, where a title says what it is. The better known title of a field wins."""
    offers: dict[str, list[tuple[int, str]]] = {field: [] for field in FIELDS}
    for title in titles:
        if is_forbidden(title):
            continue
        words = plain(title)
        words = words if words in _FIELDS_OF else plain(_known(title))
        for field in _FIELDS_OF.get(words, ()):
            ranks = [plain(each) for each in TITLES[field]]
            offers[field].append((ranks.index(words), title))
    found: dict[str, str] = {}
    for field in FIELDS:
        free = [pair for pair in sorted(offers[field]) if pair[1] not in found.values()]
        if free:
            found[field] = free[0][1]
    return found


@dataclass(frozen=True, slots=True)
class Choice:
    """A mapping as it will be used: `mapping` is field → title, `ignored` the titles that are
    dropped, `forbidden` those of them that no field may take."""

    mapping: dict[str, str]
    ignored: list[str]
    forbidden: list[str]

    @property
    def missing(self) -> list[str]:
        """The fields without which no line can be read."""
        needed = {"email": RECOGNISED_BY, "name": NAMED_BY}
        return [field for field, ways in needed.items() if not ways & self.mapping.keys()]


def choose(titles: Sequence[str], mapping: Mapping[str, object]) -> Choice:
    """What of `mapping` fits these titles; a forbidden column is never taken."""
    forbidden = [title for title in titles if is_forbidden(title)]
    allowed = {*titles} - {*forbidden}
    used = {f: str(mapping[f]) for f in FIELDS if str(mapping.get(f) or "") in allowed}
    ignored = [title for title in titles if title not in used.values()]
    return Choice(used, ignored, forbidden)
