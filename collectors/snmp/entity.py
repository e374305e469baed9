"""The points of ENTITY-SENSOR-MIB (RFC 3433), named and placed by ENTITY-MIB (RFC 6933).

A sensor lies in a tree of physical entities.  The fans of one shelf form a group, index `subrack`: the shelf is the
nearest chassis or container above a fan that holds more than one fan, else its chassis, else its container.  Its number
is the one its name ends with ("Subrack 2"), else its place among the shelves; a fan's number likewise, after
entPhysicalParentRelPos.  Every other sensor has its entPhysicalIndex as index `sensor`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from collectors.snmp.definition import Definition
from collectors.snmp.exchange import Exchange, Manners, walk
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
CHASSIS, CONTAINER, FAN = 3, 5, 7  # entPhysicalClass
UNITS_SCALE = 9  # EntitySensorDataScale units(9): 10^0; each step is 10^3
DEEPEST = 16  # of the tree; also what ends a circle

Column = Mapping[str, Value]
Index = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Physical:
    """The columns of entPhysicalTable that say what lies where, by entPhysicalIndex."""

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
            number = as_number(self.inside.get(entity))
            if not number:
                return
            entity = str(int(number))
            yield entity

    def fan_of(self, entity: str) -> str | None:
        """Return the fan that a sensor lies in."""
        return next((each for each in self.above(entity) if self.is_a(each, FAN)), None)

    def shelf_of(self, entity: str) -> str | None:
        """Return the shelf of fans that an entity lies in, None when nothing around it holds fans."""
        around = [each for each in self.above(entity) if self.is_a(each, CHASSIS, CONTAINER) and self.fans_below[each]]
        several = [each for each in around if self.fans_below[each] > 1]
        chassis = [each for each in around if self.is_a(each, CHASSIS)]
        return next(iter([*several, *chassis, *around]), None)

    def label(self, entity: str) -> str:
        """Return the name that people gave an entity, else its maker's, else its index."""
        return as_text(self.name.get(entity)) or as_text(self.descr.get(entity)) or f"Sensor {entity}"


def read_sensors(device: str, definition: Definition, manners: Manners) -> Exchange[list[Item]]:
    """Read both tables and return the points of the sensors whose type the definition lists."""
    columns: dict[int, Column] = {}
    for column in (TYPE, SCALE, PRECISION, VALUE, STATUS):
        columns[column] = dict((yield from walk(f"{SENSOR}.{column}", manners)))
    physical: dict[int, Column] = {}
    for column in (CONTAINED_IN, CLASS, POSITION, NAME, DESCR):
        physical[column] = dict((yield from walk(f"{PHYSICAL}.{column}", manners)))
    tree = Physical(
        inside=physical[CONTAINED_IN],
        kind=physical[CLASS],
        position=physical[POSITION],
        name=physical[NAME],
        descr=physical[DESCR],
    )
    places = _places(tree, [each for each, value in columns[VALUE].items() if there(value)])
    return list(_items(device, definition, columns, tree, places))


def _places(tree: Physical, sensors: Iterable[str]) -> Callable[[Quantity, str], Index]:
    """Return a function from what a sensor measures and its entity to the index of its point."""
    in_shelf = {each: shelf for each in sensors if (shelf := tree.shelf_of(each))}
    shelves = sorted(set(in_shelf.values()), key=int)
    shelf_number = _numbered(shelves, tree.name, {})
    fan_number: dict[str, str] = {}
    for shelf in shelves:
        fans = {fan for each in in_shelf if in_shelf[each] == shelf and (fan := tree.fan_of(each))}
        fan_number |= _numbered(sorted(fans, key=int), tree.name, tree.position)

    def place(quantity: Quantity, sensor: str) -> Index:
        shelf, fan = in_shelf.get(sensor), tree.fan_of(sensor)
        if not shelf:
            return (("sensor", sensor),)
        inside = (("subrack", shelf_number[shelf]),)
        return (*inside, ("fan", fan_number[fan])) if fan and quantity.subject == "fan" else inside

    return place


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


def _items(
    device: str,
    definition: Definition,
    columns: dict[int, Column],
    tree: Physical,
    place: Callable[[Quantity, str], Index],
) -> Iterator[Item]:
    """Yield the items; where two sensors would be one point (two temperatures of a subrack), each has its index too."""
    found = [
        (sensor, meant)
        for sensor in columns[VALUE]
        if there(columns[VALUE][sensor])
        for meant in definition.sensors.get(int(as_number(columns[TYPE].get(sensor)) or 0), ())
    ]
    times = Counter((meant.quantity, place(meant.quantity, sensor)) for sensor, meant in found)
    for sensor, meant in found:
        index = place(meant.quantity, sensor)
        if times[meant.quantity, index] > 1:
            index = (*index, ("sensor", sensor))
        scale = as_number(columns[SCALE].get(sensor)) or UNITS_SCALE
        precision = as_number(columns[PRECISION].get(sensor)) or 0
        meaning = meant.meaning(definition.absent)
        power = 3 * (int(scale) - UNITS_SCALE) - int(precision)
        oid = f"{SENSOR}.{VALUE}.{sensor}"
        point = Point(
            device,
            point_id(meant.quantity, index),
            meant.quantity,
            tree.label(sensor),
            index,
            source=oid,
            states=meant.point_states(),
        )
        yield Item(point, oid, meaning.times_ten_to(power), f"{SENSOR}.{STATUS}.{sensor}")
