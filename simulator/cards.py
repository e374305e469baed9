"""The two SNMP cards on 127.0.0.1: a UPS (RFC 1628) and transmission equipment (ENTITY-SENSOR-MIB), by pysnmp.

One SnmpEngine answers v1 and v2c with community `public` on two ports; the port asked says which card is meant.
"""

import asyncio
import socket
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.smi import error

from simulator.card_tables import Table, Value, transmission_table, ups_alarms, ups_table
from simulator.plant import Snapshot

UPS, SUBRACKS = "ups", "subracks"
COMMUNITY = "public"
_UP_BEFORE = 40 * 86400.0
_TYPES: dict[str, Callable[[Any], Any]] = {
    "integer": rfc1902.Integer32,
    "gauge": rfc1902.Gauge32,
    "counter": rfc1902.Counter32,
    "ticks": rfc1902.TimeTicks,
    "text": rfc1902.OctetString,
    "oid": rfc1902.ObjectIdentifier,
}
Build = Callable[[Snapshot, int], Table]


class Cards:
    """Both cards; `silent` holds the names of those that do not answer and may be changed at any time."""

    def __init__(self, read: Callable[[], Snapshot]) -> None:
        self.silent: set[str] = set()
        self._read = read
        self._ports: dict[str, _Port] = {}
        self._standing: dict[int, tuple[int, int]] = {}
        self._alarm_rows = 0
        self._engine: Any = None

    async def start(self) -> None:
        """Open a free port of 127.0.0.1 for each card, on the running loop."""
        self._engine = engine.SnmpEngine()
        tables: dict[str, Build] = {UPS: self._ups_table, SUBRACKS: transmission_table}
        builds: dict[tuple[int, ...], Build] = {}
        for number, (name, build) in enumerate(tables.items(), 1):
            domain = (*udp.DOMAIN_NAME, number)
            port = self._ports[name] = _Port(name, self.silent)
            await port.listen()
            config.add_transport(self._engine, domain, port)
            builds[domain] = build
        config.add_v1_system(self._engine, "area", COMMUNITY)
        served = context.SnmpContext(self._engine)
        served.unregister_context_name(b"")
        instrumentation: Any = _Instrumentation(self._engine, self._read, builds)
        served.register_context_name(b"", instrumentation)
        for responder in (
            cmdrsp.GetCommandResponder,
            cmdrsp.NextCommandResponder,
            cmdrsp.BulkCommandResponder,
            cmdrsp.SetCommandResponder,
        ):
            responder(self._engine, served)

    def stop(self) -> None:
        """Close both ports."""
        self._engine.close_dispatcher()

    def address(self, name: str) -> tuple[str, int]:
        """Return the host and port of a card."""
        return self._ports[name].address

    def _ups_table(self, room: Snapshot, ticks: int) -> Table:
        alarms = ups_alarms(room.ups)
        for ended in self._standing.keys() - set(alarms):
            del self._standing[ended]
        for begun in alarms:
            if begun not in self._standing:
                self._alarm_rows += 1
                self._standing[begun] = (self._alarm_rows, ticks)
        return ups_table(room, ticks, self._standing)


class _Port(udp.UdpAsyncioTransport):  # type: ignore[misc]  # pysnmp ships no types
    """One card's UDP port, which drops what comes while the card is silent."""

    def __init__(self, name: str, silent: set[str]) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._name = name
        self._silent = silent

    async def listen(self) -> None:
        """Bind a free port of 127.0.0.1."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.setblocking(False)
        listener.bind(("127.0.0.1", 0))
        self.address: tuple[str, int] = listener.getsockname()
        await self.loop.create_datagram_endpoint(lambda: self, sock=listener)

    def datagram_received(self, datagram: bytes, transportAddress: Any) -> None:  # noqa: N803 - pysnmp's name
        """Pass a request on, or drop it."""
        if self._name not in self._silent:
            super().datagram_received(datagram, transportAddress)


class _Instrumentation:
    """Answers pysnmp's responders from the card that was asked; one request sees one moment of the room."""

    def __init__(self, snmp_engine: Any, read: Callable[[], Snapshot], builds: dict[tuple[int, ...], Build]) -> None:
        self._engine = snmp_engine
        self._read = read
        self._builds = builds
        self._request: Any = None
        self._table: Table = {}
        self._order: list[tuple[int, ...]] = []

    def read_variables(self, *varBinds: Any, **_: Any) -> list[Any]:  # noqa: N803 - pysnmp's name
        """GET: the value, or noSuchInstance."""
        table = self._look()
        return [(name, _encoded(table.get(tuple(name)), rfc1905.noSuchInstance)) for name, _ in varBinds]

    def read_next_variables(self, *varBinds: Any, **_: Any) -> list[Any]:  # noqa: N803 - pysnmp's name
        """GETNEXT and each round of GETBULK: the next object, or endOfMibView at the name asked for."""
        table = self._look()
        order = self._order
        answers = []
        for name, _ in varBinds:
            place = bisect_right(order, tuple(name))
            found = order[place] if place < len(order) else None
            answers.append(
                (name, rfc1905.endOfMibView)
                if found is None
                else (rfc1902.ObjectName(found), _encoded(table[found], rfc1905.noSuchInstance))
            )
        return answers

    def write_variables(self, *_: Any, **__: Any) -> list[Any]:
        """SET: refused; the cards only tell."""
        raise error.NotWritableError(idx=0)

    def _look(self) -> Table:
        """Return the asked card's table as it was when this request arrived."""
        context_now = self._engine.observer.get_execution_context("rfc3412.receiveMessage:request")
        if context_now["pdu"] is not self._request:
            self._request = context_now["pdu"]
            room = self._read()
            self._table = self._builds[tuple(context_now["transportDomain"])](room, _up_ticks(room))
            self._order = sorted(self._table)
        return self._table


def _up_ticks(room: Snapshot) -> int:
    """Return sysUpTime in hundredths of a second: the cards did not start with the room, or they'd look restarted."""
    return int((_UP_BEFORE + room.time) * 100) % 2**32


def _encoded(value: Value | None, absent: Any) -> Any:
    return absent if value is None else _TYPES[value.kind](value.value)
