"""Devices that rest and are well: nothing of what they say may become a fault."""

import pytest

from collectors.line.definition import ModbusDefinition, shipped
from collectors.line.recording import Image, play
from model.decide import Scene, decide, scenes
from model.point import Reading
from tests.faults import telecom_rules
from tests.peers.modbus_devices import bits, put
from tests.peers.modbus_plant import DEVICES


def stopped_generator() -> Image:
    """The engine stands, ready in automatic mode: nothing turns, nothing is generated, the mains are there."""
    words = DEVICES["dse-73xx"].image[3]
    still = dict.fromkeys([1024, 1028, 1030, 1031, *range(1032, 1058), 1408, 1536, 1537, 1558, 774], 0)
    return {3: words | still | {772: 1} | {at: 0x1111 for at in words if at >= 39425}}


def charger_at_night() -> Image:
    """No sun: nothing comes from the array, and nothing is charged."""
    dark = dict.fromkeys([0x3100, 0x3101, 0x3102, 0x3103, 0x3106, 0x3107, 0x3200], 0)
    return {4: DEVICES["epever-tracer"].image[4] | dark | {0x3201: 0x4001}}


def in_standby(name: str, room: Image) -> Image:
    """An air conditioner that is off: every bit is 0, and its probes go on."""
    image = {function: dict.fromkeys(words, 0) for function, words in DEVICES[name].image.items()}
    return {function: words | room.get(function, {}) for function, words in image.items()}


RESTING = {
    "a stopped generator": ("dse-73xx", stopped_generator()),
    "a solar charger at night": ("epever-tracer", charger_at_night()),
    "an air conditioner in standby": ("santak-sca", in_standby("santak-sca", put(3, 4, "u16", 250, 450))),
    "another in standby": ("santak-scc", in_standby("santak-scc", {3: {8005: 250, 8006: 500, 8014: 380}})),
    "a charger of 125 V": (
        "hindlepower-atevo",
        DEVICES["hindlepower-atevo"].image | bits(2, 0, 47) | {4: DEVICES["hindlepower-atevo"].image[4] | {19: 150}},
    ),
}


@pytest.mark.parametrize("resting", RESTING)
def test_what_rests_and_is_well_is_no_fault(resting: str) -> None:
    name, image = RESTING[resting]
    found = shipped(name)
    assert isinstance(found, ModbusDefinition)
    readings = tuple(Reading(point, value, 0) for point, value in play(found, image) if value is not None)
    decided = [
        (rule.fault, decision.case)
        for rule in telecom_rules()
        for _, scene in scenes(rule, Scene(readings), {})
        if (decision := decide(rule, scene)) is not None and decision.case
    ]
    assert decided == []
    assert len(readings) > 5
