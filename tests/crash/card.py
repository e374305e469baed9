"""The faults' source: an SNMP card with shelves, one fan in each, whose fans stop when the harness says so.

    python -m tests.crash.card SWITCHES PORT

SWITCHES is a file that the harness writes and the card maps: a byte a shelf (1: its fan stands), one that makes the
card silent, one that says it is ready, and one that counts the polls it answered (modulo 256). A fan that is switched
shows so in the next answer.
"""

import mmap
import signal
import socket
import sys
import time
from bisect import bisect_right
from pathlib import Path

from tests.crash.ber import END, GET, GET_BULK, Oid, Request, Ticks, Value, request, response
from tests.crash.processes import die_with_parent

SHELVES = 8
SILENT, READY, POLLS = SHELVES, SHELVES + 1, SHELVES + 2  # places in the file
SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
ENTITY: Oid = (1, 3, 6, 1, 2, 1, 47)
PHYSICAL: Oid = (*ENTITY, 1, 1, 1, 1)  # entPhysicalEntry, RFC 6933
SENSOR: Oid = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1)  # entPhySensorEntry, RFC 3433
CHASSIS, FAN, PLAIN = 3, 7, 8  # entPhysicalClass
RPM = 10


def table() -> dict[Oid, Value]:
    """Return every object of the card but the speeds and the uptime."""
    rows: dict[Oid, Value] = {(*SYSTEM, 1, 0): b"Card of the crash harness", (*SYSTEM, 2, 0): ENTITY}
    for shelf in range(1, SHELVES + 1):
        named = (
            (shelf, CHASSIS, 0, f"Subrack {shelf}"),
            (100 + shelf, FAN, shelf, "Fan 1"),
            (200 + shelf, PLAIN, 100 + shelf, f"Speed {shelf}"),
        )
        for entity, kind, inside, name in named:
            for column, value in ((2, name.encode()), (4, inside), (5, kind), (6, 1), (7, name.encode())):
                rows[(*PHYSICAL, column, entity)] = value
        for column, number in ((1, RPM), (2, 9), (3, 0), (4, 4200), (5, 1)):
            rows[(*SENSOR, column, 200 + shelf)] = number
    # every shelf is numbered by its place among the shelves
    for shelf in range(1, SHELVES + 1):
        rows[(*PHYSICAL, 6, shelf)] = shelf
    return rows


def answer(asked: Request, rows: dict[Oid, Value], order: list[Oid]) -> list[tuple[Oid, Value]]:
    """Return what a request gets."""
    if asked.kind == GET:
        return [(name, rows.get(name, END)) for name in asked.names]
    times = max(1, asked.second) if asked.kind == GET_BULK else 1
    found: list[tuple[Oid, Value]] = []
    for name in asked.names:
        at = bisect_right(order, name)
        after = order[at : at + times]
        found += [(each, rows[each]) for each in after] or [(name, END)]
    return found


def serve(switches: Path, port: int) -> None:
    """Answer until killed."""
    rows = table()
    rows[*SYSTEM, 3, 0] = Ticks(0)
    order = sorted(rows)
    with (
        switches.open("r+b") as file,
        mmap.mmap(file.fileno(), 0) as switch,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening,
    ):
        listening.bind(("127.0.0.1", port))
        switch[READY] = 1
        while True:
            datagram, asker = listening.recvfrom(65_536)
            if switch[SILENT]:
                continue
            rows[*SYSTEM, 3, 0] = Ticks(int(time.monotonic() * 100) + 10_000_000)
            for shelf in range(SHELVES):
                rows[*SENSOR, 4, 201 + shelf] = 0 if switch[shelf] else 4200
            asked = request(datagram)
            listening.sendto(response(asked, answer(asked, rows, order)), asker)
            if asked.kind == GET and (*SENSOR, 4, 201) in asked.names:
                switch[POLLS] = (switch[POLLS] + 1) % 256


if __name__ == "__main__":
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Path(sys.argv[1]), int(sys.argv[2]))
