"""A frame as named fields: every field of it, in numbers and in words, as one JSON object."""

from typing import Any

from roundsman.lines.ydt_frames import ydt_fields
from wire.float32 import float32
from wire.modbus_frames import FUNCTIONS, Message
from wire.traffic import Heard
from wire.ydt1363 import Frame

BITS = frozenset({1, 2, 15})
"""Functions whose values are bits."""
CODES = {1: "basic", 2: "regular", 3: "extended", 4: "one object"}
COILS = {0x0000: "off", 0xFF00: "on"}


def fields(heard: Heard) -> dict[str, Any]:
    """Return every field of a frame by name; a response has the place that its request named, where that was heard."""
    asked = heard.request.message if heard.request else None
    head = {"protocol": heard.protocol, "side": heard.side}
    if isinstance(heard.message, Frame):
        return {**head, **ydt_fields(heard.message, heard.side, asked if isinstance(asked, Frame) else None)}
    return {**head, **modbus_fields(heard.message, asked if isinstance(asked, Message) else None)}


def modbus_fields(message: Message, asked: Message | None = None) -> dict[str, Any]:
    """Return the fields of a Modbus frame; addresses count from 0, as on the wire."""
    found: dict[str, Any] = {
        "unit": message.unit,
        "function": message.function,
        "function_name": FUNCTIONS.get(message.function, f"function {message.function}"),
    }
    place = message if message.address is not None or asked is None else asked
    found |= {key: getattr(place, key) for key in ("address", "count") if getattr(place, key) is not None}
    if message.exception is not None:
        return found | {"exception": message.exception, "exception_name": message.reason}
    if message.value is not None:
        found["value"] = message.value
        if message.function == 5:
            found["coil"] = COILS.get(message.value, "neither on nor off")
    for key in ("write_address", "write_count", "code", "first"):
        if getattr(message, key) is not None:
            found["first_object" if key == "first" else key] = getattr(message, key)
    if message.code is not None:
        found["code_name"] = CODES.get(message.code, f"code {message.code}")
    if message.octets is not None:
        found |= _value(message, found.get("count"))
    if message.identity is not None:
        identity = message.identity
        found |= {"code": identity.code, "code_name": CODES.get(identity.code, f"code {identity.code}")}
        found |= {"conformity": identity.conformity, "more": identity.more, "next_object": identity.following}
        found["objects"] = identity.named()
    return found


def _value(message: Message, count: int | None) -> dict[str, Any]:
    octets = message.octets or b""
    if message.function in BITS:
        bits = [byte >> bit & 1 for byte in octets for bit in range(8)]
        return {"bytes": len(octets), "bits_hex": octets.hex(), "bits": bits[:count]}
    if len(octets) % 2:
        return {"bytes": len(octets), "octets": octets.hex()}
    words = [int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets), 2)]
    found: dict[str, Any] = {"bytes": len(octets), "registers": words}
    if len(words) == 2:
        both = {"float32_be": float32(octets), "float32_le": float32(octets[2:] + octets[:2])}
        likely = {key: number for key, number in both.items() if number is not None and _likely(number)}
        found |= {key: float(f"{number:.7g}") for key, number in likely.items()}
    if len(octets) >= 4 and all(0x20 <= octet < 0x7F for octet in octets.rstrip(b"\0")) and octets.rstrip(b"\0"):
        found["text"] = octets.rstrip(b"\0").decode("ascii")
    return found


def _likely(number: float) -> bool:
    """Say whether two registers may be a number of this size that a meter measures, and not something else."""
    return number == 0 or 1e-6 <= abs(number) <= 1e9
