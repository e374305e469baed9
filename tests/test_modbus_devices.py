"""Modbus definitions: each reads a device typed from its manual; every state is reached, every bad one is a fault."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from pymodbus.server import ModbusSerialServer

from collectors.line import read_once
from collectors.line.definition import ModbusDefinition, shipped
from collectors.line.inputs import KINDS, definition_of
from collectors.line.modbus_definition import Register
from collectors.line.modbus_slave import ModbusSlave
from collectors.line.recording import Image, Played, play
from config.schema import Input, Line, LineDevice
from config.shipped import names
from model.decide import Scene, decide
from model.point import Point, Quality, Reading, Severity, State
from model.quantity import Kind
from model.rule import Rule
from tests.faults import telecom_rules
from tests.peers.line import joined_ttys
from tests.peers.modbus_devices import Made, served
from tests.peers.modbus_plant import DEVICES
from tests.recordings import recordings
from wire.modbus import Reply

NAMES = sorted(names("devices/modbus"))
WORSE = {Severity.WARNING, Severity.CRITICAL}
LIKELY = {
    "voltage": (-1, 1000),
    "line_voltage": (-1, 1000),
    "frequency": (-1, 70),
    "power_factor": (-1.01, 1.01),
    "temperature": (-60, 150),
    "humidity": (-0.1, 100.1),
    "charge": (-0.1, 100.1),
    "health": (-0.1, 100.1),
    "load": (-0.1, 200),
    "level": (-0.1, 130),
}


def definition(name: str) -> ModbusDefinition:
    """The definition, its inputs with the meaning that the test's site gives them."""
    made = DEVICES[name]
    found = definition_of(LineDevice(id="d", protocol="modbus", address=1, definition=name, inputs=made.inputs))
    assert isinstance(found, ModbusDefinition)
    return found


def means(made: Made, played: dict[str, float | str | None]) -> dict[str, float | str | None]:
    """What is not named one by one is one of the device's quiet states."""
    return {point: value for point, value in played.items() if point in made.means or value not in made.rest}


def test_every_definition_that_ships_has_a_device_in_these_tests() -> None:
    assert set(NAMES) == set(DEVICES)


def test_no_two_definitions_of_lines_and_cards_have_one_name() -> None:
    rooms = [names(f"devices/{room}") for room in ("snmp", "modbus", "ydt1363")]
    assert len(set().union(*rooms)) == sum(map(len, rooms))


@pytest.mark.parametrize("name", NAMES)
def test_a_device_as_its_manual_has_it_is_read_whole_and_right(name: str) -> None:
    made = DEVICES[name]
    played = play(definition(name), made.image)
    assert played.refused == []
    found = means(made, played.by_id())
    numbers = {point: value for point, value in made.means.items() if isinstance(value, float)}
    missing = {point for point in found if point not in made.means and found[point] is None}
    assert {point: found.get(point) for point in numbers} == pytest.approx(numbers, rel=1e-6, abs=1e-6)
    assert {point: value for point, value in found.items() if point not in numbers and point not in missing} == {
        point: value for point, value in made.means.items() if point not in numbers
    }
    assert missing <= {"mains.line_voltage[phase=3-1]"}  # one over its range, in the generators' manual example


@pytest.mark.parametrize("name", NAMES)
def test_every_number_is_named_and_in_a_likely_range(name: str) -> None:
    for point, value in play(definition(name), DEVICES[name].image):
        assert point.label
        if point.quantity.kind is not Kind.STATE and isinstance(value, float | int):
            low, high = LIKELY.get(point.quantity.measure, (-1e12, 1e12))
            assert low <= value <= high, point.id


@pytest.mark.parametrize("name", NAMES)
def test_every_reading_of_a_definition_is_a_point_of_its_own(name: str) -> None:
    found = definition(name)
    slave = ModbusSlave("d", found, 1, largest_hole=10)
    sure = [each for each in found.registers if not each.when]
    told = [(str(quantity), tuple(sorted(index.items()))) for quantity, index in _all_points(sure)]
    assert len(told) == len(set(told))
    assert all(question.frame[1] in {1, 2, 3, 4} for question in slave.plan())


def _all_points(registers: Iterable[Register]) -> Iterator[tuple[object, dict[str, str]]]:
    for register in registers:
        if register.quantity is not None:
            repeated = {register.repeat.index: "1"} if register.repeat else {}
            yield register.quantity, register.index | repeated
        for bit in register.bits.values():
            yield bit.quantity, register.index | bit.at


def coded(found: ModbusDefinition) -> Iterator[tuple[Register, int, str]]:
    """Every register with states: with each code, the state's name."""
    for register in found.registers:
        for code, state in register.states.items():
            yield register, code, state.name


def with_number(image: Image, register: Register, number: int) -> Image:
    """The image with another number in that register's bits."""
    function = register.function or 3
    words = dict(image.get(function, {}))
    if register.mask:
        shift = (register.mask & -register.mask).bit_length() - 1
        number = words.get(register.register, 0) & ~register.mask | number << shift
    for place in range(register.width):
        words[register.register + place] = number >> 16 * (register.width - 1 - place) & 0xFFFF
    return image | {function: words}


@pytest.mark.parametrize("name", NAMES)
def test_every_declared_state_is_reached_and_a_code_that_is_not_listed_is_no_value(name: str) -> None:
    found, image = definition(name), DEVICES[name].image
    for register, code, state in coded(found):
        point = next(point for point in _states(play(found, with_number(image, register, code)), register))
        assert point == state, (register.register, code)
    for register in {(each.register, each.mask): each for each, _, _ in coded(found)}.values():
        most = register.mask >> (register.mask & -register.mask).bit_length() - 1 if register.mask else 0xFFFF
        known = {*register.states, *register.absent, *register.unfitted}
        strange = next((code for code in range(most + 1) if code not in known), None)
        if strange is not None:
            assert set(_states(play(found, with_number(image, register, strange)), register)) == {None}


def _states(played: Played, register: Register) -> Iterator[float | str | None]:
    for point, value in played:
        if point.quantity is register.quantity and dict(point.index) == register.index:
            yield value


@pytest.mark.parametrize("name", NAMES)
def test_each_bit_is_one_state_alone(name: str) -> None:
    found, image = definition(name), DEVICES[name].image
    for register in found.registers:
        function = register.function or 3
        for number, bit in register.bits.items():
            quiet = {function: dict(image[function])}
            for place in range(register.width):
                quiet[function][register.register + place] = 0
            loud = {function: dict(quiet[function])}
            if function <= 2:
                loud[function][register.register + number] = 1
            else:
                loud[function][register.register + register.width - 1 - number // 16] = 1 << number % 16
            before, after = play(found, image | quiet).by_id(), play(found, image | loud).by_id()
            changed = [point for point in after if after[point] != before[point]]
            assert len(changed) == 1, (name, register.register, number)
            assert {before[changed[0]], after[changed[0]]} == {bit.clear, bit.active}
            assert after[changed[0]] == (bit.clear if bit.inverted else bit.active)


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    return telecom_rules()


def bad_states() -> Iterator[tuple[str, object, State]]:
    for name in NAMES:
        for register in definition(name).registers:
            yield from ((name, register.quantity, state) for state in register.named_states() if register.quantity)
            yield from ((name, bit.quantity, state) for bit in register.bits.values() for state in bit.states)
    for quantity, clear, active, severity in KINDS.values():
        yield from (("inputs", quantity, state) for state in (State(clear), State(active, severity)))


def test_every_state_that_is_a_warning_or_worse_is_a_fault(rules: tuple[Rule, ...]) -> None:
    missed, seen = set(), 0
    for name, quantity, state in bad_states():
        point = Point("d", str(quantity), quantity, "P", states=(state,))  # type: ignore[arg-type]
        scene = Scene((Reading(point, state.name, 0),))
        found = any(decision.case for rule in rules if (decision := decide(rule, scene)) is not None)
        seen += state.severity in WORSE
        if state.severity in WORSE and not found:
            missed.add((name, str(quantity), state.name))
    assert missed == set()
    assert seen > 150


def probed(name: str) -> bool:
    """Tell whether a definition is known by registers; one by what function 43/14 says alone is not among them."""
    found = shipped(name)
    return isinstance(found, ModbusDefinition) and any(probe.register is not None for probe in found.identify)


def fits(found: ModbusDefinition, image: Image) -> bool:
    """Tell whether every probe of a definition holds, as a search asks them."""
    for probe in found.identify:
        if probe.device_id is not None:
            return False
        place = probe.place
        words = image.get(place.function or 3, {})
        asked = [words.get(place.register + at) for at in range(place.width)]
        if any(word is None for word in asked) or not probe.holds(tuple(word for word in asked if word is not None)):
            return False
    return bool(found.identify)


@pytest.mark.parametrize("name", sorted({name for name in NAMES if probed(name)}))
def test_a_definition_recognises_its_device_and_is_the_best_of_those_that_do(name: str) -> None:
    every = {each: definition(each) for each in NAMES}
    fitting = sorted(
        (each for each in NAMES if fits(every[each], DEVICES[name].image)), key=lambda each: -len(every[each].identify)
    )
    assert name in fitting
    assert len(every[fitting[0]].identify) == len(every[name].identify), fitting


def test_what_meters_say_of_themselves_names_schneider_s() -> None:
    (probe,) = shipped("schneider-iem3000").identify  # type: ignore[union-attr]
    assert probe.device_id is not None  # type: ignore[union-attr]
    assert probe.device_id.holds("Schneider Electric", "iEM3155")  # type: ignore[union-attr]
    assert probe.device_id.holds("Schneider Electric", "METSEPM5110")  # type: ignore[union-attr]
    assert not probe.device_id.holds("Schneider Electric", "METSEPM2120")  # type: ignore[union-attr]


async def test_all_of_them_on_one_line_are_read_by_the_engine_from_pymodbus_own_server(tmp_path: Path) -> None:
    units = {name: number for number, name in enumerate(NAMES, 1)}
    with joined_ttys(tmp_path) as (ours, theirs):
        devices = [served(unit, DEVICES[name].image) for name, unit in units.items()]
        server = ModbusSerialServer(devices, port=str(theirs), baudrate=115200)
        await server.serve_forever(background=True)
        try:
            line = Line(id="l", port=ours, baud=115200, devices=())
            for name, unit in units.items():
                made = DEVICES[name]
                device = LineDevice(id=name, protocol="modbus", address=unit, definition=name, inputs=made.inputs)
                batch = await read_once(line, device)
                assert batch.reachable, (name, batch.error)
                offline = play(definition(name), made.image).by_id()
                assert {each.point.id: each.value for each in batch.readings} == offline, name
        finally:
            await server.shutdown()


# -- recorded frames --------------------------------------------------------------------------------------------------


def recorded(*device: str) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Return (address, registers) of the answers of a device that have their request beside them."""
    for vector in json.loads((recordings() / "serial" / "modbus.json").read_text())["vectors"]:
        meant = vector["decoded"]
        if any(name in vector["device"] for name in device) and "address" in meant and "registers" in meant:
            body = bytes.fromhex(vector["response"])
            yield meant["address"], Reply(body[0], body[1], body[3:-2]).registers


def test_a_recorded_seplos_pack_reads_as_its_registers_say() -> None:
    image: Image = {1: {0x1240 + at: 0 for at in range(39)}, 4: {}}
    for start, words in recorded("Seplos V3"):
        image[4].update(enumerate(words, start))
    found = play(definition("seplos-v3"), image).by_id()
    words = image[4]
    assert found["battery.voltage"] == pytest.approx(words[0x1000] / 100)
    assert found["battery.current"] == pytest.approx((words[0x1001] - 65536) / 100)
    cells = [found[f"battery.voltage[cell={n}]"] for n in range(1, 17)]
    assert cells == [words[0x1100 + n] / 1000 for n in range(16)]
    assert all(isinstance(cell, float) and 3.3 < cell < 3.35 for cell in cells)
    assert sum(cells) == pytest.approx(words[0x1000] / 100, abs=0.05)  # type: ignore[arg-type]
    assert found["battery.temperature[sensor=1]"] == pytest.approx(words[0x1110] / 10 - 273.15)


def test_recorded_meters_and_sensors_read_as_their_frames_say() -> None:
    (_, first), (_, second) = recorded("Peacefair")
    for words in (first, second):
        found = play(definition("pzem-004t"), {4: dict(enumerate(words))}).by_id()
        assert found["mains.voltage"] == words[0] / 10
        assert found["mains.current"] == pytest.approx(words[1] / 1000)
        assert found["mains.power"] == pytest.approx(words[3] / 10)
        assert found["mains.energy"] == words[5]
    ((_, words),) = recorded("T/H sensor")
    found = play(definition("renke-rs-ws"), {3: dict(enumerate(words))}).by_id()
    assert found == {"ambient.humidity": 65.8, "ambient.temperature": -10.1}
    frames = [words for address, words in recorded("Delta DTB") if address == 0x1000]
    for words in frames:
        found = play(definition("delta-dtb"), {3: {0x1000: words[0], 0x1001: 0}}).by_id()
        assert found["ambient.temperature"] == pytest.approx((words[0] - 65536) / 10)
    assert frames


# -- contact inputs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("normally", ["open", "closed"])
def test_an_input_is_quiet_while_its_contact_is_as_it_normally_is(kind: str, normally: str) -> None:
    _, clear, active, _ = KINDS[kind]
    meant = Input(is_=kind, normally=normally, name="North")  # type: ignore[arg-type]
    device = LineDevice(id="d", protocol="modbus", address=1, definition="inputs-4", inputs={2: meant})
    found = definition_of(device)
    assert isinstance(found, ModbusDefinition)
    for closed in (0, 1):
        (point, value) = next(
            each for each in play(found, {2: {0: 0, 1: closed, 2: 0, 3: 0}}) if each[0].at("input") == "2"
        )
        assert point.label == "North"
        assert value == (clear if closed == (normally == "closed") else active)


async def test_a_dead_module_has_no_states(tmp_path: Path) -> None:
    line = Line(id="l", port=tmp_path / "none", devices=())
    device = LineDevice(id="d", protocol="modbus", address=1, definition="inputs-4", inputs={1: Input(is_="switch")})
    batch = await read_once(line, device)
    assert not batch.reachable
    assert {each.quality for each in batch.readings} == {Quality.UNAVAILABLE}
