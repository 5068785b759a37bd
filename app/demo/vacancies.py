"""Halvenne's own offers, as the file from its HR tool holds them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoOffer:
    """One row of the file, from `days_ago` on; from `filled` days ago it says "Pourvue"."""

    reference: str
    title: str
    department: str
    place: str
    contract: str
    remote: str
    salary: tuple[str, str]
    days_ago: int
    description: str
    filled: int | None = None


NONE = ("", "")
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
        "<p>Lire un dossier, compter juste, dire tôt ce qui ne tiendra pas dans le budget.</p>", filled=60),
    DemoOffer("HV-06", "Chef ou cheffe de pose", "Travaux", "Grenoble", "CDI", "Non", ("34 000,00", "40 000,00"), 26,
        "<p>Une équipe de cinq, une grue, la météo. Vous levez des murs entiers en une journée.</p>"),
    DemoOffer("HV-07", "Timber frame engineer (English spoken)", "Bureau d’études", "Lorient", "CDI", "Partiel", ("41 000,00", "48 000,00"), 9,
        "<p>You design the joints that hold our schools together, with a team that speaks French and English. We help with French lessons and with moving to Brittany.</p>"),
    DemoOffer("HV-08", "Assistant ou assistante de gestion", "Finance", "Lorient", "CDD", "Partiel", ("26 000,00", "29 000,00"), 5,
        "<p>Un remplacement de neuf mois dans une équipe de trois, avec de vraies responsabilités dès le premier mois.</p>"),
    DemoOffer("HV-09", "Charpentière ou charpentier, atelier de taille", "Atelier", "Limoges", "CDI", "Non", ("27 000,00", "33 000,00"), 148,
        "<p>Tracer, tailler, assembler à blanc : tout ce qui part de Limoges a d’abord tenu debout dans la cour.</p><ul><li>Équipe du matin ou de l’après-midi, au choix, par trimestre.</li><li>Outillage fourni, affûté par Damien.</li></ul><p>Nous recrutons tout au long de l’année.</p>"),
    DemoOffer("HV-10", "Poseuse ou poseur, ossature bois", "Travaux", "Lorient", "CDI", "Non", ("26 000,00", "31 000,00"), 145,
        "<p>Lever des murs avec quatre collègues et une grue, et laisser un chantier plus propre qu’à l’arrivée. Panier et trajet payés.</p>"),
    DemoOffer("HV-11", "Conduite de grue à tour", "Travaux", "Lorient", "CDD", "Non", ("29 000,00", "33 000,00"), 118,
        "<p>Huit mois sur le chantier du groupe scolaire du Ter. CACES R487 à jour, et du calme.</p>", filled=70),
    DemoOffer("HV-12", "Menuisière ou menuisier d’agencement", "Atelier", "Lorient", "CDI", "Non", ("28 000,00", "34 000,00"), 66,
        "<p>Les bancs, les bibliothèques, les portes qui ferment encore dans vingt ans. Petite équipe, pièces uniques.</p>"),
    DemoOffer("HV-13", "Assistante ou assistant travaux", "Travaux", "Grenoble", "CDI", "Partiel", ("27 000,00", "31 000,00"), 52,
        "<p>Commandes, plannings, comptes rendus : vous êtes celle ou celui que tout le monde appelle, et qui sait.</p>"),
    DemoOffer("HV-14", "Géomètre de chantier", "Travaux", "Grenoble", "CDD", "Non", ("30 000,00", "35 000,00"), 41,
        "<p>Implanter, contrôler, relever. Deux millimètres, c’est beaucoup.</p>", filled=12),
    DemoOffer("HV-15", "Technicienne ou technicien méthodes", "Atelier", "Limoges", "CDI", "Partiel", ("32 000,00", "37 000,00"), 29,
        "<p>Entre le plan et la machine : préparer les débits, ordonner la semaine, éviter les chutes.</p>"),
    DemoOffer("HV-16", "Achats bois et quincaillerie", "Achats", "Limoges", "CDI", "Partiel", ("35 000,00", "40 000,00"), 17,
        "<p>Nos douglas viennent à soixante kilomètres. Vous connaîtrez les forêts par leur nom, et les scieries aussi.</p>"),
    DemoOffer("HV-17", "Livraison de charpentes, permis CE", "Logistique", "Limoges", "CDI", "Non", ("28 500,00", "32 000,00"), 11,
        "<p>Des pièces de dix-neuf mètres, des routes de campagne, et quatre nuits dehors par mois au plus.</p>"),
    DemoOffer("HV-18", "Stage de six mois, acoustique des salles", "Bureau d’études", "Grenoble", "Stage", "Partiel", NONE, 3,
        "<p>Une cantine où l’on s’entend : mesurer, modéliser, proposer, et revenir mesurer.</p>"),
)  # fmt: skip

# A member's own words on the public page of an offer.
WORDS = {
    ("maelle", "HV-01"): "J’ai pensé à vous parce que vous aimez que les choses tiennent debout. Ici on pose ce qu’on a dessiné, et le soir on voit la différence. Je vous raconterai les matins de janvier aussi.",
    ("theo", "HV-03"): "J’ai commencé comme ça, il y a vingt ans. Venez avec vos questions qui fâchent, je les préfère aux réponses apprises.",
    ("aminata", "HV-07"): "I joined from Dakar five years ago. People here explain until it is clear, and nobody laughs at an accent.",
    ("margaux.vuillermoz", "HV-02"): "Si peser la neige à la pelle vous paraît une bonne idée, nous allons nous entendre.",
    ("yann.lescop", "HV-09"): "On apprend en portant la pièce à deux. Je serai de l’autre côté.",
    ("owen.hartley", "HV-07"): "Moved from Bristol with two suitcases and no French. Three years later I dream in it, badly.",
    ("pierrick.jegou", "HV-10"): "De là-haut je vois qui range et qui ne range pas. Ici, ça range.",
    ("samira.cherif", "HV-16"): "Une bonne acheteuse, chez nous, a de la boue sur les chaussures.",
}  # fmt: skip
