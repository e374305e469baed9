"""The two SNMP cards, asked by net-snmp's own commands."""

import asyncio
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from simulator.room import PowerRoom

UPS = "1.3.6.1.2.1.33.1"
ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
SENSOR = "1.3.6.1.2.1.99.1.1.1"

pytestmark = pytest.mark.skipif(shutil.which("snmpget") is None, reason="net-snmp's commands are not installed")


@pytest_asyncio.fixture
async def room() -> AsyncIterator[PowerRoom]:
    made = PowerRoom()
    await made.start()
    yield made
    await made.stop()


async def net_snmp(command: str, address: tuple[str, int], *oids: str, version: str = "2c") -> tuple[int, str]:
    """Run one of net-snmp's commands; returns its exit status and what it printed, values with their plain numbers."""
    options = [f"-v{version}", "-cpublic", "-Onqe", "-m", "", "-r0", "-t1"]
    child = await asyncio.create_subprocess_exec(
        command,
        *options,
        f"{address[0]}:{address[1]}",
        *oids,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await child.communicate()
    assert child.returncode is not None
    return child.returncode, printed.decode()


async def values(address: tuple[str, int], *oids: str, version: str = "2c") -> list[str]:
    status, printed = await net_snmp("snmpget", address, *oids, version=version)
    assert status == 0, printed
    return [line.split(" ", 1)[1] for line in printed.splitlines()]


async def column(address: tuple[str, int], oid: str, command: str = "snmpbulkwalk") -> dict[int, str]:
    """Walk one column: last number of the OID to value."""
    status, printed = await net_snmp(command, address, oid)
    assert status == 0, printed
    rows = (line.split(" ", 1) for line in printed.splitlines() if line.startswith(f".{oid}."))
    return {int(name.rsplit(".", 1)[1]): value.strip('"') for name, value in rows}


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_the_ups_on_mains_is_normal(room: PowerRoom, version: str):
    got = await values(
        room.ups_address,
        "1.3.6.1.2.1.1.2.0",
        f"{UPS}.1.2.0",
        f"{UPS}.2.1.0",
        f"{UPS}.2.3.0",
        f"{UPS}.2.4.0",
        f"{UPS}.4.1.0",
        f"{UPS}.6.1.0",
        version=version,
    )
    assert got == [".1.3.6.1.2.1.33", '"SIM 3000"', "2", "40", "100", "3", "0"]


async def test_a_card_has_been_up_for_forty_days_when_the_room_begins(room: PowerRoom):
    ticks, *_ = await values(room.ups_address, "1.3.6.1.2.1.1.3.0")
    assert ticks.startswith("40:0:00:")


async def test_the_ups_tells_volts_amps_hertz_and_load(room: PowerRoom):
    got = await values(room.ups_address, f"{UPS}.3.3.1.3.1", f"{UPS}.3.3.1.2.1", f"{UPS}.4.4.1.2.1", f"{UPS}.4.4.1.5.1")
    volts, tenths_of_hertz, output, load = map(int, got)
    assert 228 <= volts <= 232
    assert tenths_of_hertz == 500
    assert 229 <= output <= 231
    assert 40 <= load <= 50


async def test_without_mains_the_ups_is_on_battery_and_its_alarm_table_says_so(room: PowerRoom):
    room.mains(False)
    got = await values(room.ups_address, f"{UPS}.4.1.0", f"{UPS}.3.3.1.3.1", f"{UPS}.3.1.0", f"{UPS}.6.1.0")
    assert got == ["5", "0", "1", "2"]
    alarms = await column(room.ups_address, f"{UPS}.6.2.1.2")
    assert alarms == {1: f".{UPS}.6.3.2", 2: f".{UPS}.6.3.6"}
    room.mains(True)
    assert await values(room.ups_address, f"{UPS}.4.1.0", f"{UPS}.6.1.0") == ["3", "0"]
    assert await column(room.ups_address, f"{UPS}.6.2.1.2") == {}


async def test_an_alarm_that_comes_again_has_a_new_row(room: PowerRoom):
    for _ in range(2):
        room.mains(False)
        rows = await column(room.ups_address, f"{UPS}.6.2.1.2")
        room.mains(True)
        await column(room.ups_address, f"{UPS}.6.2.1.2")
    assert sorted(rows) == [3, 4]


@pytest.mark.parametrize("command", ["snmpwalk", "snmpbulkwalk"])
async def test_the_transmission_card_has_two_subracks_each_with_four_fans_and_a_temperature(
    room: PowerRoom, command: str
):
    kinds = await column(room.subrack_address, f"{ENTITY}.5", command)
    inside = await column(room.subrack_address, f"{ENTITY}.4", command)
    names = await column(room.subrack_address, f"{ENTITY}.7", command)
    assert {names[index] for index, kind in kinds.items() if kind == "3"} == {"Subrack 1", "Subrack 2"}
    sensors = await column(room.subrack_address, f"{SENSOR}.1", command)
    assert sorted(sensors.values()) == ["10"] * 8 + ["8"] * 2
    for index, kind in sensors.items():
        assert kinds[index] == "8"
        holder = int(inside[index])
        assert kinds[holder] == ("7" if kind == "10" else "3")
        subrack = int(inside[holder]) if kind == "10" else holder
        assert names[index].startswith(names[subrack])


async def test_sensor_values_follow_their_precision_and_scale(room: PowerRoom):
    room.set_temperature(1, 45.0)
    room.set_temperature(2, 45.1)
    got = await values(
        room.subrack_address, f"{SENSOR}.4.1900", f"{SENSOR}.4.2900", f"{SENSOR}.3.1900", f"{SENSOR}.2.1900"
    )
    assert got == ["450", "451", "1", "9"]
    rpm = await values(room.subrack_address, f"{SENSOR}.4.1011", f"{SENSOR}.3.1011")
    assert 4100 < int(rpm[0]) < 4300
    assert rpm[1] == "0"


async def test_a_stopped_fan_reports_zero_with_a_working_sensor(room: PowerRoom):
    room.stop_fan(2, 3)
    assert await values(room.subrack_address, f"{SENSOR}.4.2031", f"{SENSOR}.5.2031") == ["0", "1"]
    room.start_fan(2, 3)
    assert int((await values(room.subrack_address, f"{SENSOR}.4.2031"))[0]) > 4000


async def test_a_dead_sensor_is_nonoperational(room: PowerRoom):
    room.kill_sensor(1, 2)
    room.kill_sensor(2)
    states = await column(room.subrack_address, f"{SENSOR}.5")
    assert {index for index, state in states.items() if state == "3"} == {1021, 2900}
    room.mend_sensor(1, 2)
    room.mend_sensor(2)
    assert set((await column(room.subrack_address, f"{SENSOR}.5")).values()) == {"1"}


async def test_what_is_not_there_is_no_such_instance_and_in_version_1_no_such_name(room: PowerRoom):
    status, printed = await net_snmp("snmpget", room.ups_address, f"{UPS}.9.9.0")
    assert (status, "No Such Instance" in printed) == (0, True)
    status, printed = await net_snmp("snmpget", room.ups_address, f"{UPS}.9.9.0", version="1")
    assert (status, "noSuchName" in printed) == (2, True)


async def test_a_walk_of_everything_ends_and_names_only_rise(room: PowerRoom):
    status, printed = await net_snmp("snmpbulkwalk", room.subrack_address, "1.3")
    lines = [line for line in printed.splitlines() if "No more variables" not in line]
    names = [tuple(map(int, line.split(" ")[0].split(".")[1:])) for line in lines]
    assert status == 0
    assert "No more variables" in printed.splitlines()[-1]
    assert len(names) > 300
    assert names == sorted(set(names))


async def test_nothing_can_be_set(room: PowerRoom):
    child = await asyncio.create_subprocess_exec(
        *("snmpset", "-v2c", "-cpublic", "-r0", "-t1", f"127.0.0.1:{room.ups_address[1]}"),
        *("1.3.6.1.2.1.1.5.0", "s", "mine"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await child.communicate()
    assert b"notWritable" in said
    assert await values(room.ups_address, "1.3.6.1.2.1.1.5.0") == ['"ups-1"']


async def test_a_killed_card_is_silent_and_the_other_answers(room: PowerRoom):
    room.kill("ups")
    status, printed = await net_snmp("snmpget", room.ups_address, "1.3.6.1.2.1.1.5.0")
    assert (status, "Timeout" in printed) == (1, True)
    assert await values(room.subrack_address, "1.3.6.1.2.1.1.5.0") == ['"transmission-1"']
    room.revive("ups")
    assert await values(room.ups_address, "1.3.6.1.2.1.1.5.0") == ['"ups-1"']
