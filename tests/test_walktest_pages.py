"""A walk-test by its pages and by programs: opened, ticked, signed, printed; in both languages."""

from pathlib import Path

import msgspec

from model.walktest import Result
from model.walktest_protocol import CancelWalk, MarkItems, OpenWalk, SignWalk
from tests.desk_world import Speaker, World, a_desk, change, cleared
from tests.test_desk_walktest import MAINS, VOLTS, report, told

PAGE = "/sites/S1/walktests"
API = "/api/v1/sites/S1/walktests"


async def text(world: World, address: str, lang: str = "en") -> str:
    answer = await world.client.get(address, params={"lang": lang} if "?" not in address else None)
    assert answer.status_code == 200, answer.text
    return answer.text


async def said(world: World, address: str, status: int = 303, **form: str) -> str:
    answer = await world.client.post(address, data=form)
    assert answer.status_code == status, answer.text
    return answer.text


async def walked(world: World) -> Speaker:
    """A walk-test that was opened by its form, with the mains lost and back."""
    agent = await world.agent()
    await said(world, PAGE, form="open", by="Li Na", end="4h", purpose="acceptance")
    await told(world, agent, report())
    world.clock.on(200.0)
    raised = change()
    await agent.send(raised)
    await agent.send(cleared(raised))
    return agent


async def test_it_is_opened_ticked_and_signed_by_forms_and_then_has_none(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await walked(world)
        shown = await text(world, f"{PAGE}/1")
        assert "Mains lost" in shown
        assert "✓ Passed" in shown
        await said(world, f"{PAGE}/1", form="mark", by="Li Na", item=MAINS, result="passed")
        refused = await said(world, f"{PAGE}/1", 409, form="mark", by="Li Na", item=VOLTS, result="passed")
        assert "The desk has not seen it" in refused
        await said(world, f"{PAGE}/1", form="mark", by="Li Na", item=VOLTS, result="passed", note="meter 231 V")
        refused = await said(world, f"{PAGE}/1", 409, form="sign", by="Li Na", witness="Zhao")
        assert "2 items have no result" in refused
        for device in ("hall", "-"):
            await said(world, f"{PAGE}/1", form="rest", by="Li Na", device=device, result="not_testable", note="locked")
        await said(world, f"{PAGE}/1", form="sign", by="Li Na", witness="Zhao", note="one door locked")
        shown = await text(world, f"{PAGE}/1")
        assert "<form" not in shown
        assert "Zhao" in shown
        record = await text(world, f"{PAGE}/1?show=record")
        assert "meter 231 V" in record
        assert "SHA-256" in record
        assert "one door locked" in record


async def test_who_ticks_is_asked_once(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await walked(world)
        world.client.cookies.clear()
        shown = await text(world, f"{PAGE}/1")
        assert "Say who you are" in shown
        assert "✓ Passed" not in shown
        await said(world, f"{PAGE}/1?device=ups", form="who", by="Wang Wei")
        shown = await text(world, f"{PAGE}/1")
        assert "Say who you are" not in shown
        assert '<input type="hidden" name="by" value="Wang Wei">' in shown


async def test_all_that_the_desk_saw_of_a_device_is_ticked_at_once(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await walked(world)
        await told(world, agent, report(0.0))
        await said(world, f"{PAGE}/1", form="seen", by="Li Na", device="ups")
        found = (await world.client.get(f"{API}/1")).json()
        assert found["counts"] == {"open": 2, "passed": 2, "failed": 0, "not_testable": 0}


async def test_the_board_calls_its_alarms_tests_and_the_site_leads_to_it(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await said(world, PAGE, form="open", by="Li Na", end="4h")
        await told(world, agent, report())
        world.clock.on(200.0)
        raised = change()
        await agent.send(raised)
        assert "◇ test T1" in await text(world, "/")
        await agent.send(cleared(raised))
        assert "◇ 测试 T1" in await text(world, "/", "zh")
        assert PAGE in await text(world, "/sites/S1")
        assert f"{PAGE}/1" in await text(world, "/walktests")


async def test_every_word_of_it_is_there_in_chinese(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await walked(world)
        shown = await text(world, f"{PAGE}/1", "zh")
        assert all(word in shown for word in ("进行中", "刚刚收到", "合格", "无法测试", "签字", "取消测试"))
        table = (await world.client.get(f"{PAGE}/1/record.csv", params={"lang": "zh"})).content.decode("utf-8-sig")
        assert table.splitlines()[0] == "序号,类别,设备,项目,判据,值班台所见,结果,备注,人员,时间"
        assert "市电中断" not in table  # the rule's own title is told, and this one has no Chinese
        assert "告警" in table


async def test_what_a_device_calls_itself_does_no_harm(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await said(world, PAGE, form="open", by="Li Na", end="1h")
        whole = report()
        named = msgspec.structs.replace(whole.readings[0], label="<script>alert(1)</script>")
        formula = msgspec.structs.replace(whole.readings[1], label="=cmd|'/c calc'!A1")
        await told(world, agent, msgspec.structs.replace(whole, readings=(named, formula)))
        for address in (f"{PAGE}/1", f"{PAGE}/1?show=record"):
            assert "<script>alert" not in await text(world, address)
        table = (await world.client.get(f"{PAGE}/1/record.csv")).text
        assert "'=cmd" in table
        assert ",=cmd" not in table


async def test_another_sites_walk_test_is_none(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await walked(world)
        await world.agent("S2")
        assert (await world.client.get("/sites/S2/walktests/1")).status_code == 404
        assert (await world.client.get("/api/v1/sites/S2/walktests/1")).status_code == 404
        body = msgspec.json.encode(CancelWalk("Li", "mine"))
        assert (await world.client.post("/api/v1/sites/S2/walktests/1/cancel", content=body)).status_code == 404
        assert (await world.client.get(f"{PAGE}/2")).status_code == 404
        assert (await world.client.get("/sites/S9/walktests")).status_code == 404


async def test_programs_open_mark_and_sign_and_a_key_does_it_once(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        post = world.client.post
        opening = msgspec.json.encode(OpenWalk("Li Na", "2h"))
        answers = [await post(API, content=opening, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json()["number"] == answers[1].json()["number"] == 1
        again = await post(API, content=opening)
        assert (again.status_code, again.json()["error"]) == (409, "runs_already")
        long = await post(API, content=msgspec.json.encode(OpenWalk("Li Na", "9h")))
        assert (long.status_code, long.json()["error"]) == (422, "too_long")
        await told(world, agent, report())
        keys = tuple(item["key"] for item in (await world.client.get(f"{API}/1")).json()["items"])
        marks = MarkItems("Li Na", keys, Result.FAILED, "nothing works")
        assert (await post(f"{API}/1/mark", content=msgspec.json.encode(marks))).json()["counts"]["failed"] == 4
        same = await post(f"{API}/1/sign", content=msgspec.json.encode(SignWalk("Li Na", "li na")))
        assert (same.status_code, same.json()["error"]) == (422, "same_person")
        signed = (await post(f"{API}/1/sign", content=msgspec.json.encode(SignWalk("Li Na", "Zhao")))).json()
        assert (signed["state"], signed["signature"]["witness"]) == ("signed", "Zhao")
        late = await post(f"{API}/1/cancel", content=msgspec.json.encode(CancelWalk("Li Na", "oh")))
        assert (late.status_code, late.json()["error"]) == (409, "signed")
        (listed,) = (await world.client.get("/api/v1/walktests")).json()["walktests"]
        assert (listed["counts"]["failed"], listed["items"], listed["digest"]) == (4, [], signed["digest"])
