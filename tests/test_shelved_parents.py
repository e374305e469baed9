"""A shelved alarm is silent, not over: what it explains stays so, and an echo hides nothing."""

from msgspec.structs import replace

from agent.watch import Watch
from model.alarm import Alarm, AlarmState, Kind
from model.quantity import Quantity
from tests.test_correlation import PLANT
from tests.test_watch import BATTERY, MAINS, RECTIFIER, at, batch, device, kinds, mains, number, plant, state, watch

S = AlarmState
LEADER, ECHO, ON_BATTERY = "s/meter/-/mains.lost", "s/ups/-/mains.lost", "s/ups/-/battery.on_battery"


def room() -> Watch:
    w = watch(device("meter", MAINS), device("ups", MAINS, BATTERY), device("plant", RECTIFIER))
    poll(w, 0, volts=230.0)
    return w


def poll(w: Watch, when: float, *, volts: float, failed: bool = False) -> list[tuple[str, Kind]]:
    """Read the whole room within a second, the meter last: so it is looked at after whatever began."""
    output = state("ups", Quantity.OUTPUT_STATUS, "battery" if volts < 50 else "normal")
    seen = w.take(batch("ups", when, number("ups", Quantity.MAINS_VOLTAGE, volts), output), at(when))
    status = state("plant", Quantity.RECTIFIER_STATUS, "fault" if failed else "on", rectifier="1")
    seen += w.take(batch("plant", when + 0.5, status), at(when + 0.5))
    seen += w.take(mains(when + 1, volts), at(when + 1))
    return kinds(seen + w.tick(at(when + 1)))


def lost(*, shelved: str = "", seconds: float = 3600) -> Watch:
    """A room whose mains are lost at 10 s, seen by the meter first; an alarm of it shelved at 12 s."""
    w = room()
    w.take(mains(10, 0.0), at(10))
    poll(w, 10.5, volts=0.0)
    assert (w.alarms[LEADER].state, w.alarms[ECHO].state) == (S.UNACKNOWLEDGED, S.SUPPRESSED)
    if shelved:
        w.shelve(shelved, seconds, "li", at(12))
    return w


def test_what_a_parent_explained_stays_explained_when_it_is_shelved() -> None:
    w = lost(shelved=LEADER)
    assert Kind.RELEASED not in [kind for _, kind in poll(w, 20, volts=0.0)]
    assert (w.alarms[ECHO].state, w.alarms[ON_BATTERY].state) == (S.SUPPRESSED, S.SUPPRESSED)


def test_what_begins_while_its_parent_is_shelved_is_explained_too() -> None:
    w = lost(shelved=LEADER)
    poll(w, 20, volts=0.0, failed=True)
    assert (w.alarms[PLANT].state, w.alarms[PLANT].explained_by) == (S.SUPPRESSED, LEADER)


def test_a_fault_that_comes_while_it_is_shelved_explains_what_comes_with_it() -> None:
    w = lost(shelved=LEADER)
    for when in (20, 30, 40, 50):
        poll(w, when, volts=230.0)
    w.take(mains(70, 0.0), at(70))
    poll(w, 71, volts=0.0, failed=True)
    assert (w.alarms[LEADER].state, w.alarms[LEADER].opened) == (S.SHELVED, False)
    assert {w.alarms[c].explained_by for c in (ECHO, ON_BATTERY, PLANT)} == {LEADER}


def test_when_the_shelf_ends_the_parent_is_raised_and_its_children_stay_explained() -> None:
    w = lost(shelved=LEADER, seconds=60)
    poll(w, 20, volts=0.0, failed=True)
    assert (LEADER, Kind.RAISED) in poll(w, 80, volts=0.0, failed=True)
    assert {w.alarms[c].state for c in (ECHO, ON_BATTERY, PLANT)} == {S.SUPPRESSED}


def test_when_the_parent_goes_while_it_is_shelved_its_children_are_looked_at_and_raised() -> None:
    w = lost(shelved=LEADER)
    poll(w, 20, volts=0.0, failed=True)
    poll(w, 30, volts=230.0, failed=True)
    assert w.alarms[PLANT].state is S.PENDING
    poll(w, 40, volts=230.0, failed=True)
    poll(w, 50, volts=230.0, failed=True)
    assert (w.alarms[PLANT].state, w.alarms[LEADER].state) == (S.UNACKNOWLEDGED, S.SHELVED)
    assert not w.alarms[ON_BATTERY].active
    assert not w.alarms[ON_BATTERY].opened


def test_the_same_fault_seen_by_another_device_is_not_hidden_when_that_one_is_shelved() -> None:
    w = lost(shelved=ECHO)
    for when in (20, 30, 40):
        poll(w, when, volts=0.0)
    assert (w.alarms[LEADER].state, w.alarms[ECHO].state) == (S.UNACKNOWLEDGED, S.SHELVED)
    assert w.alarms[ON_BATTERY].explained_by == LEADER


def test_a_parent_that_is_told_is_preferred_to_a_shelved_one() -> None:
    w = lost(shelved=ECHO)
    poll(w, 20, volts=0.0, failed=True)
    assert w.alarms[PLANT].explained_by == LEADER


def test_what_is_out_of_service_explains_nothing() -> None:
    told = lost().alarms[LEADER]
    alarms = [replace(told, state=S.OUT_OF_SERVICE), Alarm(PLANT)]
    w = watch(device("meter", MAINS), device("plant", RECTIFIER), alarms=alarms)
    w.start(at(13))
    for when in (15, 25, 35, 45):
        w.take(plant(when), at(when))
        w.take(mains(when + 1, 0.0), at(when + 1))
        w.tick(at(when + 1))
    assert w.alarms[PLANT].state is S.UNACKNOWLEDGED
