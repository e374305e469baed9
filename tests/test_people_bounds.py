"""What is of another site is on no page, in no table and in no call of who is bound: each route is looked at."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.roles import ACCESS, By, Within
from model.protocol import PREFIX
from tests.desk_world import change
from tests.people_world import People, a_desk_with_people

HIDDEN = "Far hall"  # the other site's name, its device's title, and what people wrote of it
SECRET = "Hidden"


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[People]:
    async with a_desk_with_people(tmp_path, streams=0) as made:
        near, far = await made.world.agent("S1"), await made.world.agent("S2", name=HIDDEN, region="east")
        await near.send(change(site="S1"))
        await far.send(change(site="S2", device="other", episode="e2", title=f"{SECRET} fire"))
        await far.send(change(site="S2", device="third", episode="e3", title=f"{SECRET} flood"))
        token = await made.token("administrator")
        for path, body in (
            ("tickets/1/acts", {"act": {"what": "linked", "number": 2, "reason": "same night", "tie": "related"}}),
            ("tickets/2/acts", {"act": {"what": "merged", "number": 3, "reason": f"{SECRET} reason"}}),
            ("sites/S2/walktests", {"end": "2h", "purpose": f"{SECRET} purpose"}),
            ("windows", {"where": "site:S2", "work": f"{SECRET} work", "end": "2h"}),
        ):
            answer = await made.client.post(f"{PREFIX}/{path}", json={"by": "x", **body}, headers=token)
            assert answer.is_success, (path, answer.text)
        yield made


def addresses(route: str) -> list[str]:
    """What a route is asked for: with what is theirs, and with what is not."""
    path = route.removeprefix("GET ").replace("{site}", "S1").replace("{code}", "none").replace("{episode}", "e1")
    path = path.replace("{name}", "practice")
    return [path.replace("{number:ticket}", str(n)) for n in (1, 2, 3)] if "{number" in path else [path]


async def test_no_page_and_no_call_tells_who_is_bound_of_another_site(people: People) -> None:
    browser = await people.browser("Bound", "engineer", sites=["S1"])
    whole = await people.browser("Whole", "engineer")
    token, all_ = await people.token("engineer", sites=["S1"]), await people.token("engineer")
    told: set[str] = set()
    routes = [route for route, access in ACCESS.items() if route.startswith("GET ") and access.by is By.PEOPLE]
    for route in routes:
        if ACCESS[route].within is Within.WHOLE or "/live" in route or "users" in route or "tokens" in route:
            continue
        for path in addresses(route):
            for query in ("", "?site=S2", "?device=other&point=x", "?show=record", "?state=all", "?region=east"):
                call = path.startswith(PREFIX)
                answer = await (people.client.get(path + query, headers=token) if call else browser.get(path + query))
                assert answer.status_code < 500 or answer.status_code == 503, (path, answer.text)
                assert not re.search(f"{HIDDEN}|{SECRET}", answer.text), path + query
                seen = await (people.client.get(path + query, headers=all_) if call else whole.get(path + query))
                if HIDDEN in seen.text or SECRET in seen.text:
                    told.add(route)
    assert {"GET /", "GET /tickets", "GET /sites", f"GET {PREFIX}/tickets", "GET /tickets/new"} <= told
