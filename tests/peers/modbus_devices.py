"""Modbus devices as their manuals have them, typed by hand: registers put together by pymodbus, and what they mean.

`DEVICES` gives for each shipped definition what the device holds and the value of every point that comes of it.
"""

from dataclasses import dataclass, field
from typing import Any

from pymodbus.client.mixin import ModbusClientMixin
from pymodbus.simulator import DataType, SimData, SimDevice

KINDS = {
    "s16": ModbusClientMixin.DATATYPE.INT16,
    "u16": ModbusClientMixin.DATATYPE.UINT16,
    "s32": ModbusClientMixin.DATATYPE.INT32,
    "u32": ModbusClientMixin.DATATYPE.UINT32,
    "s64": ModbusClientMixin.DATATYPE.INT64,
    "u64": ModbusClientMixin.DATATYPE.UINT64,
    "f32": ModbusClientMixin.DATATYPE.FLOAT32,
    "f64": ModbusClientMixin.DATATYPE.FLOAT64,
}
Image = dict[int, dict[int, int]]


def put(function: int, address: int, kind: str, *values: float, low_first: bool = False) -> Image:
    """Return numbers in registers from an address on, one after the other."""
    words: list[int] = []
    for value in values:
        made = value if kind.startswith("f") else int(value)
        words += ModbusClientMixin.convert_to_registers(made, KINDS[kind], word_order="little" if low_first else "big")
    return {function: dict(enumerate(words, address))}


def swapped(function: int, address: int, kind: str, *values: float) -> Image:
    """The same with the low register first."""
    return put(function, address, kind, *values, low_first=True)


def bits(function: int, address: int, count: int, *on: int) -> Image:
    """Return bits from an address on, those in `on` set."""
    return {function: {address + at: int(at in on) for at in range(count)}}


def joined(*parts: Image) -> Image:
    """Return one image of several."""
    whole: Image = {}
    for part in parts:
        for function, words in part.items():
            assert not whole.get(function, {}).keys() & words.keys(), "two say the same register"
            whole.setdefault(function, {}).update(words)
    return whole


@dataclass(frozen=True)
class Made:
    """A device: what it holds, the value of each point; `rest` is the state of every other state or alarm of it."""

    image: Image
    means: dict[str, float | str]
    rest: tuple[str, ...] = ()
    inputs: dict[int, Any] = field(default_factory=dict)


def phases(quantity: str, *values: float, of: tuple[str, ...] = ("1", "2", "3")) -> dict[str, float | str]:
    """Return the points of a quantity's phases."""
    return {f"{quantity}[phase={phase}]": value for phase, value in zip(of, values, strict=True)}


LINES = ("1-2", "2-3", "3-1")


def three_phases(
    energy: dict[str, float | str], *, voltages: bool = True, lines: bool = False
) -> dict[str, float | str]:
    """What every three-phase meter of these tests measures."""
    meant: dict[str, float | str] = {
        **(phases("mains.voltage", 230.2, 231.5, 229.5) if voltages else {}),
        **(phases("mains.line_voltage", 399.9, 400.1, 398.7, of=LINES) if lines else {}),
        **phases("mains.current", 1.5, 2.25, 10.0),
        **phases("mains.power", 340.0, -500.0, 2200.0),
        "mains.power": 2040.0,
        "mains.frequency": 50.0,
    }
    return meant | energy


APPARENT = {**phases("mains.apparent_power", 345.0, 521.0, 2295.0), "mains.apparent_power": 3161.0}
REACTIVE = {**phases("mains.reactive_power", 60.0, -140.0, 650.0), "mains.reactive_power": 570.0}
FACTOR = {**phases("mains.power_factor", 0.985, -0.96, 0.958), "mains.power_factor": 0.645}
METERED = {"mains.energy[direction=import]": 1234500.0, "mains.energy[direction=export]": 200.0}

EASTRON_PHASES = joined(
    put(4, 0x0000, "f32", 230.2, 231.5, 229.5, 1.5, 2.25, 10.0, 340.0, -500.0, 2200.0, 345.0, 521.0, 2295.0),
    put(4, 0x0018, "f32", 60.0, -140.0, 650.0, 0.985, -0.96, 0.958, 10.0, 15.0, 16.0),
    put(4, 0x002A, "f32", 230.4, 0.0, 4.58, 13.75, 0.0, 2040.0, 0.0, 3161.0, 0.0, 570.0, 0.645, 0.0, 12.0, 0.0),
    put(4, 0x0046, "f32", 50.0, 1234.5, 0.2),
)
SINGLE = joined(
    put(4, 0x0000, "f32", 230.2),
    put(4, 0x0006, "f32", 1.5),
    put(4, 0x000C, "f32", 340.0),
    put(4, 0x0012, "f32", 345.0),
    put(4, 0x0018, "f32", -60.0),
    put(4, 0x001E, "f32", 0.985),
    put(4, 0x0024, "f32", 9.9),
    put(4, 0x0046, "f32", 50.0, 1234.5, 0.2),
    put(4, 0x0156, "f32", 1234.7),
)
ALONE = {
    "mains.voltage": 230.2,
    "mains.current": 1.5,
    "mains.power": 340.0,
    "mains.apparent_power": 345.0,
    "mains.reactive_power": -60.0,
    "mains.power_factor": 0.985,
    "mains.frequency": 50.0,
}
TOTAL = {"mains.energy[direction=total]": 1234700.0}
GAVAZZI = joined(
    swapped(4, 0x00, "s32", 2302, 2315, 2295, 3999, 4001, 3987, 1500, 2250, 10000, 3400, -5000, 22000),
    swapped(4, 0x18, "s32", 3450, 5210, 22950, 600, -1400, 6500, 2304, 4000, 20400, 31610, 5700),
    put(4, 0x2E, "s16", 985, -960, 958, 645, 0, 500),
    swapped(4, 0x34, "s32", 12345, 0, 0, 0, 0, 0, 4115, 4115, 4115, 0, 0, 0, 0, 2),
)
SCHNEIDER = joined(
    put(3, 2999, "f32", 1.5, 2.25, 10.0, 0.1, 0.0, 4.58),
    put(3, 3011, "f32", 0.0, 0.0, 0.0, 0.0, 399.9, 400.1, 398.7, 399.6, 230.2, 231.5, 229.5),
    put(3, 3053, "f32", 0.34, -0.5, 2.2, 2.04, 0.0, 0.0, 0.0, 0.57, 0.0, 0.0, 0.0, 3.161),
    put(3, 3109, "f32", 50.0),
    put(3, 3203, "s64", 1234500, 200),
)

METERS: dict[str, Made] = {
    "eastron-sdm630": Made(EASTRON_PHASES, three_phases({**APPARENT, **REACTIVE, **FACTOR, **METERED})),
    "eastron-sdm72-v2": Made(
        joined(EASTRON_PHASES, put(4, 0x0156, "f32", 1234.7)),
        three_phases({**APPARENT, **REACTIVE, **FACTOR, **METERED, **TOTAL}),
    ),
    "eastron-sdm120": Made(SINGLE, {**ALONE, **METERED, **TOTAL}),
    "eastron-sdm230": Made(SINGLE, {**ALONE, **METERED, **TOTAL}),
    "eastron-sdm72": Made(
        joined(put(4, 0x34, "f32", 2040.0), put(4, 0x48, "f32", 1234.5, 0.2), put(4, 0x156, "f32", 1234.7)),
        {"mains.power": 2040.0, **METERED, **TOTAL},
    ),
    "pzem-004t": Made(
        # PZEM-004T V3.0 manual, 2.3: 220.0 V, 1.000 A, 220.0 W, 0 Wh, 50.0 Hz, 1.00, no alarm
        joined(
            put(4, 0, "u16", 2200),
            swapped(4, 1, "u32", 1000, 2200, 70000),
            put(4, 7, "u16", 500, 100, 0),
        ),
        {
            "mains.voltage": 220.0,
            "mains.current": 1.0,
            "mains.power": 220.0,
            "mains.energy": 70000.0,
            "mains.frequency": 50.0,
            "mains.power_factor": 1.0,
            "alarm.status[alarm=power_threshold]": "clear",
        },
    ),
    "pzem-017": Made(
        joined(put(4, 0, "u16", 5355, 1000), swapped(4, 2, "u32", 5355, 70000), put(4, 6, "u16", 0, 0xFFFF)),
        {
            "dc_bus.voltage": 53.55,
            "dc_bus.current": 10.0,
            "dc_bus.power": 535.5,
            "dc_bus.energy": 70000.0,
            "alarm.status[alarm=high_voltage]": "clear",
            "alarm.status[alarm=low_voltage]": "active",
        },
    ),
    "abb-b23-b24": Made(
        joined(
            put(3, 0x5B00, "u32", 2302, 2315, 2295, 3999, 4001, 3987, 150, 225, 1000, 0xFFFFFFFF),
            put(3, 0x5B14, "s32", 204000, 34000, -50000, 220000, 57000, 6000, -14000, 65000),
            put(3, 0x5B24, "s32", 316100, 34500, 52100, 229500),
            put(3, 0x5B2C, "u16", 5000),
            put(3, 0x5B3A, "s16", 645, 985, -960, 958),
            put(3, 0x5000, "u64", 123450, 20),
        ),
        three_phases({**APPARENT, **REACTIVE, **FACTOR, **METERED}, lines=True),
    ),
    "carlo-gavazzi-em340": Made(GAVAZZI, three_phases({**APPARENT, **REACTIVE, **FACTOR, **METERED}, lines=True)),
    "carlo-gavazzi-em24": Made(
        joined(
            swapped(4, 0x00, "s32", 2302, 2315, 2295, 3999, 4001, 3987, 1500, 2250, 10000, 3400, -5000, 22000),
            swapped(4, 0x18, "s32", 3450, 5210, 22950, 600, -1400, 6500, 2304, 4000, 20400, 31610, 5700),
            put(4, 0x32, "s16", 985, -960, 958, 645, 0, 500),
            swapped(4, 0x3E, "s32", 12345, 678, 99, 5, 4115, 4115, 4115, 0, 0, 0, 0, 0, 0, 0, 0, 2),
        ),
        three_phases({**APPARENT, **REACTIVE, **FACTOR, **METERED}, lines=True),
    ),
    "inepro-pro380": Made(
        joined(
            put(3, 0x5000, "f32", 230.4, 230.2, 231.5, 229.5, 50.0, 4.58, 1.5, 2.25, 10.0, 2.04, 0.34, -0.5, 2.2),
            put(3, 0x501A, "f32", 0.57, 0.06, -0.14, 0.65, 3.161, 0.345, 0.521, 2.295, 0.645, 0.985, -0.96, 0.958),
            put(3, 0x6000, "f32", 1234.7, 0, 0, 0, 0, 0, 1234.5, 0, 0, 0, 0, 0, 0.2),
        ),
        three_phases({**APPARENT, **REACTIVE, **FACTOR, **METERED, **TOTAL}),
    ),
    "carlo-gavazzi-em111": Made(
        joined(
            swapped(4, 0x00, "s32", 2302, 1500, 3400, 3450, -600),
            put(4, 0x0E, "s16", 985, 500),
            swapped(4, 0x10, "s32", 12345, 0, 0, 0, 0, 0, 0, 0, 2),
        ),
        {**ALONE, **METERED},
    ),
    "schneider-iem3000": Made(
        SCHNEIDER,
        three_phases({"mains.apparent_power": 3161.0, "mains.reactive_power": 570.0, **METERED}, lines=True),
    ),
    "janitza-umg96": Made(
        joined(
            put(3, 19000, "f32", 230.2, 231.5, 229.5, 399.9, 400.1, 398.7, 1.5, 2.25, 10.0, 13.0),
            put(3, 19020, "f32", 340.0, -500.0, 2200.0, 2040.0, 345.0, 521.0, 2295.0, 3161.0),
            put(3, 19036, "f32", 60.0, -140.0, 650.0, 570.0, 0.985, -0.96, 0.958, 50.0, 1.0),
            put(3, 19054, "f32", 0, 0, 0, 1234700.0, 0, 0, 0, 1234500.0, 0, 0, 0, 200.0),
        ),
        three_phases(
            {**APPARENT, **REACTIVE, **phases("mains.power_factor", 0.985, -0.96, 0.958), **METERED}, lines=True
        ),
    ),
    "chint-dtsu666": Made(
        joined(
            put(3, 0x2000, "f32", 3999, 4001, 3987, 2302, 2315, 2295, 1500, 2250, 10000),
            put(3, 0x2012, "f32", 20400, 3400, -5000, 22000, 5700, 600, -1400, 6500),
            put(3, 0x202A, "f32", 645, 985, -960, 958),
            put(3, 0x2044, "f32", 5000),
            put(3, 0x101E, "f32", 1234.5),
            put(3, 0x1028, "f32", 0.2),
        ),
        three_phases({**REACTIVE, **FACTOR, **METERED}, lines=True),
    ),
    "socomec-countis": Made(
        joined(
            put(3, 0xC552, "u32", 39990, 40010, 39870, 23020, 23150, 22950, 5000, 1500, 2250, 10000, 0xFFFFFFFF),
            put(3, 0xC568, "s32", 204, 57, 316, 645, 34, -50, 220),
            put(3, 0xC652, "u32", 1234, 0, 0, 1),
        ),
        three_phases(
            {
                "mains.reactive_power": 570.0,
                "mains.apparent_power": 3160.0,
                "mains.power_factor": 0.645,
                "mains.energy[direction=import]": 1234000.0,
                "mains.energy[direction=export]": 1000.0,
            },
            lines=True,
        ),
    ),
    "siemens-pac": Made(
        joined(
            put(3, 1, "f32", 230.2, 231.5, 229.5, 399.9, 400.1, 398.7, 1.5, 2.25, 10.0, 345.0, 521.0, 2295.0),
            put(3, 25, "f32", 340.0, -500.0, 2200.0, 60.0, -140.0, 650.0, 0.985, -0.96, 0.958, 1, 1, 1, 2, 2, 2, 50.0),
            put(3, 57, "f32", 230.4, 399.6, 4.58, 3161.0, 2040.0, 570.0, 0.645),
            put(3, 801, "f64", 1234500.0, 0.0, 200.0),
        ),
        three_phases({**APPARENT, **REACTIVE, **FACTOR, **METERED}, lines=True),
    ),
}


def served(unit: int, image: Image) -> SimDevice:
    """Return the device for pymodbus' server."""
    tables = []
    for function in (1, 2, 3, 4):
        words = image.get(function, {})
        bit = function <= 2
        starts = sorted(place for place in words if place - 1 not in words)
        data = []
        for start in starts:
            run = []
            while start + len(run) in words:
                run.append(words[start + len(run)])
            values: Any = [bool(each) for each in run] if bit else run
            data.append(SimData(start, values=values, datatype=DataType.BITS if bit else DataType.REGISTERS))
        tables.append(
            data
            or [SimData(65535, values=[False] if bit else [0], datatype=DataType.BITS if bit else DataType.REGISTERS)]
        )
    return SimDevice(unit, (tables[0], tables[1], tables[2], tables[3]))
