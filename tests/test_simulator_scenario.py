"""Scenarios: those that ship play to their end, and a bad file is told where it is wrong."""

import asyncio
from pathlib import Path

import pytest
import serial
from pymodbus.client import ModbusSerialClient

from config.reader import ConfigError, convert, read_text
from simulator.room import PowerRoom
from simulator.scenario import DEVICES, Scenario, load, shipped

FAST = 400.0


async def play(room: PowerRoom, scenario: Scenario | str) -> list[str]:
    """Play a scenario to its end, four hundred times as fast; returns what happened."""
    await room.start(scenario, speed=FAST)
    return [happening.what async for happening in room.play()]


def scenario(text: str) -> Scenario:
    return convert(read_text(text, "story.yaml"), Scenario)


def steps(*lines: str) -> str:
    return "title: {en: A story, zh: 故事}\nsteps:\n" + "".join(f"  - {line}\n" for line in lines)


def test_the_shipped_scenarios_are_there():
    assert shipped() == [
        "dead-sensor",
        "demo",
        "fans-stop",
        "hot-subrack",
        "long-outage",
        "mains-failure",
        "silent-site",
    ]


@pytest.mark.parametrize("name", ["dead-sensor", "fans-stop", "hot-subrack", "mains-failure", "silent-site"])
async def test_a_shipped_scenario_plays_to_its_end_and_leaves_the_room_well(name: str):
    room = PowerRoom()
    happened = await play(room, name)
    state = room.read()
    assert happened == [step.__struct_config__.tag for step in load(name).steps]
    assert state.mains
    assert all(fan.rpm > 0 and fan.sensor_works for rack in state.subracks for fan in rack.fans)
    assert all(rack.sensor_works for rack in state.subracks)
    assert not room.line.silent
    await room.stop()


def test_the_demo_fails_mains_at_20_s_and_returns_it_at_80_s_again_and_again():
    demo = load("demo")
    assert [(step.at, step.__struct_config__.tag) for step in demo.steps[:2]] == [
        (20.0, "mains_fails"),
        (80.0, "mains_returns"),
    ]
    assert demo.again_every == 240.0


async def test_a_story_that_repeats_is_told_again_also_to_who_comes_later():
    room = PowerRoom()
    again = scenario("again_every: 20s\n" + steps("{at: 5s, do: mains_fails, title: {en: Off, zh: 停}}"))
    await room.start(again, speed=FAST)
    first = [happening async for happening in _first(room, 3)]
    late = [happening async for happening in _first(room, 3)]
    assert first == late
    assert first[1].at - first[0].at == pytest.approx(20.0, abs=10.0)
    await room.stop()


async def _first(room: PowerRoom, count: int):
    async for happening in room.play():
        yield happening
        count -= 1
        if count == 0:
            return


async def test_who_listens_to_a_room_is_let_go_when_it_stops():
    room = PowerRoom()
    await room.start(scenario(steps("{at: 1h, do: mains_fails, title: {en: Off, zh: 停}}")))

    async def listen() -> list[str]:
        return [happening.what async for happening in room.play()]

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await room.stop()
    assert await asyncio.wait_for(listener, 1.0) == []


async def test_fans_that_stop_heat_their_subrack_past_45_degrees():
    room = PowerRoom()
    await room.start("fans-stop", speed=FAST)
    hottest = 0.0
    async for _ in room.play():
        hottest = max(hottest, room.read().subracks[0].celsius)
    assert hottest > 45.0
    assert room.read().subracks[1].celsius < 40.0
    await room.stop()


async def test_a_site_that_falls_silent_kills_every_device():
    room = PowerRoom()
    await room.start(scenario(steps("{at: 0s, do: falls_silent, title: {en: Silent, zh: 失联}}")))
    assert [happening.what async for happening in room.play()] == ["falls_silent"]
    with serial.Serial(room.line_port, 9600, timeout=0.3) as port:
        port.write(b"~210140410000FDB3\r")
        assert await asyncio.to_thread(port.read, 1) == b""
    for device in DEVICES:
        room.revive(device)
    with serial.Serial(room.line_port, 9600, timeout=1.0) as port:
        port.write(b"~210140410000FDB3\r")
        assert (await asyncio.to_thread(port.read_until, b"\r"))[:9] == b"~21014000"
    await room.stop()


async def test_the_lines_link_lasts_from_one_room_to_the_next(tmp_path: Path):
    for _ in range(2):
        room = PowerRoom(tmp_path)
        await room.start()
        assert room.line_link is not None
        assert room.line_link.resolve() == Path(room.line_port)
        client = ModbusSerialClient(str(tmp_path / "line"), baudrate=9600, timeout=1.0, retries=0)
        assert await asyncio.to_thread(client.connect)
        reply = await asyncio.to_thread(client.read_holding_registers, 4, count=1, device_id=2)
        client.close()
        assert reply.registers == [24]
        await room.stop()
        assert not room.line_link.is_symlink()


async def test_an_adapter_that_is_pulled_hangs_up_and_comes_back_under_the_same_link(tmp_path: Path):
    room = PowerRoom(tmp_path)
    await room.start()
    with serial.Serial(str(tmp_path / "line"), 9600, timeout=1.0) as port:
        room.unplug()
        assert not (tmp_path / "line").is_symlink()
        with pytest.raises(serial.SerialException):
            port.read(1)
    room.plug_in()
    with serial.Serial(str(tmp_path / "line"), 9600, timeout=1.0) as port:
        port.write(b"~210140410000FDB3\r")
        assert (await asyncio.to_thread(port.read_until, b"\r"))[:9] == b"~21014000"
    await room.stop()


async def test_a_story_may_trouble_the_line_and_pull_its_adapter(tmp_path: Path):
    (tmp_path / "story.yaml").write_text(
        "title: {en: Line, zh: 总线}\nsteps:\n"
        "  - {at: 0s, do: line_troubled, echo: true, corrupt: 0.01, title: {en: Echo, zh: 回声}}\n"
        "  - {at: 1s, do: adapter_pulled, title: {en: Pulled, zh: 拔出}}\n"
        "  - {at: 2s, do: adapter_back, title: {en: Back, zh: 插回}}\n"
        "  - {at: 3s, do: line_troubled, title: {en: Well, zh: 正常}}\n"
    )
    room = PowerRoom(tmp_path / "room")
    await room.start()
    seen = []
    for step in load(tmp_path / "story.yaml").steps:
        step.apply(room)
        seen.append((bool(room.line_port), room.line.pair.trouble.echo, room.line.pair.trouble.corrupted))
    await room.stop()
    assert seen == [(True, True, 0.01), (False, True, 0.01), (True, True, 0.01), (True, False, 0.0)]


async def test_a_room_answers_on_the_line_and_by_snmp_about_the_same_moment_of_the_same_plant(tmp_path: Path):
    room = PowerRoom(tmp_path)
    await room.start()
    room.mains(False)
    with serial.Serial(room.line_port, 9600, timeout=1.0) as port:
        port.write(b"~210140440000FDB0\r")
        reply = await asyncio.to_thread(port.read_until, b"\r")
    assert reply[19:27] == b"01010101"
    assert room.read().ups.on_battery
    await room.stop()


def test_a_control_names_what_there_is():
    room = PowerRoom()
    with pytest.raises(ValueError, match="there is no fridge; there are rectifier, battery, meter, ups, subracks"):
        room.kill("fridge")
    with pytest.raises(ValueError, match="there are fans 1 to 4, not 5"):
        room.stop_fan(1, 5)
    with pytest.raises(ValueError, match="there are subracks 1 and 2, not 0"):
        room.set_temperature(0, 40.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            steps("{at: 20s, do: mains_fail, title: {en: a, zh: b}}"),
            'story.yaml:3: steps[0].do: "mains_fail" is not one of its values; did you mean "mains_fails"?',
        ),
        (
            steps("{at: 20, do: mains_fails, title: {en: a, zh: b}}"),
            'story.yaml:3: steps[0].at: "20" has no unit; write 20s',
        ),
        (
            steps("{at: 20s, do: fan_stops, subrack: 3, fan: 1, title: {en: a, zh: b}}"),
            "story.yaml:3: steps[0].subrack: 3 is out of range; write from 1 to 2",
        ),
        (
            steps("{at: 20s, do: mains_fails, title: {en: a}}"),
            'story.yaml:3: steps[0].title: the key "zh" is missing',
        ),
        (
            steps(
                "{at: 20s, do: mains_fails, title: {en: a, zh: b}}",
                "{at: 10s, do: mains_returns, title: {en: a, zh: b}}",
            ),
            "story.yaml:1: the steps are not in the order of their times; sort them by at",
        ),
        (
            "again_every: 10s\n" + steps("{at: 20s, do: mains_fails, title: {en: a, zh: b}}"),
            "story.yaml:1: again_every is not after the last step; write more than 20s",
        ),
    ],
    ids=["unknown action", "no unit", "no such subrack", "one language", "order", "too short"],
)
def test_a_bad_scenario_says_where_and_what_would_be_right(text: str, message: str):
    with pytest.raises(ConfigError) as raised:
        scenario(text)
    assert str(raised.value) == message


def test_a_name_that_is_no_scenario_lists_those_that_are():
    with pytest.raises(ConfigError) as raised:
        load("mains")
    assert str(raised.value) == (
        "mains: is no file and no scenario that ships; those are dead-sensor, demo, fans-stop, hot-subrack, "
        "long-outage, mains-failure, silent-site"
    )


def test_a_scenario_can_be_a_file_of_ones_own(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(steps("{at: 1min, do: module_fails, module: 2, title: {en: a, zh: b}}"), encoding="utf-8")
    assert load(str(path)) == load(path)
    assert load(path).steps[0].at == 60.0
