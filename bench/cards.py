"""Many SNMP cards in one light process: a card on each of 127.0.1.1, 127.0.1.2 ..., one port, one table for all.

    python -m bench.cards {ups,sensors} COUNT

The first line it prints is its port. What a line on its standard input asks is answered in one line:

    off, on     switch every card's fault; the answer is the time, and the first reply that shows the change is told in
                a line of its own (CLOCK_MONOTONIC, s)
    mute N      let every Nth card fall silent (0: none); the answer is how many
    asked       how many requests came since this was last asked, and how many names were in them
    arrivals    when each card's requests came, a JSON list for each card, since this was last asked

Answers are encoded once for each request and each of a few sets of values, so that the cards are never what is slow.
They speak version 2c with any community, and version 3 with one user (`bench/usm.py`).
"""

import argparse
import json
import selectors
import socket
import sys
import time
from bisect import bisect_right

from bench import usm
from tests.crash.ber import END, GET, GET_BULK, Oid, Request, Ticks, Value, request, response

SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
UPTIME: Oid = (*SYSTEM, 3, 0)
UPS: Oid = (1, 3, 6, 1, 2, 1, 33, 1)  # upsObjects, RFC 1628
OUTPUT_SOURCE: Oid = (*UPS, 4, 1, 0)
NORMAL, NO_OUTPUT = 3, 2  # upsOutputSource
SENSOR: Oid = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1)  # entPhySensorEntry, RFC 3433
PHYSICAL: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)  # entPhysicalEntry, RFC 6933
CELSIUS, UNITS, MODULE = 8, 9, 9  # EntitySensorDataType, EntitySensorDataScale, PhysicalClass
SETS = 8  # of values, each shown for a second
TICKS_AT_START = 20_000_000  # four octets on the wire, and up for longer than a restart counts
_TICKS_HEAD = bytes((0x43, 4))


def address(card: int) -> str:
    """Return the address of a card, from 0."""
    return f"127.0.{1 + card // 250}.{1 + card % 250}"


def ups(turn: int) -> dict[Oid, Value]:
    """Return a three-phase UPS as a card shows it: nineteen values and its uptime, of which some move."""
    rows: dict[Oid, Value] = {
        (*SYSTEM, 1, 0): b"UPS of the bench",
        (*SYSTEM, 2, 0): UPS[:-1],
        UPTIME: Ticks(TICKS_AT_START),
        (*UPS, 2, 1, 0): 2,
        (*UPS, 2, 3, 0): 40,
        (*UPS, 2, 4, 0): 100,
        (*UPS, 2, 5, 0): 2180 + turn,
        (*UPS, 2, 7, 0): 24,
        OUTPUT_SOURCE: NORMAL,
        (*UPS, 4, 2, 0): 500,
    }
    for phase in (1, 2, 3):
        rows[*UPS, 3, 3, 1, 3, phase] = 225 + turn
        rows[*UPS, 3, 3, 1, 4, phase] = 300 + turn
        rows[*UPS, 4, 4, 1, 2, phase] = 229 + turn % 2
        rows[*UPS, 4, 4, 1, 5, phase] = 30 + turn
    return rows


def sensors(turn: int, count: int) -> dict[Oid, Value]:
    """Return a card with so many temperature sensors: a poll of it reads value and status of each."""
    rows: dict[Oid, Value] = {
        (*SYSTEM, 1, 0): b"Sensors of the bench",
        (*SYSTEM, 2, 0): (*SYSTEM[:-1], 99),
        UPTIME: Ticks(TICKS_AT_START),
    }
    for sensor in range(1, count + 1):
        for column, number in ((1, CELSIUS), (2, UNITS), (3, 0), (4, 20 + (sensor + turn) % 10), (5, 1)):
            rows[*SENSOR, column, sensor] = number
        for column, value in ((2, b"Probe"), (4, 0), (5, MODULE), (7, b"Probe %d" % sensor)):
            rows[*PHYSICAL, column, sensor] = value
    return rows


class Cards:
    """Answers of every card; `fault` is what is switched."""

    def __init__(self, tables: list[dict[Oid, Value]]) -> None:
        self._tables = tables
        self._orders = [sorted(rows) for rows in tables]
        self._known: dict[tuple[int, bool, bytes], tuple[bytes, int, int, bool, int]] = {}
        self.fault = False
        self.shown = True
        self.requests = 0
        self.names = 0
        self._began = time.monotonic()

    def reply(self, datagram: bytes) -> bytes:
        """Return the answer to a datagram, from what was encoded before where it was asked before."""
        at, stop = _request_id(datagram)
        now = time.monotonic()
        turn = int(now) % SETS
        key = (turn, self.fault, datagram[:at] + datagram[stop:])
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._encoded(request(datagram), turn)
        answer, id_at, ticks_at, shows, names = known
        self.requests += 1
        self.names += names
        if shows and self.fault and not self.shown:
            self.shown = True
            print(now, flush=True)
        octets = bytearray(answer)
        octets[id_at : id_at + stop - at] = datagram[at:stop]
        if ticks_at:
            ticks = TICKS_AT_START + int((now - self._began) * 100)
            octets[ticks_at : ticks_at + 4] = ticks.to_bytes(4, "big")
        return bytes(octets)

    def asked(self) -> str:
        """Return how many requests there were, and how many names in them, since the last time."""
        told, self.requests, self.names = f"{self.requests} {self.names}", 0, 0
        return told

    def _encoded(self, asked: Request, turn: int) -> tuple[bytes, int, int, bool, int]:
        rows = self._tables[turn]
        if OUTPUT_SOURCE in rows:
            rows[OUTPUT_SOURCE] = NO_OUTPUT if self.fault else NORMAL
        answer = _answer(asked, rows, self._orders[turn])
        octets = response(asked, answer)
        names = [name for name, _ in answer]
        ticks_at = octets.index(_TICKS_HEAD) + 2 if UPTIME in names else 0
        return octets, _request_id(octets)[0], ticks_at, OUTPUT_SOURCE in names, len(asked.names)


def _answer(asked: Request, rows: dict[Oid, Value], order: list[Oid]) -> list[tuple[Oid, Value]]:
    if asked.kind == GET:
        return [(name, rows.get(name, END)) for name in asked.names]
    times = max(1, asked.second) if asked.kind == GET_BULK else 1
    found: list[tuple[Oid, Value]] = []
    for name in asked.names:
        at = bisect_right(order, name)
        found += [(each, rows[each]) for each in order[at : at + times]] or [(name, END)]
    return found


def _request_id(message: bytes) -> tuple[int, int]:
    """Return where the content of the request-id begins and ends."""
    at = _content(message, 0) + 3  # past the version
    at = at + 2 + message[at + 1]  # past the community, which is short
    at = _content(message, at)
    return at + 2, at + 2 + message[at + 1]


def _content(message: bytes, at: int) -> int:
    length = message[at + 1]
    return at + 2 + (length & 0x7F if length & 0x80 else 0)


class Card:
    """One card's socket, its engine of version 3, and when it was asked."""

    def __init__(self, number: int, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address(number), port))
        self.port = int(self.socket.getsockname()[1])
        self.mute = False
        self.arrivals: list[float] = []
        self._engine = usm.Engine(number)

    def answer(self, cards: Cards) -> None:
        """Answer one datagram."""
        datagram, asker = self.socket.recvfrom(65_536)
        self.arrivals.append(time.monotonic())
        if self.mute:
            return
        version = _content(datagram, 0)
        if datagram[version : version + 3] == usm.VERSION_3:
            self.socket.sendto(self._engine.reply(datagram, cards.reply), asker)
        else:
            self.socket.sendto(cards.reply(datagram), asker)


def serve(cards: Cards, count: int) -> None:
    """Answer until standard input ends."""
    chosen = selectors.DefaultSelector()
    chosen.register(sys.stdin.fileno(), selectors.EVENT_READ)
    played = [Card(0, 0)]
    played += [Card(number, played[0].port) for number in range(1, count)]
    for card in played:
        chosen.register(card.socket, selectors.EVENT_READ, card)
    print(played[0].port, flush=True)
    while True:
        for key, _ in chosen.select():
            if key.data is not None:
                key.data.answer(cards)
                continue
            line = sys.stdin.readline().split()
            if not line:
                return
            print(obey(line, cards, played), flush=True)


def obey(line: list[str], cards: Cards, played: list[Card]) -> str:
    """Do what was asked, and return the answer."""
    match line:
        case ["mute", every]:
            for place, card in enumerate(played):
                card.mute = every != "0" and place % int(every) == 0
            return str(sum(card.mute for card in played))
        case ["asked"]:
            return cards.asked()
        case ["arrivals"]:
            told = json.dumps([[round(at, 4) for at in card.arrivals] for card in played])
            for card in played:
                card.arrivals = []
            return told
        case _:
            cards.fault = line == ["off"]
            cards.shown = not cards.fault
            return str(time.monotonic())


def main() -> None:
    """Play the cards."""
    parser = argparse.ArgumentParser(prog="python -m bench.cards")
    parser.add_argument("table", choices=["ups", "sensors"])
    parser.add_argument("count", type=int, help="cards, or sensors of the one card")
    args = parser.parse_args()
    if args.table == "ups":
        serve(Cards([ups(turn) for turn in range(SETS)]), args.count)
    else:
        serve(Cards([sensors(turn, args.count) for turn in range(SETS)]), 1)


if __name__ == "__main__":
    main()
