"""Each alarm of a YD/T 1363 definition becomes a fault, and no definition reads another's answers as something else."""

from collections.abc import Iterator

import pytest

from collectors.line.walk import Walks
from collectors.line.ydt_definition import Meaning, Step
from collectors.line.ydt_step import MAKERS_OWN, SANE
from config.shipped import names
from model.decide import Scene, decide
from model.point import Point, Reading, Severity, State
from model.rule import Rule
from tests.faults import telecom_rules
from tests.peers.ydt_info import alarms, class_4a, daren, f32, pace, pylontech, seplos, u16
from tests.ydt_values import ydt
from wire.ydt1363 import YdtError

NAMES = sorted(names("devices/ydt1363"))
WORSE = {Severity.WARNING, Severity.CRITICAL}
ALARM_CODES = (0x01, 0x02, 0x03, 0x04, 0x05, 0xF0, *MAKERS_OWN)


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    return telecom_rules()


def is_fault(rules: tuple[Rule, ...], meaning: Meaning, state: State) -> bool:
    assert meaning.quantity is not None
    point = Point("d", "p", meaning.quantity, "P", states=meaning.named_states())
    decided = (decide(rule, Scene((Reading(point, state.name, 0),))) for rule in rules)
    return any(decision is not None and decision.case for decision in decided)


def steps(walk: tuple[Step, ...]) -> Iterator[Step]:
    for step in walk:
        yield step
        for inside in (step.walk, *step.others.values(), *step.cases.values()):
            yield from steps(inside)


def all_steps(name: str) -> Iterator[Step]:
    for read in ydt(name).reads:
        for layout in read.layouts:
            yield from steps(layout.walk)


@pytest.mark.parametrize("name", NAMES)
def test_every_alarm_code_of_every_alarm_byte_is_a_state_and_a_fault(name: str, rules: tuple[Rule, ...]) -> None:
    missed = set()
    for step in (each for each in all_steps(name) if each.take == "alarm"):
        assert step.of(0x00) is not None
        assert step.of(0x37) is None
        assert step.doubts(0x37)
        for code in ALARM_CODES:
            state = step.states[code]
            if state.severity in WORSE and not is_fault(rules, step, state):
                missed.add((str(step.quantity), state.name))
            assert state.severity in WORSE or state.name == "normal", (step.label, code)
    assert missed == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_state_that_a_definition_calls_a_warning_or_worse_is_a_fault(name: str, rules: tuple[Rule, ...]) -> None:
    missed = set()
    for step in all_steps(name):
        meanings = [step, *(bit.meaning for bit in step.bits.values()), *step.masks]
        for meaning in (each for each in meanings if each.quantity and each.is_state):
            worse = [state for state in meaning.named_states() if state.severity in WORSE]
            missed |= {(str(meaning.quantity), each.name) for each in worse if not is_fault(rules, meaning, each)}
    assert missed == set()


@pytest.mark.parametrize("name", NAMES)
def test_bits_that_are_alarms_have_names_of_their_own_in_a_read(name: str) -> None:
    for read in ydt(name).reads:
        for layout in read.layouts:
            found = [(b.name, *b.index.items()) for step in steps(layout.walk) for b in step.bits.values() if b.name]
            assert len(found) == len(set(found))


CELLS = [3271, 3272, 3271, 3271, 3271, 3269, 3270, 3271, 3271, 3270, 3271, 3270, 3270, 3271, 3270, 3271]
SIX = [24.1, 23.9, 23.9, 24.0, 26.5, 27.4]
GXE = u16(22010, 22000, 22100, 22000, 22000, 22000, 455, 455, 455, 8210, 4998)
ANSWERS: dict[str, tuple[int, int, bytes]] = {
    "battery-pylontech": (0x46, 0x42, b"\x00\x02" + pylontech(CELLS[:15], SIX[:5], -1.0, (49000, 50000))),
    "battery-pylontech, large": (0x46, 0x42, b"\x00\x02" + pylontech(CELLS, SIX[:5], 10.0, (94948, 110_000))),
    "battery-seplos": (0x46, 0x42, b"\x00\x01" + seplos(CELLS, SIX, -6.95)),
    "battery-pace": (0x46, 0x42, b"\x00\x01" + pace(CELLS, SIX, -2.25)),
    "battery-4a": (0x4A, 0x42, b"\x10\x01" + class_4a(CELLS, SIX, 6.69)),
    "battery-daren": (0x4A, 0x42, daren(CELLS, [22.5, 23.0, 24.0, 21.0, 21.5], -15.0)),
    "battery-pylontech, alarms": (0x46, 0x44, b"\x00\x02" + alarms(15, 5, 0, 0, 0, 0, 6, 0x40, 0, 0)),
    "battery-seplos, alarms": (0x46, 0x44, b"\x00\x01" + alarms(16, 6, 0, 0, 20, *[0] * 6, 3, 0, 0, 2, *[0] * 10)),
    "battery-pace, alarms": (0x46, 0x44, b"\x00\x01" + alarms(16, 6, 0, 0, 0, 0, 0, 0x0E, 0, 0, 0, 0, 0, 0)),
    "battery-4a, alarms": (0x4A, 0x44, b"\x10\x01" + alarms(16, 4, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 3, 2, *[0] * 5)),
    "ac-distribution": (0x40, 0x41, b"\x00\x01" + f32(230.0, 231.0, 229.0, 50.0) + b"\x00" + f32(5.0, 6.0, 7.0)),
    "rectifier": (0x41, 0x41, b"\x00" + f32(53.5) + b"\x02" + (f32(10.0) + b"\x01" + f32(41.5)) * 2),
    "dc-distribution": (
        0x42,
        0x41,
        b"\x00\x01" + f32(53.4, 42.0) + b"\x01" + f32(-3.0) + b"\x01" + f32(20.0) + b"\x00",
    ),
    "ups": (
        0x2A,
        0x41,
        b"\x00" + f32(221.0, 222.0, 223.0, 220.0, 220.5, 219.5, 10.0, 11.0, 12.0, 405.0, 50.0) + b"\x00",
    ),
    "liebert-gxe": (0x2A, 0x42, b"\x00" + GXE + bytes(4) + u16(5001) + bytes(16)),
    "air-conditioner-emerson": (
        0x60,
        0x42,
        u16(225, 553, 2168, 2168, 2168, 1, 500, 175, 0xFE66, 511, 0xFE66, 4, 4, 4, 4),
    ),
    "air-conditioner-cabinet": (0x60, 0x42, u16(315, 0, 0, 0, 0, 0)),
    "air-conditioner-iacc": (0x66, 0x42, u16(221, 0x2020, 0x2020, 512, 0x2020, 0x2020, 14, 26)),
    "mu4801": (0x40, 0x41, f32(221.0, 222.0, 223.0, 50.0, 4.5)),
}
"""What a class and command of each definition answers, typed here; the key begins with the definition's name."""
OTHERS_TOO = {
    ("battery", "battery-pylontech"),
    ("battery", "battery-seplos"),
    ("battery", "battery-pace"),
    ("battery-packs", "battery-pylontech"),
    ("battery-packs", "battery-seplos"),
    ("battery-packs", "battery-pace"),
    ("power-plant", "ac-distribution"),
    ("power-plant", "rectifier"),
    ("power-plant", "dc-distribution"),
}


@pytest.mark.parametrize("key", ANSWERS)
def test_its_own_definition_reads_an_answer_without_a_doubt(key: str) -> None:
    cid1, command, info = ANSWERS[key]
    read = next(each for each in ydt(key.partition(",")[0]).reads if (each.cid1, each.command) == (cid1, command))
    assert Walks(read).walked(info).doubts == 0


@pytest.mark.parametrize("key", ANSWERS)
@pytest.mark.parametrize("name", NAMES)
def test_no_other_definition_of_the_class_reads_it(name: str, key: str) -> None:
    cid1, command, info = ANSWERS[key]
    maker = key.partition(",")[0]
    if name == maker or (name, maker) in OTHERS_TOO:
        return
    for read in (each for each in ydt(name).reads if (each.cid1, each.command) == (cid1, command)):
        with pytest.raises(YdtError):
            Walks(read).walked(info)


@pytest.mark.parametrize("key", ANSWERS)
@pytest.mark.parametrize("name", NAMES)
def test_whatever_definition_it_is_fed_to_no_value_is_beyond_all_measure(name: str, key: str) -> None:
    _, command, info = ANSWERS[key]
    for read in (each for each in ydt(name).reads if each.command == command):
        try:
            found = Walks(read).walked(info)
        except YdtError:
            continue
        for each in found.readings:
            assert each.meaning.quantity is not None
            least, most = SANE.get(each.meaning.quantity.measure, (-1e6, 1e6))
            assert each.value is None or isinstance(each.value, str) or least <= each.value <= most


@pytest.mark.parametrize("key", ANSWERS)
def test_an_answer_that_is_cut_or_has_more_bytes_is_refused_by_its_own_definition(key: str) -> None:
    cid1, command, info = ANSWERS[key]
    maker = key.partition(",")[0]
    read = next(each for each in ydt(maker).reads if (each.cid1, each.command) == (cid1, command))
    if maker in {"liebert-gxe", "battery-daren", "air-conditioner-cabinet"}:
        return  # how long their answers are is not known
    for wrong in (info[:-1], info[: len(info) // 2], info + b"\x01\x02\x03\x04\x05\x06\x07", b""):
        try:
            found = Walks(read).walked(wrong)
        except YdtError:
            continue
        assert "without items" in found.name  # what was cut off is the count of the maker's items: there were none
