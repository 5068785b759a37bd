"""The rest of Halvenne: who joined, who left, who never did. Invented, every one of them."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator

from app.demo.data import DemoPerson

# name; job title; department; site; language where it is not French; roles
_MEMBERS = """
Yann Lescop; Chef d’équipe charpente; Atelier; Limoges
Léa Faugeras; Apprentie charpentière; Atelier; Limoges
Loïc Guillemot; Conducteur de travaux; Travaux; Lorient
Gaël Le Dantec; Photographe et vidéaste; Communication; Lorient; fr; contributor
Nadège Coulaud; Chargée de recrutement; Ressources humaines; Limoges; fr; recruiter
Fatou Diarra; Ingénieure structure; Bureau d’études; Grenoble
Baptiste Chazal; Charpentier; Atelier; Limoges
Mehdi Benaïssa; Chef de pose; Travaux; Grenoble
Solenn Tanguy; Dessinatrice projeteuse; Bureau d’études; Lorient
Rui Carvalho; Poseur; Travaux; Lorient
Camille Peyrat; Métreuse; Commerce; Limoges
Owen Hartley; Timber engineer; Bureau d’études; Lorient; en
Tifenn Quéméner; Assistante travaux; Travaux; Lorient
Ismaël Ouattara; Technicien méthodes; Atelier; Limoges
Margaux Vuillermoz; Ingénieure neige et vent; Bureau d’études; Grenoble
Pierrick Jégou; Grutier; Travaux; Lorient
Duc Minh Tran; Développeur d’outils de dessin; Systèmes; Grenoble; en
Élodie Lavergne; Responsable qualité; Qualité; Limoges
Karim Haddad; Chargé d’études de prix; Commerce; Lorient
Morgane Le Goff; Animatrice sécurité; Sécurité; Lorient
Jules Barthélemy; Poseur; Travaux; Grenoble
Aïssatou Barry; Comptable; Finance; Lorient
Killian Riou; Charpentier; Atelier; Limoges
Zofia Wolska; Computational designer; Bureau d’études; Grenoble; en
Antoine Rebière; Opérateur de taille; Atelier; Limoges
Nolan Kervella; Conducteur de travaux; Travaux; Lorient
Samira Chérif; Acheteuse bois; Achats; Limoges
Hugo Bonnefond; Ingénieur structure; Bureau d’études; Grenoble
Gwenaëlle Morvan; Chargée d’affaires; Commerce; Lorient
Patrick Nzinga; Chef d’équipe pose; Travaux; Grenoble
Chloé Desvignes; Architecte; Bureau d’études; Grenoble
Erwan Le Bras; Menuisier; Atelier; Lorient
Rachid Mansouri; Magasinier; Logistique; Limoges
Blandine Tissot; Responsable de site; Direction; Grenoble
Florian Mazeau; Charpentier; Atelier; Limoges
Iris Van Dael; Acoustics engineer; Bureau d’études; Lorient; en
Thomas Guyader; Chauffeur; Logistique; Lorient
Séverine Aumaître; Gestionnaire de paie; Ressources humaines; Lorient
Moussa Traoré; Poseur; Travaux; Lorient
Enora Le Floch; Chargée de communication; Communication; Lorient
Damien Roussarie; Affûteur; Atelier; Limoges
Ángela Ferrer; Ingénieure thermique; Bureau d’études; Grenoble
Quentin Jallifier; Dessinateur; Bureau d’études; Grenoble
Nina Kowalczyk; Site engineer; Travaux; Grenoble; en
Corentin Le Meur; Poseur; Travaux; Lorient
Hélène Dupuy-Martin; Juriste; Direction; Lorient
Abdoulaye Sané; Opérateur de taille; Atelier; Limoges
Victor Perrachon; Géomètre; Travaux; Grenoble
Manon Tréguer; Alternante, dessin; Bureau d’études; Lorient
Youssef Amrani; Technicien de maintenance; Atelier; Limoges
Lucile Bordenave; Chargée de formation; Ressources humaines; Limoges
Maxime Carrier; Charpentier; Atelier; Grenoble
Priya Raman; Data analyst; Systèmes; Lorient; en
Denis Le Corre; Chef d’atelier; Atelier; Lorient
Alix Montfort; Contrôleuse de gestion; Finance; Lorient
Selim Yildiz; Poseur; Travaux; Grenoble
Ophélie Marquet; Assistante commerciale; Commerce; Limoges
Ronan Bihan; Conducteur d’engins; Travaux; Lorient
Mariam Keïta; Ingénieure environnement; Qualité; Lorient
Benoît Lachenal; Économiste; Commerce; Grenoble
Julie Ferrandon; Charpentière; Atelier; Limoges
Tom Ellison; Joiner; Atelier; Lorient; en
Agathe Rolland; Cheffe de projet; Travaux; Lorient
Hamza Zerrouki; Alternant, méthodes; Atelier; Limoges
Mathilde Perrin; Projeteuse; Bureau d’études; Grenoble
Goulven Salaün; Charpentier naval, halles; Atelier; Lorient
Inaya Lefort; Chargée d’accueil; Direction; Lorient
Cédric Vialle; Débiteur; Atelier; Limoges
Lan Anh Nguyen; Ingénieure calcul; Bureau d’études; Grenoble
Josselin Hervé; Poseur; Travaux; Lorient
Bintou Camara; Acheteuse; Achats; Lorient
Paul-Émile Giraud; Chef de chantier; Travaux; Grenoble
Rozenn Cadiou; Infographiste; Communication; Lorient
Stéphane Nogueira; Responsable logistique; Logistique; Limoges
Elif Aydin; Ingénieure méthodes; Atelier; Grenoble
Romane Chassagne; Technicienne bois; Qualité; Limoges
"""

# name; job title; department; site; joined and left, in days before today; how
_LEFT = """
Grégory Masson; Charpentier; Atelier; Limoges; 92; 31; departed
Ludivine Perez; Chargée d’affaires; Commerce; Grenoble; 90; 12; departed
Wassim Cherkaoui; Poseur; Travaux; Lorient; 88; 45; departed
Nathalie Brisset; Assistante de direction; Direction; Lorient; 91; 60; left
Alan Le Roux; Dessinateur; Bureau d’études; Lorient; 84; 20; left
Coralie Vignaud; Métreuse; Commerce; Limoges; 80; 9; left
Bruno Estève; Chef d’équipe; Travaux; Grenoble; 86; 38; left
Maïwenn Hélias; Comptable; Finance; Lorient; 70; 5; left
"""

# name; job title; department; site; invited so many days before today, or nothing
_NEVER = """
Jean-Marc Lostanlen; Directeur général; Direction; Lorient;
Sandrine Tallec; Directrice financière; Finance; Lorient;
Olivier Chabrol; Charpentier; Atelier; Limoges; 12
Kamel Boudiaf; Poseur; Travaux; Grenoble; 10
Martine Prévost; Gestionnaire de stock; Logistique; Limoges;
Dylan Gauthier; Apprenti charpentier; Atelier; Limoges; 6
Sylvain Rault; Grutier; Travaux; Lorient;
Amélie Cornec; Infirmière du travail; Sécurité; Lorient; 9
Joaquim Pinto; Maçon; Travaux; Lorient;
Véronique Sabatier; Assistante; Atelier; Limoges; 3
Tuan Le; Technicien réseaux; Systèmes; Grenoble; 3
Gérald Combe; Poseur; Travaux; Grenoble;
Estelle Nicolas; Chargée de clientèle; Commerce; Lorient; 2
Hervé Penven; Menuisier; Atelier; Lorient;
Lucas Delage; Opérateur de taille; Atelier; Limoges;
Awa Ndiaye; Ingénieure structure; Bureau d’études; Grenoble; 1
Philippe Jourdan; Chauffeur; Logistique; Limoges;
Marianne Kerbrat; Conductrice de travaux; Travaux; Lorient; 1
Nicolas Thévenet; Électricien; Travaux; Grenoble;
Sabrina Lopes; Assistante paie; Ressources humaines; Lorient;
"""

_SEED = 20_47
# The house began with ten and a few of the workshop; then a meeting on each site.
_PILOT, _PILOT_DAY = 6, 146
_WAVES = ((92, 0.46), (78, 0.66), (61, 0.8), (40, 0.91), (18, 0.97), (7, 1.0))


def slug(name: str) -> str:
    """The part of an address before the @: `yann.lescop`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    first, _, rest = plain.partition(" ")
    return f"{first}.{rest.replace(' ', '-')}"


def _rows(table: str) -> Iterator[list[str]]:
    for line in table.strip().splitlines():
        yield [cell.strip() for cell in line.split(";")]


def _members() -> Iterator[DemoPerson]:
    chance = random.Random(_SEED)  # nosec B311
    rows = list(_rows(_MEMBERS))
    for place, (name, title, department, site, *more) in enumerate(rows):
        yield DemoPerson(
            slug(name), name, title, department, site, tuple(more[1:]),
            more[0] if more else "fr", joined=_joined(place, len(rows), chance), is_named=False,
        )  # fmt: skip


def _joined(place: int, count: int, chance: random.Random) -> int:
    """How many days ago: with the pilot, or some days after one of the meetings."""
    if place < _PILOT:
        return _PILOT_DAY - chance.randrange(4)
    share = (place - _PILOT + 1) / (count - _PILOT)
    day = next(day for day, upto in _WAVES if share <= upto)
    return max(day - int(chance.expovariate(0.25)), 1)


def _left() -> Iterator[DemoPerson]:
    for name, title, department, site, joined, left, how in _rows(_LEFT):
        yield DemoPerson(
            slug(name), name, title, department, site, joined=int(joined), left=int(left),
            is_departed=how == "departed", is_named=False,
        )  # fmt: skip


def _never() -> Iterator[DemoPerson]:
    for name, title, department, site, invited in _rows(_NEVER):
        yield DemoPerson(
            slug(name), name, title, department, site, joined=None,
            invited=int(invited) if invited else None, is_named=False,
        )  # fmt: skip


CROWD = (*_members(), *_left(), *_never())
