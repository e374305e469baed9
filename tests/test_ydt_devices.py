"""YD/T 1363 definitions: INFO typed from the documents reads to what it means; batteries are in test_ydt_batteries."""

import pytest

from collectors.line.ydt_slave import YdtSlave
from config.shipped import names
from tests.peers.ydt_info import f32, u16
from tests.ydt_values import values, ydt
from wire.ydt1363 import READS, decode

NAMES = sorted(names("devices/ydt1363"))


@pytest.mark.parametrize("name", NAMES)
def test_a_definition_names_its_source_and_asks_only_what_reads(name: str) -> None:
    found = ydt(name)
    assert found.source
    for question in YdtSlave("y", found, 1).plan():
        assert decode(question.frame).code in READS


PHASES = (230.0, 231.5, 229.0, 50.0)
AMPS = (5.0, 6.0, 7.0)
AC = {
    "mains.voltage[phase=1]": 230.0,
    "mains.voltage[phase=2]": 231.5,
    "mains.voltage[phase=3]": 229.0,
    "mains.frequency": 50.0,
    "mains.current[phase=1]": 5.0,
    "mains.current[phase=2]": 6.0,
    "mains.current[phase=3]": 7.0,
}


@pytest.mark.parametrize("flag", [b"\x11", b""])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("panels", [b"", b"\x01"])
@pytest.mark.parametrize("items", [b"\x00", b"\x02" + f32(1.0, 2.0), b""])
def test_values_of_an_ac_panel_are_read_in_every_form(flag: bytes, big: bool, panels: bytes, items: bytes) -> None:
    items = b"\x02" + f32(1.0, 2.0, big=big) if len(items) > 1 else items
    info = flag + panels + b"\x01" + f32(*PHASES, big=big) + items + f32(*AMPS, big=big)
    assert values("ac-distribution", 0x40, 0x41, info) == AC


def test_two_inputs_of_two_panels_are_told_apart() -> None:
    one = b"\x02" + (f32(*PHASES) + b"\x00") * 2 + f32(*AMPS)
    found = values("ac-distribution", 0x40, 0x41, b"\x00\x02" + one + one)
    assert found["mains.voltage[panel=2,input=2,phase=3]"] == 229.0
    assert found["mains.current[panel=2,phase=1]"] == 5.0


def test_a_mains_failure_reads_as_zeros_and_not_as_another_layout() -> None:
    found = values("ac-distribution", 0x40, 0x41, b"\x01\x01" + bytes(16) + b"\x00" + bytes(12))
    assert found == dict.fromkeys(AC, 0.0)


def test_alarms_and_states_of_an_ac_panel_are_codes() -> None:
    info = bytes((0, 1, 1, 0x01, 0x03, 0xE1, 0xF0, 2, 0x00, 0x04, 3, 0, 0x85, 0x05, 0x02, 0, 0x20))
    found = values("ac-distribution", 0x40, 0x44, info)
    assert found == {
        "mains.status[phase=1]": "below_limit",
        "mains.status[phase=2]": "phase_missing",
        "mains.status[phase=3]": "failed",
        "device.status[of=frequency]": "fault",
        "fuse.status[fuse=1]": "normal",
        "fuse.status[fuse=2]": "blown",
        "device.status[item=1,of=maker]": "normal",
        "device.status[item=2,of=maker]": "fault",
        "device.status[item=3,of=maker]": "switch_open",
        "device.status[of=current,phase=1]": "above_limit",
        "device.status[of=current,phase=2]": "normal",
        "device.status[of=current,phase=3]": None,
    }
    found = values("ac-distribution", 0x40, 0x43, bytes((0, 1, 3, 0, 1, 0, 3, 0xE0, 0xE1, 0xE1)))
    assert found == {
        "breaker.status[switch=1]": "closed",
        "breaker.status[switch=2]": "open",
        "breaker.status[switch=3]": "closed",
    }


@pytest.mark.parametrize("flag", [b"\x00", b""])
@pytest.mark.parametrize("big", [False, True])
def test_rectifiers_are_read_with_any_number_of_items(flag: bytes, big: bool) -> None:
    module = f32(10.5, big=big) + b"\x04" + f32(41.0, 110.0, 53.5, 58.0, big=big)
    plain = f32(11.5, big=big) + b"\x00"
    info = flag + f32(53.5, big=big) + b"\x03" + module + plain + module
    assert values("rectifier", 0x41, 0x41, info) == {
        "rectifier.voltage": 53.5,
        "rectifier.current[rectifier=1]": 10.5,
        "rectifier.temperature[rectifier=1]": 41.0,
        "rectifier.current[rectifier=2]": 11.5,
        "rectifier.current[rectifier=3]": 10.5,
        "rectifier.temperature[rectifier=3]": 41.0,
    }


def test_rectifiers_whose_items_are_phase_voltages_have_no_temperature() -> None:
    module = f32(10.5) + b"\x03" + f32(228.0, 229.0, 230.0)
    found = values("rectifier", 0x41, 0x41, b"\x00" + f32(53.5) + b"\x02" + module * 2)
    assert found["rectifier.temperature[rectifier=1]"] is None
    assert found["rectifier.current[rectifier=2]"] == 10.5


def test_states_and_alarms_of_rectifiers_are_codes() -> None:
    found = values("rectifier", 0x41, 0x44, bytes((0, 2, 0, 4, 0, 0xF0, 0, 1, 1, 0)))
    assert [
        found[f"rectifier.status[rectifier=1,item={n},of={of}]"] for n, of in ((2, "fan"), (4, "communication"))
    ] == [
        "fan_fault",
        "no_communication",
    ]
    assert found["rectifier.status[rectifier=2,of=alarm]"] == "fault"
    found = values("rectifier", 0x41, 0x43, bytes((0, 2, 0, 1, 0, 0, 1, 0, 1, 1, 0xE0)))
    assert (found["rectifier.status[rectifier=1]"], found["rectifier.status[rectifier=2]"]) == ("on", "off")
    assert (found["rectifier.limiting[rectifier=2]"], found["rectifier.mode[rectifier=2]"]) == ("yes", "equalise")


@pytest.mark.parametrize("items", [b"\x00", b"", b"\x02" + f32(26.7, 26.8)])
def test_a_dc_panel_is_read_with_and_without_items(items: bytes) -> None:
    info = b"\x00\x01" + f32(53.4, 42.0) + b"\x02" + f32(-3.0, 2.5) + b"\x03" + f32(20.0, 22.0, 0.0) + items
    found = values("dc-distribution", 0x42, 0x41, info)
    assert (found["dc_bus.voltage"], found["load.current"]) == (53.4, 42.0)
    assert (found["battery.current[battery=1]"], found["battery.current[battery=2]"]) == (-3.0, 2.5)
    assert found["load.current[branch=3]"] == 0.0


def test_the_ups_reads_float_values_and_its_alarms() -> None:
    info = (
        b"\x00"
        + f32(382.0, 383.0, 384.0, 220.0, 220.5, 219.5, 10.0, 11.0, 12.0, 405.0, 50.0)
        + b"\x02"
        + f32(97.5, 24.5)
    )
    found = values("ups", 0x2A, 0x41, info)
    assert (found["input.line_voltage[phase=3]"], found["output.current[phase=2]"]) == (384.0, 11.0)
    assert (found["battery.charge"], found["battery.temperature"]) == (97.5, 24.5)
    assert (found["battery.voltage"], found["output.frequency"]) == (405.0, 50.0)
    found = values("ups", 0x2A, 0x44, bytes((0, 0xE0, 0x01, 0xF0, 0, 0x01, 0, 2, 0, 0x85)))
    assert (found["input.status"], found["device.status[of=rectifier]"], found["bypass.status"]) == (
        "below_limit",
        "fault",
        "fault",
    )
    assert found["device.status[item=2,of=maker]"] == "fault"
    assert values("ups", 0x2A, 0x43, bytes((0, 2, 0))) == {"output.status": "bypass"}


def test_the_liebert_gxe_reads_by_places() -> None:
    words = [22010, 0x2020, 0x2020, 22000, 0x2020, 0x2020, 455, 0x2020, 0x2020, 8210, 4998]
    info = bytearray(50)
    info[1:23] = u16(*words)
    info[27:29], info[33:37], info[41:43] = u16(5001), u16(98, 104), u16(1250)
    found = values("liebert-gxe", 0x2A, 0x42, bytes(info))
    assert (found["input.voltage[phase=1]"], found["output.voltage[phase=1]"]) == (220.1, 220.0)
    assert found["input.voltage[phase=2]"] is None
    assert (found["output.current[phase=1]"], found["battery.voltage"]) == (4.55, 82.1)
    assert (found["output.frequency"], found["input.frequency"]) == (49.98, 50.01)
    assert (found["output.power"], found["output.apparent_power"], found["battery.runtime"]) == (980, 1040, 750.0)
    found = values("liebert-gxe", 0x2A, 0x43, bytes((0, 1, 3, 0xE2, 0xE3, 0xE1, 0, 0)))
    assert (found["output.status"], found["battery.status"]) == ("normal", "discharging")
    assert found["device.status[of=rectifier_supply]"] == "battery"
    flags = [0x0E] * 18
    flags[8] = 0x01
    found = values("liebert-gxe", 0x2A, 0x44, bytes((0, 0, 0x01, 0, 0, 0, 0x01, 18, *flags)))
    worse = {point for point, value in found.items() if value != "normal"}
    assert worse == {"input.status", "device.status[of=battery_voltage]", "device.status[of=overload]"}


def test_the_emerson_air_conditioner_reads_two_words_of_fifteen() -> None:
    words = [225, 553, 2168, 2168, 2168, 1, 500, 175, 0xFE66, 511, 0xFE66, 4, 4, 4, 4]
    found = values("air-conditioner-emerson", 0x60, 0x42, u16(*words))
    assert found == {"cooling.temperature": 22.5, "cooling.humidity": 55.3}
    absent = values("air-conditioner-emerson", 0x60, 0x42, u16(0xFE66, 0xFE66, *words[2:]))
    assert absent == {"cooling.temperature": None, "cooling.humidity": None}


@pytest.mark.parametrize("flag", [b"\x00", b""])
def test_the_cabinet_air_conditioner_reads_its_temperature_and_twenty_six_alarms(flag: bytes) -> None:
    assert values("air-conditioner-cabinet", 0x60, 0x42, u16(315, 0, 0, 0, 0, 0)) == {
        "cooling.temperature[of=cabinet]": 31.5
    }
    codes = bytearray(26)
    codes[0], codes[8], codes[12], codes[13], codes[18], codes[19] = 2, 1, 1, 1, 1, 0xF0
    found = values("air-conditioner-cabinet", 0x60, 0x44, flag + bytes(codes))
    assert found["device.status[of=cabinet_high_temperature]"] == "above_limit"
    assert (found["door.status"], found["leak.status"], found["smoke.status"]) == ("open", "wet", "smoke")
    assert (found["mains.status"], found["fan.status[fan=inner]"]) == ("failed", "fault")
    assert found["spd.status"] == "normal"


def test_the_air_conditioner_controller_reads_eight_words_its_alarms_and_its_state() -> None:
    found = values("air-conditioner-iacc", 0x66, 0x42, u16(221, 0x2020, 0x2020, 512, 0x2020, 0x2020, 14, 26))
    assert found["equipment.voltage[phase=1]"] == 221
    assert found["equipment.voltage[phase=2]"] is None
    assert found["equipment.current[phase=1]"] == 5.12
    assert (found["cooling.temperature[of=supply]"], found["cooling.temperature[of=return]"]) == (14, 26)
    assert values("air-conditioner-iacc", 0x66, 0x43, b"\x00\x01\x00") == {"cooling.status": "running"}
    assert (
        values("air-conditioner-iacc", 0x66, 0x44, bytes((0, 1, 0, 0, 0, 0, 0)))["device.status[of=cooling]"] == "fault"
    )


def test_the_environment_template_shows_every_word_by_its_number() -> None:
    found = values("environment", 0x80, 0x42, b"\x00" + u16(251, 553))
    assert found == {"equipment.generic[word=1]": 251, "equipment.generic[word=2]": 553}


def test_the_small_plant_reads_without_flag_and_items() -> None:
    found = values("mu4801", 0x40, 0x41, f32(221.0, 222.0, 223.0, 50.0, 4.5))
    assert (found["mains.voltage[phase=2]"], found["mains.current"]) == (222.0, 4.5)
    assert values("mu4801", 0x41, 0x41, f32(53.5) + b"\x02" + f32(10.0, 11.0))["rectifier.current[rectifier=2]"] == 11.0
    found = values("mu4801", 0x42, 0x41, f32(53.5, 20.0, -1.5) + b"\x01" + f32(20.0))
    assert (found["battery.current"], found["load.current[branch=1]"]) == (-1.5, 20.0)
    found = values("mu4801", 0x42, 0x44, bytes((0, 1, 0, 0, 1, 0, 0)))
    assert (found["dc_bus.status[of=low voltage]"], found["fuse.status[fuse=2]"]) == ("below_limit", "blown")
    assert values("mu4801", 0x41, 0x43, bytes((2, 0, 1)))["rectifier.status[rectifier=2]"] == "off"


def test_a_command_of_a_maker_is_taken_apart_and_never_asked() -> None:
    info = (
        u16(3338, 3331) + bytes((26, 25)) + u16(5000, 0, 0) + bytes((90,)) + u16(10000) + bytes((100, 7, 0xD0, 100, 1))
    )
    found = values("abms", 0xD0, 0x82, info)
    assert (found["battery.voltage[of=highest cell]"], found["battery.voltage"]) == (3.338, 50.0)
    assert (found["battery.charge"], found["battery.capacity"], found["battery.health"]) == (90.0, 100.0, 100.0)
    assert YdtSlave("y", ydt("abms"), 1).plan() == []
