"""A Modbus device from a file: registers as somebody wrote them down, or frames as they passed. No I/O.

    # acme meter, unit 1                       a comment
    4:0 17254 13108                            function 4, registers from 0 on: decimal, 0x4366 or 4366h
    4:0x34 449Ah 5000h
    2:0 1 0 0 1                                bits of functions 1 and 2
    > 01 04 00 00 00 02 71 CB                  a request ...
    < 01 04 04 43 66 33 34 1B 38               ... and what came back

What stands in no line is not there: the device is taken to answer with exception 2.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from collectors.line.modbus_definition import ModbusDefinition
from collectors.line.modbus_slave import ModbusSlave
from collectors.line.question import Answer, Question, RefusedError
from model.point import Point
from wire.modbus import ModbusError, Refusal, Reply
from wire.modbus_frames import Message, decode_request, decode_response

Image = dict[int, dict[int, int]]
"""What a device has: by function, by address, a register or a bit."""
MOST_QUESTIONS: Final = 10_000
_DUMP = re.compile(r"([1-4])\s*:\s*(0[xX][0-9a-fA-F]+|[0-9]+)\s+(.*)")


class RecordingError(ValueError):
    """A line that is no part of a recording; the text names it."""


def read_image(lines: Iterable[str]) -> Image:
    """Return what a recording says. Raises RecordingError."""
    image: Image = {}
    asked: Message | None = None
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        try:
            asked = _take(image, asked, text) if text else asked
        except ValueError as error:
            raise RecordingError(f"line {number}: {error}") from None
    return image


def _take(image: Image, asked: Message | None, text: str) -> Message | None:
    """Take one line into the image; return the request that the next one may be the reply to."""
    if dump := _DUMP.fullmatch(text):
        function, place = int(dump[1]), int(dump[2], 0)
        image.setdefault(function, {}).update(enumerate(map(_word, dump[3].split()), place))
        return None
    if text.startswith(">"):
        return decode_request(_octets(text[1:]))
    if text.startswith("<") and asked is not None:
        _keep(image, asked, _octets(text[1:]))
        return None
    raise ValueError('write "4:0 17254", "> request" or, after it, "< reply"')


def _word(text: str) -> int:
    word = int(text[:-1], 16) if text[-1:] in {"h", "H"} else int(text, 0)
    if not 0 <= word <= 0xFFFF:
        raise ValueError(f"{text} is no register; write from 0 to 65535")
    return word


def _octets(text: str) -> bytes:
    return bytes.fromhex("".join(text.split()))


def _keep(image: Image, asked: Message, frame: bytes) -> None:
    """Keep what a response says of the places that were asked for; an exception says nothing."""
    told = decode_response(frame)
    if told.exception is not None or asked.address is None:
        return
    if not asked.answered_by(told) or told.octets is None:
        raise ModbusError("is no answer to the request before it")
    reply = Reply(told.unit, told.function, told.octets)
    words = reply.bits[: asked.count] if reply.function <= 2 else reply.registers
    image.setdefault(reply.function, {}).update(enumerate(map(int, words), asked.address))


def answer(image: Image, question: Question) -> Answer:
    """Return what the device answers to a read: its registers or bits, or exception 2 where it lacks one of them."""
    asked = decode_request(question.frame)
    start, count, has = asked.address or 0, asked.count or 0, image.get(asked.function, {})
    places = range(start, start + count)
    if not all(place in has for place in places):
        return Refusal(asked.unit, asked.function, 2)
    words = [has[place] for place in places]
    if asked.function > 2:
        return Reply(asked.unit, asked.function, b"".join(word.to_bytes(2, "big") for word in words))
    number = sum(bool(bit) << at for at, bit in enumerate(words))
    return Reply(asked.unit, asked.function, number.to_bytes((count + 7) // 8, "little"))


def play(definition: ModbusDefinition, image: Image, device: str = "recording") -> "Played":
    """Read a recorded device whole, as a poll does."""
    return Played(ModbusSlave(device, definition, 1, largest_hole=0), image)


class Played:
    """What a definition makes of a recorded device: values by point, and the reads that it refused."""

    def __init__(self, slave: ModbusSlave, image: Image) -> None:
        self.values: dict[Point, float | str | None] = {}
        self.refused: list[str] = []
        done: set[str] = set()
        for _ in range(MOST_QUESTIONS):
            question = next((each for each in slave.plan() if each.key not in done), None)
            if question is None:
                break
            done.add(question.key)
            try:
                self.values |= slave.take(question, answer(image, question))
            except RefusedError as error:
                if error.permanent:
                    self.refused.append(str(error))
        self.points = slave.points()

    def by_id(self) -> dict[str, float | str | None]:
        """Return every point's value by its id; None for one that was not read."""
        return {point.id: self.values.get(point) for point in self.points}

    def __iter__(self) -> Iterator[tuple[Point, float | str | None]]:
        """Go through every point and its value."""
        return ((point, self.values.get(point)) for point in self.points)
