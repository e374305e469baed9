"""Who sends a storm: a fresh connection for each site, each batch again until it is answered with all of it taken."""

import asyncio
import json
import random
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.processes import BenchError

AGAIN = (0.05, 0.25)  # seconds before a batch is sent again, after no answer or one that says "later"
LONGEST = 300.0  # seconds until it is given up


@dataclass(frozen=True)
class Parcel:
    """One request as bytes, and what the answer must contain."""

    name: str
    raw: bytes
    good: Callable[[bytes], bool]


@dataclass
class Sent:
    """What came of it: seconds from the first byte of the storm to the last answer, and of each request.

    A request's time counts from its first try. `answered` are the names in the order of their answers.
    """

    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    tries: int = 0

    def part(self, share: float) -> float:
        """Return the time (s) within which this share of the requests was answered."""
        return sorted(self.took)[min(len(self.took) - 1, int(share * len(self.took)))]


@dataclass(frozen=True)
class Way:
    """How the server is reached: port of 127.0.0.1, TLS or not, how many at once, spread over how many seconds."""

    port: int
    tls: ssl.SSLContext | None = None
    lanes: int = 64
    spread: float = 0.0


def post(path: str, port: int, body: bytes, token: str = "") -> bytes:
    """Return a POST as bytes."""
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{bearer}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def acked(count: int) -> Callable[[bytes], bool]:
    """Return what knows the answer by which a desk has taken so many events, and refused none."""

    def good(answer: bytes) -> bool:
        told = json.loads(answer)
        return told.get("acked") == count and not told.get("refused")

    return good


def storm(
    parcels: Sequence[Parcel], way: Way, on_answer: Callable[[int], None] | None = None, sent: Sent | None = None
) -> Sent:
    """Send all; `on_answer` hears how many are answered, `sent` what came of it so far.

    Raises BenchError for a refusal, or when it takes too long.
    """
    sent = sent or Sent()
    asyncio.run(_storm(parcels, way, on_answer, sent))
    return sent


async def _storm(parcels: Sequence[Parcel], way: Way, on_answer: Callable[[int], None] | None, sent: Sent) -> None:
    chance = random.Random(7)
    moments = sorted(chance.random() * way.spread for _ in parcels)
    waiting = iter(zip(moments, parcels, strict=True))
    began = time.monotonic()

    async def lane() -> None:
        for moment, parcel in waiting:
            if (early := began + moment - time.monotonic()) > 0:
                await asyncio.sleep(early)
            due = began + moment if way.spread else time.monotonic()
            await _until_taken(parcel, way, sent, chance)
            sent.took.append(time.monotonic() - due)
            sent.answered.append(parcel.name)
            if on_answer:
                on_answer(len(sent.answered))

    try:
        async with asyncio.timeout(LONGEST), asyncio.TaskGroup() as tasks:
            for _ in range(way.lanes):
                tasks.create_task(lane())
    except TimeoutError:
        raise BenchError(f"{len(sent.answered)} of {len(parcels)} answered in {LONGEST:g} s") from None
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    sent.seconds = time.monotonic() - began


async def _until_taken(parcel: Parcel, way: Way, sent: Sent, chance: random.Random) -> None:
    while True:
        sent.tries += 1
        try:
            status, answer = await _asked(parcel.raw, way)
        except (OSError, asyncio.IncompleteReadError, EOFError):
            status, answer = 503, b"no answer"
        if status == 200 and parcel.good(answer):
            return
        if status not in {502, 503, 504}:
            raise BenchError(f"{parcel.name}: {status} {answer[:200]!r}")
        await asyncio.sleep(chance.uniform(*AGAIN))


async def _asked(raw: bytes, way: Way) -> tuple[int, bytes]:
    """Ask on a connection of its own; returns status and body."""
    name = "127.0.0.1" if way.tls else None
    reading, writing = await asyncio.open_connection("127.0.0.1", way.port, ssl=way.tls, server_hostname=name)
    try:
        writing.write(raw)
        head = await reading.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith("content-length:")), 0)
        return int(lines[0].split()[1]), await reading.readexactly(length)
    finally:
        writing.transport.abort() if way.tls else writing.close()
