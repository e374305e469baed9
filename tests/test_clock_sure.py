"""The sure time: what two clocks say together, by hands that move both; and what the kernel knows of them."""

import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from desk.timekeeper import EARLIEST, Moment, Timekeeper
from model.alarm import Now
from model.clock import HOLD, JUMP, SLEW, Anchor, Note, taken_up
from model.service.words import Trust

DAY = 86_400.0
START = 1_800_000_000.0


@dataclass
class Machine:
    """Both clocks of a machine, whether it follows a time server, and which boot it is in."""

    boot: float = 5000.0
    wall: float = START
    boot_id: str = "a"
    synchronised: bool | None = False
    kept: Anchor | None = None
    keeper: Timekeeper = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.keeper = Timekeeper(
            self.kept, lambda: Now(self.boot, self.wall), lambda: self.boot_id, lambda: self.synchronised
        )

    def on(self, seconds: float) -> None:
        self.boot += seconds
        self.wall += seconds

    def moment(self) -> Moment:
        """Look as the desk does each second: it is sure again when there is reason to."""
        plan = self.keeper.plan()
        if plan is not None:
            self.keeper.take(plan)
        return self.keeper.moment()

    @property
    def trust(self) -> Trust:
        return self.moment().trust

    def away(self, seconds: float) -> None:
        """Stop the desk, let time pass, start it."""
        self.kept = self.keeper.anchor()
        self.on(seconds)
        self.start()

    def reboot(self, seconds: float, boot_id: str = "b") -> None:
        self.kept = self.keeper.anchor()
        self.wall += seconds
        self.boot, self.boot_id = 20.0, boot_id
        self.start()

    def looks(self, seconds: float, every: float = 1.0) -> Iterator[Trust]:
        """Look each second, as the desk does."""
        for _ in range(round(seconds / every)):
            self.on(every)
            yield self.trust


@pytest.mark.parametrize("days", [30, -30])
def test_a_wall_clock_that_is_set_is_noticed_and_the_sure_time_goes_on(days: int) -> None:
    machine = Machine()
    machine.on(100)
    machine.wall += days * DAY
    assert machine.moment() == Moment(START + 100, Trust.JUMPED)
    machine.on(50)
    assert machine.keeper.now() == START + 150
    assert machine.keeper.note() is (Note.AHEAD if days > 0 else Note.BEHIND)
    machine.wall -= days * DAY
    assert (machine.trust, machine.keeper.note(), machine.keeper.now()) == (Trust.SURE, Note.SURE, START + 150)


@pytest.mark.parametrize("days", [30, -30])
def test_a_wall_clock_that_is_set_between_two_runs_of_one_boot_is_noticed(days: int) -> None:
    machine = Machine()
    machine.wall += days * DAY
    machine.away(3600)
    assert machine.trust is Trust.JUMPED
    assert machine.keeper.now() == START + 3600
    machine.away(10 * DAY)  # once more, while it is not sure
    assert (machine.trust, machine.keeper.now()) == (Trust.JUMPED, START + 3600 + 10 * DAY)
    machine.wall -= days * DAY
    assert machine.moment().trust is Trust.SURE


def test_a_long_absence_within_one_boot_is_sure() -> None:
    machine = Machine()
    machine.away(300 * DAY)  # suspended or only stopped: CLOCK_BOOTTIME counts both
    assert (machine.trust, machine.keeper.now()) == (Trust.SURE, START + 300 * DAY)


def test_another_boot_waits_for_a_person() -> None:
    machine = Machine()
    machine.on(100)
    machine.reboot(600)
    assert (machine.trust, machine.keeper.note()) == (Trust.UNSYNCHRONISED, Note.REBOOTED)
    assert set(machine.looks(2 * HOLD)) == {Trust.UNSYNCHRONISED}
    assert machine.keeper.now() == START + 100 + 2 * HOLD  # what it cannot be before
    machine.away(60)
    assert machine.trust is Trust.UNSYNCHRONISED  # another start in that boot changes nothing
    plan = machine.keeper.plan(word=True)
    assert plan is not None
    machine.keeper.take(plan)
    assert (machine.trust, machine.keeper.now()) == (Trust.SURE, machine.wall)


def test_another_boot_is_sure_once_the_time_stayed_synchronised_for_a_while() -> None:
    machine = Machine(synchronised=True)
    machine.reboot(600)
    seen = list(machine.looks(2 * HOLD))
    assert seen.index(Trust.SURE) == pytest.approx(HOLD, abs=2)
    assert set(seen[seen.index(Trust.SURE) :]) == {Trust.SURE}
    assert machine.keeper.now() == machine.wall


def test_a_step_on_the_way_begins_the_while_anew() -> None:
    machine = Machine(synchronised=True)
    machine.reboot(600)
    assert set(machine.looks(HOLD - 5)) == {Trust.UNSYNCHRONISED}
    machine.wall += 40
    assert set(machine.looks(HOLD - 5)) == {Trust.UNSYNCHRONISED}
    assert Trust.SURE in set(machine.looks(10))


def test_a_while_that_nobody_watched_is_none() -> None:
    machine = Machine(synchronised=True)
    machine.reboot(600)
    assert machine.trust is Trust.UNSYNCHRONISED
    machine.on(10 * HOLD)
    assert machine.trust is Trust.UNSYNCHRONISED


def test_losing_the_time_server_on_the_way_begins_the_while_anew() -> None:
    machine = Machine(synchronised=True)
    machine.reboot(600)
    assert set(machine.looks(HOLD - 5)) == {Trust.UNSYNCHRONISED}
    machine.synchronised = False
    assert set(machine.looks(5)) == {Trust.UNSYNCHRONISED}
    machine.synchronised = True
    assert set(machine.looks(HOLD - 5)) == {Trust.UNSYNCHRONISED}


@pytest.mark.parametrize("synchronised", [True, False])
def test_another_boot_never_believes_a_time_before_the_last_one(synchronised: bool) -> None:
    machine = Machine(synchronised=synchronised)
    machine.reboot(-30 * DAY)
    assert set(machine.looks(3 * HOLD)) == {Trust.UNSYNCHRONISED}
    assert machine.keeper.note() is Note.EARLIER
    assert machine.keeper.now() == START + 3 * HOLD
    machine.wall += 31 * DAY
    assert machine.keeper.note() is Note.REBOOTED


def test_a_machine_that_was_paused_is_sure_again_when_its_clock_was_set_right() -> None:
    """A snapshot put back, or a virtual machine that stood still: both clocks stood; then its time client steps one."""
    machine = Machine(synchronised=False)
    machine.wall += 7 * DAY
    assert machine.trust is Trust.JUMPED
    machine.synchronised = True
    seen = list(machine.looks(2 * HOLD))
    assert seen[0] is Trust.JUMPED
    assert seen[-1] is Trust.SURE
    assert machine.keeper.now() == machine.wall


def test_a_disk_that_is_put_back_waits() -> None:
    machine = Machine()
    old = machine.keeper.anchor()
    machine.on(90 * DAY)
    machine.reboot(100, "c")
    machine.kept = old
    machine.start()
    assert (machine.trust, machine.keeper.note()) == (Trust.UNSYNCHRONISED, Note.REBOOTED)


def test_a_machine_that_tells_no_boot_waits_at_each_start() -> None:
    machine = Machine(boot_id="")
    machine.away(10)
    assert machine.trust is Trust.UNSYNCHRONISED


def test_a_boot_time_that_runs_backwards_within_one_boot_is_taken_for_another_boot() -> None:
    machine = Machine()
    machine.reboot(10, "a")  # a container that was put back under other clocks
    assert machine.trust is Trust.UNSYNCHRONISED


def test_a_new_desk_takes_the_clock_as_it_is_unless_it_cannot_be() -> None:
    assert Machine().keeper.trust is Trust.SURE
    broken = Machine(wall=1000.0)
    assert (broken.keeper.trust, broken.keeper.now()) == (Trust.UNSYNCHRONISED, EARLIEST)


@pytest.mark.parametrize("seconds", [1.0, -1.0, JUMP - 0.1, -JUMP + 0.1])
def test_a_leap_second_and_a_small_step_are_followed_slowly_and_never_backwards(seconds: float) -> None:
    machine = Machine()
    assert machine.keeper.now() == START
    machine.wall += seconds
    before = machine.keeper.now()
    for _ in range(int(abs(seconds) / SLEW) + 2):
        machine.on(1)
        now = machine.keeper.now()
        assert 1 - 2 * SLEW < now - before < 1 + 2 * SLEW
        before = now
    assert machine.keeper.now() == machine.wall
    assert machine.trust is Trust.SURE


def test_many_small_steps_add_up_to_a_jump() -> None:
    machine = Machine()
    for _ in range(4):
        machine.on(60)
        machine.wall += 2
        assert machine.keeper.now() > START
    assert machine.trust is Trust.JUMPED
    assert machine.keeper.now() == pytest.approx(START + 240, abs=1)


@pytest.mark.parametrize("rate", [500e-6, -500e-6])
def test_a_clock_that_is_slewed_all_day_is_no_jump(rate: float) -> None:
    """On Linux slewing moves both clocks alike; it is no jump where it moves the wall clock alone either."""
    machine = Machine()
    for _ in range(24 * 60):
        machine.on(60)
        machine.wall += 60 * rate
        assert machine.trust is Trust.SURE
    assert machine.keeper.now() == pytest.approx(machine.wall, abs=0.1)


def test_the_kernel_is_asked_only_while_the_time_is_not_sure() -> None:
    asked: list[float] = []
    machine = Machine()

    def ask() -> bool:
        asked.append(machine.boot)
        return False

    machine.keeper = Timekeeper(None, lambda: Now(machine.boot, machine.wall), lambda: "a", ask)
    list(machine.looks(100))
    assert asked == []
    machine.wall += DAY
    list(machine.looks(100, every=0.1))
    assert len(asked) == pytest.approx(100, abs=2)


SET = [0.0, 0.0, 1.0, -1.0, 40.0, 30 * DAY, -30 * DAY]


@given(st.lists(st.tuples(st.floats(0, 1e6), st.sampled_from(SET))))
def test_without_a_time_server_the_sure_time_is_the_boot_time_whatever_is_set(steps: list[tuple[float, float]]) -> None:
    machine = Machine()
    passed = 0.0
    for seconds, by in steps:
        machine.on(seconds)
        machine.wall += by
        passed += seconds
        assert abs(machine.keeper.now() - START - passed) <= passed * SLEW + 1e-3


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-3e6, 3e6), st.booleans()), max_size=30))
def test_a_time_that_is_sure_is_the_wall_clocks(steps: list[tuple[float, float, bool]]) -> None:
    machine = Machine()
    for seconds, by, synchronised in steps:
        machine.on(seconds)
        machine.wall += by
        machine.synchronised = synchronised
        moment = machine.moment()
        if moment.trust is Trust.SURE:
            assert abs(moment.at - machine.wall) <= JUMP


def test_what_is_kept_of_another_boot_is_no_offset_of_this_one() -> None:
    """A boot time of another machine may be days long: it says nothing of how long ours was away."""
    kept = Anchor(START, 100.0, "a")
    assert taken_up(kept, Now(9e6, START + 60), "b", EARLIEST) == Anchor(START, 9e6, "b", False, START, START)


@pytest.mark.parametrize(
    ("state", "status", "error", "known"),
    [
        (0, 0x2001, 40_000, True),
        (0, 0x2001, 6_000_000, False),  # microseconds: nobody has been heard for hours
        (5, 0x0040, 16_000_000, False),
        (0, 0x0040, 40_000, False),
        (-1, 0, 0, None),
    ],
)
def test_what_the_kernel_says_of_its_clock(state: int, status: int, error: int, known: bool | None) -> None:
    """strace writes the answer of clock_adjtime(2) in the kernel's place."""
    answer = struct.pack("=IxxxxqqqqI", 0, 0, 0, error, 0, status).hex()
    said = f"retval={state}:poke_exit=@arg2={answer}" if state >= 0 else "error=EPERM"
    asked = "from runtime.clock import synchronised; print(synchronised())"
    done = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", "-e", f"inject=clock_adjtime,adjtimex:{said}", sys.executable, "-c", asked],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(known), done.stderr


def test_a_service_that_may_not_see_the_boots_id_is_told_by_its_unit() -> None:
    asked = "from runtime import clock; clock._BOOT_ID = clock.Path('/nowhere'); print(clock.known_boot_id())"
    done = subprocess.run(
        [sys.executable, "-c", asked], env={"ROUNDSMAN_BOOT_ID": "f336-e9"}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "f336e9"
    unit = (Path(__file__).parent.parent / "systemd" / "roundsman-desk.service").read_text(encoding="utf-8")
    assert "Environment=ROUNDSMAN_BOOT_ID=%b\n" in unit
