"""Version 3: answers that were changed, invented or played again on their way are refused, each by its reason."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from collectors.snmp.session import Session
from tests.peers.proxy import Relay, relayed
from tests.peers.snmp import Agent, snmpd
from tests.snmp_v3 import ANOTHER, CHARGE, ENGINE, OBJECTS, card, charge, lines, polled, polling, proved, secure, user
from wire import ber, snmp, snmp3
from wire.refusal import Refusal, RefusedError
from wire.snmp import Message, Pdu, VarBind
from wire.user import AUTH_NO_PRIV, AUTH_PRIV, NO_AUTH_NO_PRIV
from wire.usm import Secure


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("v3"), objects=OBJECTS, lines=lines()) as running:
        yield running


def sealed_anew(reply: bytes, *, pdu: Pdu | None = None, by: Secure | None = None, **changes: Any) -> bytes:
    """Return a reply with something else in it, under the right digest unless it is sealed `by` others' keys."""
    outside = snmp3.read(reply)
    inside = snmp3.open_scoped(reply, outside, secure())
    fields: dict[str, Any] = {
        "msg_id": outside.msg_id,
        "level": outside.level,
        "engine_id": outside.engine_id,
        "boots": outside.boots,
        "time": outside.time,
        "user": outside.user,
        "context": inside.context,
        "number": 1,
        "flags": 0,
    }
    return snmp3.write(snmp.encode_pdu(pdu or inside.pdu), secure=by or secure(), **(fields | changes))


def changed(reply: bytes, **fields: Any) -> bytes:
    inside = snmp3.open_scoped(reply, snmp3.read(reply), secure())
    return sealed_anew(reply, pdu=msgspec.structs.replace(inside.pdu, **fields))


def flipped(reply: bytes, at: int) -> bytes:
    return reply[:at] + bytes((reply[at] ^ 0x01,)) + reply[at + 1 :]


def lie(reply: bytes) -> Pdu:
    return Pdu(snmp.RESPONSE, snmp3.read(reply).msg_id, 0, 0, (VarBind(CHARGE, ber.INTEGER, 3),))


def report(reply: bytes, stat: int, engine_id: bytes = ENGINE) -> bytes:
    """A report that anybody could have made, as answer to what was asked."""
    said = Pdu(snmp.REPORT, 0, 0, 0, (VarBind(f"{snmp3.USM_STATS}.{stat}.0", snmp.COUNTER32, 1),))
    msg_id = snmp3.read(reply).msg_id
    name = user().name.encode()
    return snmp3.write(snmp.encode_pdu(said), msg_id=msg_id, engine_id=engine_id, boots=99, time=99, user=name, flags=0)


def other_model(reply: bytes) -> bytes:
    head = ber.encode_integer(snmp3.read(reply).msg_id)
    at = reply.index(head) + len(head)
    at = reply.index(b"\x04\x01", at) + 3  # msgFlags
    return reply[: at + 2] + b"\x07" + reply[at + 3 :]


def in_clear(reply: bytes, **changes: Any) -> bytes:
    return sealed_anew(reply, pdu=lie(reply), level=NO_AUTH_NO_PRIV, **changes)


DENIAL = "a forged report: unknown engine"  # at first contact it only repeats what the true one said
REQUEST_ID = 0x0100_0000
FORGERIES: dict[str, tuple[Callable[[bytes], bytes], Refusal]] = {
    "a digest with one bit changed": (lambda reply: flipped(reply, snmp3.read(reply).digest_at), Refusal.WRONG_DIGEST),
    "one bit changed in what is encrypted": (lambda reply: flipped(reply, len(reply) - 1), Refusal.WRONG_DIGEST),
    "another's key": (
        lambda reply: sealed_anew(reply, by=secure(user("sha1", "aes192"), b"another engine")),
        Refusal.WRONG_DIGEST,
    ),
    "no digest": (in_clear, Refusal.WRONG_LEVEL),
    "a digest, nothing encrypted": (
        lambda reply: sealed_anew(reply, pdu=lie(reply), level=AUTH_NO_PRIV),
        Refusal.WRONG_LEVEL,
    ),
    "cut short": (lambda reply: reply[:-7], Refusal.TRUNCATED),
    "more behind it": (lambda reply: reply + bytes(7), Refusal.OVERSIZED),
    "no SNMP": (lambda reply: b"\x04" + reply[1:], Refusal.MALFORMED),
    "version 2c": (lambda reply: snmp.encode(Message(snmp.V2C, b"public", lie(reply))), Refusal.WRONG_VERSION),
    "another security model": (other_model, Refusal.WRONG_MODEL),
    "another engine": (
        lambda reply: sealed_anew(reply, engine_id=ANOTHER, by=secure(engine_id=ANOTHER)),
        Refusal.WRONG_ENGINE,
    ),
    "another engine, no digest": (lambda reply: in_clear(reply, engine_id=ANOTHER), Refusal.WRONG_ENGINE),
    "another user": (lambda reply: sealed_anew(reply, user=b"somebody"), Refusal.WRONG_USER),
    "another context": (lambda reply: sealed_anew(reply, context=b"elsewhere"), Refusal.WRONG_CONTEXT),
    "a time long ago": (
        lambda reply: sealed_anew(reply, boots=snmp3.read(reply).boots - 1, time=snmp3.read(reply).time),
        Refusal.NOT_IN_TIME_WINDOW,
    ),
    "encrypted with another key": (
        lambda reply: sealed_anew(reply, by=secure(msgspec.structs.replace(user(), privacy_pass="not the same"))),
        Refusal.DECRYPTION,
    ),
    "an answer to another request": (lambda reply: changed(reply, request_id=1), Refusal.WRONG_REQUEST),
    "no answer but a request": (lambda reply: changed(reply, kind=snmp.GET), Refusal.NO_RESPONSE),
    "a forged report: no such user": (lambda reply: report(reply, 3), Refusal.REPORTED_UNKNOWN_USER),
    "a forged report: wrong digest": (lambda reply: report(reply, 5), Refusal.REPORTED_WRONG_DIGEST),
    "a forged report: level": (lambda reply: report(reply, 1), Refusal.REPORTED_LEVEL),
    "a forged report: decryption": (lambda reply: report(reply, 6), Refusal.REPORTED_DECRYPTION),
    "a forged report: time window": (lambda reply: report(reply, 2), Refusal.UNAUTHENTICATED),
    DENIAL: (lambda reply: report(reply, 4), Refusal.UNAUTHENTICATED),
    "a forged report: another engine": (lambda reply: report(reply, 4, ANOTHER), Refusal.REPORTED_UNKNOWN_ENGINE),
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_answer_is_refused_by_its_reason_and_the_true_one_behind_it_counts(
    agent: Agent, name: str
) -> None:
    forged, reason = FORGERIES[name]
    first = [True]

    def before(reply: bytes, relay: Relay) -> list[bytes]:
        if not proved(reply) or first.pop() if first else False:  # from the second proved answer on: it is known then
            return [reply]
        return [forged(reply), reply] if proved(reply) else [reply]

    async with relayed(agent.port, before) as relay, polling(card(relay.port, timeout=5)) as it:
        batches = [await it.next() for _ in range(3)]
    assert [batch.reachable for batch in batches] == [True] * 3
    assert [charge(batch) for batch in batches] == [97.0] * 3
    assert set(it.refused()) - {Refusal.STALE} == {reason}
    assert it.counts.silences == 0


@pytest.mark.parametrize("name", FORGERIES)
async def test_forged_answers_alone_are_no_answers(agent: Agent, name: str) -> None:
    forged, reason = FORGERIES[name]

    def instead(reply: bytes, relay: Relay) -> list[bytes]:
        return [forged(reply)] if proved(reply) else [reply]

    async with relayed(agent.port, instead) as relay:
        batch, refused = await polled(card(relay.port, timeout=0.1))
    assert not batch.reachable
    assert charge(batch) is None
    assert {Refusal.STALE if name == DENIAL else reason} <= set(refused)
    assert "; " in batch.error  # why, in words


async def test_an_answer_from_another_port_is_foreign_and_one_sent_again_is_stale(agent: Agent) -> None:
    def around(reply: bytes, relay: Relay) -> list[bytes]:
        relay.elsewhere(reply)
        return [*relay.replies[-1:], reply, reply]

    async with relayed(agent.port, around) as relay, polling(card(relay.port, timeout=5)) as it:
        batches = [await it.next() for _ in range(3)]
    assert all(charge(batch) == 97.0 for batch in batches)
    assert set(it.refused()) <= {Refusal.FOREIGN, Refusal.STALE}
    assert it.counts.refused[Refusal.STALE] >= 10


async def test_an_answer_from_another_port_alone_is_no_answer(agent: Agent) -> None:
    def elsewhere(reply: bytes, relay: Relay) -> list[bytes]:
        relay.elsewhere(reply)
        return []

    async with relayed(agent.port, elsewhere) as relay:
        batch, refused = await polled(card(relay.port, timeout=0.1))
    assert not batch.reachable
    assert batch.error.endswith("answers come from another address or port than was asked")
    assert set(refused) == {Refusal.FOREIGN}


async def test_an_answer_that_is_played_again_for_another_request_is_no_answer(agent: Agent) -> None:
    def old(reply: bytes, relay: Relay) -> list[bytes]:
        return [reply] if len(relay.replies) < 3 else [relay.replies[1]]

    async with relayed(agent.port, old) as relay:
        batch, refused = await polled(card(relay.port, timeout=0.1))
    assert not batch.reachable
    assert set(refused) == {Refusal.STALE}


async def test_a_flood_of_forged_reports_at_first_contact_does_not_keep_a_card_from_being_met(agent: Agent) -> None:
    def flood(reply: bytes, relay: Relay) -> list[bytes]:
        return [report(reply, 4, ANOTHER), report(reply, 2), report(reply, 5), reply]

    async with relayed(agent.port, flood) as relay, polling(card(relay.port, timeout=1)) as it:
        batches = [await it.next() for _ in range(3)]
    assert all(charge(batch) == 97.0 for batch in batches)


def met(boots: int, time: int) -> Session:
    """A session that was just told who the card is, and its clock."""
    session = Session(user())
    session.ask(snmp.request(snmp.GET, (CHARGE,)), REQUEST_ID, 0.0)
    said = Pdu(snmp.REPORT, 0, 0, 0, (VarBind(f"{snmp3.USM_STATS}.4.0", snmp.COUNTER32, 1),))
    who = snmp3.write(snmp.encode_pdu(said), msg_id=REQUEST_ID, engine_id=ENGINE, boots=boots, time=time)
    session.hear(who, snmp3.read(who), REQUEST_ID, 0.0)
    return session


def heard(session: Session, boots: int, time: int, now: float) -> bool:
    """Tell whether an answer of that time is believed at `now`, the session having been met at 0."""
    name, pdu = user().name.encode(), snmp.encode_pdu(Pdu(snmp.RESPONSE, REQUEST_ID, 0, 0, ()))
    stamp: dict[str, Any] = {"engine_id": ENGINE, "boots": boots, "time": time, "user": name}
    wire = snmp3.write(pdu, msg_id=REQUEST_ID, level=AUTH_PRIV, secure=secure(), number=7, **stamp)
    try:
        return isinstance(session.hear(wire, snmp3.read(wire), REQUEST_ID, now), Pdu)
    except RefusedError as refused:
        if refused.reason is Refusal.NOT_IN_TIME_WINDOW:
            return False
        raise


@pytest.mark.parametrize(
    ("boots", "time", "now", "believed"),
    [
        (3, 1000, 0.0, True),
        (3, 1000, 150.0, True),
        (3, 1000, 151.0, False),
        (3, 850, 0.0, True),
        (3, 849, 0.0, False),
        (3, 99_999, 0.0, True),
        (2, 99_999, 0.0, False),
        (4, 0, 0.0, True),
        (0x7FFF_FFFF, 1000, 0.0, False),
    ],
)
def test_an_answer_is_believed_within_150_seconds_of_the_clock_that_was_agreed(
    boots: int, time: int, now: float, believed: bool
) -> None:
    assert heard(met(3, 1000), boots, time, now) == believed


def test_a_card_whose_clock_is_slow_never_drifts_out_of_the_window() -> None:
    session = met(3, 1000)
    assert all(heard(session, 3, 1000 + minute * 40, minute * 60.0) for minute in range(60))


def test_every_reason_that_a_datagram_can_be_refused_for_is_tried() -> None:
    tried = {reason for _, reason in FORGERIES.values()} | {Refusal.STALE, Refusal.FOREIGN}
    elsewhere = {Refusal.REPORTED_WRONG_DIGEST, Refusal.REPORTED_ACCESS, Refusal.REPORTED_NOT_IN_TIME_WINDOW}
    rare = {Refusal.REPORTED_UNKNOWN_CONTEXT, Refusal.REPORTED_OTHER}  # net-snmp says neither
    assert tried | elsewhere == set(Refusal) - rare
