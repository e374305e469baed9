"""A YD/T 1363 frame as named fields; what INFO means follows from the shipped definitions that it fits."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from collectors.line.identity import makers_texts
from collectors.line.walk import Field
from collectors.line.ydt_decode import Decoded, decoded
from wire.modbus_frames import Side
from wire.ydt1363 import Frame, YdtError, rtn_name
from wire.ydt1363_info import Walk, clock
from wire.ydt1363_names import class_name, command_name

TIME, SET_TIME, VERSION, ADDRESS, MAKER = 0x4D, 0x4E, 0x4F, 0x50, 0x51
FORMS = {
    0x41: ("floats", 4),
    0x46: ("floats", 4),
    0x42: ("words", 2),
    0x47: ("words", 2),
    0x43: ("codes", 1),
    0x44: ("codes", 1),
}
"""What the answers to a command are made of, and how many bytes each takes."""
UNVALUED = frozenset({"flag", "skip", "count", "items", "bits"})
"""Kinds of fields that are no values: they say how the others are to be read."""
FIRST_PACK = "1"

GLANCE = {
    ("battery.current", ""): "current_A",
    ("battery.charge", ""): "soc_pct",
    ("battery.health", ""): "soh",
    ("battery.capacity", ""): "capacityAh",
    ("battery.voltage", "highest cell"): "maxCellV",
    ("battery.voltage", "lowest cell"): "minCellV",
    ("battery.temperature", "highest"): "maxCellT",
    ("battery.temperature", "lowest"): "minCellT",
    ("battery.current", "charging"): "chargeA",
    ("battery.current", "discharging"): "dischargeA",
}
"""What is told of a battery at a glance: quantity and `of`, and the key that scripts know it by."""


def ydt_fields(frame: Frame, side: Side, asked: Frame | None = None) -> dict[str, Any]:
    """Return the fields of a frame: VER, CID1, CID2 or RTN and INFO in hexadecimal text, ADR as a number."""
    cid1 = asked.cid1 if asked is not None else frame.cid1  # the same, but for those that answer with the command there
    found: dict[str, Any] = {
        "ver": f"{frame.ver:02X}",
        "adr": frame.adr,
        "cid1": f"{frame.cid1:02X}",
        "class_name": class_name(cid1),
        "cid2_or_rtn": f"{frame.code:02X}",
    }
    if side != "response":
        found["command_name"] = command_name(frame.code)
    if side != "request":
        found["rtn_name"] = rtn_name(frame.code)
    if asked is not None:
        found |= {"asked": f"{asked.code:02X}", "asked_name": command_name(asked.code)}
    found["info"] = frame.info.hex().upper()
    if frame.quirks:
        found["quirks"] = [str(quirk) for quirk in frame.quirks]
    if side == "response" and frame.code == 0:
        found |= _answer(frame, cid1, asked.code if asked is not None else None)
    elif side != "response":
        found |= _question(frame)
    return found


def _question(frame: Frame) -> dict[str, Any]:
    if frame.code == SET_TIME:
        return _time(frame.info)
    return {"group": frame.info[0]} if len(frame.info) == 1 and 0x41 <= frame.code <= 0x47 else {}


def _answer(frame: Frame, cid1: int, command: int | None) -> dict[str, Any]:
    """Return what the INFO of an answer means."""
    if command == TIME:
        return _time(frame.info)
    if command == VERSION:
        return {"semantic": {"layout": "protocol version", "version": f"{frame.ver >> 4}.{frame.ver & 15}"}}
    if command == ADDRESS:
        return {"semantic": {"layout": "address", "address": frame.adr}}
    if not frame.info:
        return {}
    if command != MAKER:
        fits = _fits(cid1, command, frame.ver, frame.info)
        if fits:
            return _meaning(fits)
    if command == MAKER or (command is None and _is_text(frame.info)):
        return {"semantic": {"layout": "maker information", **makers_texts(frame.info)}}
    return _by_command(frame.info, command) if command in FORMS else {}


def _by_command(info: bytes, command: int) -> dict[str, Any]:
    """Return the numbers of an answer that no definition fits, by the form that its command gives them."""
    name, width = FORMS[command]
    walk = Walk(info)
    found: dict[str, Any] = {"layout": "no definition fits; numbers by the form of the command alone"}
    if before := len(info) % width:
        found["before"] = walk.take(before).hex().upper()
    reads: dict[str, Callable[[], float | None]] = {"floats": walk.float32, "words": walk.fixed, "codes": walk.code}
    found[name] = [reads[name]() for _ in range(walk.left // width)]
    return {"semantic": found}


@lru_cache(maxsize=32)  # one may hold a megabyte
def _fits(cid1: int, command: int | None, ver: int, info: bytes) -> tuple[Decoded, ...]:
    """Return what INFO says by the definitions that it fits; an answer that comes again costs nothing."""
    return tuple(decoded(cid1, command, ver, info))


def _time(info: bytes) -> dict[str, Any]:
    try:
        return {"time": clock(info)}
    except YdtError as error:
        return {"time": None, "note": str(error)}


def _is_text(info: bytes) -> bool:
    """Say whether it is an answer to 51H: text, filled up with blanks or zeros, and a version among it perhaps."""
    written = sum(0x20 <= octet < 0x7F for octet in info)
    return len(info) >= 20 and written > len(info) / 4 and written + info.count(0) > 0.8 * len(info)


def _meaning(fits: Sequence[Decoded]) -> dict[str, Any]:
    best = fits[0]
    found: dict[str, Any] = {}
    if best.flag is not None:
        found["flags"] = {"alarms_changed": bool(best.flag & 0x01), "states_changed": bool(best.flag & 0x10)}
    semantic: dict[str, Any] = {"layout": best.layout, "definition": best.definition, "read": best.read}
    if best.wrong:
        semantic["doubtful"] = best.wrong
    semantic |= _summary(best.fields)
    semantic["values"] = [_value(field) for field in best.fields if field.kind not in UNVALUED]
    if others := sorted({each.definition for each in fits[1:]} - {best.definition}):
        semantic["fits_too"] = others
    return found | {"semantic": semantic}


def _value(field: Field) -> dict[str, Any]:
    meaning = field.meaning
    found: dict[str, Any] = {"label": meaning.label}
    if meaning.quantity is not None:
        found["quantity"] = meaning.quantity.value
    if field.index:
        found["index"] = field.index
    found["value"] = field.value if meaning.quantity is not None or field.kind == "text" else _raw(field)
    if meaning.quantity is not None and meaning.quantity.unit.symbol:
        found["unit"] = meaning.quantity.unit.symbol
    if field.kind == "text":
        pass
    elif field.doubtful:
        found["note"] = "cannot be"
    elif field.raw is None:
        found["note"] = "not monitored"
    elif field.value is None:
        found["note"] = "not available"
    found |= {"raw": _raw(field), "at": field.at, "octets": field.octets.hex().upper()}
    return found


def _summary(fields: Sequence[Field]) -> dict[str, Any]:
    """Return what one wants of a battery at a glance: its cells, temperatures, current, voltage.

    Of several packs it is the first one's, whose fields name no pack, and `packs` has it of each.
    """
    apart: dict[str, list[Field]] = {}
    for field in fields:
        apart.setdefault(field.index.get("pack", FIRST_PACK), []).append(field)
    packs = [_pack(each) for each in apart.values()]
    if len(packs) > 1 and packs[0]:
        return {**packs[0], "packs": packs}
    return packs[0] if packs else {}


def _pack(fields: Sequence[Field]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    cells = [field.value for field in fields if _is(field, "battery.voltage") and "cell" in field.index]
    if cells:
        found["cells_mV"] = [round(float(value) * 1000) if value is not None else None for value in cells]
        sensors = [field for field in fields if "sensor" in field.index and field.meaning.quantity is not None]
        found["temps_C"] = [
            each.value for each in sensors if each.meaning.quantity and each.meaning.quantity.unit.symbol == "°C"
        ]
    for place, field in enumerate(fields):
        if _is(field, "battery.voltage") and not field.index.keys() - {"pack"}:
            found["voltage_V" if cells else "batteryV"] = field.value
            found |= _behind(fields[place + 1 :]) if cells else {}
        elif field.meaning.quantity is not None and not field.index.keys() - {"pack", "of"}:
            key = GLANCE.get((field.meaning.quantity.value, field.index.get("of", "")))
            found |= {key: field.value} if key else {}
    return found


def _behind(fields: Sequence[Field]) -> dict[str, Any]:
    """Return the numbers behind a pack's voltage as they came: what is left, the count of items, and the two after."""
    items = next((place for place, field in enumerate(fields) if field.kind == "items"), None)
    if items != 1 or items + 2 >= len(fields):  # class 4AH has its capacities before the count
        return {"remaining_raw": _raw(fields[0])} if fields and _is(fields[0], "battery.capacity") else {}
    names = {"remaining_raw": fields[0], "p": fields[items], "total_raw": fields[items + 1]}
    return {name: _raw(field) for name, field in {**names, "next_raw": fields[items + 2]}.items()}


def _is(field: Field, quantity: str) -> bool:
    return field.meaning.quantity is not None and field.meaning.quantity.value == quantity


def _raw(field: Field) -> float | int | None:
    whole = field.raw is not None and field.kind != "float" and (field.kind != "item" or len(field.octets) < 4)
    return int(field.raw) if whole and field.raw is not None else field.raw
