"""A one-time code makes an agent of a site; the desk's own commands ask the running desk."""

import stat
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from desk.core import Desk
from desk.local import FILE, Local, LocalError, ask, write_local
from desk.settings import DeskSettings, shipped
from desk.store import Site
from model.rule import Meaning
from runtime.writer import StoreError
from tests.desk_world import World, a_desk, change

NO_REGION = "limits that depend on the region, and the site has no region: they would not run"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        made.desk.url, made.desk.secret = "http://127.0.0.1:8700", "known to the state folder"
        yield made


async def redeem(world: World, code: str, agent: str = "") -> httpx.Response:
    body = {"code": code, "agent": agent or str(uuid.uuid4()), "version": "0.1.0"}
    return await world.client.post("/api/v1/enrol", json=body)


async def enrol_site(world: World, secret: str = "known to the state folder", **fields: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {secret}"}
    return await world.client.post(
        "/api/v1/local/enrol", json={"site": "S1", "region": "east"} | fields, headers=headers
    )


async def test_a_code_gives_a_token_for_its_site_and_neither_is_kept_in_clear(world: World) -> None:
    code = await world.code("S1")
    answer = await redeem(world, code)
    body = answer.json()
    assert (body["site"], body["incarnation"]) == ("S1", world.desk.store.incarnation)
    assert len(body["token"]) >= 43
    kept = repr(await world.rows("SELECT * FROM codes, agents, audit")).encode()
    for file in world.desk.settings.state.glob("desk.sqlite*"):
        kept += file.read_bytes()
    assert b"S1" in kept
    assert body["token"].encode() not in kept
    assert code.encode() not in kept


async def test_a_code_is_for_one_agent(world: World) -> None:
    code = await world.code("S1")
    assert (await redeem(world, code)).status_code == 200
    answer = await redeem(world, code)
    assert (answer.status_code, answer.json()["error"]) == (403, "code")


async def test_an_agent_that_lost_the_answer_may_ask_again_with_its_code(world: World) -> None:
    code, agent = await world.code("S1"), str(uuid.uuid4())
    first = (await redeem(world, code, agent)).json()["token"]
    second = (await redeem(world, code, agent)).json()["token"]
    assert first != second
    poll = {"after": 0, "wait": 0}
    for token, status in ((first, 401), (second, 200)):
        answer = await world.client.get("/api/v1/commands", params=poll, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status


@pytest.mark.parametrize("agent", ["", "x", "../../etc", "a" * 65, "agent id"])
async def test_an_agents_id_is_a_plain_word(world: World, agent: str) -> None:
    body = {"code": await world.code("S1"), "agent": agent, "version": "1"}
    assert (await world.client.post("/api/v1/enrol", json=body)).status_code == 403


async def test_a_code_grows_old(world: World) -> None:
    code = await world.code("S1")
    world.clock.on(3601)
    assert (await redeem(world, code)).status_code == 403


async def test_an_unknown_code_is_refused(world: World) -> None:
    assert (await redeem(world, "guess")).status_code == 403


async def test_a_new_agent_of_a_site_retires_the_one_before(world: World) -> None:
    old = await world.agent("S1")
    new = await world.agent("S1")
    assert (await old.beat()).status_code == 401
    assert (await new.beat()).status_code == 200
    assert (await new.send(change())).json()["acked"] == 1


async def test_an_agent_cannot_take_its_id_to_another_site(world: World) -> None:
    agent = await world.agent("S1")
    answer = await redeem(world, await world.code("S2"), agent.agent)
    assert answer.status_code == 403
    assert (await agent.beat()).status_code == 200


async def test_an_enrolled_agent_is_known_after_a_restart(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
    async with a_desk(tmp_path) as world:
        agent.world = world
        assert (await agent.beat()).status_code == 200


async def test_the_join_line_has_the_address_and_a_code_that_works(world: World) -> None:
    answer = await enrol_site(world, name="Hall 1", region="east", timezone="Asia/Shanghai")
    line = answer.json()["join"]
    address, _, code = line.partition("#")
    assert address == "roundsman-join:http://127.0.0.1:8700"
    assert (await redeem(world, code)).json()["site"] == "S1"
    (site,) = await world.rows("SELECT * FROM sites")
    assert site == {
        "id": "S1", "name": "Hall 1", "contract": "practice", "region": "east", "timezone": "Asia/Shanghai"
    }  # fmt: skip


async def test_a_site_that_is_enrolled_again_keeps_what_is_not_given_anew(world: World) -> None:
    await enrol_site(world, name="Hall 1", region="east")
    await enrol_site(world, name="Hall one", region="")
    (site,) = await world.rows("SELECT name, region FROM sites")
    assert site == {"name": "Hall one", "region": "east"}


@pytest.mark.parametrize("secret", ["", "wrong", "known to the state folde"])
async def test_only_who_can_read_the_state_folder_enrols(world: World, secret: str) -> None:
    answer = await enrol_site(world, secret)
    assert answer.status_code == 401
    assert await world.rows("SELECT * FROM codes") == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"site": "a b"}, "A site's id is 1 to 64 letters, digits, dots, dashes or underscores."),
        ({"site": ""}, "A site's id is 1 to 64 letters, digits, dots, dashes or underscores."),
        ({"site": "a/b"}, "A site's id is 1 to 64 letters, digits, dots, dashes or underscores."),
        ({"timezone": "Mars/Olympus"}, "There is no time zone 'Mars/Olympus': try Asia/Shanghai."),
        ({"contract": "nope"}, "site S1: contract 'nope': there is no contract 'nope'."),
        ({"region": "west"}, "site S1: contract 'practice' has no region 'west'; it has east (East)."),
        ({"region": ""}, f"site S1: contract 'practice' has {NO_REGION}; it has east (East)."),
    ],
    ids=["space", "empty", "slash", "time zone", "contract", "region", "no region"],
)
async def test_a_site_that_would_not_work_is_refused_with_what_is_wrong(
    world: World, fields: dict[str, str], message: str
) -> None:
    answer = await enrol_site(world, **fields)
    assert (answer.status_code, answer.json()["message"]) == (400, message)


async def test_a_site_whose_contract_is_gone_stops_no_other_and_is_still_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent("S1")
        await agent.send(change())
    async with a_desk(tmp_path, known=shipped) as world:
        assert "site S1: contract 'practice': there is no such contract" in caplog.text
        agent.world = world
        await agent.send(change(fault="door.open", episode="e2", meaning=Meaning.INDIRECT))
        assert [(row["level"], row["provisional"]) for row in await world.tickets()] == [(2, 0), (4, 1)]
        system = (await world.client.get("/system")).text
        assert "site S1: contract &#39;practice&#39;: there is no such contract" in system
        for path in ("/", "/tickets/1", "/tickets/2", "/sites/S1", "/api/v1/tickets"):
            answer = await world.client.get(path)
            assert answer.status_code == 200
            assert "every delay to 0" not in answer.text


def test_the_shipped_contracts_are_found_by_name() -> None:
    assert shipped("telecom-transmission").digest
    with pytest.raises(LookupError, match="there is no such contract"):
        shipped("nope")


async def test_a_site_without_a_region_is_taken_where_no_limit_depends_on_it(tmp_path: Path) -> None:
    desk = Desk(DeskSettings(state=tmp_path), shipped)
    desk.check_contract(Site("S1", "S1", "maintenance-3-level"))
    with pytest.raises(StoreError, match=r"the site has no region: they would not run; it has .*prd \(Pearl"):
        desk.check_contract(Site("S1", "S1", "telecom-transmission"))
    desk.close()


@pytest.mark.parametrize("region", ["", "gone"])
async def test_a_site_that_has_no_region_of_its_contract_is_shown_as_such_everywhere(world: World, region: str) -> None:
    agent = await world.agent("S1", region=region)
    await agent.send(change())
    assert (await world.client.get("/api/v1/tickets/1")).json()["unsaid"] == ["region"]
    assert "limits depend on the region, and the site has none" in (await world.client.get("/tickets/1?lang=en")).text
    assert "该站点未设区域" in (await world.client.get("/tickets/1?lang=zh")).text
    assert "site S1: contract &#39;practice&#39; has" in (await world.client.get("/system")).text


def test_the_secret_is_only_for_the_owner_of_the_state_folder(tmp_path: Path) -> None:
    for secret in ("first", "second"):
        write_local(tmp_path, Local("http://127.0.0.1:1", secret))
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_command_without_a_desk_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"no desk runs in .*: start it with `roundsman desk`"):
        ask(tmp_path, "GET", "/api/v1/tickets")
    write_local(tmp_path, Local("http://127.0.0.1:1", "secret"))
    with pytest.raises(LocalError, match=r"does not answer .*: is `roundsman desk` running\?"):
        ask(tmp_path, "GET", "/api/v1/tickets")
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(LocalError, match="is damaged"):
        ask(tmp_path, "GET", "/api/v1/tickets")
