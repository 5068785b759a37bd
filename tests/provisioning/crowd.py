"""A list of people as an HR tool of a large organisation writes it, from a seed."""

from __future__ import annotations

import random
from pathlib import Path

_FIRST = ("Maëlle", "Théo", "Inès", "Sofiane", "Zoé", "Loïc", "Agnès", "Noémie", "Karim", "Gaël")
_LAST = ("Kerjan", "Rossignac", "Duval", "Belkhir", "Le Goff", "Nguyễn", "D’Angelo", "Šimek", "Roy")
_HEAD = (
    "Matricule;Nom;Prénom;Courriel professionnel;Société;Établissement;Service;Poste;"
    "Responsable (matricule);Type de contrat;Date d'entrée;Date de sortie;Langue;Date de naissance"
)


def write_file(file: Path, people: int, seed: int, *, entity: str = "") -> None:
    """`people` lines with a mark, semicolons and Windows line ends."""
    dice = random.Random(seed)
    with file.open("w", encoding="utf-8-sig", newline="\r\n") as out:
        out.write(_HEAD + "\n")
        for n in range(people):
            out.write(";".join(_line(dice, n, entity)) + "\n")


def _line(dice: random.Random, n: int, entity: str) -> list[str]:
    first, last = dice.choice(_FIRST), dice.choice(_LAST)
    return [
        f"{n:06}", last.upper(), first, f"person{n}@halvenne.example", entity,
        f"Site {dice.randrange(60)}", f"Service {dice.randrange(300)}",
        f"Poste {dice.randrange(800)}", f"{n // 12:06}" if n else "", dice.choice(("CDI", "CDD")),
        f"{dice.randrange(1, 29):02}/{dice.randrange(1, 13):02}/{dice.randrange(1990, 2025)}",
        "31/12/9999", dice.choice(("Français", "Anglais")), "01/01/1980",
    ]  # fmt: skip
