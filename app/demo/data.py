"""Halvenne, an invented builder of timber schools and halls. Nobody here exists."""

from __future__ import annotations

from dataclasses import dataclass

ORGANISATION = {
    "name": "Halvenne",
    "brand": "#00664a",
    "about": "Halvenne construit des écoles, des gymnases et des halles en bois, à Lorient, Limoges et Grenoble.",
    "other_about": "Halvenne builds schools, sports halls and market halls in timber, in Lorient, Limoges and Grenoble.",
    "privacy_contact": "donnees@halvenne.example",
}
PASSWORD = "halvenne-a-voix-haute"  # nosec B105
DOMAIN = "halvenne.example"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody of the house. Times are days before today: `joined` None for who never did,
    `left` for who left the programme, or the house (`is_departed`), `invited` for who got a
    mail and has not answered. `roles` besides `member`, which is earned by joining. The ten
    who are named have a password and a token."""

    key: str
    name: str
    job_title: str
    department: str
    site: str
    roles: tuple[str, ...] = ()
    language: str = "fr"
    joined: int | None = 150
    left: int | None = None
    is_departed: bool = False
    invited: int | None = None
    is_named: bool = True

    @property
    def email(self) -> str:
        return f"{self.key}@{DOMAIN}"


PEOPLE = (
    DemoPerson("maelle", "Maëlle Kerjan", "Conductrice de travaux", "Travaux", "Lorient"),
    DemoPerson("theo", "Théo Rossignac", "Maître charpentier", "Atelier", "Limoges"),
    DemoPerson("aminata", "Aminata Sy", "Dessinatrice", "Bureau d’études", "Limoges", language="en"),
    DemoPerson("ines", "Inès Tavarès", "Rédactrice", "Communication", "Lorient", ("contributor", "curator")),
    DemoPerson("sofiane", "Sofiane Belkhir", "Chargé de recrutement", "Ressources humaines", "Lorient", ("recruiter",)),
    DemoPerson("marc", "Marc Aubin", "Responsable paie", "Ressources humaines", "Lorient", ("hr",)),
    DemoPerson("pauline", "Pauline Delmotte", "Responsable du programme", "Communication", "Grenoble", ("lead",)),
    DemoPerson("clemence", "Clémence Oudin", "Directrice des travaux", "Travaux", "Lorient", ("sponsor",)),
    DemoPerson("edouard", "Édouard Vasseur", "Contrôle interne", "Finance", "Lorient", ("auditor",)),
    DemoPerson("nolwenn", "Nolwenn Prigent", "Informatique", "Systèmes", "Lorient", ("admin",)),
)  # fmt: skip
