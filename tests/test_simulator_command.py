"""`roundsman simulate`: the story on the terminal, and a site file section that a site file takes."""

import asyncio
from pathlib import Path

import pytest

from config.reader import ConfigError
from config.site import load_site
from simulator.command import simulate, site_section
from simulator.room import PowerRoom

HEAD = "site: {id: power-room, name: Power room, contract: telecom-transmission, region: west_east}\n"


async def told(scenario: str, folder: Path, **options: object) -> list[str]:
    """Simulate until the story is over; returns what was said."""
    said: list[str] = []
    over = asyncio.Event()

    def say(line: str) -> None:
        said.append(line)
        if "Ctrl-C" in line and len(said) > 1:
            over.set()

    running = asyncio.create_task(simulate(scenario, folder, say=say, **options))  # type: ignore[arg-type]
    await over.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return said


async def test_each_step_is_said_as_it_happens(tmp_path: Path):
    said = await told("mains-failure", tmp_path / "room", speed=400.0)
    assert said[0] == 'A simulated power room plays "Mains fails for a minute". Ctrl-C ends it.'
    assert f"Serial line {tmp_path}/room/line (9600 8N1)" in said[1]
    assert [line.split("s  ")[1] for line in said if " s  " in line] == ["Mains fails", "Mains returns"]
    assert (tmp_path / "room" / "community").read_text() == "public\n"
    assert not (tmp_path / "room" / "line").is_symlink()


async def test_the_story_can_be_told_in_chinese(tmp_path: Path):
    said = await told("mains-failure", tmp_path, speed=400.0, language="zh")
    assert said[0] == "模拟动力机房开始演示“市电停电一分钟”，按 Ctrl-C 结束。"
    assert [line.split("s  ")[1] for line in said if " s  " in line] == ["市电停电", "市电恢复"]


async def test_a_simulation_ends_by_itself_when_told_to(tmp_path: Path):
    said: list[str] = []
    await asyncio.wait_for(simulate("demo", tmp_path, speed=400.0, stop_after=0.3, say=said.append), 10.0)
    assert "  Mains fails" in said[4]


async def test_a_scenario_that_is_none_opens_nothing(tmp_path: Path):
    with pytest.raises(ConfigError, match="no scenario that ships"):
        await simulate("nothing", tmp_path / "room")
    assert not (tmp_path / "room").exists()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_printed_section_is_taken_by_a_site_file(tmp_path: Path, language: str):
    room = PowerRoom(tmp_path)
    await room.start()
    path = tmp_path / "site.yaml"
    (tmp_path / "community").write_text("public\n")
    path.write_text(HEAD + site_section(room, tmp_path / "community", language), encoding="utf-8")
    site = load_site(path)
    await room.stop()
    assert [(device.address, device.port) for device in site.snmp] == [room.ups_address, room.subrack_address]
    assert [str(line.port) for line in site.lines] == [str(tmp_path / "line")]
    assert [(device.protocol, device.address) for device in site.lines[0].devices] == [
        ("ydt1363", 1),
        ("modbus", 2),
        ("modbus", 3),
    ]
