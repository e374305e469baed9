"""The order of a search, without a line: who is asked next, when it ends, and how long it says that it takes."""

import contextlib
from collections.abc import Callable, Iterable

import pytest

from collectors.line.knock import CLEARING, Knock
from collectors.line.question import Answer
from collectors.line.search import (
    PATIENT,
    QUICK,
    Found,
    Heard,
    Search,
    Setting,
    Step,
    Steps,
    Wanted,
    settings,
)
from wire.modbus import Refusal, Reply
from wire.ydt1363 import Frame

RECTIFIER = Knock(0x21, 0x41, 0x41)
BATTERY = Knock(0x20, 0x46, 0x42, "ADR")
Somebody = Callable[[Step], Heard]


def nobody(_: Step) -> Heard:
    return Heard()


def at(setting: Setting, **answers: Answer) -> Somebody:
    """Answer at one setting: `m7` is Modbus unit 7 (any function), `y3_41` class 41H at YD/T address 3."""

    def line(step: Step) -> Heard:
        key = f"m{step.address}" if step.knock is None else f"y{step.address}_{step.knock.cid1:02x}"
        answer = answers.get(key)
        return Heard(answer, 9) if answer is not None and step.setting == setting else Heard()

    return line


def unrecognised(found: Found) -> Steps:
    """Ask nothing."""
    found.says = "asked"
    yield from ()


def searched(wanted: Wanted, line: Somebody, steps: int = 1_000_000) -> tuple[Search, list[Step]]:
    """Run a search against somebody; return it with every step that it made."""
    search, made = Search(wanted, unrecognised), list[Step]()
    under_way = search.steps()
    step = next(under_way, None)
    while step is not None and len(made) < steps:
        made.append(step)
        try:
            step = under_way.send(line(step))
        except StopIteration:
            step = None
    return search, made


def order(steps: Iterable[Step]) -> list[str]:
    return list(dict.fromkeys(str(step.setting) for step in steps))


def test_the_likely_settings_come_first_and_no_parity_before_parity() -> None:
    assert [str(each) for each in settings()[:5]] == ["9600 8N1", "19200 8N1", "4800 8N1", "9600 8E1", "2400 8N1"]
    assert len(settings()) == 21
    assert [str(each) for each in settings((4800,), ("even",))] == ["4800 8E1"]


def test_an_answer_ends_the_search_at_other_settings() -> None:
    here = Setting(4800)
    search, made = searched(Wanted(settings(), (1, 2, 3), (0, 1), (RECTIFIER,)), at(here, m2=Refusal(2, 3, 2)))
    assert order(made) == ["9600 8N1", "19200 8N1", "4800 8N1"]
    assert list(search.found) == [(here, "modbus", 2)]
    assert search.found[here, "modbus", 2].says == "asked"


def test_when_all_is_wanted_every_setting_is_tried_and_each_that_answers_is_searched_to_the_end() -> None:
    line = at(Setting(9600), m1=Reply(1, 3, b"\0\1"))
    _, made = searched(Wanted(settings((9600, 4800)), (1, 2), (), (), everywhere=True), line)
    assert set(order(made)) == {f"{baud} 8{parity}1" for baud in (9600, 4800) for parity in "NEO"}
    assert [(str(step.setting), step.question.key) for step in made[-1:]] == [("9600 8N1", "function 4, 1 from 0")]


def test_the_rarer_is_asked_only_once_the_setting_is_known_and_nobody_twice() -> None:
    line = at(Setting(9600), m1=Reply(1, 3, b"\0\1"), y9_46=Frame(0x20, 9, 0x46, 0))
    search, made = searched(Wanted(settings(), (1, 2), (0, 1, 9), (RECTIFIER, BATTERY)), line)
    asked = [(step.protocol[0], step.address, step.question.frame[1]) for step in made if step.protocol == "modbus"]
    assert asked == [("m", 1, 3), ("m", 2, 3), ("m", 2, 4)]
    assert [(step.address, step.knock.cid1) for step in made if step.knock] == [
        (address, cid1) for address in (0, 1, 9) for cid1 in (0x41, 0x46)
    ]
    assert search.found[Setting(9600), "ydt1363", 9].knocks[BATTERY].cid1 == 0x46


def test_adr_stands_for_the_address_in_info() -> None:
    _, made = searched(Wanted(settings((9600,), ("none",)), (), (5,), (BATTERY,)), nobody)
    assert made[0].question.frame[13:15] == b"05"


def test_without_an_answer_the_likeliest_setting_is_searched_to_the_end() -> None:
    search, made = searched(Wanted(settings((9600, 4800)), (1,), (0,), (RECTIFIER,)), nobody)
    assert not search.found
    assert str(made[-1].setting) == "9600 8N1"
    assert made[-1].question.key == "function 4, 1 from 0"


def test_bytes_that_make_no_answer_are_followed_up_with_patience_and_bring_that_speed_to_the_front() -> None:
    def babble(step: Step) -> Heard:
        return Heard(None, 7) if step.setting.baud == 4800 else Heard()

    search, made = searched(Wanted(settings((9600, 19200, 4800)), (1, 2), (), ()), babble)
    assert order(made) == ["9600 8N1", "19200 8N1", "4800 8N1", "4800 8E1", "4800 8O1", *order(made)[5:]]
    assert search.garbled[Setting(4800), "modbus", 1] == 7
    followed = [step for step in made if step.wait > QUICK]
    assert {step.setting.baud for step in followed} == {4800}
    assert all(step.settle for step in followed)


def test_a_slave_slower_than_a_knock_is_found_by_what_it_says_into_the_next() -> None:
    late: list[int] = []

    def slow(step: Step) -> Heard:
        """Unit 3 answers only to who waits; its late answer runs into the question that comes next."""
        if step.address == 3 and step.wait > 1.0:
            return Heard(Reply(3, 3, b"\0\5"), 7)
        heard = Heard(None, 7) if late else Heard()
        late[:] = [step.address] if step.address == 3 else []
        return heard

    search, made = searched(Wanted(settings(), (1, 2, 3, 4), (), ()), slow)
    assert list(search.found) == [(Setting(9600), "modbus", 3)]
    assert [(step.address, step.wait > 1.0) for step in made[:6]] == [
        (1, False), (2, False), (3, False), (4, False), (4, True), (3, True)
    ]  # fmt: skip


def test_an_answer_that_names_another_address_is_credited_to_it() -> None:
    """A device that takes 50H for whatever address says its own."""
    here = Knock(0x21, 0x80, 0x50)
    line = at(Setting(9600), y0_80=Frame(0x21, 14, 0x80, 0))
    search, _ = searched(Wanted(settings((9600,)), (), (0, 1), (here,)), line)
    assert list(search.found) == [(Setting(9600), "ydt1363", 14)]


def test_a_late_answer_names_its_slave_who_is_asked_again_with_time_and_so_is_who_was_asked_meanwhile() -> None:
    late = [Reply(2, 3, b"\0\5")]

    def slow(step: Step) -> Heard:
        return Heard(late.pop(), 7) if step.address == 4 and late else Heard()

    search, made = searched(Wanted(settings((9600,), ("none",)), (1, 2, 3, 4), (), ()), slow)
    assert [step.address for step in made[:5]] == [1, 2, 3, 4, 4]
    assert search.found[Setting(9600), "modbus", 2].wait == PATIENT


def test_a_noisy_line_does_not_take_the_day() -> None:
    wanted = Wanted(settings((9600,), ("none",)), knocks=(RECTIFIER, BATTERY))
    noisy, quiet = (
        sum(step.seconds for step in searched(wanted, line)[1]) for line in (lambda _: Heard(None, 50), nobody)
    )
    assert 10 < quiet < 60
    assert noisy < quiet + 2 * 3 * 10 * 4.1  # two rounds, three follow-ups in each, of ten knocks at most


def test_other_forms_are_asked_of_a_class_that_answers_and_none_once_one_is_right() -> None:
    forms = tuple(Knock(0x21, cid1, 0x41, info) for cid1 in (0x40, 0x41, 0x42) for info in ("", "00", "FF"))

    def picky(step: Step) -> Heard:
        """Address 1 has classes 40H, which wants INFO 00, and 41H; it is silent to 42H."""
        if step.address != 1 or step.knock is None or step.knock.cid1 == 0x42:
            return Heard()
        right = step.knock.cid1 == 0x41 or step.knock.info == "00"
        return Heard(Frame(0x21, 1, step.knock.cid1, 0 if right else 5), 18)

    search, made = searched(Wanted(settings((9600,), ("none",)), (), (0, 1, 2), forms), picky)
    asked = [(step.knock.cid1, step.knock.info) for step in made if step.address == 1 and step.knock]
    assert asked == [(0x40, ""), (0x41, ""), (0x42, ""), (0x40, "00")]
    told = search.found[Setting(9600), "ydt1363", 1].knocks
    assert {knock.cid1 for knock, frame in told.items() if not frame.code} == {0x40, 0x41}
    others = [(step.address, step.knock.info) for step in made if step.address != 1 and step.knock]
    assert others == [(each, "") for each in (0, 2) for _ in range(3)] + [
        (each, info) for each in (0, 2) for _ in range(3) for info in ("00", "FF")
    ]


def test_the_time_left_is_a_bound_that_a_silent_line_keeps_and_it_counts_down_to_nothing() -> None:
    knocks = (RECTIFIER, BATTERY)
    search = Search(Wanted(settings(), knocks=knocks), unrecognised)
    promised, spent, before = search.at_most, 0.0, search.at_most
    under_way = search.steps()
    step = next(under_way)
    assert promised > 60
    with contextlib.suppress(StopIteration):
        while True:
            spent += step.seconds
            step = under_way.send(Heard())
            assert search.at_most <= before
            before = search.at_most
    assert spent == pytest.approx(promised)
    assert search.at_most == pytest.approx(0.0)


def test_yd_t_is_asked_without_parity_unless_a_parity_was_named() -> None:
    _, made = searched(Wanted(settings((9600,)), (1,), (0,), (RECTIFIER,)), nobody)
    assert {str(step.setting) for step in made if step.knock} == {"9600 8N1"}
    _, made = searched(Wanted(settings((9600,), ("even",)), (1,), (0,), (RECTIFIER,)), nobody)
    assert {str(step.setting) for step in made if step.knock} == {"9600 8E1"}


@pytest.mark.parametrize("command", [*CLEARING, 0x45, 0x49, 0x4E, 0x80])
def test_a_search_asks_nothing_that_writes_or_clears_flags(command: int) -> None:
    with pytest.raises(ValueError, match="is not asked by a search"):
        Knock(0x21, 0x41, command)
