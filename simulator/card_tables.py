"""What the two SNMP cards show: a table from OID to value for a snapshot of the room.

Sources: RFC 1628 (UPS-MIB), RFC 6933 (ENTITY-MIB), RFC 3433 (ENTITY-SENSOR-MIB), RFC 3418 (system group).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from simulator.plant import Snapshot, SubrackReading, UpsReading
from simulator.ups import LOW_CHARGE

Oid = tuple[int, ...]
Kind = Literal["integer", "gauge", "counter", "ticks", "text", "oid"]


@dataclass(frozen=True, slots=True)
class Value:
    """A value and the SNMP type that it goes out as."""

    kind: Kind
    value: int | str | Oid


Table = dict[Oid, Value]
Row = dict[int, Value]
"""A table's row: column to value."""

UPS_MIB: Oid = (1, 3, 6, 1, 2, 1, 33)
_UPS_OBJECTS: Oid = (*UPS_MIB, 1)
_WELL_KNOWN_ALARMS: Oid = (*_UPS_OBJECTS, 6, 3)
ENTITY_MIB: Oid = (1, 3, 6, 1, 2, 1, 47)
_ENTITY_ROW: Oid = (*ENTITY_MIB, 1, 1, 1, 1)
_SENSOR_ROW: Oid = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1)

ON_BATTERY, LOW_BATTERY, DEPLETED, INPUT_BAD, OUTPUT_OFF = 2, 3, 4, 6, 14
CHASSIS, FAN, SENSOR = 3, 7, 8
CELSIUS, RPM = 8, 10
OK, NONOPERATIONAL = 1, 3


def _integer(value: float) -> Value:
    return Value("integer", round(value))


def _text(value: str) -> Value:
    return Value("text", value)


def _system(description: str, identity: Oid, name: str, ticks: int) -> Table:
    values = (
        _text(description),
        Value("oid", identity),
        Value("ticks", ticks),
        _text("duty engineer"),
        _text(name),
        _text("power room"),
        _integer(72),
    )
    return {(1, 3, 6, 1, 2, 1, 1, number, 0): value for number, value in enumerate(values, 1)}


def ups_alarms(ups: UpsReading) -> list[int]:
    """Return the well-known alarms (RFC 1628, 2.5) that stand now."""
    standing = {
        ON_BATTERY: ups.on_battery and ups.output_on,
        LOW_BATTERY: ups.on_battery and 0.0 < ups.charge < LOW_CHARGE,
        DEPLETED: ups.on_battery and ups.charge == 0.0,
        INPUT_BAD: ups.on_battery,
        OUTPUT_OFF: not ups.output_on,
    }
    return [alarm for alarm, stands in standing.items() if stands]


def ups_table(room: Snapshot, ticks: int, since: dict[int, tuple[int, int]]) -> Table:
    """Return the UPS card's objects; `since` gives each standing alarm's row number and the sysUpTime it began at."""
    ups = room.ups
    table = _system("Simulated UPS 3 kVA, network card 1.0", UPS_MIB, "ups-1", ticks)
    scalars = _ups_identity() | _ups_battery(ups)
    scalars |= {(3, 1): Value("counter", ups.input_failures), (3, 2): _integer(1)}
    scalars |= {
        (4, 1): _integer(_output_source(ups)),
        (4, 2): _integer(500 if ups.output_on else 0),
        (4, 3): _integer(1),
    }
    scalars |= {(6, 1): Value("gauge", len(since))}
    table |= {(*_UPS_OBJECTS, *oid, 0): value for oid, value in scalars.items()}
    inputs = (ups.input_hertz * 10, ups.input_volts, ups.input_amps * 10, ups.input_amps * ups.input_volts)
    outputs = (ups.output_volts, ups.output_amps * 10, ups.output_watts, ups.load_share * 100)
    table |= {(*_UPS_OBJECTS, 3, 3, 1, column, 1): _integer(value) for column, value in enumerate(inputs, 2)}
    table |= {(*_UPS_OBJECTS, 4, 4, 1, column, 1): _integer(value) for column, value in enumerate(outputs, 2)}
    for alarm, (row, began) in since.items():
        table[(*_UPS_OBJECTS, 6, 2, 1, 2, row)] = Value("oid", (*_WELL_KNOWN_ALARMS, alarm))
        table[(*_UPS_OBJECTS, 6, 2, 1, 3, row)] = Value("ticks", began)
    return table


def _ups_identity() -> Table:
    words = ("Roundsman Simulator", "SIM 3000", "1.0", "card 1.0", "ups-1", "power room")
    return {(1, number): _text(word) for number, word in enumerate(words, 1)}


def _ups_battery(ups: UpsReading) -> Table:
    status = 4 if ups.charge == 0.0 else 3 if ups.on_battery and ups.charge < LOW_CHARGE else 2
    values = (
        status,
        ups.seconds_on_battery,
        ups.runtime_minutes,
        ups.charge * 100,
        ups.battery_volts * 10,
        ups.battery_amps * 10,
        ups.battery_celsius,
    )
    return {(2, number): _integer(value) for number, value in enumerate(values, 1)}


def _output_source(ups: UpsReading) -> int:
    """Return upsOutputSource: none(2), normal(3) or battery(5)."""
    if not ups.output_on:
        return 2
    return 5 if ups.on_battery else 3


def transmission_table(room: Snapshot, ticks: int) -> Table:
    """Return the transmission card's objects: two subracks, in each four fans with an rpm sensor and a temperature."""
    table = _system("Simulated transmission equipment, card 1.0", ENTITY_MIB, "transmission-1", ticks)
    for number, rack in enumerate(room.subracks, 1):
        for index, row in _subrack_entities(number, len(rack.fans)):
            table |= {(*_ENTITY_ROW, column, index): value for column, value in row.items()}
        for index, row in _subrack_sensors(number, rack, ticks):
            table |= {(*_SENSOR_ROW, column, index): value for column, value in row.items()}
    return table


def _subrack_entities(number: int, fans: int) -> Iterator[tuple[int, Row]]:
    """Yield entPhysicalTable rows: subrack N000, its temperature N900, fan N0F0 with its sensor N0F1."""
    rack = 1000 * number
    name = f"Subrack {number}"
    yield rack, _entity(name, inside=0, kind=CHASSIS, position=number, name=name)
    yield rack + 900, _entity("Temperature", inside=rack, kind=SENSOR, position=1, name=f"{name} temperature")
    for fan in range(1, fans + 1):
        index = rack + 10 * fan
        yield index, _entity("Fan", inside=rack, kind=FAN, position=fan, name=f"{name} fan {fan}")
        yield index + 1, _entity("Fan speed", inside=index, kind=SENSOR, position=1, name=f"{name} fan {fan} speed")


def _entity(description: str, *, inside: int, kind: int, position: int, name: str) -> Row:
    texts = {
        2: description,
        7: name,
        8: "A",
        11: "",
        12: "Roundsman Simulator",
        13: "SIM-TX" if kind == CHASSIS else "",
    }
    row = {column: _text(text) for column, text in texts.items()}
    row |= {3: Value("oid", (0, 0)), 4: _integer(inside), 5: _integer(kind), 6: _integer(position)}
    row[16] = _integer(1 if kind in {CHASSIS, FAN} else 2)
    return row


def _subrack_sensors(number: int, rack: SubrackReading, ticks: int) -> Iterator[tuple[int, Row]]:
    """Yield entPhySensorTable rows: celsius with one decimal, rpm whole."""
    index = 1000 * number
    yield index + 900, _sensor(CELSIUS, 1, rack.celsius * 10, works=rack.sensor_works, units="Celsius", ticks=ticks)
    for position, fan in enumerate(rack.fans, 1):
        row = _sensor(RPM, 0, fan.rpm, works=fan.sensor_works, units="rpm", ticks=ticks)
        yield index + 10 * position + 1, row


def _sensor(kind: int, precision: int, value: float, *, works: bool, units: str, ticks: int) -> Row:
    numbers = (kind, 9, precision, value if works else 0, OK if works else NONOPERATIONAL)
    row = {column: _integer(number) for column, number in enumerate(numbers, 1)}
    row |= {6: _text(units), 7: Value("ticks", ticks), 8: Value("gauge", 1000)}
    return row
