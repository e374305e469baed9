"""What a device calls a warning or worse becomes a fault: the alarms of UPS-MIB, and states of every definition."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.snmp.library import shipped
from collectors.snmp.recording import Recording, read_from, read_recording
from model.decide import Scene, decide
from model.point import Point, Reading, Severity, State
from model.quantity import Quantity
from model.rule import Rule
from tests.faults import telecom_rules
from tests.recordings import recordings

WORSE = {Severity.WARNING, Severity.CRITICAL}
UPS_ALARM = "1.3.6.1.2.1.33.1.6.3"
WELL_KNOWN = range(1, 25)  # RFC 1628, upsWellKnownAlarms


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    return telecom_rules()


def faults(rules: tuple[Rule, ...], *readings: Reading) -> set[str]:
    """Return the faults that readings of one scope are, each with its case."""
    decided = ((rule.fault, decide(rule, Scene(readings))) for rule in rules)
    return {f"{fault}/{decision.case}" for fault, decision in decided if decision is not None and decision.case}


@pytest.mark.parametrize("number", WELL_KNOWN)
def test_each_alarm_of_rfc_1628_is_a_fault_while_it_stands_and_none_when_it_is_gone(
    rules: tuple[Rule, ...], number: int
) -> None:
    listed = shipped()["rfc1628-ups"].alarms
    known = listed.known if listed else {}
    for present in (True, False):
        objects: dict[str, tuple[int, int | str | bytes]] = {"1.3.6.1.2.1.33.1.6.1.0": (66, int(present))}
        if present:
            objects["1.3.6.1.2.1.33.1.6.2.1.2.7"] = (6, f"{UPS_ALARM}.{number}")
        batch, _ = read_from(Recording(objects), shipped())
        alarm = [r for r in batch.readings if r.point.at("alarm") == known[f"{UPS_ALARM}.{number}"].name]
        assert len(alarm) == 1
        assert bool(faults(rules, *alarm)) is present
        severity = alarm[0].point.severity(alarm[0].value)
        assert (severity in WORSE) is present


def said_by_makers() -> Iterator[tuple[str, Quantity, State]]:
    for name, definition in shipped().items():
        for value in definition.values:
            yield from ((name, value.quantity, state) for state in value.point_states())
            yield from ((name, bit.quantity, State(bit.active, bit.severity)) for bit in value.bits.values())
        for known in definition.alarms.known.values() if definition.alarms else ():
            yield name, known.quantity, State(known.active, known.severity)


def test_every_state_that_a_definition_calls_a_warning_or_worse_is_a_fault(rules: tuple[Rule, ...]) -> None:
    missed = set()
    for name, quantity, state in said_by_makers():
        point = Point("d", str(quantity), quantity, "P", states=(state,))
        if state.severity in WORSE and not faults(rules, Reading(point, state.name, 0)):
            missed.add((name, str(quantity), state.name, str(state.severity)))
    assert missed == set()


def test_every_recorded_state_that_is_a_warning_or_worse_is_a_fault(rules: tuple[Rule, ...]) -> None:
    folder: Path = recordings() / "snmp" / "snmpsim"
    missed, seen = [], 0
    for path in sorted(folder.glob("*.snmprec")):
        batch, _ = read_from(read_recording(path), shipped(), aside=False)
        for reading in batch.readings:
            if reading.point.states and reading.point.severity(reading.value) in WORSE:
                seen += 1
                if not faults(rules, reading):
                    missed.append((path.stem, reading.point.id, reading.value))
    assert missed == []
    assert seen > 30  # 49 are expected of the recordings, 28 of them wrongly (bench/exceptions); others are ours alone
