"""`roundsman simulate SCENARIO`: a power room on this machine, its addresses and its story on the terminal."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from simulator.cards import COMMUNITY
from simulator.line_devices import BATTERY_UNIT, METER_UNIT, RECTIFIER_ADDRESS
from simulator.room import PowerRoom
from simulator.scenario import Title, load

_SECTION = """\
credentials:
  power-room: {{version: 2c, community_file: "{community}"}}
snmp:
  every: 2s
  devices:
    - id: ups-1
      name: {ups_name}
      address: {ups[0]}
      port: {ups[1]}
      credential: power-room
      definition: rfc1628-ups
    - id: transmission-1
      name: {racks_name}
      address: {racks[0]}
      port: {racks[1]}
      credential: power-room
      definition: subrack
lines:
  - id: line-1
    port: {port}
    baud: 9600
    every: 2s
    devices:
      - {{id: plant-1, name: {plant_name}, protocol: ydt1363, address: {plant}, definition: power-plant}}
      - {{id: battery-1, name: {battery_name}, protocol: modbus, address: {battery}, definition: block-battery-monitor}}
      - {{id: meter-1, name: {meter_name}, protocol: modbus, address: {meter}, definition: eastron-sdm630}}
"""
_NAMES = {
    "en": {
        "ups_name": "UPS",
        "racks_name": "Transmission subracks",
        "plant_name": "Rectifier plant",
        "battery_name": "Battery string",
        "meter_name": "Mains meter",
    },
    "zh": {
        "ups_name": "UPS",
        "racks_name": "传输子架",
        "plant_name": "组合开关电源",
        "battery_name": "蓄电池组",
        "meter_name": "市电电表",
    },
}
_WORDS = {
    "en": {
        "plays": 'A simulated power room plays "{title}". Ctrl-C ends it.',
        "where": "Serial line {line} (9600 8N1), UPS {ups}, subracks {racks} (SNMP v1 and v2c, community {community})",
        "section": "In a site file:",
        "over": "The story is over; the room stays as it is. Ctrl-C ends it.",
    },
    "zh": {
        "plays": "模拟动力机房开始演示“{title}”，按 Ctrl-C 结束。",
        "where": "串行总线 {line}（9600 8N1），UPS {ups}，传输子架 {racks}（SNMP v1、v2c，团体名 {community}）",
        "section": "站点文件中写：",
        "over": "演示完毕，机房保持现状，按 Ctrl-C 结束。",
    },
}


def site_section(room: PowerRoom, community_file: Path, language: str = "en") -> str:
    """Return the part of a site file that watches this room: credentials, snmp and lines, as YAML text."""
    return _SECTION.format(
        community=community_file,
        ups=room.ups_address,
        racks=room.subrack_address,
        port=_port(room),
        plant=RECTIFIER_ADDRESS,
        battery=BATTERY_UNIT,
        meter=METER_UNIT,
        **_NAMES[language],
    )


async def simulate(
    scenario: str | Path,
    folder: Path,
    *,
    speed: float = 1.0,
    stop_after: float | None = None,
    language: str = "en",
    say: Callable[[str], None] = print,
) -> None:
    """Play a scenario, by its name or from a file, until cancelled or for `stop_after` seconds.

    The line's link `line` and the file `community` are made in `folder`.  `language` is en or zh; `say` takes each
    line for the terminal.  Raises ConfigError for a scenario that cannot be used, OSError for a folder that cannot.
    """
    story = load(scenario)
    community = _prepared(folder)
    room = PowerRoom(community.parent)
    await room.start(story, speed=speed)
    try:
        words = _WORDS[language]
        say(words["plays"].format(title=_said(story.title, language)))
        ups, racks = (f"{host}:{port}" for host, port in (room.ups_address, room.subrack_address))
        say(words["where"].format(line=_port(room), ups=ups, racks=racks, community=COMMUNITY))
        say(words["section"])
        say(site_section(room, community, language))
        async with asyncio.timeout(stop_after):
            await _tell(room, language, say)
    except TimeoutError:
        return  # `stop_after` is over, as asked
    finally:
        await room.stop()


def _prepared(folder: Path) -> Path:
    """Make the folder and the community file in it; returns that file's whole path."""
    folder.mkdir(parents=True, exist_ok=True)
    community = folder.absolute() / "community"
    community.write_text(f"{COMMUNITY}\n", encoding="utf-8")
    community.chmod(0o600)  # as the agent wants a secret to be
    return community


async def _tell(room: PowerRoom, language: str, say: Callable[[str], None]) -> None:
    """Say each step as it happens, then wait for ever: the room is there until it is stopped."""
    async for happening in room.play():
        say(f"{happening.at:6.0f} s  {_said(happening.title, language)}")
    say(_WORDS[language]["over"])
    await asyncio.Event().wait()


def _said(title: Title, language: str) -> str:
    return title.zh if language == "zh" else title.en


def _port(room: PowerRoom) -> str:
    """Return the line's lasting name, or its port where that name has a space, which no site file takes."""
    lasting = "" if room.line_link is None else str(room.line_link)
    return room.line_port if not lasting or " " in lasting else lasting
