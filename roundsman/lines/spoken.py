"""What passes on a line, for people: one line a frame, and a table of who speaks how often."""

from collections.abc import Iterable

from collectors.line.listening import Listening, Speaker, Spoken
from roundsman.lines.frames import fields
from roundsman.lines.words import NAMES
from roundsman.output import clean, table, value_text
from roundsman.words import say
from wire.modbus_frames import FUNCTIONS, Message
from wire.traffic import Heard
from wire.ydt1363 import Frame, rtn_name
from wire.ydt1363_names import class_name, command_name

ARROWS = {"request": ">", "response": "<", "either": "?"}
SHOWN = 16
"""Bytes of a value that are shown."""
VALUES = 4
"""Values of an answer that are shown."""


def line_of(spoken: Spoken, clock: str) -> str:
    """Return one line: time, silence before, protocol, direction, address, what is said."""
    gap = "" if spoken.gap is None else f"+{spoken.gap:.3f}"
    if spoken.heard is None:
        return clean(f"{clock} {gap:>8}  noise      {len(spoken.octets)} bytes: {_bytes(spoken.octets)}")
    heard = spoken.heard
    took = f"  ({spoken.took * 1000:.0f} ms)" if spoken.took is not None else ""
    head = f"{clock} {gap:>8}  {NAMES[heard.protocol]:9}  {ARROWS[heard.side]} {heard.unit:3}"
    return clean(f"{head}  {said(heard)}{took}")


def said(heard: Heard) -> str:
    """Say in words what a frame asks or answers."""
    message = heard.message
    return _ydt(heard, message) if isinstance(message, Frame) else _modbus(message)


def _modbus(message: Message) -> str:
    name = FUNCTIONS.get(message.function, f"function {message.function}")
    if message.exception is not None:
        return f"{name}: refused, {message.reason}"
    if message.identity is not None:
        return f"{name}: {' '.join(message.identity.named().values())}"
    where = "" if message.address is None else f" {message.address}"
    if message.count is not None and message.count > 1 and message.address is not None:
        where = f" {message.address} to {message.address + message.count - 1}"
    value = "" if message.value is None else f" = {message.value}"
    octets = "" if message.octets is None else f": {_values(message)}"
    return f"{name}{where}{value}{octets}"


def _values(message: Message) -> str:
    """Return registers as numbers, bits as bytes."""
    octets = message.octets or b""
    if message.function in {1, 2, 15} or len(octets) % 2:
        return _bytes(octets)
    words = [int.from_bytes(octets[at : at + 2], "big") for at in range(0, min(len(octets), SHOWN), 2)]
    return " ".join(map(str, words)) + (f" ... ({len(octets) // 2} registers)" if len(octets) > SHOWN else "")


def _ydt(heard: Heard, frame: Frame) -> str:
    kind = f"{frame.cid1:02X}H {class_name(frame.cid1)}"
    info = f": {_bytes(frame.info)}" if frame.info else ""
    if heard.side != "response":
        return f"{kind}, {command_name(frame.code)} ({frame.code:02X}H){info}"
    told = fields(heard).get("semantic", {}).get("values", ())
    if not told or frame.code:
        return f"{kind}: {rtn_name(frame.code)}{info}"
    shown = [f"{each['label']} {value_text(each['value'], each.get('unit', ''))}" for each in told[:VALUES]]
    more = f" ... ({len(told)} values)" if len(told) > VALUES else ""
    return f"{kind}: {', '.join(shown)}{more}"


def _bytes(octets: bytes) -> str:
    more = f" ... ({len(octets)} bytes)" if len(octets) > SHOWN else ""
    return octets[:SHOWN].hex(" ").upper() + more


def summary(listening: Listening, now: float) -> None:
    """Print who was asked how often and how long his answers took, and what the line is like."""
    head = ("PROTOCOL", "ADDRESS", "ASKED", "ANSWERED", "REFUSED", "FASTEST", "MEDIAN", "SLOWEST", "WHAT")
    rows = [_row(each) for _, each in sorted(listening.speakers.items())]
    table(tuple(map(say, head)), rows, empty=say("No frame was heard."))
    print(totals(listening, now))


def totals(listening: Listening, now: float) -> str:
    """Say in one sentence or two what the line is like."""
    again = f"the same is asked again after {listening.cycle:.2f} s; " if listening.cycle else ""
    return (
        f"{listening.seconds(now):.0f} s at {listening.setting}: {listening.frames} frames, "
        f"{listening.mismatches} with a wrong check sum, {listening.noise} bytes of noise; {again}"
        f"the line is in use {100 * listening.utilisation(now):.0f} % of the time."
    )


def _row(each: Speaker) -> tuple[str, ...]:
    times = (each.shortest, each.median, each.longest)
    return (
        NAMES[each.protocol],
        str(each.unit),
        str(each.requests),
        str(each.responses),
        str(each.refusals),
        *("-" if took is None else f"{took * 1000:.0f} ms" for took in times),
        _asked(each),
    )


def _asked(each: Speaker) -> str:
    counts: Iterable[tuple[int, int]] = sorted(each.functions.items(), key=lambda pair: -pair[1])
    if each.protocol == "modbus":
        return ", ".join(FUNCTIONS.get(number, f"function {number}") for number, _ in counts)
    return ", ".join(f"{number:02X}H {class_name(number)}" for number, _ in counts)
