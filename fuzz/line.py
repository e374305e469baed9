"""What is spoken on a serial line, fed bytes that are mangled: Modbus RTU and TCP, YD/T 1363, both directions mixed.

What is held, of any bytes: nothing leaves but the one exception of each codec; a frame that was read is written again
as it stood; never more is held than one longest frame; and the work, counted in bytes that go through a check sum,
grows no faster than the bytes. Every so many inputs what comes out is seen not to depend on how the bytes are cut,
brute force looks for the same replies, pymodbus reads the same, and the shipped definitions walk what a YD/T 1363
answer says.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["wire"]):
    from wire import modbus, modbus_frames, modbus_identity, modbus_tcp, traffic, ydt1363

from fuzz.line_mangle import RIGHT, mangled
from tests.peers.line import ydt_frame
from tests.peers.modbus_frames import talks, tcp_talks
from wire.modbus import ModbusError
from wire.modbus_frames import Message
from wire.ydt1363 import YdtError

Check = Callable[[bytes, bool], str]
ASKED = (modbus.Request(9, 3, 100, 2), modbus.Request(9, 1, 100, 10), modbus.Request(9, 4, 100, 2))
WHO = modbus_identity.IdentityRequest(9)
USUAL = 120
LONGEST = 1200
"""Bytes of one input: several frames, and noise; what is longer is another frame again."""
MOST_WORK = 3 * 256
"""Bytes through a check sum for each byte that came, at most."""


def modbus_seeds() -> list[bytes]:
    """Return a request and a response of each function."""
    return [frame for talk in talks() for frame in (talk.request, talk.response)]


def tcp_seeds() -> list[bytes]:
    """Return the same for TCP."""
    return [frame for talk in tcp_talks() for frame in (talk.request, talk.response)]


def ydt_seeds() -> list[bytes]:
    """Return a request, an answer with numbers of each kind, a refusal, and one of the longest."""
    battery = bytes.fromhex("11020300CE40CE40CE4020BB80BB8FFF619C9138802271000050")
    infos = [(0x42, b"\x01"), (0x4D, b""), (0x00, b""), (0x04, b""), (0x00, battery), (0x00, b"\x20" * 40)]
    frames = [ydt_frame(0x20, 2, 0x46, code, info) for code, info in infos]
    return [*frames, ydt_frame(0x21, 1, 0x41, 0x00, bytes(range(256))), frames[0] + frames[4]]


def check_modbus(octets: bytes, ask: bool) -> str:
    """Check what was read out of bytes on a serial line."""
    asked = ASKED[len(octets) % len(ASKED)]
    whole = modbus.ReplyReader(asked).feed(octets)
    who = modbus_identity.IdentityReader(WHO).feed(octets)
    found = [said for said in (decoded(decode, octets) for decode in DECODERS) if said is not None]
    for said in found:
        assert written(said) == octets[:-2] or (said.identity and octets[5] not in {0, 255})  # any other byte is "more"
        assert said.function not in modbus_frames.FUNCTIONS or len(octets) in modbus_frames.sizes(octets, 0)[0]
    if ask:
        assert whole == piecewise(modbus.ReplyReader(asked).feed, octets)
        assert whole == earliest(asked, octets)
        assert who == piecewise(modbus_identity.IdentityReader(WHO).feed, octets)
        for said in found:
            compare(octets, said)
    if found:
        return "frames"
    return "frames in noise" if whole or who else "no frame"


def check_tcp(octets: bytes, ask: bool) -> str:
    """Check what was read out of a TCP stream."""
    try:
        whole = modbus_tcp.MbapReader().feed(octets)
    except ModbusError:
        return "no stream"
    if ask:
        reader = modbus_tcp.MbapReader()
        assert [adu for at in range(len(octets)) for adu in reader.feed(octets[at : at + 1])] == whole
    assert octets.startswith(b"".join(modbus_tcp.wrap(adu.body, adu.transaction) for adu in whole))
    read = [said for adu in whole for said in traffic.readings(adu.body)]
    for said in read:
        assert said.identity or written(said) in {adu.body for adu in whole}
    for asked in (*ASKED, WHO):
        modbus_tcp.TcpReader(asked, 77).feed(octets)
    return "frames" if read else "streams"


def check_ydt(octets: bytes, ask: bool) -> str:
    """Check what was read out of text."""
    reader = ydt1363.FrameReader()
    found = reader.feed(octets)
    if ask:
        single = ydt1363.FrameReader()
        assert [frame for at in range(len(octets)) for frame in single.feed(octets[at : at + 1])] == found
        assert (reader.errors, reader.skipped, reader.held) == (single.errors, single.skipped, single.held)
    assert reader.held <= ydt1363.LONGEST
    for frame in found:
        if not {*frame.quirks} - {ydt1363.Quirk.NO_SOI, ydt1363.Quirk.SOI_3EH}:
            assert frame.encode()[1:-5] in octets.upper()  # CHKSUM differs where digits were lower-case
    with suppress(YdtError):
        frame = ydt1363.decode(octets)
        assert found == [frame]
    if ask:
        for frame in found:
            explained(frame)
    return "frames" if found else "no frame"


def check_traffic(octets: bytes, ask: bool) -> str:
    """Check what was overheard, and count the work."""
    work = 0

    def counted(body: bytes) -> bytes:
        nonlocal work
        work += len(body)
        return right(body)

    right = modbus.crc16
    traffic.crc16 = counted
    whole = overheard(octets, len(octets) or 1)
    traffic.crc16 = right
    assert work <= MOST_WORK * (len(octets) + 256), f"{work} for {len(octets)} bytes"
    for size in (1, 7) if ask else ():
        assert overheard(octets, size) == whole
    return "frames" if whole else "no frame"


def overheard(octets: bytes, size: int) -> list[tuple[str, bytes]]:
    """Return what is heard of bytes that come in pieces of a size, and see that none is lost or held too long."""
    reader, found = traffic.TrafficReader(), list[traffic.Heard]()
    for at in range(0, len(octets), size):
        found += reader.feed(octets[at : at + size], 1.0)
        assert reader.held <= ydt1363.LONGEST
    found += reader.feed(b"", 2.0)
    assert reader.held == 0
    assert reader.skipped + sum(len(heard.octets) for heard in found) == len(octets)
    return [(heard.side, heard.octets) for heard in found]


DECODERS = (modbus_frames.decode_request, modbus_frames.decode_response)


def decoded(decode: Callable[[bytes], Message], octets: bytes) -> Message | None:
    """Return what is read, None for what is refused."""
    try:
        return decode(octets)
    except ModbusError:
        return None


def piecewise(feed: Callable[[bytes], object], octets: bytes) -> object:
    """Return what is found when the bytes come one by one."""
    for at in range(len(octets)):
        if (found := feed(octets[at : at + 1])) is not None:
            return found
    return None


def earliest(request: modbus.Request, octets: bytes) -> modbus.Reply | modbus.Refusal | None:
    """Find by brute force the reply or refusal to a request that ends first."""
    unit, function = request.unit, request.function
    heads = (bytes((unit, function, request.reply_bytes)), request.reply_bytes + 5), (bytes((unit, function | 0x80)), 5)
    for end in range(5, len(octets) + 1):
        for head, size in heads:
            frame = octets[end - size : end] if end >= size else b""
            if frame.startswith(head) and modbus.crc16(frame[:-2]) == frame[-2:]:
                if size > 5:
                    return modbus.Reply(unit, function, frame[3:-2])
                if frame[2]:
                    return modbus.Refusal(unit, function, frame[2])
    return None


def written(said: Message) -> bytes:
    """Write a message again: unit, function and what follows."""
    head = bytes((said.unit, said.function | (0x80 if said.exception is not None else 0)))
    if said.exception is not None:
        return head + bytes((said.exception,))
    if said.identity is not None:
        who = said.identity
        parts = [bytes((number, len(text))) + text for number, text in who.objects]
        return head + bytes((14, who.code, who.conformity, 255 * who.more, who.following, len(parts))) + b"".join(parts)
    if said.code is not None and said.first is not None:
        return head + bytes((14, said.code, said.first))
    words = (said.address, said.count, said.value, said.write_address, said.write_count)
    body = head + b"".join(word.to_bytes(2, "big") for word in words if word is not None)
    return body if said.octets is None else body + bytes((len(said.octets),)) + said.octets


def compare(octets: bytes, ours: Message) -> None:
    """See that pymodbus reads the same address and count, where it reads the frame at all."""
    from pymodbus.exceptions import ModbusException  # noqa: PLC0415 - heavy, and only here
    from pymodbus.framer import FramerRTU  # noqa: PLC0415
    from pymodbus.pdu import DecodePDU  # noqa: PLC0415

    if ours.side != "request" or ours.address is None:
        return
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    try:
        _, theirs = FramerRTU(DecodePDU(True)).handleFrame(octets, 0, 0)
    except (ModbusException, IndexError, ValueError):
        return
    if theirs is not None and ours.function != modbus_frames.READ_WRITE:
        assert (theirs.dev_id, theirs.function_code, theirs.address) == (ours.unit, ours.function, ours.address)


def explained(frame: ydt1363.Frame) -> None:
    """Let every shipped definition of the class walk INFO: it fits or it does not, and raises nothing."""
    from collectors.line.ydt_decode import decoded as walked  # noqa: PLC0415 - reads all definitions, and only here

    walked(frame.cid1, None, frame.ver, frame.info[:200])


KINDS: dict[str, tuple[Callable[[], list[bytes]], Check]] = {
    "modbus": (modbus_seeds, check_modbus),
    "modbus-tcp": (tcp_seeds, check_tcp),
    "ydt1363": (ydt_seeds, check_ydt),
    "traffic": (lambda: [*modbus_seeds(), *ydt_seeds()], check_traffic),
}


class Target:
    """What is fed; it counts."""

    def __init__(self, check: Check, runs: int, every: int) -> None:
        self.count: Counter[str] = Counter()
        self._check = check
        self._runs = runs
        self._every = every

    def __call__(self, octets: bytes) -> None:
        """Take one input; raises what is a finding."""
        self.count["runs"] += 1
        ask = bool(self._every) and self.count["runs"] % self._every == 0
        self.count[self._check(octets, ask)] += 1
        if self.count["runs"] == self._runs:
            told = ", ".join(f"{count} {name}" for name, count in sorted(self.count.items()) if name != "runs")
            print(f"{self._runs} runs: {told}", flush=True)


def seeds_of(name: str) -> list[bytes]:
    """Return the valid frames to begin with."""
    return KINDS[name][0]()


def target_of(name: str, runs: int, every: int) -> Target:
    """Return what is fed."""
    return Target(KINDS[name][1], runs, every)


def mutator_of(name: str) -> Callable[[bytes, int, int], bytes]:
    """Return what mangles: as frames, or one time in six as libFuzzer does by itself."""
    seeds, right = seeds_of(name), RIGHT.get(name)

    def mutate(octets: bytes, most: int, seed: int) -> bytes:
        draw = random.Random(seed)
        if draw.random() < 1 / 6:
            return bytes(atheris.Mutate(octets, most))
        base = octets[:USUAL] if draw.random() < 0.6 else draw.choice(seeds)  # what grew is mostly no frame any more
        result = mangled(base, seeds, draw)
        return (right(result, seeds, draw) if right and draw.random() < 0.4 else result)[:most]

    return mutate
