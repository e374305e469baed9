"""Lithium batteries over YD/T 1363: packs typed from the makers' documents read to what they mean."""

import pytest

from tests.peers.ydt_info import alarms, class_4a, daren, kelvin, pace, pylontech, seplos, u16
from tests.ydt_values import values

FIFTEEN = [3397, 3396, 3397, 3396, 3397, 3396, 3390, 3397, 3402, 3402, 3403, 3402, 3402, 3402, 3402]
SIXTEEN = [3271, 3272, 3271, 3271, 3271, 3269, 3270, 3271, 3271, 3270, 3271, 3270, 3270, 3271, 3270, 3271]
EIGHT = [3330, 3330, 3330, 3331, 3328, 3329, 3329, 3331]
WARM = [21.0, 19.0, 19.5, 20.0]
SIX = [24.1, 23.9, 23.9, 24.0, 26.5, 27.4]


@pytest.mark.parametrize("name", ["battery-pylontech", "battery"])
@pytest.mark.parametrize(
    ("cells", "mah"),
    [(FIFTEEN, (49000, 50000)), (EIGHT, (94948, 110_000)), (SIXTEEN, (70000, 74000)), ([3200], (1, 2))],
)
@pytest.mark.parametrize("amps", [-0.6, 0.0, 12.3, -120.0])
def test_a_pylontech_pack_reads_to_its_values(name: str, cells: list[int], mah: tuple[int, int], amps: float) -> None:
    found = values(name, 0x46, 0x42, b"\x11\x02" + pylontech(cells, WARM, amps, mah), 0x20)
    assert [found[f"battery.voltage[cell={n}]"] for n in range(1, len(cells) + 1)] == [each / 1000 for each in cells]
    assert [found[f"battery.temperature[sensor={n}]"] for n in (1, 2, 3, 4)] == WARM
    assert found["battery.current"] == amps
    assert found["battery.voltage"] == sum(cells) / 1000
    assert found["battery.capacity[of=remaining]"] == mah[0] / 1000
    assert found["battery.capacity[of=total]"] == mah[1] / 1000
    assert found["battery.cycles"] == 7


@pytest.mark.parametrize("head", [b"\x00\x03", b"\x00\xff\x03"])
def test_all_packs_behind_one_address_are_told_apart_by_their_number(head: bytes) -> None:
    packs = [(FIFTEEN, (49000, 50000)), (EIGHT, (94948, 110_000)), (FIFTEEN, (10, 50000))]
    info = head + b"".join(pylontech(cells, WARM, 1.0, mah) for cells, mah in packs)
    found = values("battery", 0x46, 0x42, info)
    assert found["battery.voltage"] == sum(FIFTEEN) / 1000
    assert found["battery.voltage[pack=2]"] == sum(EIGHT) / 1000
    assert found["battery.voltage[pack=3,cell=15]"] == 3.402
    assert found["battery.capacity[pack=2,of=remaining]"] == 94.948
    assert "battery.voltage[pack=2,cell=9]" not in found


@pytest.mark.parametrize("name", ["battery-seplos", "battery"])
@pytest.mark.parametrize("cells", [SIXTEEN, FIFTEEN, EIGHT])
@pytest.mark.parametrize("spare", [4, 0, 6])
def test_a_seplos_pack_reads_to_its_values_with_any_number_of_items(name: str, cells: list[int], spare: int) -> None:
    found = values(name, 0x46, 0x42, b"\x00\x01" + seplos(cells, SIX, -6.95, spare=spare), 0x20)
    assert found["battery.voltage[cell=8]"] == cells[7] / 1000
    assert found["battery.temperature[sensor=4]"] == 24.0
    assert found["equipment.temperature[sensor=5,of=environment]"] == 26.5
    assert found["equipment.temperature[sensor=6,of=power]"] == 27.4
    assert found["battery.current"] == -6.95
    assert found["battery.voltage"] == pytest.approx(sum(cells) / 1000, abs=0.01)
    assert found["battery.capacity[of=remaining]"] == 133.71
    assert found["battery.capacity[of=total]"] == 170.0
    assert found["battery.capacity[of=rated]"] == 180.0
    assert (found["battery.charge"], found["battery.health"], found["battery.cycles"]) == (78.7, 100.0, 70)
    assert found["battery.voltage[of=port]"] == 52.79


@pytest.mark.parametrize("name", ["battery-pace", "battery"])
@pytest.mark.parametrize("cells", [SIXTEEN, FIFTEEN[:13]])
@pytest.mark.parametrize("items", [3, 4, 5])
def test_a_pace_pack_reads_to_its_values(name: str, cells: list[int], items: int) -> None:
    found = values(name, 0x46, 0x42, b"\x00\x01" + pace(cells, SIX, -2.25, items), 0x25)
    assert found["battery.voltage[cell=13]"] == cells[12] / 1000
    assert found["battery.temperature[sensor=1]"] == 24.1
    assert found["equipment.temperature[sensor=5,of=power]"] == 26.5
    assert found["battery.current"] == -2.25
    assert found["battery.voltage"] == sum(cells) / 1000
    assert found["battery.capacity[of=remaining]"] == 48.19
    assert (found["battery.capacity[of=total]"], found["battery.capacity[of=rated]"]) == (103.46, 100.0)
    assert found["battery.cycles"] == 140


def test_a_pack_of_seplos_kin_with_two_items_is_known_by_its_voltage() -> None:
    head = bytes((16,)) + u16(*SIXTEEN) + bytes((6,)) + u16(*kelvin(*SIX))
    info = b"\x00\x01" + head + u16(-450, 5232, 4700) + b"\x02" + u16(5000, 12)
    found = values("battery", 0x46, 0x42, info, 0x26)
    assert (found["battery.current"], found["battery.voltage"]) == (-4.5, 52.32)
    assert found["battery.capacity[of=remaining]"] == 47.0
    assert found["battery.cycles"] == 12


def test_a_cell_or_sensor_that_is_not_there_is_absent_and_the_rest_is_read() -> None:
    cells = [*FIFTEEN]
    info = bytearray(b"\x00\x02" + pylontech(cells, WARM, 0.0, (49000, 50000)))
    info[3:5] = b"\xff\xff"
    info[5:7] = b"\x20\x20"
    info[34:36] = b"\x00\x00"
    found = values("battery-pylontech", 0x46, 0x42, bytes(info))
    assert found["battery.voltage[cell=1]"] is None
    assert found["battery.voltage[cell=2]"] is None
    assert found["battery.temperature[sensor=1]"] is None
    assert found["battery.voltage[cell=3]"] == 3.397


@pytest.mark.parametrize("dead", [b"\x00\x00", b"\xff\xff", b"\x27\x0f", b"\x20\x20"])
@pytest.mark.parametrize("ver", [0x20, 0x25, 0x26])
def test_a_dead_cell_costs_neither_the_rest_of_the_pack_nor_its_maker(dead: bytes, ver: int) -> None:
    """0 V, all ones, 9.999 V, not monitored: the pack's voltage is more than what the other cells add up to."""
    first = u16(SIXTEEN[0])
    for pack, amps in ((pylontech(SIXTEEN, WARM, -0.6, (1, 2)), -0.6), (pace(SIXTEEN, SIX, -6.95), -6.95)):
        found = values("battery", 0x46, 0x42, b"\x00\x01" + pack.replace(first, dead, 1), ver)
        assert (found["battery.current"], found["battery.voltage"]) == (amps, sum(SIXTEEN) / 1000)
        assert found["battery.voltage[cell=2]"] == SIXTEEN[1] / 1000
    found = values("battery", 0x46, 0x42, b"\x00\x01" + seplos(SIXTEEN, SIX, -6.95).replace(first, dead, 1), ver)
    assert (found["battery.current"], found["battery.voltage"]) == (-6.95, round(sum(SIXTEEN) / 10) / 100)
    assert found["battery.voltage[cell=1]"] == (0.0 if dead == b"\x00\x00" else None)


def test_a_pack_of_class_4a_reads_to_its_values() -> None:
    found = values("battery-4a", 0x4A, 0x42, b"\x10\x01" + class_4a(SIXTEEN, SIX, 6.69), 0x20)
    assert found["battery.temperature[sensor=4]"] == 24.0
    assert found["equipment.temperature[of=environment]"] == 26.5
    assert (found["battery.current"], found["battery.voltage"]) == (6.69, 52.33)
    assert (found["battery.charge"], found["battery.health"], found["battery.cycles"]) == (87.0, 98.0, 84)
    assert (found["battery.capacity[of=remaining]"], found["battery.capacity[of=total]"]) == (86.17, 98.6)


def test_a_daren_pack_reads_to_its_values_and_its_alarms() -> None:
    words = (0x2001, 0x0002, 0x0100, 0x0080, 0x8002)
    found = values("battery-daren", 0x4A, 0x42, daren(SIXTEEN, [22.5, 23.0, -3.0, 21.0, 21.5], -15.0, words), 0x22)
    assert (found["battery.charge"], found["battery.voltage"], found["battery.current"]) == (87.25, 52.33, -15.0)
    assert found["equipment.temperature[of=power]"] == -3.0
    assert found["battery.temperature[sensor=2]"] == 21.5
    assert (found["battery.capacity[of=total]"], found["battery.capacity[of=remaining]"]) == (100.5, 87.68)
    active = {point for point, value in found.items() if value == "active"}
    expected = {"fuse_blown", "cell_overvoltage", "charge_high_temperature", "low_charge", "low_battery"}
    assert active == {f"alarm.status[alarm={name}]" for name in expected}
    assert found["battery.status"] == "discharging"
    assert found["breaker.status[of=charging]"] == "open"
    assert found["breaker.status[of=discharging]"] == "closed"


def test_alarms_of_a_pylontech_pack_are_states_of_cells_sensors_and_bits() -> None:
    info = bytearray(b"\x00\x02" + alarms(15, 5, 0x00, 0xF0, 0x02, 0x82, 0x06, 0x41, 0x00, 0x40))
    info[3], info[19] = 0x01, 0x02
    found = values("battery", 0x46, 0x44, bytes(info))
    assert found["device.status[cell=1,of=cell_voltage]"] == "below_limit"
    assert found["device.status[sensor=1,of=temperature]"] == "above_limit"
    assert found["device.status[of=voltage]"] == "fault"
    assert found["device.status[of=discharge_current]"] == "above_limit"
    assert found["alarm.status[alarm=pack_undervoltage]"] == "active"
    assert found["alarm.status[alarm=cell_undervoltage]"] == "active"
    assert found["alarm.status[alarm=pack_overvoltage]"] == "clear"
    assert found["battery.status"] == "discharging"
    assert found["device.status[of=buzzer]"] == "on"
    assert found["alarm.status[cell=15,alarm=cell_voltage_fault]"] == "active"


def test_alarms_of_a_seplos_pack_are_states_of_cells_sensors_and_events() -> None:
    events = (0x10, 0x02, 0, 0, 0, 0x04, 0x03, 0, 0, 0x02, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0x02)
    found = values("battery", 0x46, 0x44, b"\x00\x01" + alarms(15, 6, 0x00, 0x01, 20, *events))
    assert found["device.status[of=voltage]"] == "below_limit"
    active = {point for point, value in found.items() if value == "active"}
    assert active == {
        "alarm.status[alarm=cell_voltage_difference_fault]",
        "alarm.status[alarm=cell_overvoltage]",
        "alarm.status[alarm=low_capacity]",
        "alarm.status[cell=1,alarm=cell_disconnected]",
    }
    assert found["battery.status"] == "charging"
    assert found["breaker.status[of=charging]"] == found["breaker.status[of=discharging]"] == "closed"


@pytest.mark.parametrize("more", [b"", b"\x00"])
def test_alarms_of_a_pace_pack_are_states_of_cells_sensors_and_events(more: bytes) -> None:
    info = b"\x00\x01" + alarms(16, 6, 0x02, 0, 0, 0x41, 0x80, 0x26, 0, 0x10, 0, 0, 0x02, 0x40) + more
    found = values("battery", 0x46, 0x44, info, 0x25)
    assert found["device.status[of=charge_current]"] == "above_limit"
    active = {point for point, value in found.items() if value == "active"}
    expected = {"cell_overvoltage", "short_circuit", "cell_fault", "cell_low_voltage", "power_high_temperature"}
    assert active == {f"alarm.status[alarm={name}]" for name in expected}
    assert found["device.status[of=fully_charged]"] == "on"
    assert found["battery.status"] == "charging"


def test_alarms_of_class_4a_count_two_temperatures_more() -> None:
    info = b"\x10\x01" + alarms(16, 4, 0, 0x02, 0, 0, 9, 0x10, 0x02, 0x20, 0x01, 0x04, 0x01, 0x03, 0x01, *[0] * 5)
    found = values("battery-4a", 0x4A, 0x44, info)
    assert found["device.status[of=power_temperature]"] == "above_limit"
    active = {point for point, value in found.items() if value == "active"}
    expected = {
        "cell_voltage_difference",
        "cell_overvoltage",
        "fire",
        "charge_high_temperature",
        "discharge_high_current",
    }
    assert active == {f"alarm.status[alarm={name}]" for name in {*expected, "low_charge"}}
    assert found["battery.status"] == "discharging"


def test_limits_and_management_of_a_pylontech_pack_are_taken_apart() -> None:
    found = values("battery-pylontech", 0x46, 0x92, b"\x02" + u16(53250, 47000, 370, -370) + b"\xc0")
    assert (found["battery.voltage[of=charge limit]"], found["battery.current[of=discharge limit]"]) == (53.25, -37.0)
    limits = u16(3700, 3050, 2900, 3231, 2731, 10200, 54000, 46000, 44500, 3331, 2631, -10000)
    found = values("battery-pylontech", 0x46, 0x47, b"\x00" + limits)
    assert found["battery.voltage[of=cell under limit]"] == 2.9
    assert found["battery.temperature[of=charge high limit]"] == 50.0
    assert found["battery.temperature[of=discharge low limit]"] == -10.0
    assert (found["battery.current[of=charge limit]"], found["battery.current[of=discharge limit]"]) == (102.0, -100.0)
