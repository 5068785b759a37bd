"""What points buy at Halvenne, and who bought what. Times are days before today."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoReward:
    """One reward of the shelf; `en` is its title and description in English, `stock` None for as
    many as asked for."""

    title: str
    description: str
    en: tuple[str, str]
    cost: int
    stock: int | None
    pay_class: str
    deliverer: str


@dataclass(frozen=True, slots=True)
class DemoRedemption:
    """Somebody buys; it is handed over, or called off, so many days before today."""

    by: str
    title: str
    days_ago: int
    delivered: int | None = None
    cancelled: int | None = None


BOOK, SEATS, KNIFE = (
    "Un livre au choix",
    "Deux places de concert",
    "Couteau de charpentier, forgé à Thiers",
)
DAY, LUNCH, TREES = (
    "Une journée solidaire",
    "Déjeuner avec l’atelier de Limoges",
    "Dix plants de douglas",
)

REWARDS = (
    DemoReward(LUNCH, "Train compris. On mange entre les établis, et on voit la machine tourner.",
               ("Lunch with the Limoges workshop", "Train fare included. You eat between the workbenches and watch the machine run."),
               300, 3, "time or symbolic", "theo"),
    DemoReward(DAY, "Sur votre temps de travail, avec l’association de votre choix.",
               ("A day for a good cause", "In working hours, with the charity of your choice."),
               250, None, "time or symbolic", "pauline"),
    DemoReward(KNIFE, "Manche en noyer, à votre nom.",
               ("Carpenter’s knife, forged in Thiers", "Walnut handle, with your name on it."),
               420, 2, "gift in kind", "marc"),
    DemoReward(BOOK, "À retirer à l’accueil de Lorient.",
               ("A book of your choice", "Yours to pick up at reception in Lorient."),
               80, 20, "gift in kind", "marc"),
    DemoReward(TREES, "Plantés en mars, en Haute-Vienne, avec qui veut tenir la bêche.",
               ("Ten Douglas fir saplings", "Planted in March, in the Haute-Vienne, with anybody who wants to hold the spade."),
               60, None, "employer donation", "pauline"),
    DemoReward(SEATS, "Dans une salle que nous avons bâtie, à Grenoble ou à Lorient.",
               ("Two concert tickets", "In a hall that we built, in Grenoble or in Lorient."),
               180, 6, "gift in kind", "pauline"),
    DemoReward("Un bon pour la librairie du quartier", "Vingt euros, valable un an.",
               ("A voucher for the bookshop round the corner", "Twenty euros, good for a year."),
               120, 12, "voucher", "marc"),
)  # fmt: skip
VOUCHER = REWARDS[-1].title

REDEMPTIONS = (
    DemoRedemption("yann.lescop", BOOK, 96, delivered=90),
    DemoRedemption("lea.faugeras", BOOK, 82, delivered=78),
    DemoRedemption("aminata", BOOK, 40, delivered=33),
    DemoRedemption("yann.lescop", SEATS, 66, delivered=58),
    DemoRedemption("theo", TREES, 50, delivered=44),
    DemoRedemption("mehdi.benaissa", VOUCHER, 47, delivered=41),
    DemoRedemption("lea.faugeras", SEATS, 37, cancelled=36),
    DemoRedemption("aminata", SEATS, 30, delivered=24),
    DemoRedemption("solenn.tanguy", TREES, 21, delivered=18),
    DemoRedemption("mehdi.benaissa", BOOK, 15, delivered=11),
    DemoRedemption("lea.faugeras", DAY, 8, delivered=5),
    DemoRedemption("rachid.mansouri", TREES, 7, cancelled=6),
    DemoRedemption("maelle", BOOK, 3),
    DemoRedemption("solenn.tanguy", VOUCHER, 2),
    DemoRedemption("aminata", LUNCH, 1),
)  # fmt: skip
