"""Each role tried against each page and call of the desk: by the table, and by the table as people mean it."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from desk.gate import guarded
from desk.roles import ACCESS, By, Role, Within
from model.protocol import PREFIX
from tests.desk_world import a_desk, change
from tests.people_world import BOUND, FIRST, ROLES, Browser, People, a_desk_with_people

NOBODY = "nobody"
# What people mean, apart from the table: the least role of each route that tells or changes something.
MEANT = {
    "viewer": (
        "GET /, GET /live, GET /tickets, GET /tickets/{number:ticket}, GET /sites, GET /sites/{site}, GET /incidents,"
        " GET /tickets.csv, GET /incidents.csv, GET /alarms, GET /alarms.csv, GET /sites/{site}/alarms/{episode},"
        " GET /contracts, GET /contracts/{name},"
        " GET /sites/{site}/trend, GET /incidents/{number:ticket}, GET /alarms/measure, GET /roster, GET /periods,"
        " GET /guards/{number:ticket}, GET /guards/{number:ticket}/report.csv, GET /metrics, GET /account,"
        " POST /account, POST /logout, GET /api/v1/openapi.json, GET /api/v1/tickets, GET /api/v1/contracts,"
        " GET /api/v1/tickets/{number:ticket}, GET /api/v1/tickets/{number:ticket}/entries, GET /api/v1/clock,"
        " GET /api/v1/contracts/{name}, GET /api/v1/contracts/{name}/due, GET /api/v1/calendars/{name},"
        " GET /api/v1/sites/{site}/listed, GET /api/v1/incidents, GET /api/v1/incidents/{number:ticket},"
        " GET /api/v1/alarms/measure, GET /api/v1/windows, GET /api/v1/windows/{number:ticket}, GET /api/v1/guards,"
        " GET /api/v1/guards/{number:ticket}, GET /api/v1/guards/{number:ticket}/report, GET /api/v1/roster"
    ),
    "operator": (
        "POST /sites/{site}/alarms/{episode}, GET /tickets/new, POST /tickets/new,"
        " POST /tickets/{number:ticket}, POST /tickets/{number:ticket}/acknowledge,"
        " POST /roster, POST /api/v1/tickets, POST /api/v1/tickets/{number:ticket}/acts, POST /api/v1/roster/swaps,"
        " POST /api/v1/tickets/{number:ticket}/acknowledge, POST /api/v1/roster/swaps/{number:ticket}/withdraw"
    ),
    "engineer": (
        "GET /system, POST /periods, POST /guards/{number:ticket}, POST /api/v1/sites/{site}/listed,"
        " POST /api/v1/windows, POST /api/v1/windows/{number:ticket}/extend, POST /api/v1/windows/{number:ticket}/end"
    ),
    "manager": (
        "POST /incidents/rule, POST /api/v1/incidents/rule, POST /api/v1/windows/{number:ticket}/approve,"
        " POST /api/v1/guards, POST /api/v1/guards/{number:ticket}/roster, POST /api/v1/guards/{number:ticket}/end"
    ),
    "administrator": (
        "GET /users, POST /users, GET /api/v1/users, POST /api/v1/users, POST /api/v1/users/{name}/link,"
        " POST /api/v1/users/{name}/change, POST /api/v1/users/{name}/sign-out, GET /api/v1/tokens,"
        " POST /api/v1/tokens, POST /api/v1/tokens/{number:ticket}/revoke"
    ),
}
EVERYBODY = {
    f"{method} {path}" for method in ("GET", "POST") for path in ("/login", "/welcome/{code}", "/who")
} | {"GET /healthz"}  # fmt: skip
# What somebody bound to one site may ask for besides: of the rest either it tells of no site, or they are refused.
OF_OWN_SITES = {route for route, access in ACCESS.items() if access.within is not Within.WHOLE}
REFUSALS = {"role", "not_yours", "sign_in", "local", "no_people", "no_entry"}


def routes() -> list[str]:
    from desk import api, intake, pages

    found = [*intake.ROUTES, *api.ROUTES, *pages.ROUTES]
    return [f"{m} {each.path}" for each in found if isinstance(each, Route) for m in sorted(each.methods - {"HEAD"})]


def address(route: str, number: int = 1) -> tuple[str, str]:
    method, path = route.split(" ", 1)
    path = path.replace("{number:ticket}", str(number)).replace("{site}", "S1").replace("{code}", "none")
    path = path.replace("{episode}", "e1")
    return method, path.replace("{name}", "practice" if "contracts" in path or "calendars" in path else "Nobody")


@pytest.fixture
async def people(tmp_path: Path):  # type: ignore[no-untyped-def]
    async with a_desk_with_people(tmp_path, streams=0) as made:  # a page that follows the news would never end
        agent = await made.world.agent("S1")
        await agent.send(change(site="S1"))
        await made.world.agent("S2")
        yield made


async def refused(people: People, browser: Browser, token: dict[str, str], route: str) -> bool:
    """Whether the gate refuses a route: pages by a session and its form, calls by a token."""
    method, path = address(route)
    if path.startswith((PREFIX, "/metrics")):
        body = {} if method == "GET" else {"json": {}}
        answer = await people.client.request(method, path, headers=token, **body)
    elif method == "GET":
        answer = await browser.get(path)
    else:
        csrf = re.findall(r'csrf" value="([0-9a-f]{64})"', (await browser.get("/account")).text) or ["none"]
        answer = await browser.client.post(path, data={"csrf": csrf[0]})
    assert answer.status_code < 500 or path == "/live", (route, answer.text)
    if answer.is_redirect and answer.headers["location"].startswith("/login"):
        return route != "POST /logout" or not token  # who signs out is sent there too
    if answer.status_code in {401, 403} and not path.startswith((PREFIX, "/metrics")):
        return True
    return answer.status_code in {401, 403} and answer.json()["error"] in REFUSALS


@pytest.mark.parametrize("role", [NOBODY, *ROLES])
async def test_each_role_may_ask_for_what_is_meant_for_it_and_for_nothing_more(people: People, role: str) -> None:
    browser = await people.browser(*(() if role == NOBODY else (f"One {role}", role)))
    token = {} if role == NOBODY else await people.token(role)
    rank = -1 if role == NOBODY else ROLES.index(role)
    meant = [(least, route) for least, listed in MEANT.items() for route in listed.split(", ")]
    for least, route in sorted(meant, key=lambda each: each[1] == "POST /logout"):
        assert await refused(people, browser, token, route) == (rank < ROLES.index(least)), (route, least)


async def test_who_is_bound_to_a_site_is_refused_what_tells_of_all(people: People) -> None:
    browser = await people.browser("Bound", "administrator", sites=["S1"])
    token = await people.token("administrator", sites=["S1"])
    meant = [route for listed in MEANT.values() for route in listed.split(", ") if route != "POST /logout"]
    for route in meant:
        expected = route not in OF_OWN_SITES
        assert await refused(people, browser, token, route) == expected, route
    assert {"GET /system", "GET /metrics", "GET /users", "GET /api/v1/windows"} <= set(meant) - OF_OWN_SITES


def test_every_route_stands_in_the_table_and_the_table_has_no_other() -> None:
    assert set(routes()) <= set(ACCESS)


def test_the_table_is_as_people_mean_it() -> None:
    for least, listed in MEANT.items():
        for route in listed.split(", "):
            assert ACCESS[route].least.word == least, route
            assert ACCESS[route].by is By.PEOPLE, route
    known = {route for listed in MEANT.values() for route in listed.split(", ")} | EVERYBODY
    assert {route for route, access in ACCESS.items() if access.by is By.EVERYBODY} == EVERYBODY
    others = {route for route, access in ACCESS.items() if access.by is By.PEOPLE} - known
    assert all("POST" not in route or ACCESS[route].least >= Role.OPERATOR for route in others), others


async def test_agents_and_this_machines_commands_are_apart_from_people(people: People) -> None:
    token = await people.token("administrator")
    for route, access in ACCESS.items():
        if access.by is By.MACHINE:
            method, path = address(route)
            answer = await people.client.request(method, path, json={}, headers=token)
            assert (answer.status_code, answer.json()["error"]) == (401, "local"), route
    agent = await people.world.agent("S1")
    assert (await people.client.get("/api/v1/tickets", headers=agent.headers)).status_code == 401
    assert (await people.client.post("/api/v1/heartbeat", json={}, headers=token)).status_code == 401


async def test_a_route_without_a_line_is_refused(tmp_path: Path) -> None:
    async def secret(_: Request) -> Response:
        return Response("nobody may read this")

    async with a_desk(tmp_path) as world:
        behind = guarded([Route("/not/in/the/table", secret, methods=["GET"])])
        world.client._transport.app.router.routes.insert(0, *behind)  # type: ignore[attr-defined]
        answer = await world.client.get("/not/in/the/table")
        assert answer.status_code == 403
        assert "desk/roles.py" in answer.text
        assert "nobody may read" not in answer.text
    with pytest.raises(TypeError):
        guarded([Mount("/elsewhere", app=Starlette())])


async def test_some_words_of_a_ticket_need_more_than_its_page(people: People) -> None:
    operator = await people.browser("Op", "operator")
    manager = await people.browser("Ma", "manager")
    for browser, status in ((operator, 403), (manager, 409)):
        answer = await browser.post("/tickets/1", "/tickets/1", act="excused", offer="x", what_for="accept/2")
        assert answer.status_code == status, answer.text
    said = {"by": "x", "act": {"what": "level", "level": 1, "reason": "why"}}
    for role, status in (("operator", 403), ("engineer", 200)):
        answer = await people.client.post("/api/v1/tickets/1/acts", json=said, headers=await people.token(role))
        assert answer.status_code == status, answer.text
    window = {"form": "approve 1", "by": "x", "reason": "y"}
    engineer = await people.browser("En", "engineer")
    assert (await engineer.post("/periods", "/periods", **window)).status_code == 403


async def test_who_is_bound_sees_of_lists_and_counts_only_what_is_theirs(people: People) -> None:
    agent = await people.world.agent("S2", name="Far hall")
    await agent.send(change(site="S2", device="other", episode="e2", title="Fire far away"))
    browser = await people.browser(BOUND, "operator", sites=["S1"])
    whole = await people.browser("All", "operator")
    for path in ("/", "/tickets", "/sites", "/tickets/new", "/tickets/1", "/sites/S1"):
        text = (await browser.get(path)).text
        assert "Fire far away" not in text, path
        assert "Far hall" not in text, path
    assert "Fire far away" in (await whole.get("/")).text
    assert '<b class="hot">1</b>' in (await browser.get("/")).text
    assert '<b class="hot">2</b>' in (await whole.get("/")).text
    for path in ("/tickets/2", "/sites/S2", "/sites/S2/trend?device=other&point=x"):
        assert (await browser.get(path)).status_code == 404, path
    assert (await browser.post("/tickets/2/acknowledge", "/", back="board")).status_code == 404
    assert (await browser.post("/tickets/1", "/", act="merged", number="2", reason="x", offer="m")).status_code == 404
    answer = await browser.post("/tickets/new", "/", site="S2", fault="door.open", level="0", side="service")
    assert answer.status_code == 404
    token = await people.token("operator", regions=["east"])
    assert len((await people.client.get("/api/v1/tickets", headers=token)).json()["tickets"]) == 2
    token = await people.token("operator", sites=["S2"])
    assert [each["site"] for each in (await people.client.get("/api/v1/tickets", headers=token)).json()["tickets"]] == [
        "S2"
    ]
    assert (await people.client.get("/api/v1/tickets/1", headers=token)).status_code == 404
    tie = {"by": "x", "act": {"what": "merged", "number": 1, "reason": "x"}}
    assert (await people.client.post("/api/v1/tickets/2/acts", json=tie, headers=token)).status_code == 404
    assert {row["acknowledged_by"] for row in await people.world.tickets()} == {""}


async def test_the_first_is_an_administrator_and_the_last_one_stays(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        people = People(world)
        before = await world.client.get("/")
        assert "roundsman desk user add" in before.text
        answer = await world.client.post("/api/v1/users", json={"name": FIRST, "role": "administrator"})
        assert (answer.status_code, answer.json()["error"]) == (403, "no_people")
        assert (await people.command("POST", "users", name="Op", role="operator")).json()["error"] == "first"
        browser = await people.browser(FIRST, "administrator")
        after = await world.client.get("/")
        assert (after.status_code, after.headers["location"]) == (303, "/login")
        await people.add("Second", "administrator", sites=[])
        for form in ({"form": "disable", "name": "Second"}, {"form": "enable", "name": "Second"}):
            assert (await browser.post("/users", "/users", **form)).status_code == 303
        await browser.post("/users", "/users", form="disable", name="Second")
        kept = await browser.post("/users", "/users", form="disable", name=FIRST)
        assert kept.status_code == 409
        assert "last administrator" in kept.text
        kept = await browser.post("/users", "/users", form="change", name=FIRST, role="viewer", regions="", sites="")
        assert kept.status_code == 409
