"""The trap port: known and within its budget, a datagram goes to a thread that reads it; proved, it is a hint.

    await run(listen, senders, hint, counts)      # until cancelled; hint(device) is called on the loop

The loop pays a few microseconds for a datagram, whoever sends how many. pysnmp works in a thread of its own: what it
takes for one message, or for ever, is not the loop's. A port that cannot be had is told in `counts` and tried again;
nothing else waits for it.
"""

import asyncio
import contextlib
import ipaddress
import logging
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from collectors.snmp.traps.envelope import Envelope, envelope
from collectors.snmp.traps.gate import Gate, Refusal, Secret, Sender, Source
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
    lost: int = 0
    last: dict[str, tuple[float, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Letter:
    """A datagram on its way through the thread: what its outside says, and whose it may be."""

    datagram: bytes
    source: tuple[Any, ...]
    envelope: Envelope
    secret: Secret | None
    devices: tuple[str, ...]


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
        self._counts = counts
        self._engine = engine
        self._gate = Gate(time.monotonic)
        self._buffer = bytearray(MAX_DATAGRAM)
        self._letters: queue.SimpleQueue[_Letter | None] = queue.SimpleQueue()
        self._told: dict[str, float] = {}

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._failed: asyncio.Future[None] = self._loop.create_future()
        self._gate.know(_by_address(self._senders, {}))
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._readable)
        names = self._loop.create_task(self._follow_names())
        threading.Thread(target=self._work, name="traps", daemon=True).start()
        self._counts.listening, self._counts.trouble = 1, ""
        log.info("traps are received on %s, port %d", *self._socket.getsockname()[:2])
        try:
            await self._failed
        finally:
            self._counts.listening = 0
            names.cancel()
            self._letters.put(None)
            self._loop.remove_reader(self._socket)
            self._socket.close()

    async def _follow_names(self) -> None:
        """Look host names up, again and again; a name that means nothing for now keeps its last addresses."""
        names = {sender.address for sender in self._senders if not _is_address(sender.address)}
        found: dict[str, set[str]] = {}
        while names:
            for name in sorted(names):
                with contextlib.suppress(OSError):
                    rows = await self._loop.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
                    found[name] = {str(row[4][0]) for row in rows}
            self._gate.know(_by_address(self._senders, found))
            await asyncio.sleep(RESOLVE_SECONDS)

    # -- on the loop --------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        receive, buffer, admit, counts = self._socket.recvfrom_into, self._buffer, self._gate.admit, self._counts
        try:
            for _ in range(_DRAIN):
                size, source = receive(buffer)
                counts.received += 1
                admitted = admit(source[0])
                if isinstance(admitted, Source):
                    self._look(bytes(buffer[:size]), source, admitted)
                elif admitted is Refusal.UNKNOWN:
                    counts.unknown += 1
                    self._tell("unknown", source[0], "is no device of this site; its trap is not believed")
                else:
                    counts.over_budget += 1
        except OSError:  # nothing more to read
            pass
        with contextlib.suppress(OSError, struct.error):
            counts.lost = struct.unpack("9I", self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36))[_DROPS]

    def _look(self, datagram: bytes, source: tuple[Any, ...], admitted: Source) -> None:
        """Look at the outside of a datagram, and give it to the thread when it may be one of this source's."""
        try:
            outside = envelope(datagram)
        except MalformedError as error:
            self._counts.malformed += 1
            self._tell("malformed", source[0], f"sent what is no trap: {error}")
            return
        secret: Secret | None = None
        devices: tuple[str, ...] = ()
        if outside.secured is None or outside.secured.engine_id:
            secret, devices = _proof(outside, admitted.senders)
            if secret is None:
                self._wrong(source[0])
                return
        if self._letters.qsize() >= MOST_WAITING:
            self._counts.over_budget += 1
            return
        self._letters.put(_Letter(datagram, source, outside, secret, devices))

    def _read(self, letter: _Letter, taken: "Taken") -> None:
        if self._socket.fileno() < 0:
            return
        for answer in taken.answers:
            with contextlib.suppress(OSError):  # as good as lost: the sender repeats an inform
                self._socket.sendto(answer, letter.source)
        if taken.oid is not None:
            self._counts.accepted += 1
            wall = time.time()
            for device in letter.devices:
                self._counts.last[device] = (wall, taken.oid)
                self._hint(device)
        elif letter.secret is None or taken.answers:
            self._counts.discoveries += 1
        elif letter.envelope.secured is not None:
            self._wrong(letter.source[0])
        else:
            self._counts.malformed += 1
            self._tell("malformed", letter.source[0], "sent a trap that cannot be read")

    def _wrong(self, address: str) -> None:
        self._counts.wrong += 1
        self._tell("wrong", address, "sent a trap with another community, user or key than its device has")

    def _tell(self, kind: str, address: str, what: str) -> None:
        """Say it in the log, seldom."""
        now = self._loop.time()
        if now >= self._told.get(kind, now):
            self._told[kind] = now + SELDOM_SECONDS
            log.warning("%s %s", address.removeprefix("::ffff:"), what)

    def _fail(self, error: BaseException) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)

    # -- in the thread ------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for this thread any more
            try:
                engine = self._engine()
                while (letter := self._letters.get()) is not None:
                    taken = engine.take(letter.datagram, letter.envelope, letter.secret, time.monotonic())
                    self._loop.call_soon_threadsafe(self._read, letter, taken)
            except Exception as error:
                self._loop.call_soon_threadsafe(self._fail, error)


def _proof(outside: Envelope, senders: tuple[Sender, ...]) -> tuple[Secret | None, tuple[str, ...]]:
    """Return the secret that a notification says it bears, and the devices of its source that have it."""
    for sender in senders:
        for secret in sender.secrets:
            if _bears(outside, secret):
                return secret, tuple(each.device for each in senders if secret in each.secrets)
    return None, ()


def _bears(outside: Envelope, secret: Secret) -> bool:
    secured = outside.secured
    if isinstance(secret, bytes):
        return secured is None and secret == outside.community
    return secured is not None and secret.name.encode() == secured.user and secured.level >= secret.level


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _by_address(senders: tuple[Sender, ...], found: dict[str, set[str]]) -> dict[str, tuple[Sender, ...]]:
    """Return who sends from which address; host names have those that were found."""
    known: dict[str, list[Sender]] = {}
    for sender in senders:
        for address in [sender.address] if _is_address(sender.address) else sorted(found.get(sender.address, ())):
            known.setdefault(address, []).append(sender)
    return {address: tuple(those) for address, those in known.items()}
