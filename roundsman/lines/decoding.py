"""Lines of frames into objects of named fields, one a frame; a line that holds none into what is wrong with it."""

import re
from collections.abc import Callable
from typing import Any, Final

from roundsman.lines.frame_text import FrameTextError, octets_of, ydt_texts
from roundsman.lines.frames import fields
from roundsman.lines.modbus_faults import adus, rtu_fault, tcp_fault, unknown_function, unknown_function_in_tcp
from wire.modbus_frames import sizes
from wire.modbus_tcp import Adu
from wire.traffic import Heard, Talk, TrafficReader, readings
from wire.ydt1363 import SHORTEST, Frame, YdtError, decode_text, soi_quirks

Fields = dict[str, Any]
Decode = Callable[[str], list[Fields]]
_RUN: Final = re.compile(rb"([~>]?)([0-9A-Fa-f]*)\r")


def decoder(protocol: str, *, tcp: bool = False) -> Decode:
    """Return what decodes one line after the other; a response is told by the request before it."""
    if protocol == "ydt1363":
        talk = Talk(patience=float("inf"))
        return lambda text: _ydt(text, talk)
    talks = _Talks()
    return lambda text: _modbus(text, talks, tcp=tcp)


class _Talks:
    """Who speaks in Modbus: one talk on a serial line, and one for each transaction that is under way in TCP."""

    def __init__(self) -> None:
        self.serial = Talk(patience=float("inf"))
        self._asked: dict[int, Heard] = {}

    def placed(self, adu: Adu) -> Heard:
        """Return a TCP frame with its side and the request of its transaction, where that was heard."""
        talk = Talk(patience=float("inf"))
        talk.asked = self._asked.pop(adu.transaction, None)
        heard = talk.placed(readings(adu.body), adu.body, 0.0)
        if talk.asked is not None:
            self._asked[adu.transaction] = talk.asked
        return heard


def _modbus(text: str, talks: _Talks, *, tcp: bool) -> list[Fields]:
    try:
        octets = octets_of(text)
    except FrameTextError as error:
        hint = "; this looks like YD/T 1363: roundsman decode ydt1363" if "~" in text else ""
        return [{"error": f"{error}{hint}"}]
    if tcp:
        return _tcp(octets, talks) or [unknown_function_in_tcp(octets) or {"error": tcp_fault(octets)}]
    found = _rtu_places(octets)
    inside = sum(len(frame) for _, frame in found)
    if inside < len(octets) and sum(6 + len(adu.body) for _, adu in adus(octets)) == len(octets):
        return _tcp(octets, talks)
    within = inside < len(octets) - inside and {len(octets) - 1, len(octets), len(octets) + 1} & {*sizes(octets, 0)[0]}
    if not found or within:  # a scrap with a right check sum within what is a broken frame itself
        return [unknown_function(octets) or {"error": rtu_fault(octets)}]
    return _rtu(octets, found, talks.serial)


def _rtu_places(octets: bytes) -> list[tuple[int, bytes]]:
    """Return the frames in these bytes, and where each begins."""
    reader, found, at = TrafficReader(), list[tuple[int, bytes]](), 0
    for heard in [*reader.feed(octets, 0.0), *reader.feed(b"", 1.0)]:
        at = octets.index(heard.octets, at)
        if not isinstance(heard.message, Frame):
            found.append((at, heard.octets))
        at += len(heard.octets)
    return found


def _rtu(octets: bytes, found: list[tuple[int, bytes]], talk: Talk) -> list[Fields]:
    told, end = list[Fields](), 0
    for at, frame in found:
        one = fields(talk.placed(readings(frame[:-2]), frame, 0.0)) | {"crc": frame[-2:].hex()}
        if at > end:
            one["noise_before"] = octets[end:at].hex()
        told.append(one)
        end = at + len(frame)
    rest = octets[end:]
    if rest:
        told[-1]["noise_after"] = rest.hex()
    asked = talk.asked
    if asked is not None and len(rest) >= 5 and rest[0] == asked.unit and rest[1] & 0x7F == asked.function:
        told.append({"error": rtu_fault(rest)})
    return told


def _tcp(octets: bytes, talks: _Talks) -> list[Fields]:
    told, end = list[Fields](), 0
    for at, adu in adus(octets):
        one = fields(talks.placed(adu))
        one = {"protocol": "modbus", "framing": "tcp", "transaction": adu.transaction, **one}
        if at > end:
            one["noise_before"] = octets[end:at].hex()
        told.append(one)
        end = at + 6 + len(adu.body)
    if told and end < len(octets):
        told[-1]["noise_after"] = octets[end:].hex()
    return told


def _ydt(text: str, talk: Talk) -> list[Fields]:
    faults = list[Fields]()
    for octets in ydt_texts(text):
        told, faults_here = list[Fields](), list[Fields]()
        for run in _RUN.finditer(octets):
            begun, characters = run[1], run[2]
            try:
                frame = decode_text(characters, *soi_quirks(begun[0] if begun else 0))
            except YdtError as error:
                if len(characters) >= SHORTEST - 2:
                    faults_here.append({"error": str(error)})
                continue
            told.append(fields(talk.placed(frame, run[0], 0.0)) | {"chksum": characters[-4:].decode()})
        if told:
            return [*told, *faults_here]
        faults = faults or faults_here
    return faults or [{"error": _no_frame(text)}]


def _no_frame(text: str) -> str:
    octets = ydt_texts(text)[0]
    if b"~" not in octets:
        return f"no frame: no start mark ~, and no {SHORTEST - 2} hexadecimal digits in a row"
    after = octets.rpartition(b"~")[2]
    digits = re.match(rb"[0-9A-Fa-f]*", after)
    length = digits.end() if digits else 0
    if length < len(after) and after[length : length + 1] != b"\r":
        return f"no frame: character {length + 1} after ~ is no hexadecimal digit ({after[length]:02X}H)"
    return f"no frame: {length} characters after ~, and a frame has {SHORTEST - 2} at least"
