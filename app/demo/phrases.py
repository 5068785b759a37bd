"""What people of the demo add in their own words; any of it fits any story."""

from __future__ import annotations

OWN_WORDS = {
    "fr": (
        "J’y étais presque, et je le raconte quand même : voilà pourquoi je reste dans ce métier.",
        "On me demande souvent à quoi ressemblent mes journées. Un peu à ça.",
        "Les collègues ne se vantent jamais, alors je m’en charge, pour une fois.",
        "À lire avec un café, cinq minutes, et sans lever les yeux au ciel.",
        "Mon fils a dit « c’est beau ». Il a onze ans et il a raison.",
        "Je n’ai rien inventé : c’est exactement comme ça que ça s’est passé.",
        "Pour celles et ceux qui croient que le bois, c’est du passé. Venez voir.",
        "Ce genre de semaine où l’on rentre fatigué et content.",
        "Il y a des jours où l’on est fier de ses voisins d’atelier.",
        "Je garde ça sous le coude pour la prochaine fois qu’on me parle de béton.",
        "Ma réserve : on pourrait faire mieux sur les délais. Le reste, je signe.",
        "Merci à l’équipe, elle sait pourquoi.",
        "Si quelqu’un autour de vous cherche un métier qui se voit le soir, écrivez-moi.",
        "On apprend encore, tous les jours, et c’est bien ça qui tient.",
    ),
    "en": (
        "I was there, more or less, and this is why I stay in this trade.",
        "People ask what my days look like. A little like this.",
        "My colleagues never boast, so for once I do it for them.",
        "Nothing invented here: it went exactly this way.",
        "One of those weeks that leave you tired and glad.",
        "If somebody near you wants work that can be seen in the evening, write to me.",
        "My doubt: we could be quicker. The rest I sign.",
    ),
}
