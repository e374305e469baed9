"""What a walk's objects probably are: single objects and tables, and for each a quantity, unit and states, guessed.

A guess is written so that a person can check it against the maker's manual: what is not sure stands in a comment.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from model.maker_unit import UNITS
from model.quantity import Quantity
from roundsman.devices.mib import MibObject
from wire.snmp import Value

SUBJECTS = (
    ("battery", r"batt"),
    ("bypass", r"bypass"),
    ("input", r"input|utility|mains|line"),
    ("output", r"output|inverter"),
    ("rectifier", r"rectifier|rect(?![a-z])|charger"),
    ("outlet", r"outlet|socket|receptacle"),
    ("circuit", r"bank|branch|breaker|circuit|phase"),
    ("generator", r"genset|generator|engine"),
    ("fan", r"fan|blower"),
    ("cooling", r"cool|supply|return|compressor"),
    ("ambient", r"ambient|room|env|external|probe|sensor"),
    ("load", r"load"),
)
MEASURES = (
    ("frequency", r"freq|hertz|(?<![a-z])hz"),
    ("power_factor", r"power ?fact|(?<![a-z])pf(?![a-z])"),
    ("energy", r"energy|kwh|watt ?hour"),
    ("apparent_power", r"apparent|(?<![a-z])k?va(?![a-z])"),
    ("power", r"power|watt"),
    ("voltage", r"volt"),
    ("current", r"current|amp"),
    ("humidity", r"humid|(?<![a-z])rh(?![a-z])"),
    ("temperature", r"temp|celsius|(?<![a-z])deg"),
    ("runtime", r"run ?time|time ?(left|remain)|minutes ?remain"),
    ("charge", r"charge|capacity"),
    ("load", r"load"),
    ("speed", r"speed|rpm"),
    ("count", r"count|number ?of"),
)
SEVERITIES = (
    ("unknown", r"unknown|not ?(available|applicable|present|supported)|none"),
    (
        "critical",
        r"fail|fault|critical|alarm|error|major|low|high|off ?line|depleted|replace|lost|missing|shutdown|trip",
    ),
    ("warning", r"warn|minor|bypass|battery|degrad|test|abnormal|overload|over|under|bad"),
)
_PREFIXES = (("tenth", 0.1), ("hundredth", 0.01), ("thousandth", 0.001), ("0.001", 0.001), ("0.01", 0.01), ("0.1", 0.1))
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DEEPEST = 6


class Shape(msgspec.Struct, frozen=True):
    """A table as a walk shows it: its entry, its columns (number, a row's value), how many parts a row's index has."""

    entry: str
    columns: dict[int, Value]
    rows: int
    parts: int


class Guess(msgspec.Struct, frozen=True):
    """What an object may be: quantity (None: not known), unit and scale as the file has them, states."""

    quantity: Quantity | None
    unit: str = ""
    scale: float = 1.0
    states: dict[int, tuple[str, str]] = {}


def split(objects: Mapping[str, Value], mib: Mapping[str, MibObject]) -> tuple[dict[str, Value], list[Shape]]:
    """Part a walk into single objects (with their .0) and tables; a MIB knows, else the usual shape of tables does."""
    single: dict[str, Value] = {}
    cells: dict[tuple[str, int], dict[int, dict[str, Value]]] = defaultdict(lambda: defaultdict(dict))
    for oid, value in objects.items():
        place = _cell(oid, mib)
        if place is None:
            single[oid] = value
        else:
            entry, column, row = place
            cells[entry, row.count(".") + 1][column][row] = value
    shapes = [
        Shape(
            entry,
            {number: next(iter(rows.values())) for number, rows in columns.items()},
            max(map(len, columns.values())),
            parts,
        )
        for (entry, parts), columns in cells.items()
    ]
    return single, shapes


def _cell(oid: str, mib: Mapping[str, MibObject]) -> tuple[str, int, str] | None:
    """Return entry, column and row of an object in a table; None for a single object."""
    parts = oid.split(".")
    for depth in range(1, min(len(parts) - 8, 40)):
        entry = ".".join(parts[: -depth - 1])
        if entry in mib and mib[entry].index:
            return entry, int(parts[-depth - 1]), ".".join(parts[-depth:])
    if parts[-1] == "0":
        return None
    for depth in range(1, min(len(parts) - 8, _DEEPEST)):
        if parts[-depth - 2] == "1":
            return ".".join(parts[: -depth - 1]), int(parts[-depth - 1]), ".".join(parts[-depth:])
    return None


def words(name: str) -> str:
    """Return a maker's name as words: upsAdvBatteryTemp becomes "ups adv battery temp"."""
    return " ".join(word.casefold() for word in _WORDS.findall(name))


def label(name: str) -> str:
    """Return a label for people, from a maker's name."""
    text = words(name)
    return text[:1].upper() + text[1:]


def guess(name: str, found: MibObject | None) -> Guess:
    """Return what an object may be, by its name, and by the unit and states that its MIB gives it."""
    if found is not None and found.states:
        return Guess(Quantity.DEVICE_STATUS, states={number: _state(text) for number, text in found.states.items()})
    text = words(name)
    told = f"{text} {found.units.casefold()} {found.description.casefold()}" if found else text
    measure = _first(MEASURES, text) or _first(MEASURES, told)
    if not measure:
        return Guess(None)
    subject = _first(SUBJECTS, text) or _first(SUBJECTS, told)
    quantity = _quantity(subject, measure) or _quantity("equipment", measure)
    if quantity is None:
        return Guess(None)
    unit, scale = _unit(f"{found.units} {found.description}" if found else "", quantity)
    return Guess(quantity, unit, scale)


def _first(choices: Iterable[tuple[str, str]], text: str) -> str:
    return next((name for name, pattern in choices if re.search(pattern, text)), "")


def _quantity(subject: str, measure: str) -> Quantity | None:
    return next((each for each in Quantity if each.value == f"{subject}.{measure}"), None)


def _unit(told: str, quantity: Quantity) -> tuple[str, float]:
    """Return (unit, scale) that a MIB's words mean for a quantity; nothing and 1 when they say nothing."""
    text = told.casefold()
    scale = next((factor for word, factor in _PREFIXES if word in text), 1.0)
    ours = quantity.unit.symbol
    spoken = {"fahrenheit": "°F", "minute": "min", "milliamp": "mA", "millivolt": "mV", "kilowatt": "kW", "second": "s"}
    named = next((unit for word, unit in spoken.items() if word in text), "")
    return (named if named in UNITS and UNITS[named][0] == ours and named != ours else ""), scale


def _state(text: str) -> tuple[str, str]:
    """Return a state's name as definitions write it, and how bad it sounds."""
    name = "_".join(_WORDS.findall(text)).casefold() or "unnamed"
    return name, _first(SEVERITIES, words(text)) or "ok"
