"""The points of ENTITY-SENSOR-MIB (RFC 3433), named and placed by ENTITY-MIB (RFC 6933).

A sensor lies in a tree of physical entities.  The fans of one shelf form a group, index `subrack`: the shelf is the
nearest chassis or container above a fan that holds more than one fan, else its chassis, else its container.  Its number
is the one its name ends with ("Subrack 2"), else its place among the shelves; a fan's number likewise, after
entPhysicalParentRelPos.  The one temperature that lies in a shelf itself is the shelf's.  Every other sensor (of a
chip, of a power supply, of a shelf with several temperatures) stands alone: index `sensor`, its entPhysicalIndex.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from collectors.snmp.definition import Definition, When
from collectors.snmp.exchange import Exchange, Manners, get, walk
from collectors.snmp.meaning import as_number, as_text
from collectors.snmp.meaning import is_there as there
from collectors.snmp.plan import Item
from model.point import Point, point_id
from model.quantity import Quantity
from wire.snmp import Value

PHYSICAL = "1.3.6.1.2.1.47.1.1.1.1"  # entPhysicalEntry
DESCR, CONTAINED_IN, CLASS, POSITION, NAME = 2, 4, 5, 6, 7
SENSOR = "1.3.6.1.2.1.99.1.1.1"  # entPhySensorEntry
TYPE, SCALE, PRECISION, VALUE, STATUS = 1, 2, 3, 4, 5
CELSIUS = 8  # EntitySensorDataType
CHASSIS, CONTAINER, FAN = 3, 5, 7  # entPhysicalClass
UNITS_SCALE = 9  # EntitySensorDataScale units(9): 10^0; each step is 10^3
MOST_POWER = 33  # scale yotta(17) and precision -9; beyond is no number of the standard's
DEEPEST = 16  # of the tree; also what ends a circle
OPERATIONAL = When(oid=SENSOR, is_=("1",))  # EntitySensorStatus ok(1)

Column = Mapping[str, Value]
Index = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Physical:
    """Columns of entPhysicalTable, by entPhysicalIndex: the sensors and what they lie in, up to the top."""

    inside: Column
    kind: Column
    position: Column
    name: Column
    descr: Column
    fans_below: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for entity in self.kind:
            if self.is_a(entity, FAN):
                self.fans_below.update(self.above(entity))

    def is_a(self, entity: str, *kinds: int) -> bool:
        """Tell whether an entity is of one of these classes."""
        return as_number(self.kind.get(entity)) in kinds

    def above(self, entity: str) -> Iterator[str]:
        """Yield what an entity lies in, the nearest first."""
        for _ in range(DEEPEST):
            entity = parent(self.inside.get(entity))
            if not entity:
                return
            yield entity

    def fan_of(self, entity: str) -> str | None:
        """Return the fan that a sensor lies in."""
        return next((each for each in self.above(entity) if self.is_a(each, FAN)), None)

    def shelf_of(self, fan: str) -> str | None:
        """Return the shelf that a fan belongs to, None for a fan in nothing."""
        around = [each for each in self.above(fan) if self.is_a(each, CHASSIS, CONTAINER)]
        several = [each for each in around if self.fans_below[each] > 1]
        chassis = [each for each in around if self.is_a(each, CHASSIS)]
        return next(iter([*several, *chassis, *around]), None)

    def label(self, entity: str) -> str:
        """Return the name that people gave an entity, else its maker's, else its index."""
        return as_text(self.name.get(entity)) or as_text(self.descr.get(entity)) or f"Sensor {entity}"


def parent(contained_in: Value) -> str:
    """Return the entPhysicalIndex that an entPhysicalContainedIn names, nothing at the top."""
    number = as_number(contained_in)
    return str(int(number)) if number is not None and 0 < number < 2**31 else ""


def is_index(row: str) -> bool:
    """Tell whether a row's index is an entPhysicalIndex: one Integer32 above 0 (PhysicalIndex, RFC 6933)."""
    return len(row) <= 10 and row.isdecimal() and 0 < int(row) < 2**31


def read_sensors(device: str, definition: Definition, manners: Manners) -> Exchange[list[Item]]:
    """Return the points of a card's sensors: one column is walked, then only what belongs to its rows is asked for."""
    values = yield from walk(f"{SENSOR}.{VALUE}", manners)
    values = {row: value for row, value in values.items() if is_index(row)}
    sensors = [sensor for sensor, value in values.items() if there(value)]
    columns = yield from _columns(SENSOR, (TYPE, SCALE, PRECISION), sensors, manners)
    physical = yield from _columns(PHYSICAL, (CONTAINED_IN, NAME, DESCR), sensors, manners)
    around, known = physical, set(sensors)
    for _ in range(DEEPEST):
        above = {parent(each) for each in around[CONTAINED_IN].values()} - known - {""}
        if not above:
            break
        known |= above
        around = yield from _columns(PHYSICAL, (CONTAINED_IN, CLASS, POSITION, NAME), sorted(above), manners)
        for column, cells in around.items():
            physical.setdefault(column, {}).update(cells)
    tree = Physical(
        inside=physical[CONTAINED_IN],
        kind=physical.get(CLASS, {}),
        position=physical.get(POSITION, {}),
        name=physical[NAME],
        descr=physical[DESCR],
    )
    return list(_items(device, definition, columns | {VALUE: values}, _Places(tree, sensors, columns[TYPE])))


def _columns(
    entry: str, columns: tuple[int, ...], rows: Iterable[str], manners: Manners
) -> Exchange[dict[int, dict[str, Value]]]:
    """Ask for these columns of these rows; return each column by row."""
    cells = {f"{entry}.{column}.{row}": (column, row) for row in rows for column in columns}
    found: dict[int, dict[str, Value]] = {column: {} for column in columns}
    for oid, value in (yield from get(cells, manners)).items():
        if oid in cells and there(value):
            column, row = cells[oid]
            found[column][row] = value
    return found


class _Places:
    """Where each sensor lies, as the index of its points."""

    def __init__(self, tree: Physical, sensors: list[str], types: Column) -> None:
        self.tree = tree
        self._fan = {each: fan for each in sensors if (fan := tree.fan_of(each))}
        self._shelf = {fan: shelf for fan in self._fan.values() if (shelf := tree.shelf_of(fan))}
        shelves = sorted(set(self._shelf.values()), key=int)
        self._shelf_number = _numbered(shelves, tree.name, {})
        self._fan_number: dict[str, str] = {}
        for shelf in shelves:
            fans = sorted((fan for fan, its_shelf in self._shelf.items() if its_shelf == shelf), key=int)
            self._fan_number |= _numbered(fans, tree.name, tree.position)
        inside = [(next(tree.above(each), ""), each) for each in sensors if as_number(types.get(each)) == CELSIUS]
        several = Counter(shelf for shelf, _ in inside)
        self._temperature = {each: shelf for shelf, each in inside if shelf in shelves and several[shelf] == 1}

    def index(self, quantity: Quantity, sensor: str) -> Index:
        """Return the index of what a sensor measures."""
        if sensor in self._temperature:
            return (("subrack", self._shelf_number[self._temperature[sensor]]),)
        fan = self._fan.get(sensor, "")
        if quantity.subject == "fan" and fan in self._shelf:
            return (("subrack", self._shelf_number[self._shelf[fan]]), ("fan", self._fan_number[fan]))
        return (("sensor", sensor),)


def _numbered(entities: list[str], names: Column, positions: Column) -> dict[str, str]:
    """Number entities by position, else by the number their names end with, else in order: the first that is unique."""
    by_position = [as_number(positions.get(each)) for each in entities]
    by_name = [re.search(r"(\d{1,6})$", as_text(names.get(each))) for each in entities]
    tries: list[list[str]] = [
        [str(int(number)) if number and number > 0 else "" for number in by_position],
        [str(int(match[1])) if match else "" for match in by_name],
        [str(number) for number in range(1, len(entities) + 1)],
    ]
    chosen = next(numbers for numbers in tries if "" not in numbers and len(set(numbers)) == len(numbers))
    return dict(zip(entities, chosen, strict=True))


def _items(device: str, definition: Definition, columns: Mapping[int, Column], places: _Places) -> Iterator[Item]:
    """Yield the items; where two sensors would be one point (two sensors in one fan), each has its index too."""
    found = [
        (sensor, meant, places.index(meant.quantity, sensor))
        for sensor, value in columns[VALUE].items()
        if there(value) and abs(_power(columns, sensor)) <= MOST_POWER
        for meant in definition.sensors.get(int(as_number(columns[TYPE].get(sensor)) or 0), ())
    ]
    times = Counter((meant.quantity, index) for _, meant, index in found)
    for sensor, meant, at in found:
        index = (*at, ("sensor", sensor)) if times[meant.quantity, at] > 1 else at
        oid = f"{SENSOR}.{VALUE}.{sensor}"
        point = Point(
            device,
            point_id(meant.quantity, index),
            meant.quantity,
            places.tree.label(sensor),
            index,
            source=oid,
            states=meant.point_states(),
        )
        meaning = meant.meaning(definition.absent).times_ten_to(_power(columns, sensor))
        yield Item(point, oid, meaning, f"{SENSOR}.{STATUS}.{sensor}", OPERATIONAL, name=meant.name)


def _power(columns: Mapping[int, Column], sensor: str) -> int:
    """Return the power of ten that a sensor's value is to be multiplied by."""
    scale = as_number(columns[SCALE].get(sensor)) or UNITS_SCALE
    precision = as_number(columns[PRECISION].get(sensor)) or 0
    return 3 * (int(scale) - UNITS_SCALE) - int(precision)
