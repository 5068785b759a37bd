"""The stories of Halvenne: what its people build, learn and get wrong. All of it invented."""

from __future__ import annotations

from app.demo.more_stories_a import RECENT_STORIES
from app.demo.more_stories_b import EARLIER_STORIES
from app.demo.story import DemoStory, DemoText

__all__ = ["STORIES", "DemoStory", "DemoText"]

_FIRST = (
    DemoStory(
        "trois-ponts", "story", ("Chantiers", "Atelier"), 6,
        DemoText(
            "À Limoges, trente-huit mètres de portée et pas un boulon",
            "Le gymnase des Trois-Ponts tient par ses seuls assemblages. Récit d’une semaine où tout s’est joué au millimètre.",
            "Lundi, six heures et demie. Les quatorze portiques attendent sous la bruine, couchés comme des arêtes. Yann Lescop fait le tour une dernière fois, la main à plat sur le bois. « Le boulon, c’est une assurance. Ici, l’assurance, c’est le trait. »\n\nTout a été taillé à l’atelier, entre septembre et octobre, dans du douglas de Haute-Vienne. Chaque pièce porte un numéro au crayon rouge. La plus longue mesure 19 mètres ; l’écart admis, 2 millimètres.\n\nVendredi, le dernier faîtage est descendu à sa place sans un coup de masse. Il y a eu un silence, puis quelqu’un a ri.",
            "La halle vue de l’intérieur : une enfilade de portiques en bois, un soleil au fond et trois personnes de passage.",
            (("short", "Trente-huit mètres, aucun boulon : tout tient parce que quelqu’un, à l’atelier, a tracé juste."),
             ("question", "À votre avis, combien de boulons dans un gymnase de trente-huit mètres ? Réponse : aucun."),
             ("first-person", "J’ai vu ces portiques couchés dans la boue le lundi, debout le vendredi. Chapeau à l’équipe de Limoges.")),
        ),
        DemoText(
            "In Limoges, a span of thirty-eight metres and not one bolt",
            "The Trois-Ponts sports hall stands by its joints alone. The story of a week in which every millimetre counted.",
            "Monday, half past six. Fourteen frames wait in the drizzle, lying like fishbones. Yann Lescop walks around them one last time, his hand flat on the wood. “A bolt is an insurance. Here the insurance is the drawing.”\n\nEverything was cut in the workshop between September and October, from Douglas fir of the Haute-Vienne. Each piece carries a number in red pencil. The longest measures 19 metres; the tolerance is 2 millimetres.\n\nOn Friday the last ridge came down into its place without one blow of the mallet. There was a silence, then somebody laughed.",
            "The hall from inside: a row of timber frames, a sun at the end and three people passing by.",
            (("short", "Thirty-eight metres, no bolt: it stands because somebody in the workshop drew it right."),
             ("question", "How many bolts in a sports hall of thirty-eight metres? None."),
             ("first-person", "I saw these frames lying in the mud on Monday and standing on Friday. Hats off to Limoges.")),
        ),
        url="https://halvenne.example/recits/trois-ponts", drawing=("hall", 3),
        shared_by=(("aminata", "linkedin-dialog", 7), ("theo", "copy", 4)),
    ),
    DemoStory(
        "trait-de-scie", "testimonial", ("Métiers",), 13,
        DemoText(
            "« On m’a laissé rater ma première pièce »",
            "Léa est arrivée en alternance en janvier. Elle raconte le jour où Théo n’a rien dit.",
            "La pièce était belle, et trop courte de quatre millimètres. Théo l’a vue avant moi, il n’a rien dit. Il m’a laissée la monter.\n\nQuand elle a flotté dans sa mortaise, j’ai compris toute seule. On l’a gardée : elle sert de cale à la porte de l’atelier, avec ma date dessus.",
            "Deux pièces de bois au-dessus d’un établi, taillées pour s’emboîter, un trait de crayon et un ciseau.",
            (("short", "La meilleure leçon de mon année mesure quatre millimètres de trop peu."),
             ("long", "On apprend vite quand personne ne fait le travail à votre place, et que personne ne rit. Léa le raconte mieux que moi.")),
        ),
        DemoText(
            "“They let me get my first piece wrong”",
            "Léa joined as an apprentice in January. She tells of the day when Théo said nothing.",
            "The piece was fine, and four millimetres too short. Théo saw it before I did and said nothing. He let me fit it.\n\nWhen it floated in its mortise I understood by myself. We kept it: it holds the workshop door, with my date on it.",
            "Two pieces of wood above a bench, cut to fit each other, a pencil line and a chisel.",
            (("short", "The best lesson of my year measures four millimetres too little."),),
        ),
        drawing=("bench", 5), shared_by=(("theo", "whatsapp", 6),),
    ),
    DemoStory(
        "neige", "article", ("Chantiers", "Métiers"), 20,
        DemoText(
            "Ce qu’un toit doit savoir de la neige",
            "Deux mètres, trois tonnes, une nuit : l’équipe de Grenoble calcule des toitures qui plient sans rompre.",
            "La neige ne pèse jamais deux fois le même poids. Sèche, elle s’envole ; mouillée, elle pousse. Les toitures de Grenoble sont calculées pour les deux, et pour ce qui glisse entre les deux.\n\nOn y va voir nous-mêmes, chaque hiver, avec une pelle et une balance.",
            "Trois toits enneigés devant une chaîne de montagnes.",
            (("short", "Chaque hiver, nos ingénieurs pèsent la neige à la pelle. Oui, vraiment."),
             ("question", "Combien pèse un mètre cube de neige ? Ça dépend du jour, et tout est là.")),
        ),
        DemoText(
            "What a roof must know about snow",
            "Two metres, three tonnes, one night: the Grenoble team designs roofs that bend and do not break.",
            "Snow never weighs the same twice. Dry, it flies; wet, it pushes. Roofs in Grenoble are designed for both, and for what slides in between.\n\nEvery winter we go and see for ourselves, with a shovel and a pair of scales.",
            "Three snowy roofs before a range of mountains.",
            (("short", "Every winter our engineers weigh snow with a shovel. Really."),
             ("question", "What does a cubic metre of snow weigh? That depends on the day, which is the whole point.")),
        ),
        url="https://halvenne.example/recits/neige", drawing=("mountain", 11),
        shared_by=(("maelle", "linkedin-dialog", 9), ("clemence", "x", 2)),
    ),
    DemoStory(
        "douglas", "infographic", ("Forêt et climat",), 27,
        DemoText(
            "61 kilomètres, de l’arbre au gymnase",
            "Le trajet de notre douglas, en une image.",
            "",
            "La coupe d’un tronc et ses anneaux, l’un d’eux marqué en couleur.",
            (("short", "61 kilomètres entre la forêt et le gymnase. On a compté."),),
        ),
        DemoText(
            "61 kilometres, from the tree to the sports hall",
            "The journey of our Douglas fir, in one picture.",
            "",
            "The end of a trunk with its rings, one of them marked in colour.",
            (("short", "61 kilometres from the forest to the sports hall. We counted."),),
        ),
        drawing=("rings", 8),
    ),
    DemoStory(
        "portes-ouvertes", "event", ("Recrutement",), 4,
        DemoText(
            "Portes ouvertes à l’atelier de Limoges, samedi 12 décembre",
            "De neuf heures à midi, on coupe, on assemble, on répond aux questions. Enfants bienvenus.",
            "Théo sera à la machine, Aminata aux plans, et il y aura du café. Aucune inscription.\n\nSi quelqu’un autour de vous hésite à changer de métier, c’est le bon matin.",
            "Une équipe en rang devant un mur de bois.",
            (("short", "Samedi 12, l’atelier est ouvert. Venez voir comment ça sent."),
             ("first-person", "Je serai là samedi 12 décembre. Posez-moi toutes vos questions.")),
        ),
        DemoText(
            "Open doors at the Limoges workshop, Saturday 12 December",
            "From nine to noon we cut, fit and answer questions. Children are welcome.",
            "Théo will be at the machine, Aminata at the drawings, and there will be coffee. No registration.\n\nIf somebody near you is wondering about a change of trade, this is the morning for it.",
            "A team in a row before a wall of timber.",
            (("short", "The workshop is open on Saturday 12. Come and smell it."),
             ("first-person", "I will be there on Saturday 12 December. Bring all your questions.")),
        ),
        drawing=("people", 2), expires_in_days=20, shared_by=(("pauline", "email", 3),),
    ),
    DemoStory(
        "gamme", "news", ("Produits",), 34,
        DemoText(
            "Panneaux Ter : la façade qui arrive montée",
            "Notre nouvelle gamme de façades préfabriquées, posée en une journée par étage.",
            "Isolant en fibre de bois, menuiseries comprises, contrôlées à l’atelier. Les fiches sont publiques.",
            "Deux pièces de bois prêtes à s’emboîter.",
            (("short", "Une façade par jour et par étage : ce qu’on a mis quatre ans à préparer."),),
        ),
        DemoText(
            "Ter panels: the façade that arrives assembled",
            "Our new range of prefabricated façades, up in one day per storey.",
            "Wood-fibre insulation, windows and doors included, everything checked in the workshop. The data sheets are public.",
            "Two pieces of wood about to fit into each other.",
            (("short", "One storey of façade a day: getting ready for it took us four years."),),
        ),
        url="https://halvenne.example/panneaux-ter", drawing=("bench", 12), is_commercial=True,
    ),
    DemoStory(
        "accident", "news", ("Sécurité",), 48,
        DemoText(
            "Ce que notre presqu’accident de juin a changé",
            "Une élingue a lâché, personne n’a été touché. Voici ce qu’on fait autrement depuis.",
            "On a arrêté trois jours. On a écouté ceux qui étaient sous la charge avant d’écrire une règle. Elle tient en une ligne, et elle est affichée à hauteur d’yeux.",
            "",
            (("short", "On en parle parce que se taire ne protège personne."),),
        ),
        DemoText(
            "What our near miss in June has changed",
            "A sling gave way and nobody was hit. This is what we have done differently since.",
            "We stopped for three days. We listened to those who had been under the load before we wrote a rule. It fits on one line, and it hangs at eye level.",
            "",
            (("short", "We talk about it because silence protects nobody."),),
        ),
    ),
    DemoStory(
        "hall-2027", "article", ("Chantiers",), 1,
        DemoText(
            "Lorient, halle des pêcheurs : le premier croquis",
            "Brouillon en attente de relecture.",
            "Un croquis, trois questions, et une marée à respecter.",
            "",
            (),
        ),
        DemoText(
            "Lorient, the fishermen’s hall: the first sketch",
            "A draft, waiting for a second reader.",
            "One sketch, three questions, and a tide to reckon with.",
            "",
            (),
        ),
        status="draft",
    ),
)  # fmt: skip

STORIES = (*_FIRST, *RECENT_STORIES, *EARLIER_STORIES)
