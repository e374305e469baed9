"""Who somebody is: told by definitions and what they were answered, without a line."""

import contextlib

import pytest

from collectors.line.definition import Definition, ModbusDefinition, YdtDefinition, definition
from collectors.line.evidence import evidence, is_sure
from collectors.line.identity import makers_texts
from collectors.line.knock import Knock
from collectors.line.question import Answer
from collectors.line.recognise import Shelf
from collectors.line.search import Found, Heard, Setting, Step
from collectors.line.shelf import shelf
from config.reader import read_text
from wire.modbus import Refusal, Reply
from wire.modbus_frames import Identity
from wire.ydt1363 import Frame


def modbus(identify: str) -> ModbusDefinition:
    read = defined(f"protocol: modbus\nname: x\nsource: y\nidentify: {identify}\nregisters: [{REGISTER}]\n")
    assert isinstance(read, ModbusDefinition)
    return read


REGISTER = "{register: 0, quantity: mains.voltage, label: A}"


def defined(text: str) -> Definition:
    return definition(read_text(text, "x.yaml"))


def ydt(*classes: int, maker: str = "", identify: str = "[]", floats: int = 1) -> YdtDefinition:
    walk = ", ".join("{take: float, quantity: mains.voltage, label: A}" for _ in range(floats))
    reads = "".join(
        f"  - {{name: r{cid1:02x}, cid1: {cid1}, command: 0x41, layouts: [{{name: l, walk: [{walk}]}}]}}\n"
        for cid1 in classes
    )
    read = defined(
        f"protocol: ydt1363\nname: x\nsource: y\nver: 0x21\nmaker: '{maker}'\nidentify: {identify}\nreads:\n{reads}"
    )
    assert isinstance(read, YdtDefinition)
    return read


def recognised(found: Found, shelf: Shelf, answers: dict[bytes, Answer]) -> tuple[Found, list[Step]]:
    """Let a shelf ask somebody who answers these frames; return him and every step."""
    asked, steps = list[Step](), shelf.recognise(found)
    try:
        step = next(steps)
        while True:
            asked.append(step)
            answer = answers.get(step.question.frame[:-2] if found.protocol == "modbus" else step.question.frame[5:9])
            step = steps.send(Heard(answer, 7 if answer else 0))
    except StopIteration:
        return found, asked


def unit(number: int = 3) -> Found:
    return Found(Setting(), "modbus", number)


def asking(function: int, register: int, count: int = 1) -> bytes:
    return bytes((3, function, register >> 8, register & 255, 0, count))


def test_a_unit_is_what_all_probes_of_a_definition_hold_for_and_the_one_that_tells_more_is_taken() -> None:
    one = modbus("[{register: 5, equals: [7]}]")
    both = modbus("[{register: 5, equals: [7]}, {register: 6, equals: [8]}]")
    other = modbus("[{register: 5, equals: [7]}, {register: 6, equals: [9]}]")
    answers: dict[bytes, Answer] = {asking(3, 5): Reply(3, 3, b"\0\7"), asking(3, 6): Reply(3, 3, b"\0\x08")}
    found, asked = recognised(unit(), Shelf({"one": one, "both": both, "other": other}, {}), answers)
    assert found.definitions == ("both",)
    assert found.sure
    assert "fits also one" in found.says
    assert [step.question.key for step in asked] == [
        "function 43/14, who it is", "function 3, 1 from 5", "function 3, 1 from 6"
    ]  # fmt: skip


def test_what_a_unit_says_of_itself_is_believed() -> None:
    said = Identity(1, 1, False, 0, ((0, b"Acme"), (1, b"M1")))
    who = bytes((3, 43, 14, 1, 0))
    named = modbus("[{device_id: {vendor: Acme, product: 'M[0-9]'}}]")
    found, _ = recognised(unit(), Shelf({"named": named}, {}), {who: said})
    assert (found.definitions, found.sure) == (("named",), True)
    assert found.identity == {"vendor": "Acme", "product": "M1"}
    assert found.says == "Acme M1"
    found, _ = recognised(unit(), Shelf({"named": named}, {}), {who: Refusal(3, 43, 1)})
    assert found.definitions == ()


def test_who_says_his_name_is_not_taken_for_another_by_a_few_numbers() -> None:
    guess = modbus("[{register: 5, above: 0, below: 1000}]")
    number: dict[bytes, Answer] = {asking(3, 5): Reply(3, 3, b"\0\7")}
    found, _ = recognised(unit(), Shelf({"guess": guess}, {}), number)
    assert (found.definitions, found.sure) == (("guess",), False)
    who: dict[bytes, Answer] = {bytes((3, 43, 14, 1, 0)): Identity(1, 1, False, 0, ((0, b"Acme"),))}
    found, _ = recognised(unit(), Shelf({"guess": guess}, {}), number | who)
    assert (found.definitions, found.says) == ((), "Acme; fits also guess")


def test_an_answer_that_was_garbled_is_asked_for_once_more() -> None:
    found, seen = unit(), list[str]()
    steps = Shelf({"one": modbus("[{register: 5, equals: [7]}]")}, {}).recognise(found)
    step: Step | None = next(steps)
    with contextlib.suppress(StopIteration):
        while step:
            seen.append(step.question.key)
            right = step.question.frame[1] == 3 and seen.count(step.question.key) == 2
            step = steps.send(Heard(Reply(3, 3, b"\0\7") if right else None, 5))
    assert seen == ["function 43/14, who it is"] * 2 + ["function 3, 1 from 5"] * 2
    assert found.definitions == ("one",)


def test_a_function_that_stays_unanswered_is_given_up() -> None:
    many = {f"d{n}": modbus(f"[{{register: {n}, equals: [1]}}]") for n in range(20)}
    _, asked = recognised(unit(), Shelf(many, {}), {})
    assert len([step for step in asked if step.question.frame[1] == 3]) == 3


@pytest.mark.parametrize(
    ("identify", "bits"),
    [
        ("[{register: 0, equals: [7]}]", 16),
        ("[{register: 0, equals: [7, 8]}]", 15),
        ("[{register: 0, type: u32, equals: [7]}]", 32),
        ("[{register: 0, mask: 0x0F, equals: [7]}]", 4),
        ("[{register: 0, function: 1, equals: [1]}]", 1),
        ("[{register: 0, scale: 0.1, above: 0, below: 102.4}]", 6),
        ("[{register: 0, type: s16, scale: 0.1, above: -51.2, below: 51.2}]", 6),
        ("[{register: 0, type: float32, above: 64, below: 256}]", 8),
        ("[{register: 0, above: 0}]", 0),
        ("[{device_id: {vendor: Acme}}]", 32),
    ],
)
def test_a_probe_tells_as_much_as_it_excludes(identify: str, bits: float) -> None:
    assert evidence(modbus(identify)) == pytest.approx(bits, abs=0.1)


def test_two_plausible_numbers_of_16_bits_are_a_guess_and_four_are_none() -> None:
    probe = "{register: 0, scale: 0.1, above: 1, below: 100}"
    assert not is_sure(modbus(f"[{probe}, {probe}]"))
    assert is_sure(modbus(f"[{probe}, {probe}, {probe}, {probe}]"))


def answered(*knocks: tuple[int, int], address: int = 1) -> Found:
    """Somebody who answers class 41H's analog values with one float, by (class, RTN)."""
    frames = {
        Knock(0x21, cid1, 0x41): Frame(0x21, address, cid1, code, b"" if code else bytes(4)) for cid1, code in knocks
    }
    return Found(Setting(), "ydt1363", address, knocks=frames)


def test_a_definition_of_all_classes_goes_before_those_of_one() -> None:
    all_of_it = Shelf({}, {"ac": ydt(0x40), "plant": ydt(0x40, 0x41), "modules": ydt(0x41)})
    found, _ = recognised(answered((0x40, 0), (0x41, 0)), all_of_it, {})
    assert found.definitions == ("plant",)
    assert found.says == "classes 40H, 41H"


def test_a_class_that_is_refused_is_not_read_and_the_others_are_covered_one_by_one() -> None:
    all_of_it = Shelf({}, {"plant": ydt(0x40, 0x41, 0x42), "ac": ydt(0x40), "modules": ydt(0x41)})
    found, _ = recognised(answered((0x40, 0), (0x41, 0), (0x42, 4)), all_of_it, {})
    assert found.definitions == ("ac", "modules")


def test_a_definition_whose_layouts_do_not_walk_the_answer_is_none() -> None:
    found, _ = recognised(answered((0x40, 0)), Shelf({}, {"ac": ydt(0x40, floats=2)}), {})
    assert (found.definitions, found.says) == ((), "class 40H")


def test_the_maker_chooses_among_definitions_of_one_class_and_excludes_those_of_others() -> None:
    both = Shelf(
        {},
        {
            "acme": ydt(0x40, identify="[{cid1: 0x40, maker: 'acme.*'}]"),
            "any": ydt(0x40),
            "other": ydt(0x40, identify="[{cid1: 0x40, maker: other}]"),
        },
    )
    maker = Frame(0x21, 1, 0x40, 0, b"PS48".ljust(10) + b"\1\2" + b"ACME POWER".ljust(20))
    found, asked = recognised(answered((0x40, 0)), both, {b"4051": maker})
    assert [step.question.frame[5:9] for step in asked] == [b"4051"]
    assert found.definitions == ("acme",)
    assert found.identity == {"name": "PS48", "version": "1.2", "maker": "ACME POWER"}
    assert found.says == "ACME POWER PS48; class 40H; fits also any"
    silent, _ = recognised(answered((0x40, 0)), both, {})
    assert silent.definitions == ("any",)


def test_a_definition_for_any_maker_goes_before_one_for_a_maker_that_nobody_named() -> None:
    found, _ = recognised(answered((0x40, 0)), Shelf({}, {"acme": ydt(0x40, maker="Acme"), "any": ydt(0x40)}), {})
    assert found.definitions == ("any",)


def test_who_refuses_everything_is_told_with_his_refusals() -> None:
    found, _ = recognised(answered((0x40, 4), (0x41, 2)), Shelf({}, {}), {})
    assert found.says == "refuses 40H (CID2 not served), 41H (CHKSUM wrong)"


def test_maker_information_of_an_unknown_form_gives_its_words() -> None:
    assert makers_texts(b"\0\1ACME-48\0\0xy\0POWER") == {"says": "ACME-48 POWER"}
    assert makers_texts(b"AC".ljust(30) + b"V1.0".ljust(20) + b"Acme\0".ljust(20)) == {
        "name": "AC", "version": "V1.0", "maker": "Acme"
    }  # fmt: skip


def test_the_questions_of_all_that_ships_are_reads_that_clear_nothing() -> None:
    knocks = shelf().knocks()
    assert {knock.command for knock in knocks} <= {0x41, 0x42, 0x50}
    assert len(set(knocks)) == len(knocks)
    assert {0x40, 0x41, 0x42, 0x46, 0x4A, 0x60, 0x80} <= {knock.cid1 for knock in knocks}
