"""The consent page of the stand-in, and the page for requests it cannot show (section 2.2)."""

from __future__ import annotations

from urllib.parse import urlsplit

from standin.linkedin import members, pages
from standin.linkedin.wire import Answer, Request
from standin.linkedin.words import words_for
from standin.linkedin.world import World

_HIDDEN = ("response_type", "client_id", "redirect_uri", "scope", "state")


def show(
    world: World, request: Request, app: str, redirect_uri: str, scope: str, signed_in: str
) -> Answer:
    """Who asks for what; the member chooses who to be, then Allow or Cancel."""
    people = members.choosable(world)
    chosen = signed_in if members.find(world, signed_in) else str(people[0]["sub"])
    where = urlsplit(redirect_uri)
    return pages.render(
        request,
        "consent.html",
        also_to=f"{where.scheme}://{where.netloc}",
        app=app,
        host=where.netloc,
        permissions=_permissions(request, scope),
        people=people,
        chosen=chosen,
        hidden={name: request.query[name] for name in _HIDDEN if name in request.query},
    )


def refuse(request: Request, sentence: str) -> Answer:
    """401 on a page of its own: such a request must not lead anywhere."""
    return pages.render(request, "refused.html", status=401, sentence=sentence)


def _permissions(request: Request, scope: str) -> list[str]:
    words = words_for(request)
    return [words.get(f"scope_{name}", name) for name in scope.split()]
