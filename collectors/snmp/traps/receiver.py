"""The trap port: known and within its budget, a datagram goes to a thread that reads it; proved, it is a hint.

    await run(listen, senders, hint, counts)      # until cancelled; hint(device) is called on the loop

The loop pays a few microseconds for a datagram, whoever sends how many. pysnmp works in a thread of its own, where
each source has its turn: what it takes for one message, or for ever, is not the loop's. A port that cannot be had is
told in `counts` and tried again; nothing else waits for it.
"""

import asyncio
import contextlib
import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from collectors.snmp.sockets import literal
from collectors.snmp.traps.claim import Claim, claim
from collectors.snmp.traps.gate import Drop, Gate, Secret, Sender, Source, shown
from collectors.snmp.traps.hints import Hints
from collectors.snmp.traps.names import MOST_AT_ONCE, look_up
from collectors.snmp.traps.turns import Turns
from wire.ber import MalformedError
from wire.snmp import MAX_DATAGRAM

if TYPE_CHECKING:
    from collectors.snmp.traps.notification import Notifications, Taken

Hint = Callable[[str], bool]
Open = Callable[[], socket.socket]
Engine = Callable[[], "Notifications"]

RETRY_SECONDS = 60.0  # between two tries for the port
RESOLVE_SECONDS = 60.0  # between two looks at host names
SELDOM_SECONDS = 60.0  # between two lines of the log about one kind of trouble
MOST_WAITING = 256  # datagrams for the thread
_DRAIN = 64  # datagrams read before others on the loop have their turn
_SO_MEMINFO, _DROPS = 55, 8  # linux/sock_diag.h: nine numbers, the last counts what found the buffer full
log = logging.getLogger(__name__)


@dataclass(slots=True)
class TrapCounts:
    """What came to the trap port, why it is not open, and for each device the wall time and OID of its last trap."""

    listening: int = 0
    trouble: str = ""
    received: int = 0
    accepted: int = 0
    over_budget: int = 0
    unknown: int = 0
    malformed: int = 0
    wrong: int = 0
    discoveries: int = 0
    deferred: int = 0
    lost: int = 0
    last: dict[str, tuple[float, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Letter:
    """A datagram on its way through the thread: what it claims, the secrets it may bear, and the devices of each."""

    datagram: bytes
    source: tuple[Any, ...]
    claim: Claim
    secrets: tuple[Secret, ...]
    devices: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        return f"_Letter({self.source}, {self.claim})"  # without what it bears


async def run(
    listen: Open,
    senders: Iterable[Sender],
    hint: Hint,
    counts: TrapCounts,
    engine: Engine,
    *,
    retry: float = RETRY_SECONDS,
) -> None:
    """Receive until cancelled. `listen` opens the port, `engine` makes pysnmp's engine, in the thread."""
    everyone = tuple(senders)
    while True:
        try:
            opened = listen()
        except OSError as error:
            counts.trouble = f"traps are not received: {error.strerror or error}; polling goes on"
            log.error("%s", counts.trouble)  # noqa: TRY400 - no bug of ours that a traceback would show
            await asyncio.sleep(retry)
            continue
        await _Receiver(opened, everyone, hint, counts, engine).run()


class _Receiver:
    """One open port, and the thread behind it."""

    def __init__(
        self, opened: socket.socket, senders: tuple[Sender, ...], hint: Hint, counts: TrapCounts, engine: Engine
    ) -> None:
        self._socket = opened
        self._senders = senders
        self._hint = hint
        self._found: dict[str, frozenset[str]] = {}
        self._counts = counts
        self._engine = engine
        self._gate = Gate(time.monotonic)
        self._buffer = bytearray(MAX_DATAGRAM)
        self._letters: Turns[_Letter] = Turns(MOST_WAITING)
        self._told: dict[str, float] = {}

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._failed: asyncio.Future[None] = self._loop.create_future()
        self._hints = Hints(self._hint, self._senders, self._loop.time, self._call_later)
        names = list(self._settle())
        self._know()
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._readable)
        turns = asyncio.Semaphore(MOST_AT_ONCE)
        looking = [self._loop.create_task(self._follow(name, turns)) for name in names]
        threading.Thread(target=self._work, name="traps", daemon=True).start()
        self._counts.listening, self._counts.trouble = 1, ""
        log.info("traps are received on %s, port %d", *self._socket.getsockname()[:2])
        try:
            await self._failed
        finally:
            self._counts.listening = 0
            for task in looking:
                task.cancel()
            self._letters.end()
            self._hints.end()
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _call_later(self, seconds: float, call: Callable[[str], None], device: str) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, call, device)

    # -- who is known -------------------------------------------------------------------------------------------------

    def _know(self) -> None:
        """Know every sender at the addresses that it has by now."""
        known: dict[str, list[Sender]] = {}
        for sender in self._senders:
            for address in self._found.get(sender.address, ()):
                known.setdefault(address, []).append(sender)
        self._gate.know({address: tuple(those) for address, those in known.items()})

    def _settle(self) -> Iterator[str]:
        """Know the addresses that are written; gives what must be looked up, a scope that is not there yet too."""
        for written in {sender.address for sender in self._senders}:
            try:
                address = literal(written, 0)
            except (OSError, ValueError):
                address = None
            if address is None:
                yield written
            else:
                self._found[written] = frozenset((shown(address),))

    async def _follow(self, name: str, turns: asyncio.Semaphore) -> None:
        """Look a host name up, again and again; one that means nothing for now keeps its last addresses."""
        while True:
            with contextlib.suppress(OSError):
                self._found[name] = await look_up(name, turns)
                self._know()
            await asyncio.sleep(RESOLVE_SECONDS)

    # -- on the loop --------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        receive, buffer, admit, counts = self._socket.recvfrom_into, self._buffer, self._gate.admit, self._counts
        for _ in range(_DRAIN):
            try:
                size, source = receive(buffer)
            except OSError:  # nothing more to read
                break
            counts.received += 1
            admitted = admit(source)
            if isinstance(admitted, Source):
                self._look(bytes(buffer[:size]), source, admitted)
            elif admitted is Drop.UNKNOWN:
                counts.unknown += 1
                self._tell("unknown", source, "is no device of this site; its trap is not believed")
            else:
                counts.over_budget += 1
        with contextlib.suppress(OSError, struct.error):
            counts.lost = struct.unpack("9I", self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36))[_DROPS]

    def _look(self, datagram: bytes, source: tuple[Any, ...], admitted: Source) -> None:
        """Look at the outside of a datagram, and give it to the thread when it may be one of this source's."""
        try:
            claimed = claim(datagram)
        except MalformedError as error:
            self._counts.malformed += 1
            self._tell("malformed", source, f"sent what is no trap, or more than a trap has: {error}")
            return
        bearers: dict[Secret, tuple[str, ...]] = {}
        if claimed.secured is None or claimed.secured.engine_id:
            bearers = _bearers(claimed, admitted.senders)
            if not bearers:
                self._wrong(source)
                return
        letter = _Letter(datagram, source, claimed, tuple(bearers), tuple(bearers.values()))
        if not self._letters.put(admitted.address, letter):
            self._counts.over_budget += 1

    def _read(self, letter: _Letter, taken: "Taken") -> None:
        if self._socket.fileno() < 0:
            return
        for answer in taken.answers:
            with contextlib.suppress(OSError):  # as good as lost: the sender repeats an inform
                self._socket.sendto(answer, letter.source)
        if taken.bears is None and letter.secrets:
            self._wrong(letter.source)
        elif taken.bears is not None and taken.oid is not None:
            self._accept(letter.devices[taken.bears], taken.oid)
        elif taken.answers:
            self._counts.discoveries += 1
        else:
            self._counts.malformed += 1
            self._tell("malformed", letter.source, "sent a trap that cannot be read")

    def _accept(self, devices: tuple[str, ...], oid: str) -> None:
        self._counts.accepted += 1
        wall = time.time()
        for device in devices:
            log.debug("%s sent the trap %s", device, oid)
            self._counts.last[device] = (wall, oid)
            if not self._hints.give(device):
                self._counts.deferred += 1

    def _wrong(self, source: tuple[Any, ...]) -> None:
        self._counts.wrong += 1
        self._tell("wrong", source, "sent a trap with another community, user or key than its device has")

    def _tell(self, kind: str, source: tuple[Any, ...], what: str) -> None:
        """Say it in the log, seldom."""
        now = self._loop.time()
        if now >= self._told.get(kind, now):
            self._told[kind] = now + SELDOM_SECONDS
            log.warning("%s %s", shown(source), what)

    def _fail(self, error: BaseException) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)

    # -- in the thread ------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for this thread any more
            try:
                engine = self._engine()
                while (letter := self._letters.take()) is not None:
                    taken = engine.take(letter.datagram, letter.claim, letter.secrets, time.monotonic())
                    self._loop.call_soon_threadsafe(self._read, letter, taken)
            except Exception as error:
                self._loop.call_soon_threadsafe(self._fail, error)


def _bearers(claimed: Claim, senders: tuple[Sender, ...]) -> dict[Secret, tuple[str, ...]]:
    """Return each secret that a notification may bear by its outside, and the devices of its source that have it."""
    secrets = dict.fromkeys(secret for sender in senders for secret in sender.secrets if _bears(claimed, secret))
    return {secret: tuple(each.device for each in senders if secret in each.secrets) for secret in secrets}


def _bears(claimed: Claim, secret: Secret) -> bool:
    secured = claimed.secured
    if isinstance(secret, bytes):
        return secured is None and secret == claimed.community
    return secured is not None and secret.name.encode() == secured.user and secured.level >= secret.level
