"""The reader and the conversion: text stays text until a type says what it means, and every problem is told at once."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.reader import ConfigError, Located, Node, Problem, Scalar, convert, read_text
from config.scalars import Address, HostPort, Seconds


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Inner(msgspec.Struct, frozen=True):
    name: str
    size: int = 1


class Cat(msgspec.Struct, frozen=True, tag_field="kind", tag="cat"):
    lives: int


class Dog(msgspec.Struct, frozen=True, tag_field="kind", tag="dog"):
    tricks: tuple[str, ...] = ()


class Checked(msgspec.Struct, frozen=True):
    low: float
    high: float

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low is above high; exchange them")


def one(text: str, kind: Any) -> Any:
    node = read_text(f"value: {text}\n", "f.yaml")
    return convert(node, dict[str, kind])["value"]


def refused(text: str, kind: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        one(text, kind)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("on", str, "on"),
        ("no", str, "no"),
        ("1.30", str, "1.30"),
        ("0123", str, "0123"),
        ("12:30", str, "12:30"),
        ("2026-11-22", str, "2026-11-22"),
        ("null", str, "null"),
        ("~", str, "~"),
        ("'# : {'", str, "# : {"),
        ("on", bool, True),
        ("no", bool, False),
        ("0x21", int, 33),
        ("-5", int, -5),
        ("1e3", float, 1000.0),
        ("1.30", float, 1.3),
        ("7", float, 7.0),
        ("500ms", Seconds, 0.5),
        ("2min", Seconds, 120.0),
        ("1.5h", Seconds, 5400.0),
        ("7 d", Seconds, 604800.0),
        ("127.0.0.1:80", HostPort, Address("127.0.0.1", 80)),
        ("'[::1]:80'", HostPort, Address("::1", 80)),
        ("red", Colour, Colour.RED),
        ("2", Literal[1, 2], 2),
        ("[a, b]", tuple[str, ...], ("a", "b")),
        ("[a, 2]", tuple[str, int], ("a", 2)),
        ("[1, 2]", list[int], [1, 2]),
        ("{1: a}", dict[int, str], {1: "a"}),
        ("{name: x}", Inner, Inner("x")),
        ("{kind: dog, tricks: [sit]}", Cat | Dog, Dog(("sit",))),
        ("5", float | str, 5.0),
        ("five", float | str, "five"),
        ("[five]", str | tuple[str, ...], ("five",)),
        ("{name: x}", Inner | None, Inner("x")),
    ],
)
def test_a_text_means_what_its_type_says(text: str, kind: Any, value: object) -> None:
    assert one(text, kind) == value


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("nan", float, '"nan" is not a number; write for example 1.5'),
        (".inf", float, '".inf" is not a number; write for example 1.5'),
        ("1e999", float, '"1e999" is not a number; write for example 1.5'),
        ("1,5", float, '"1,5" is not a number; write 1.5'),
        ("１２", int, '"１２" is not a whole number; write for example 5'),
        ("maybe", bool, '"maybe" is neither yes nor no; write true or false'),
        ("gren", Colour, '"gren" is not one of its values; did you mean "green"?'),
        ("[a]", tuple[str, str], "has 1 items; 2 are meant"),
        ("{kind: cow}", Cat | Dog, '"cow" is not one of its values; write cat or dog'),
        ("{lives: 9}", Cat | Dog, 'the key "kind" is missing; it is cat or dog'),
        ("{low: 2, high: 1}", Checked, "low is above high; exchange them"),
        ("3", Annotated[int, msgspec.Meta(gt=3)], "3 is out of range; write more than 3"),
        ("[]", Annotated[list[int], msgspec.Meta(min_length=1)], "is too short; at least 1 items are meant"),
        ("host:80:80", HostPort, '"host:80:80" has no port; write for example 127.0.0.1:9961 or "[::1]:9961"'),
        ("host:0", HostPort, "0 is not a port; write one from 1 to 65535"),
    ],
)
def test_a_text_that_is_not_of_its_type_is_refused_with_what_would_be_right(text: str, kind: Any, message: str) -> None:
    assert refused(text, kind).removeprefix("f.yaml:1: value").removeprefix(".kind").removeprefix(": ") == message


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    text = "- {name: a, size: x}\n- {nam: b}\n- 5\n"
    with pytest.raises(ConfigError) as caught:
        convert(read_text(text, "f.yaml"), list[Inner])
    assert str(caught.value).splitlines() == [
        'f.yaml:1: [0].size: "x" is not a whole number; write for example 1',
        'f.yaml:2: [1]: the key "name" is missing',
        'f.yaml:2: [1].nam: unknown key; did you mean "name"?',
        'f.yaml:3: [2]: is "5"; a map is meant: lines of "key: value", or {key: value}',
    ]


def test_a_located_value_remembers_its_line() -> None:
    found = convert(read_text("a: 1\nb: 2\n", "f.yaml"), dict[str, Located[int]])
    assert {key: (each.value, str(each.place)) for key, each in found.items()} == {
        "a": (1, "f.yaml:1"),
        "b": (2, "f.yaml:2"),
    }


def test_a_node_is_kept_as_it_stands() -> None:
    node = convert(read_text("a: 'on'\n", "f.yaml"), dict[str, Node])["a"]
    assert isinstance(node, Scalar)
    assert (node.text, node.plain, str(node.place), node.path) == ("on", False, "f.yaml:1", "a")


def test_a_message_shows_nothing_that_could_steer_a_terminal_and_no_endless_text() -> None:
    message = refused('"\\e[31m' + "x" * 500 + '"', int)
    assert "\x1b" not in message
    assert len(message) < 200


def test_a_hundred_thousand_brackets_are_refused_without_deep_recursion() -> None:
    with pytest.raises(ConfigError, match="is nested deeper than 20 levels"):
        read_text("[" * 100_000, "f.yaml")


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab:-?#&*!|>'\"%@`{}[], \n\t0.1\r~<=\\é：\x85\ud7ff"), max_size=40))
def test_any_text_gives_a_tree_or_a_config_error_and_nothing_else(text: str) -> None:
    problems: tuple[Problem, ...] = ()
    node: Node | None = None
    try:
        node = read_text(text, "f.yaml")
    except ConfigError as error:
        problems = error.problems
    assert (node is None) == bool(problems)
    assert all(problem.line <= text.count("\n") + text.count("\r") + 2 for problem in problems)
