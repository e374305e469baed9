"""What was served, month by month: the page of tickets, and the tables that a spreadsheet opens."""

import csv
import io
from pathlib import Path

import pytest

from desk.sweep import Sweep
from tests.desk_world import World, a_desk, change


def table(content: bytes) -> list[dict[str, str]]:
    assert content.startswith("\N{BOM}".encode())
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


async def got(world: World, address: str) -> list[dict[str, str]]:
    answer = await world.client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return table(answer.content)


async def test_a_month_has_the_tickets_that_opened_in_it_and_says_how_many_were_late(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent(timezone="Asia/Shanghai")
        await agent.send(change(device="first"))
        month = "2027-01"  # the world begins on 15 January 2027
        world.clock.on(40 * 86_400.0)
        await agent.send(change(device="second", episode="e2"))
        assert [line["Ticket"] for line in await got(world, "/tickets.csv")] == ["1", "2"]
        await Sweep(world.desk).look()
        lines = await got(world, f"/tickets.csv?month={month}")
        assert [line["Device"] for line in lines] == ["UPS of the hall"]
        assert (lines[0]["Limits kept"], lines[0]["Limits not kept"]) == ("0", "3")
        assert lines[0]["Time zone"] == "Asia/Shanghai"
        assert lines[0]["Opened"] == "2027-01-15 16:00:00"
        text = (await world.client.get(f"/tickets?month={month}")).text
        assert "Opened: 1. Closed: 0. With a limit not kept: 1." in text
        assert 'href="/tickets/1"' in text
        assert 'href="/tickets/2"' not in text[text.index("<main") : text.index("</main>")]


async def test_a_month_begins_and_ends_with_its_first_and_last_second_at_the_desk(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        end = 1_801_440_000.0  # 1 February 2027, 00:00 UTC
        world.clock.on(end - 1.0 - world.clock.now.wall)
        await agent.send(change(device="last"))
        world.clock.on(1.0)
        await agent.send(change(device="next", episode="e2"))
        opened = [line["Ticket"] for line in await got(world, "/tickets.csv?month=2027-01")]
        assert opened == ["1"]
        assert [line["Ticket"] for line in await got(world, "/tickets.csv?month=2027-02")] == ["2"]


async def test_the_tables_are_in_chinese_too_and_safe_to_open(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent(name="=cmd|' /C calc'!A0")
        await agent.send(change(title="@SUM(A1)"))
        (line,) = await got(world, "/tickets.csv?lang=zh")
        assert line["工单"] == "1"
        assert not any(cell[:1] in set("=+@") for cell in line.values())
        assert (
            (await world.client.get("/incidents.csv?lang=zh")).content.decode("utf-8-sig").startswith("跨站事件,原因")
        )


@pytest.mark.parametrize("month", ["2027-13", "2027", "x", "1999-01", "2027-01-01"])
async def test_what_is_no_month_is_not_found(tmp_path: Path, month: str) -> None:
    async with a_desk(tmp_path) as world:
        assert (await world.client.get("/tickets", params={"month": month})).status_code in {400, 404}
        assert (await world.client.get("/tickets.csv", params={"month": month})).status_code in {400, 404}
