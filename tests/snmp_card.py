"""An SNMP card on paper: it answers encoded requests without a network, with the weaknesses of real cards."""

from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

from collectors.snmp.library import shipped
from collectors.snmp.plan import SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME
from collectors.snmp.poll import Card, poll
from collectors.snmp.target import Target
from model.point import Batch, Reading
from wire import ber, snmp
from wire.snmp import GET, GET_BULK, NO_SUCH_NAME, TOO_BIG, V1, V2C, Absent, Pdu, Value, VarBind

T = TypeVar("T")
UPS = "1.3.6.1.2.1.33.1"


def key(oid: str) -> tuple[int, ...]:
    return tuple(map(int, oid.split(".")))


class PaperCard:
    """An agent on paper: objects by name, and the weaknesses of real cards.

    `most_names`: more in one request is tooBig.  `chokes_at`: more is met with silence.
    `leaves_out`: more is left out of the reply.  `omits`: what it does not have is left out of the reply.
    `refuses`: the error that every request is answered with.  `speaks`: version 1 fails a whole PDU for one bad name,
    and ignores version 2c.  `silent`: how many requests still go unanswered.
    """

    def __init__(self, objects: Mapping[str, Value], *, speaks: int = V2C) -> None:
        self.objects = dict(objects)
        self.speaks = speaks
        self.most_names = self.chokes_at = self.leaves_out = 1000
        self.silent = self.refuses = 0
        self.omits = False
        self.asked: list[Pdu] = []

    def answer(self, request: snmp.Request, version: int | None = None) -> Pdu | None:
        wire = request.stamped(snmp.FIRST_REQUEST_ID)
        asked = snmp.decode_pdu(wire, 0, len(wire))
        self.asked.append(asked)
        rows = asked.error_index if asked.kind == GET_BULK else 1
        if self.silent:
            self.silent -= 1
            return None
        if self.speaks == V1 and version == V2C:
            return None
        if self.refuses:
            return self._reply(asked, self.refuses, 0, asked.varbinds)
        if len(asked.varbinds) * rows > self.chokes_at:
            return None
        if len(asked.varbinds) * rows > self.most_names:
            return self._reply(asked, TOO_BIG, 0, asked.varbinds)
        found: list[VarBind] = []
        names = [bind.oid for bind in asked.varbinds]
        for _ in range(rows):
            binds = [self.look(asked.kind, name) for name in names]
            found += binds
            names = [bind.oid for bind in binds]
        bad = next((at for at, bind in enumerate(found, 1) if isinstance(bind.value, Absent)), 0)
        if bad and self.speaks == V1:
            return self._reply(asked, NO_SUCH_NAME, bad, asked.varbinds)
        if self.omits:
            found = [bind for bind in found if not isinstance(bind.value, Absent)]
        return self._reply(asked, 0, 0, tuple(found[: self.leaves_out]))

    def look(self, kind: int, name: str) -> VarBind:
        if kind == GET:
            value = self.objects.get(name, Absent.NO_SUCH_INSTANCE)
        else:
            after = [oid for oid in sorted(self.objects, key=key) if key(oid) > key(name)]
            name, value = (after[0], self.objects[after[0]]) if after else (name, Absent.END_OF_MIB_VIEW)
        return VarBind(name, ber.INTEGER, value)

    def _reply(self, asked: Pdu, status: int, at: int, binds: tuple[VarBind, ...]) -> Pdu:
        return Pdu(snmp.RESPONSE, asked.request_id, status, at, binds)


def converse(
    exchange: Generator[snmp.Request, Pdu | None, T], card: PaperCard, version: Callable[[], int | None] = lambda: None
) -> T:
    reply: Any = None
    while True:
        try:
            request = exchange.send(reply)
        except StopIteration as end:
            return end.value
        reply = card.answer(request, version())


A_UPS: dict[str, Value] = {
    SYS_DESCR: b"A card\x1b[31m of\nsome maker",
    SYS_OBJECT_ID: "1.3.6.1.4.1.8072.3.2.10",
    SYS_UPTIME: 360_000,
    f"{UPS}.1.1.0": b"Maker",
    f"{UPS}.2.1.0": 2,
    f"{UPS}.2.3.0": 40,
    f"{UPS}.2.5.0": 2184,
    f"{UPS}.2.6.0": -1,
    f"{UPS}.2.7.0": 2_147_483_647,
    f"{UPS}.3.3.1.2.1": 499,
    f"{UPS}.3.3.1.3.1": 0,
    f"{UPS}.6.1.0": 0,
}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Polled:
    """A card on paper and the engine's side of it."""

    def __init__(self, objects: Mapping[str, Value], *, speaks: int = V2C) -> None:
        self.paper = PaperCard(objects, speaks=speaks)
        self.card = Card(Target(device="ups-1", address="192.0.2.1", community=b"public", retries=1))
        self.clock = Clock()

    def once(self) -> Batch:
        self.paper.asked.clear()
        return converse(poll(self.card, shipped(), self.clock), self.paper, lambda: self.card.manners.version)

    def readings(self) -> dict[str, Reading]:
        return {reading.point.id: reading for reading in self.once().readings}

    def values(self) -> dict[str, float | str | None]:
        return {name: reading.value for name, reading in self.readings().items()}
