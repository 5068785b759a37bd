"""The audience of stories through the API, and roles that were given for segments."""

from __future__ import annotations

import re
import uuid

import pytest

from app.people import audiences
from app.people import service as people
from app.people.segments_reach import give_role
from tests.conftest import Caller, House
from tests.people.test_segment_rules import rule, said
from tests.people.test_segments import made

BODY = {"title": "Secret de Brest", "body": "Ici.", "url": "https://halvenne.example/a"}


@pytest.fixture
def brest(house: House) -> uuid.UUID:
    return made(rule(said("site", "is", "Brest")), name="Brest")


@pytest.fixture
def ines(house: House) -> Caller:
    return house.caller(house.person("Inès Tavarès", "curator"))


@pytest.fixture
def yann(house: House, brest: uuid.UUID) -> Caller:
    """A curator of Brest alone, who works elsewhere."""
    person = house.person("Yann Prigent", site="Rennes")
    give_role(person.id, "curator", brest, actor_id=None)
    return house.caller(person)


def published(caller: Caller, **fields: object) -> str:
    made_ = caller.post("/stories", BODY | fields)
    caller.post(f"/stories/{made_['id']}/publication")
    return str(made_["id"])


def masked(text: str, *ids: object) -> str:
    for each in ids:
        text = text.replace(str(each), "ID")
    return re.sub(r'"request_id":\s*"[^"]+"', "", text)


def ids(caller: Caller, query: str = "") -> set[str]:
    return {one["id"] for one in caller.get(f"/stories{query}")["items"]}


def test_a_member_outside_meets_it_nowhere(house: House, ines: Caller, brest: uuid.UUID) -> None:
    story = published(ines, audience=[str(brest)])
    everybody = published(ines)
    inside = house.caller(house.person("Anne Brestoise", site="Brest"))
    outside = house.caller(house.person("Théo Lorientais", site="Lorient"))
    assert ids(inside) == {story, everybody}
    assert ids(outside) == ids(outside, "?q=secret") == {everybody}
    assert "audience" not in inside.get(f"/stories/{story}")
    unknown = str(uuid.uuid4())
    wish = {"network": "x", "text": "Chapeau."}
    for method, path, body in (
        ("GET", "/stories/{}", None),
        ("POST", "/shares", wish),
    ):
        told = [
            outside.call(method, path.format(key), json=body and body | {"story_id": key})
            for key in (story, unknown)
        ]
        texts = {masked(answer.get_data(as_text=True), story, unknown) for answer in told}
        assert len(texts) == 1, texts
        assert told[0].status_code == told[1].status_code
    assert outside.call("GET", f"/stories/{story}").status_code == 404
    ines.call("DELETE", f"/stories/{story}/publication")
    assert inside.call("GET", f"/stories/{story}").status_code == 410
    assert outside.call("GET", f"/stories/{story}").status_code == 404


def test_staff_are_told_whom_it_is_for(ines: Caller, brest: uuid.UUID) -> None:
    story = ines.post("/stories", BODY | {"audience": [str(brest)]})
    assert story["audience"] == [str(brest)]
    assert ines.get(f"/stories/{story['id']}")["audience"] == [str(brest)]
    assert [one["audience"] for one in ines.get("/stories")["items"]] == [[str(brest)]]
    assert ines.post("/stories", BODY)["audience"] == []


@pytest.mark.parametrize("audience", [["x"], [str(uuid.UUID(int=5))], "x", [1], None])
def test_it_refuses_what_is_no_list_of_segments(ines: Caller, audience: object) -> None:
    answer = ines.call("POST", "/stories", json=BODY | {"audience": audience})
    assert answer.status_code == 422
    assert "audience" in answer.get_data(as_text=True)


def test_a_limited_role_writes_for_its_segments_and_reaches_no_further(
    ines: Caller, yann: Caller, brest: uuid.UUID
) -> None:
    hers = yann.post("/stories", BODY)
    assert hers["audience"] == [str(brest)]
    assert audiences.ids_of(uuid.UUID(hers["id"]), audiences.KEPT) == {brest}
    assert yann.post(f"/stories/{hers['id']}/publication")["status"] == "published"
    other = made(None, name="Siège")
    assert yann.call("POST", "/stories", json=BODY | {"audience": [str(other)]}).status_code == 422
    public = published(ines)
    draft = str(ines.post("/stories", BODY | {"audience": [str(brest)]})["id"])
    assert ids(yann) == {hers["id"], public}
    assert "audience" not in yann.get(f"/stories/{public}")  # read as anybody of the house
    unknown = str(uuid.uuid4())
    for method, act in (
        ("POST", "/publication"), ("DELETE", "/publication"), ("POST", "/picture"), ("GET", ""),
    ):  # fmt: skip
        for target in (draft, *((public,) if act else ())):
            told = [yann.call(method, f"/stories/{key}{act}") for key in (target, unknown)]
            assert told[0].status_code == told[1].status_code, (method, act)
            texts = {masked(a.get_data(as_text=True), target, unknown) for a in told}
            assert len(texts) == 1
    assert ines.get(f"/stories/{draft}")["status"] == "draft"
    assert ines.get(f"/stories/{public}")["status"] == "published"


def test_a_role_for_a_segment_gives_its_token_the_scope(house: House, brest: uuid.UUID) -> None:
    person = house.person("Yann Prigent", joined=False)
    give_role(person.id, "contributor", brest, actor_id=None)
    assert "stories:write" in people.allowed_scopes(person.roles)


def test_the_document_of_the_api_says_so(house: House) -> None:
    schemas = house.app.test_client().get("/api/v1/openapi.json").json["components"]["schemas"]
    for name in ("StoryIn", "StoryOut"):
        assert schemas[name]["properties"]["audience"]["type"] == "array"
