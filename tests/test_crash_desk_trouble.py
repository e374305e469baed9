"""The desk down, slow, busy, deaf, cutting the line, refusing one event for ever: nothing lost, doubled or blocked.

Agent and desk are real programs, the trouble is a proxy's between them; the faults are fans of a card.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.books import check
from tests.crash.processes import until
from tests.crash.proxy import Mode
from tests.crash.world import World, condition

UP = 'roundsman_device_up{device="shelves"}'
AGE = 'roundsman_device_age_seconds{device="shelves"}'
STANDS = 'roundsman_fan_running{device="shelves",subrack="%d",fan="1",name="Speed %d",state="stopped"}'
QUICK = 1.0  # seconds for a page of /metrics: nothing in it waits for a desk


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A desk and an agent, one fault standing, its ticket open."""
    with World(tmp_path, cold=True, proxied=True) as made:
        made.switch(0, stopped=True)
        made.start()
        until("the first fault has its ticket", made.settled)
        yield made


def in_trouble(world: World, mode: Mode, *, harmed: int = 1) -> None:
    """Let two faults begin and one end in trouble, and see that readings and /metrics do not care."""
    world.proxy.be(mode)
    world.switch(0, stopped=False)
    world.switch(1, stopped=True)
    world.switch(2, stopped=True)
    until("the agent knows", lambda: world.standing() == world.stopped())
    until("the trouble has been met", lambda: world.proxy.harmed >= harmed)
    began = time.monotonic()
    page = world.series()
    assert time.monotonic() - began < QUICK
    assert page[UP] == 1
    assert page[AGE] < 3
    assert (page[STANDS % (1, 1)], page[STANDS % (2, 2)]) == (0, 1)
    world.switch(3, stopped=True)
    until("a new reading is shown", lambda: world.series()[STANDS % (4, 4)] == 1)


@pytest.mark.parametrize("mode", [Mode.AWAY, Mode.BUSY, Mode.SLOW, Mode.CUT, Mode.TWICE, Mode.REPLAY])
def test_a_desk_in_trouble_loses_doubles_and_blocks_nothing(world: World, mode: Mode) -> None:
    in_trouble(world, mode)
    world.proxy.be(Mode.PASS)
    until("everything is at the desk", world.settled)
    assert check(world) == []


def test_a_desk_that_never_answers_is_given_up_and_asked_again(world: World) -> None:
    in_trouble(world, Mode.HANG)
    assert world.series()["roundsman_outbox_depth"] >= 1
    world.proxy.be(Mode.PASS)
    until("everything is at the desk", world.settled, 60)
    assert check(world) == []


def test_a_desk_that_is_down_gets_everything_in_order_when_it_is_back(world: World) -> None:
    world.kill_desk()
    in_trouble(world, Mode.PASS)
    until("it has counted them at its next try", lambda: world.series()["roundsman_outbox_depth"] >= 3)
    assert world.series()["roundsman_outbox_failures_total"] >= 1
    world.start_desk()
    until("everything is at the desk", world.settled)
    assert check(world) == []


def test_a_slow_desk_answers_an_acknowledgement_once_it_can(world: World) -> None:
    world.proxy.be(Mode.SLOW)
    number, _ = world.ticket(0) or (0, "")
    assert world.acknowledge(number, "crash-slow")
    until("the agent's alarm is acknowledged", world.settled)
    assert world.series()['roundsman_changes_total{kind="acknowledged"}'] == 1
    world.proxy.be(Mode.PASS)
    assert check(world) == []


def test_an_event_that_the_desk_refuses_for_ever_stands_in_quarantine_and_blocks_no_other(world: World) -> None:
    in_trouble(world, Mode.SPOIL)
    until("everything is at the desk", world.settled)
    until("the agent has counted the refusal", lambda: world.series()["roundsman_outbox_refused_total"] >= 1)
    assert world.series()["roundsman_outbox_refused_total"] == 1
    ((seq, reason),) = world.books("SELECT seq, reason FROM quarantine")
    assert "not a Change or Snapshot" in reason
    assert check(world) == [  # the first event in trouble was the end of the first fault
        f"{condition(0)}: the fault is False, its ticket is open",
        f"{condition(0)}: the agent's revision is 2, the desk's 1",
        f"event {seq} stands in quarantine: {reason}",
    ]


def test_what_was_refused_is_mended_by_the_next_word_on_its_episode(world: World) -> None:
    in_trouble(world, Mode.SPOIL)
    world.proxy.be(Mode.PASS)
    for shelf in range(4):
        world.switch(shelf, stopped=not world.stopped()[shelf])
    until("the agent knows", lambda: world.standing() == world.stopped())
    until("the outbox is empty", lambda: world.meta()["seq"] == world.meta()["acked"])
    states = {shelf: (world.ticket(shelf) or (0, "none"))[1] == "open" for shelf in range(4)}
    assert states == dict(enumerate(world.stopped()[:4]))
