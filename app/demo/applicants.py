"""Who applied, through whom, and how far they came. Nobody here exists."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoReferral:
    """One application and its path: (days ago, stage) pairs, oldest first. `starts` is the
    contract's first day, in days before today (negative: still to come)."""

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
    # The trial period is over. Three months after a hire the product forgets the first one's name.
    DemoReferral("aminata", "HV-05", "message", "Océane", "Vidal", "all", 108, ((105, "screened"), (99, "interview"), (94, "offer"), (89, "hired"), (6, "trial_passed")), starts=82),
    DemoReferral("yann.lescop", "HV-09", "message", "Bastien", "Combeau", "all", 138, ((136, "screened"), (130, "interview"), (124, "offer"), (121, "hired"), (22, "trial_passed")), starts=116),
    DemoReferral("lea.faugeras", "HV-09", "link", "Anouk", "Desmoulins", "ends", 103, ((101, "screened"), (97, "interview"), (92, "offer"), (86, "hired"), (10, "trial_passed")), starts=79),
    # Hired, in their trial period or about to start.
    DemoReferral("maelle", "HV-04", "email", "Hugo", "Meynard", "all", 72, ((70, "screened"), (61, "interview"), (50, "offer"), (44, "hired")), starts=36),
    DemoReferral("mehdi.benaissa", "HV-10", "message", "Sékou", "Konaté", "all", 83, ((82, "screened"), (75, "interview"), (68, "offer"), (62, "hired")), starts=54),
    DemoReferral("solenn.tanguy", "HV-04", "linkedin", "Marin", "Le Gall", "ends", 58, ((56, "screened"), (47, "interview"), (36, "offer"), (30, "hired")), starts=16),
    DemoReferral("rui.carvalho", "HV-06", "message", "Dario", "Ferreira", "all", 22, ((20, "screened"), (13, "interview"), (9, "offer"), (6, "hired")), starts=-23),
    # A hire that was undone, and one that ended during the trial period.
    DemoReferral("gwenaelle.morvan", "HV-05", "linkedin", "Yvan", "Tissier", "all", 82, ((80, "screened"), (74, "interview"), (69, "offer"), (66, "hired"), (63, "offer"), (61, "closed")), closure_reason="withdrawn"),
    DemoReferral("rachid.mansouri", "HV-10", "link", "Tanguy", "Morel", "ends", 72, ((70, "screened"), (66, "interview"), (61, "offer"), (58, "hired"), (19, "closed")), closure_reason="left-during-trial", starts=50),
    # Closed.
    DemoReferral("aminata", "HV-02", "linkedin", "Violette", "Arnaud", "ends", 30, ((27, "screened"), (9, "closed")), closure_reason="not-selected"),
    DemoReferral("karim.haddad", "HV-05", "message", "Leïla", "Mokrani", "all", 73, ((70, "screened"), (60, "closed")), closure_reason="position-filled"),
    DemoReferral("theo", "HV-09", "qr", "Gaspard", "Nouet", "ends", 100, ((97, "screened"), (80, "closed")), closure_reason="no-answer"),
    DemoReferral("zofia.wolska", "HV-07", "linkedin", "Piotr", "Zieliński", "ends", 7, ((6, "screened"), (2, "closed")), closure_reason="not-selected"),
    DemoReferral("florian.mazeau", "HV-04", "message", "Jordan", "Pascaud", "none", 49, ((46, "screened"), (40, "interview"), (33, "closed")), closure_reason="not-selected"),
    DemoReferral("morgane.le-goff", "HV-11", "email", "Denez", "Kerguelen", "ends", 81, ((78, "screened"), (70, "closed")), closure_reason="position-filled"),
    DemoReferral("fatou.diarra", "HV-02", "email", "Ibrahima", "Sow", "all", 31, ((29, "screened"), (21, "interview"), (16, "closed")), closure_reason="withdrawn"),
    # A proposal was made.
    DemoReferral("theo", "HV-06", "message", "Gwenn", "Le Bihan", "all", 24, ((22, "screened"), (15, "interview"), (2, "offer")), next_step="Contrat envoyé, retour attendu"),
    DemoReferral("elodie.lavergne", "HV-15", "linkedin", "Prune", "Galland", "ends", 24, ((22, "screened"), (12, "interview"), (3, "offer")), next_step="Réponse attendue sur la date d’arrivée"),
    # Meeting the team.
    DemoReferral("maelle", "HV-01", "email", "Nadia", "Ferrand", "all", 12, ((10, "screened"), (5, "interview")), next_step="Visite du chantier de l’école du Ter, avec Clémence et Théo"),
    DemoReferral("ismael.ouattara", "HV-15", "message", "Abel", "Marcillac", "all", 19, ((17, "screened"), (6, "interview")), next_step="Une demi-journée à l’atelier, mardi"),
    DemoReferral("margaux.vuillermoz", "HV-02", "linkedin", "Timéo", "Rochas", "ends", 26, ((24, "screened"), (8, "interview")), next_step="Second entretien, avec Fatou et Hugo"),
    DemoReferral("agathe.rolland", "HV-01", "link", "Coline", "Bizien", "all", 11, ((9, "screened"), (4, "interview")), next_step="Visite de l’école du Ter, jeudi matin"),
    DemoReferral("erwan.le-bras", "HV-12", "message", "Isla", "Morrow", "none", 28, ((25, "screened"), (11, "interview")), next_step="Pièce d’essai à l’atelier de Lorient"),
    # Read.
    DemoReferral("aminata", "HV-02", "linkedin", "Bastien", "Roumieu", "ends", 13, ((12, "screened"),), next_step="A call with Margaux, this week"),
    DemoReferral("aminata", "HV-03", "message", "Lina", "Achour", "ends", 6, ((4, "screened"),)),
    DemoReferral("maelle", "HV-01", "link", "Kévin", "Prigent", "all", 4, ((3, "screened"),), also_by="theo"),
    DemoReferral("antoine.rebiere", "HV-03", "qr", "Noé", "Labrousse", "ends", 10, ((8, "screened"),), next_step="Journée découverte à l’atelier"),
    DemoReferral("samira.cherif", "HV-16", "linkedin", "Justine", "Faucher", "all", 13, ((11, "screened"),), next_step="Visite d’une scierie avec Samira"),
    DemoReferral("blandine.tissot", "HV-13", "linkedin", "Kadiatou", "Bah", "all", 21, ((18, "screened"),)),
    # Just received.
    DemoReferral("theo", "HV-04", "qr", "Romain", "Castaing", "ends", 1),
    DemoReferral("theo", "HV-03", "qr", "Salomé", "Huet", "none", 3),
    DemoReferral("owen.hartley", "HV-07", "linkedin", "Rhys", "Calloway", "all", 2),
    DemoReferral("pierrick.jegou", "HV-10", "message", "Malo", "Stéphan", "ends", 2),
    DemoReferral("chloe.desvignes", "HV-18", "linkedin", "Ilan", "Berger", "ends", 1),
    DemoReferral("camille.peyrat", "HV-16", "link", "Solène", "Vacher", "ends", 4),
    DemoReferral("killian.riou", "HV-17", "message", "Éric", "Dumas", "all", 9),
    DemoReferral("loic.guillemot", "HV-08", "email", "Pol", "Riwal", "ends", 1),
    DemoReferral("hugo.bonnefond", "HV-02", "linkedin", "Sacha", "Moulin", "ends", 5, also_by="quentin.jallifier"),
    DemoReferral("patrick.nzinga", "HV-06", "qr", "Élise", "Charvet", "all", 3),
)  # fmt: skip
