"""Halvenne, an invented builder of timber schools and halls. Nobody here exists."""

from __future__ import annotations

from dataclasses import dataclass

ORGANISATION = {
    "name": "Halvenne",
    "brand": "#00664a",
    "about": "Halvenne construit des écoles, des gymnases et des halles en bois, à Lorient, Limoges et Grenoble.",
    "privacy_contact": "donnees@halvenne.example",
}
PASSWORD = "halvenne-a-voix-haute"  # nosec B105
DOMAIN = "halvenne.example"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One of the ten. Roles besides `member`, which all of them earned by joining."""

    key: str
    name: str
    job_title: str
    department: str
    site: str
    roles: tuple[str, ...] = ()
    language: str = "fr"

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


@dataclass(frozen=True, slots=True)
class DemoOffer:
    """One offer, as the CSV that the demo imports holds it."""

    reference: str
    title: str
    department: str
    place: str
    contract: str
    remote: str
    salary: tuple[str, str]
    days_ago: int
    description: str


OFFERS = (
    DemoOffer("HV-01", "Conductrice ou conducteur de travaux, structures bois", "Travaux", "Lorient", "CDI", "Non", ("38 000,00", "44 000,00"), 20,
        "<p>Mener trois à quatre chantiers par an, de la préparation à la remise des clés : écoles, halles, gymnases.</p><ul><li>Tenir le lien entre le bureau d’études, l’atelier de Limoges et les équipes de pose.</li><li>Décider sur place : votre parole engage la maison jusqu’à 5 000 €.</li><li>Neuf chantiers sur dix à moins d’une heure, retour chaque soir.</li></ul><p>Vous venez du béton ou du métal ? Le bois s’apprend ici, avec Théo, pendant trois mois.</p>"),
    DemoOffer("HV-02", "Ingénierie structure, toitures de montagne", "Bureau d’études", "Grenoble", "CDI", "Partiel", ("42 000,00", "50 000,00"), 34,
        "<p>Vous calculez ce qui tiendra sous deux mètres de neige : charpentes, assemblages, ponts thermiques.</p><ul><li>Eurocode 5, et l’envie d’aller voir sur place.</li><li>Deux jours à distance par semaine.</li></ul>"),
    DemoOffer("HV-03", "Alternance, dessin d’exécution", "Bureau d’études", "Limoges", "Alternance", "Non", ("", ""), 15,
        "<p>Deux ans pour apprendre à dessiner ce que l’atelier taillera le lendemain. Logement aidé, départ en janvier.</p>"),
    DemoOffer("HV-04", "Opératrice ou opérateur de taille", "Atelier", "Limoges", "CDI", "Non", ("27 500,00", "31 000,00"), 80,
        "<p>Conduire la machine de taille, vérifier chaque pièce à la main, finir au ciseau ce que la machine ne sait pas faire.</p>"),
    DemoOffer("HV-05", "Études de prix, ouvrages bois", "Commerce", "Lorient", "CDI", "Partiel", ("36 000,00", "42 000,00"), 140,
        "<p>Lire un dossier, compter juste, dire tôt ce qui ne tiendra pas dans le budget.</p>"),
    DemoOffer("HV-06", "Chef ou cheffe de pose", "Travaux", "Grenoble", "CDI", "Non", ("34 000,00", "40 000,00"), 26,
        "<p>Une équipe de cinq, une grue, la météo. Vous levez des murs entiers en une journée.</p>"),
    DemoOffer("HV-07", "Timber frame engineer (English spoken)", "Bureau d’études", "Lorient", "CDI", "Partiel", ("41 000,00", "48 000,00"), 9,
        "<p>You design the joints that hold our schools together, with a team that speaks French and English. We help with French lessons and with moving to Brittany.</p>"),
    DemoOffer("HV-08", "Assistant ou assistante de gestion", "Finance", "Lorient", "CDD", "Partiel", ("26 000,00", "29 000,00"), 5,
        "<p>Un remplacement de neuf mois dans une équipe de trois, avec de vraies responsabilités dès le premier mois.</p>"),
)  # fmt: skip

WORDS = {
    ("maelle", "HV-01"): "J’ai pensé à vous parce que vous aimez que les choses tiennent debout. Ici on pose ce qu’on a dessiné, et le soir on voit la différence. Je vous raconterai les matins de janvier aussi.",
    ("theo", "HV-03"): "J’ai commencé comme ça, il y a vingt ans. Venez avec vos questions qui fâchent, je les préfère aux réponses apprises.",
    ("aminata", "HV-07"): "I joined from Dakar five years ago. People here explain until it is clear, and nobody laughs at an accent.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoReferral:
    """One application and its path: (days ago, stage) pairs, oldest first."""

    by: str
    offer: str
    channel: str
    first_name: str
    last_name: str
    visibility: str
    applied: int
    path: tuple[tuple[int, str], ...] = ()
    closure_reason: str | None = None
    starts: int | None = None
    next_step: str = ""
    also_by: str | None = None


REFERRALS = (
    DemoReferral("aminata", "HV-05", "message", "Océane", "Vidal", "all", 132, ((129, "screened"), (121, "interview"), (114, "offer"), (110, "hired"), (6, "trial_passed")), starts=100),
    DemoReferral("maelle", "HV-04", "email", "Hugo", "Meynard", "all", 72, ((70, "screened"), (61, "interview"), (50, "offer"), (44, "hired")), starts=36),
    DemoReferral("theo", "HV-06", "message", "Gwenn", "Le Bihan", "all", 24, ((22, "screened"), (15, "interview"), (2, "offer")), next_step="Contrat envoyé, retour attendu"),
    DemoReferral("aminata", "HV-02", "linkedin", "Violette", "Arnaud", "ends", 30, ((27, "screened"), (9, "closed")), closure_reason="not-selected"),
    DemoReferral("maelle", "HV-01", "email", "Nadia", "Ferrand", "all", 12, ((10, "screened"), (5, "interview")), next_step="Visite du chantier de l’école du Ter, avec Clémence et Théo"),
    DemoReferral("aminata", "HV-02", "linkedin", "Bastien", "Roumieu", "ends", 13, ((12, "screened"),)),
    DemoReferral("aminata", "HV-03", "message", "Lina", "Achour", "ends", 6, ((4, "screened"),)),
    DemoReferral("theo", "HV-04", "qr", "Romain", "Castaing", "ends", 1),
    DemoReferral("theo", "HV-03", "qr", "Salomé", "Huet", "none", 3),
    DemoReferral("maelle", "HV-01", "link", "Kévin", "Prigent", "all", 4, ((3, "screened"),), also_by="theo"),
)  # fmt: skip

REWARDS = (
    ("Déjeuner avec l’atelier de Limoges", "Train compris. On mange entre les établis, et on voit la machine tourner.", 300, 3, "time or symbolic", "theo"),
    ("Une journée solidaire", "Sur votre temps de travail, avec l’association de votre choix.", 250, None, "time or symbolic", "pauline"),
    ("Couteau de charpentier, forgé à Thiers", "Manche en noyer, à votre nom.", 420, 2, "gift in kind", "marc"),
    ("Un livre au choix", "À retirer à l’accueil de Lorient.", 80, 20, "gift in kind", "marc"),
)  # fmt: skip
REDEMPTIONS = (
    ("aminata", "Un livre au choix", 40, True),
    ("maelle", "Un livre au choix", 3, False),
)

CLICKS = (
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1", 5),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36", 3),
    ("Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36", 4),
    ("LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient)", 2),
)  # fmt: skip
