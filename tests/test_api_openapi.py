"""The OpenAPI document: valid by the standard's schema, complete, and true of what the desk answers."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route

from desk.api import OPERATIONS
from desk.api_words import NO_SUCH
from desk.app import create_app
from desk.duty import NotSwapped
from desk.openapi import document, operation_id
from desk.problem_words import CHINESE
from model.period import No
from model.protocol import PREFIX
from model.service.words import Refusal
from model.ticket_protocol import SAYABLE
from model.walktest import WalkNo
from tests.api_doc import PAGE, page
from tests.api_world import ApiWorld, an_api
from tests.test_api_acts import TAKEN

STANDARD = json.loads((Path(__file__).parent / "golden" / "openapi-3.1-schema.json").read_text(encoding="utf-8"))
DOCUMENT: dict[str, Any] = json.loads(json.dumps(document(OPERATIONS)))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ApiWorld]:
    async with an_api(tmp_path) as made:
        yield made


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref":
                yield value
            elif name == "mapping":
                yield from value.values()
            else:
                yield from references(value)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def parts(part: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document."""
    if isinstance(part, dict):
        yield part
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from parts(each)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """One of the document's schemas with the components that it refers to."""
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def check(answer: Any, path: str, method: str = "get") -> None:
    """An answer is what the document says of it."""
    responses = DOCUMENT["paths"][path][method]["responses"]
    schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
    validator(schema).validate(answer.json())


def test_the_document_is_openapi_3_1() -> None:
    Draft202012Validator(STANDARD).validate(DOCUMENT)


def test_a_document_with_a_mistake_is_none() -> None:
    broken = json.loads(json.dumps(DOCUMENT))
    del broken["paths"][f"{PREFIX}/tickets"]["post"]["requestBody"]["content"]
    assert not Draft202012Validator(STANDARD).is_valid(broken)


def test_every_schema_is_one_and_every_reference_leads_somewhere() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    assert {each.removeprefix("#/components/schemas/") for each in references(DOCUMENT)} <= schemas.keys()


async def test_every_route_of_the_api_is_in_the_document_and_nothing_else(world: ApiWorld) -> None:
    app = create_app(world.desk)
    routes = {
        (method.lower(), route.path.replace(":ticket}", "}"))
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith(PREFIX) and not route.path.endswith("openapi.json")
        for method in set(route.methods or ()) - {"HEAD"}
    }
    told = {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert told == routes


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation_id(each) for each in OPERATIONS]
    assert len(set(names)) == len(names)


def test_every_part_of_an_address_is_a_parameter_and_each_parameter_is_there_once() -> None:
    operations = [(path, each) for path, methods in DOCUMENT["paths"].items() for each in methods.values()]
    for path, operation in operations:
        parameters = [(each["in"], each["name"]) for each in operation.get("parameters", [])]
        assert len(set(parameters)) == len(parameters), path
        assert {name for where, name in parameters if where == "path"} == set(re.findall(r"{(\w+)}", path))
    assert any("{" in path for path, _ in operations)


def test_what_is_taken_when_nothing_is_said_is_what_may_be_said() -> None:
    given = [schema for schema in parts(DOCUMENT) if "default" in schema]
    assert given
    for schema in given:
        validator(schema).validate(schema["default"])


async def test_the_desk_gives_the_document(world: ApiWorld) -> None:
    assert (await world.client.get(f"{PREFIX}/openapi.json")).json() == DOCUMENT


def test_the_page_is_made_from_the_document() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.api_doc"


def test_an_act_of_the_document_takes_what_the_desk_takes() -> None:
    schema = validator({"$ref": "#/components/schemas/Say"})
    for what, fields, *_ in TAKEN:
        schema.validate({"by": "Li", "act": {"what": what, **fields}})
    for wrong in ({"what": "closed", "outcomes": []}, {"what": "fired"}, {"what": "reached", "milestone": "nowhere"},
                  {"what": "level", "level": "one", "reason": "x"}):  # fmt: skip
        assert not schema.is_valid({"by": "Li", "act": wrong}), wrong
    assert len(SAYABLE) == len(DOCUMENT["components"]["schemas"]["SaidAct"]["anyOf"])


def test_every_error_that_an_operation_may_answer_has_a_sentence_in_chinese() -> None:
    # nobody reads these: an agent's log is in English
    agents = {"unknown_token", "conflict", "epoch", "certificate", "csr", "token"}
    told = {*map(str, Refusal), *map(str, NotSwapped), *map(str, No), *map(str, WalkNo), *NO_SUCH, *CHINESE, "refusals"}
    words = {word for each in OPERATIONS for _, words in each.refuses for word in words.split(", ")}
    assert words - told == agents


async def test_an_error_is_told_in_the_readers_language(world: ApiWorld) -> None:
    for lang, sentence in (("en", "There is no ticket 99."), ("zh", "没有这张工单，请查看工单列表。")):
        answer = await world.client.get(f"{PREFIX}/tickets/99", headers={"Accept-Language": lang})
        assert answer.json()["message"] == sentence
    wrong = await world.say(await world.opened(), "reached", lang="zh", milestone="depart", sayd=1)
    assert wrong.json()["message"].startswith("请求无法识别：reached has no field 'sayd'")


async def test_what_the_desk_answers_is_what_the_document_says(world: ApiWorld) -> None:
    number = await world.opened()
    world.clock.on(5 * 3600)
    tickets, ticket = f"{PREFIX}/tickets", f"{PREFIX}/tickets/{{number}}"
    said: list[tuple[str, dict[str, Any]]] = [
        ("acknowledged", {}),
        ("paused", {"waiting": "supplier", "reason": "x"}),
        ("resumed", {}),
        ("repaired", {"part": "fan"}),
        ("complained", {"id": "c", "event": "complaint", "text": "x"}),
        ("judged", {"id": "c", "proven": True, "reason": "x"}),
        ("excused", {"what_for": "respond/2", "excuse": "power_cut", "accepted_by": "W"}),
        ("workaround", {"reason": "x", "due": "2027-02-01", "accepted_by": "W"}),
        ("asked_for", {"document": "analysis"}),
        ("delivered", {"document": "analysis"}),
        ("customer", {"satisfied": False}),
        ("charged", {"event": "thanks", "note": "x"}),
        ("reached", {"milestone": "depart"}),
        ("level", {"level": 1, "reason": "x"}),
        ("level", {"level": 9, "reason": "x"}),
        ("closed", {}),
    ]
    for what, fields in said:
        check(await world.say(number, what, **fields), f"{ticket}/acts", "post")
    check(await world.client.get(f"{tickets}/{number}"), ticket)
    check(await world.client.get(f"{tickets}/99"), ticket)
    check(await world.client.get(f"{tickets}?state=all"), tickets)
    check(await world.client.get(f"{tickets}?state=some"), tickets)
    check(await world.client.get(f"{tickets}/{number}/entries"), f"{ticket}/entries")
    check(await world.client.get(f"{PREFIX}/contracts"), f"{PREFIX}/contracts")
    check(await world.client.get(f"{PREFIX}/contracts/test/due?level=1"), f"{PREFIX}/contracts/{{name}}/due")
    check(await world.client.get(f"{PREFIX}/calendars/always"), f"{PREFIX}/calendars/{{name}}")
    check(await world.client.get(f"{PREFIX}/clock"), f"{PREFIX}/clock")
