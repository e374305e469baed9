"""Families of devices that no recording shows: what is tricky in each maker's MIB, in a few objects typed from it."""

from collections.abc import Mapping

import pytest

from collectors.snmp.library import choose, shipped
from collectors.snmp.recording import Recording, read_from
from model.point import Reading
from wire.snmp import Value

ENTERPRISES = "1.3.6.1.4.1"
SYSTEM: dict[str, tuple[int, Value]] = {
    "1.3.6.1.2.1.1.2.0": (6, "1.3.6.1.4.1.8072.3.2.10"),
    "1.3.6.1.2.1.1.3.0": (67, 1),
}


def said(objects: Mapping[str, int | str | bytes]) -> dict[str, Reading]:
    """Read a card that has these objects below the enterprises, with what ships; by the points' names."""
    card = SYSTEM | {
        f"{ENTERPRISES}.{oid}": (2, value)
        if isinstance(value, int)
        else (4, value if isinstance(value, bytes) else value.encode())
        for oid, value in objects.items()
    }
    batch, _ = read_from(Recording(card), shipped())
    return {reading.point.id: reading for reading in batch.readings}


def values(objects: Mapping[str, int | str | bytes]) -> dict[str, float | str | None]:
    """Give the values alone."""
    return {name: reading.value for name, reading in said(objects).items()}


# -- Morningstar ------------------------------------------------------------------------------------------------------


def test_the_faults_of_a_morningstar_controller_are_bits_from_the_left() -> None:
    read = values({"33333.6.30.0": "13.25", "33333.6.45.0": 5, "33333.6.46.0": b"\x10\x00", "33333.6.56.0": 123})
    assert read["battery.voltage"] == 13.25
    assert read["equipment.capacity[object=ahLoadResettable]"] == 12.3
    assert read["device.status[object=chargeState]"] == "bulk"
    assert [name for name, value in read.items() if value == "active"] == ["alarm.status[alarm=array_battery_hvd]"]


def test_the_one_voltage_of_a_morningstar_tristar_is_the_arrays_or_the_loads_by_its_mode() -> None:
    objects = {"33333.8.30.0": 8000, "33333.8.32.0": 8000, "33333.8.33.0": 1, "33333.8.34.0": 1}
    charger, load = values(objects | {"33333.8.45.0": 0}), values(objects | {"33333.8.45.0": 1})
    assert charger["solar.voltage"] == load["load.voltage"] == 33.972167969
    assert load.get("solar.voltage") is charger.get("load.voltage") is None


# -- ABB, AEG ---------------------------------------------------------------------------------------------------------


def test_columns_right_below_the_enterprise_of_an_abb_cms_700_are_its_mains_and_its_sensors() -> None:
    read = said(
        {
            "51055.1.1.7": 1234,
            "51055.1.16.7": 55,
            "51055.1.19.7": "Oven",
            "51055.1.24.1": 23012,
            "51055.1.36.1": 100,
        }
    )
    assert read["mains.voltage[phase=1]"].value == 230.12
    assert read["mains.energy[phase=1]"].value == 1.0
    assert read["circuit.current[circuit=7]"].value == 12.34
    assert read["circuit.energy[circuit=7]"].value == 5.5
    assert read["circuit.current[circuit=7]"].point.label == "Current, Oven"


def test_an_aeg_plants_alarms_are_rows_that_name_themselves() -> None:
    read = said(
        {
            "15416.37.1.1.0": 6,
            "15416.37.1.2.0": 5450,
            "15416.37.4.1.0": 1,
            "15416.37.8.1.1.2.3": "Mains failure",
            "15416.37.8.1.1.3.3": 1,
            "15416.37.8.1.1.2.4": "Door",
            "15416.37.8.1.1.3.4": 0,
        }
    )
    assert read["battery.voltage"].value == 54.5
    assert read["device.status[object=battChargeMode]"].value == "on_battery"
    assert read["mains.status"].value == "failed"
    assert {read[f"alarm.status[alarm={row}]"].value for row in (3, 4)} == {"active", "clear"}
    assert read["alarm.status[alarm=3]"].point.label == "Alarm, Mains failure"


# -- HPE, Aphel, IT Watchdogs -----------------------------------------------------------------------------------------


def test_an_hpe_ups_gives_its_batterys_volts_in_tenths_and_its_lines_whole() -> None:
    read = values(
        {
            "232.165.3.2.2.0": 545,
            "232.165.3.2.5.0": 3,
            "232.165.3.3.1.0": 500,
            "232.165.3.4.4.1.2.1": 231,
            "232.165.3.4.5.0": 10,
            "232.165.3.10.2.1.2.2": 2,
        }
    )
    assert (read["battery.voltage"], read["input.frequency"], read["output.voltage[phase=1]"]) == (54.5, 50.0, 231.0)
    assert (read["battery.status"], read["output.status"], read["outlet.status[outlet=2]"]) == ("normal", "eco", "off")


def test_an_empty_bay_of_a_blade_enclosure_is_no_point() -> None:
    read = values(
        {
            "232.22.2.3.1.1.1.16.1": 3,
            "232.22.2.5.1.1.1.10.1": 332,
            "232.22.2.5.1.1.1.10.2": -1,
            "232.22.2.5.1.1.1.16.1": 3,
            "232.22.2.5.1.1.1.16.2": 2,
            "232.22.2.5.1.1.1.17.1": 2,
            "232.22.2.5.1.1.1.17.2": 1,
        }
    )
    named = "object=cpqRackPowerSupplyCurPwrOutput"
    assert read["device.status[enclosure=1,object=cpqRackCommonEnclosureCondition]"] == "degraded"
    assert read[f"equipment.power[power_supply=1,{named}]"] == 332.0
    assert not [name for name in read if "power_supply=2" in name]


def test_a_goose_and_a_genesis_of_one_enterprise_are_told_apart_by_what_they_have() -> None:
    goose = said({"17373.3.2.1.2.1": "DEAD", "17373.3.2.1.5.1": 21})
    genesis = said({"17373.3.2.1.0": 23, "17373.3.2.2.0": 0})
    assert "outlet.current[outlet=1]" not in goose
    assert {name: reading.value for name, reading in genesis.items() if "outlet" in name} == {
        "outlet.current[outlet=1]": 2.3,
        "outlet.current[outlet=2]": 0.0,
    }


# -- what says of itself what it is -----------------------------------------------------------------------------------


def test_a_sensor_of_a_schleifenbauer_gateway_is_what_its_letter_says() -> None:
    table = "31034.1.1.8.1"
    objects: dict[str, int | str | bytes] = {
        "31034.1.1.4.1.3.1": "Rack 4",
        f"{table}.3.1": 0,
        f"{table}.7.1": "T",
        f"{table}.8.1": "23.5",
        f"{table}.10.1": "H",
        f"{table}.11.1": 41,
        f"{table}.13.1": "I",
        f"{table}.14.1": 1,
    }
    read = said(objects)
    assert read["ambient.temperature[pdu=1,sensor=1]"].value == 23.5
    assert read["ambient.temperature[pdu=1,sensor=1]"].point.label == "Temperature 1, Rack 4"
    assert read["ambient.humidity[pdu=1,sensor=2]"].value == 41.0
    assert not {"ambient.humidity[pdu=1,sensor=1]", "ambient.temperature[pdu=1,sensor=2]"} & set(read)
    assert [read[name].value for name in read if name.startswith(("device.status", "equipment.temp"))] == [
        None,
        "closed",
    ]


def test_a_bladecenter_says_its_numbers_in_words_and_has_no_state_of_a_blower_that_is_not_there() -> None:
    chassis = "2.3.51.2.2"
    read = values(
        {
            f"{chassis}.1.5.1.0": "26.00 Centigrade",
            f"{chassis}.3.1.0": "42% of maximum",
            f"{chassis}.3.2.0": "No Blower",
            f"{chassis}.3.10.0": 3,
            f"{chassis}.3.11.0": 0,
            f"{chassis}.7.1.0": 0,
        }
    )
    assert (read["ambient.temperature"], read["fan.duty[fan=1]"]) == (26.0, 42.0)
    assert [name for name, value in read.items() if value in {"bad", "critical"}] == [
        "device.status[object=systemHealthStat]",
        "device.status[fan=1,object=blower1State]",
    ]
    assert not [name for name in read if "blower2State" in name]


def test_a_card_that_puts_a_zero_behind_the_phase_of_the_standard_tables_has_the_same_points_as_others() -> None:
    card = SYSTEM | {"1.3.6.1.2.1.33.1.4.4.1.2.1.0": (2, 230), "1.3.6.1.2.1.33.1.4.4.1.2.2.0": (2, 231)}
    batch, _ = read_from(Recording(card), shipped())
    read = {reading.point.id: reading.value for reading in batch.readings}
    assert (read["output.voltage[phase=1]"], read["output.voltage[phase=2]"]) == (230.0, 231.0)


def test_an_eaton_ats30_says_with_bits_that_it_gives_nothing_and_that_it_has_too_much_to_give() -> None:
    read = values({"534.10.1.3.1.1.2.2": 2301, "534.10.1.3.7.0": 5, "534.10.1.4.5.0": 6})
    assert read["input.voltage[source=2]"] == 230.1
    assert [name for name, value in read.items() if value in {"active", "source2"}] == [
        "device.status[object=atsMessureOperationMode]",
        "alarm.status[alarm=no_output]",
        "alarm.status[alarm=overload]",
    ]


def test_a_jacarta_that_is_set_to_fahrenheit_gives_celsius() -> None:
    pro = "19011.1.3.2.1"
    read = values({f"{pro}.2.16.0": 2, f"{pro}.3.1.1.1.3.1": 6800, f"{pro}.3.1.1.1.4.1": 3})
    assert read["ambient.temperature[sensor=1]"] == 20.0
    old = "19011.1.3.1.1"
    read = values({f"{old}.2.16.0": 1, f"{old}.3.2.1.3.2": 215, f"{old}.3.2.1.4.2": 6, f"{old}.3.2.1.5.2": 400})
    assert read["ambient.temperature[sensor=2]"] == 21.5
    assert read["device.status[sensor=2,object=inSeptsensorMonitorDeviceTemperatureAlarm]"] == "above_high_warning"


def test_a_ups_of_one_phase_whose_netagent_has_a_three_phase_group_of_zeros_has_no_such_points() -> None:
    ups = "935.1.1.1"
    alike: dict[str, int | str | bytes] = {f"{ups}.4.2.1.0": 2307, f"{ups}.8.3.2.0": 0, f"{ups}.8.5.7.0": 16}
    one, three = values(alike | {f"{ups}.8.1.1.0": 0}), values(alike | {f"{ups}.8.1.1.0": 4000})
    assert one["output.voltage"] == 230.7
    assert not {"output.voltage[phase=1]", "rectifier.status"} & set(one)
    assert {"output.voltage[phase=1]", "rectifier.status"} < set(three)


def test_an_apc_battery_cartridges_state_is_a_text_of_zeros_and_ones_from_the_left() -> None:
    pack = "318.1.1.1.2.3.10.2.1"
    read = values(
        {
            "318.1.1.1.1.1.1.0": "Smart-UPS SRT",
            "318.1.1.1.2.2.1.0": 100,
            f"{pack}.5.1.1": 243,
            f"{pack}.7.1.1": "10000000",
            f"{pack}.10.1.1": "0010000000000000",
        }
    )
    assert read["battery.temperature[pack=1,cartridge=1]"] == 24.3
    assert [name for name, value in read.items() if value == "active"] == [
        "alarm.status[pack=1,cartridge=1,alarm=needs_replacement,object=upsHighPrecBatteryPackCartridgeStatus]"
    ]


# -- devices that are something else ----------------------------------------------------------------------------------

OTHERS = {
    "Cisco Catalyst": "9.1.516",
    "Cisco Nexus": "9.12.3.1.3.1084",
    "HP printer": "11.2.3.9.1",
    "HPE Comware switch": "25506.1.612",
    "HPE Onboard Administrator": "11.5.7.1.2",
    "IBM tape library": "2.6.219",
    "Dell PowerConnect": "674.10895.3000",
    "Dell EqualLogic": "12740.12",
    "Huawei S5720": "2011.2.23.276",
    "Huawei OceanStor": "2011.2.91",
    "Huawei wireless controller": "2011.2.240.7",
    "Moxa switch": "8691.7.6",
    "Ubiquiti airOS": "41112.1.4",
    "Ubiquiti EdgeSwitch": "4413",
    "Ubiquiti EdgeRouter": "41112.1.5",
    "Avocent console server": "10418.26.1",
    "Opengear console server": "25049.1.81",
    "WTI console server": "2634.6.2",
    "Digi AnywhereUSB": "332.11.6",
    "ATEN KVM switch": "21317.1.1",
    "Supermicro switch": "10876.101",
    "CAREL pCOWeb": "9839.1",
    "Emerson video recorder": "476.1.42.4",
    "Panduit switch": "19536",
    "Legrand switch": "1356",
    "Linux": "8072.3.2.10",
    "Linux of long ago": "2021.250.10",
}


@pytest.mark.parametrize("oid", OTHERS.values(), ids=OTHERS)
def test_no_sys_object_id_alone_makes_a_device_one_of_ours(oid: str) -> None:
    assert choose(shipped().matches, f"{ENTERPRISES}.{oid}", frozenset()) == ()


def test_each_makers_definition_asks_for_something_of_its_own_below_an_enterprise_or_a_standard() -> None:
    asked = {name: match.has for name, match in shipped().matches.items() if not match.is_standard}
    assert [name for name, has in asked.items() if not has] == ["mge-galaxy"]  # only a sysObjectID tells its cards
    assert not [name for name, has in asked.items() if any(oid.count(".") < ENTERPRISES.count(".") + 1 for oid in has)]
