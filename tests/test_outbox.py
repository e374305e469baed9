"""The way to the desk: what is sent, what moves the position, and how an epoch begins anew."""

from pathlib import Path

import httpx
import msgspec
import pytest

from agent.journal import Journal, Standing
from agent.outbox import LARGEST, Outbox
from agent.site_clock import SiteClock
from connectors.desk import DeskClient, DeskError
from model.alarm import Alarm, AlarmState, Kind, Now
from model.change import Change, Origin, Snapshot
from model.protocol import Event, EventsReply
from model.rule import Meaning
from runtime.clock import boot_id, now

ORIGIN = Origin("s", "d", "-", "mains.lost", "D", {"en": "Mains lost"}, Meaning.DANGER)


class Desk:
    """A desk on paper: it answers as it is told to, and remembers what it was sent."""

    def __init__(self) -> None:
        self.sent: list[list[int]] = []
        self.bodies: dict[int, bytes] = {}
        self.answer = lambda events: httpx.Response(200, content=msgspec.json.encode(EventsReply("i", events[-1].seq)))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = msgspec.json.decode(request.content)
        raw = msgspec.json.decode(request.content, type=_Request)
        self.sent.append([event["seq"] for event in body["events"]])
        self.bodies |= {event.seq: bytes(event.body) for event in raw.events}
        return self.answer(raw.events)


class _Request(msgspec.Struct):
    events: tuple[Event, ...]


def standing(number: int, *, weight: int = 0) -> Standing:
    alarm = Alarm("s/d/-/mains.lost", AlarmState.UNACKNOWLEDGED, "lost", 2, True, "e1", number, True, True)
    change = Change(
        Kind.RAISED, alarm, AlarmState.PENDING, ORIGIN, {}, now().wall, now().boot, boot_id(), reason="x" * weight
    )
    return Standing(alarm, change)


def line(folder: Path, desk: Desk) -> tuple[Journal, Outbox]:
    journal = Journal(folder, "s")
    client = DeskClient("http://desk", "token")
    client._http = httpx.AsyncClient(base_url="http://desk/api/v1", transport=httpx.MockTransport(desk))

    async def settled() -> None:
        return

    def snapshot(why: str) -> Snapshot:
        return Snapshot("s", (), now().wall, now().boot, boot_id(), why)

    return journal, Outbox(journal, client, snapshot, settled)


async def test_only_the_desks_answer_moves_the_position_and_a_retry_has_the_same_bytes(tmp_path: Path) -> None:
    desk = Desk()
    journal, outbox = line(tmp_path, desk)
    journal.record([standing(1)]).result(10)
    good = desk.answer

    def lost(_: object) -> httpx.Response:
        raise httpx.ReadError("cut")

    desk.answer = lost
    with pytest.raises(DeskError, match="no answer from"):
        await outbox.send_once()
    first = dict(desk.bodies)
    assert journal.position().acked == 0
    desk.answer = good
    assert await outbox.send_once()
    assert desk.bodies == first
    assert (journal.position().acked, await outbox.send_once()) == (2, False)
    journal.close()


async def test_a_batch_is_cut_by_weight_and_a_desk_that_finds_it_too_large_gets_less(tmp_path: Path) -> None:
    desk = Desk()
    journal, outbox = line(tmp_path, desk)
    journal.record([standing(n, weight=LARGEST // 3) for n in range(1, 7)]).result(10)
    await outbox.send_once()
    assert desk.sent == [[1, 2, 3]]
    good = desk.answer
    desk.answer = lambda events: (
        httpx.Response(413, json={"error": "too_large", "message": "send less"}) if len(events) > 1 else good(events)
    )
    while journal.position().acked < 7:
        await outbox.send_once()
    assert [seqs for seqs in desk.sent if len(seqs) == 1] == [[4], [5], [6], [7]]
    journal.close()


async def test_a_conflict_begins_a_new_epoch_with_a_snapshot_and_sends_the_rest_again(tmp_path: Path) -> None:
    desk = Desk()
    journal, outbox = line(tmp_path, desk)
    journal.record([standing(1)]).result(10)
    epoch, good = journal.position().epoch, desk.answer
    desk.answer = lambda _: httpx.Response(409, json={"error": "conflict", "message": "another event", "seq": 1})
    await outbox.send_once()
    assert journal.position().epoch != epoch
    desk.answer = good
    await outbox.send_once()
    assert desk.sent[-1] == [1, 2]
    assert b'"snapshot"' in desk.bodies[1]
    assert b'"change"' in desk.bodies[2]
    journal.close()


async def test_a_desk_that_lacks_what_is_forgotten_gets_what_stands(tmp_path: Path) -> None:
    desk = Desk()
    journal, outbox = line(tmp_path, desk)
    journal.record([standing(1), standing(2)]).result(10)
    await outbox.send_once()
    later = Now(now().boot + 8 * 86400, now().wall + 8 * 86400)
    assert journal.forget(later).result(10) == 3
    journal.record([standing(3)]).result(10)
    epoch = journal.position().epoch
    journal.acknowledge(epoch, 0, "restored").result(10)
    await outbox.send_once()
    assert journal.position().epoch != epoch
    await outbox.send_once()
    assert b'"snapshot"' in desk.bodies[1]
    journal.close()


async def test_a_desk_that_has_more_than_this_journal_gets_a_new_epoch(tmp_path: Path) -> None:
    desk = Desk()
    journal, outbox = line(tmp_path, desk)
    epoch = journal.position().epoch
    desk.answer = lambda _: httpx.Response(200, content=msgspec.json.encode(EventsReply("i", 5000)))
    await outbox.send_once()
    assert (journal.position().epoch != epoch, journal.position().acked) == (True, 0)
    journal.close()


@pytest.mark.parametrize("garbage", [b"\xff\xfe", b"[" * 100_000, b"{}", b"null", b'{"incarnation": 1}'])
@pytest.mark.parametrize("status", [200, 500])
async def test_whatever_a_desk_answers_is_an_error_of_the_desk(tmp_path: Path, garbage: bytes, status: int) -> None:
    desk = Desk()
    journal, outbox = line(tmp_path, desk)
    desk.answer = lambda _: httpx.Response(status, content=garbage, headers={"Retry-After": "²".encode()})
    with pytest.raises(DeskError):
        await outbox.send_once()
    journal.close()


async def test_a_desk_may_not_make_us_wait_for_ever(tmp_path: Path) -> None:
    desk = Desk()
    journal, outbox = line(tmp_path, desk)
    desk.answer = lambda _: httpx.Response(
        503, json={"error": "busy", "message": ""}, headers={"Retry-After": "9" * 12}
    )
    with pytest.raises(DeskError) as error:
        await outbox.send_once()
    assert error.value.retry_after == 300
    journal.close()


async def test_a_desk_that_was_restored_to_before_this_epoch_gets_what_is_kept_of_those_before(tmp_path: Path) -> None:
    desk = Desk()
    journal, outbox = line(tmp_path, desk)
    journal.record([standing(1)]).result(10)
    await outbox.send_once()
    journal.new_epoch(Snapshot("s", (), now().wall, now().boot, boot_id(), "two")).result(10)
    journal.record([standing(2)], cursor=7).result(10)
    await outbox.send_once()
    before = journal.position()
    assert (before.acked, before.last) == (2, 2)
    await outbox.heed(before, 0, "another", before.cursor + 1.0)
    after = journal.position()
    assert (after.epoch != before.epoch, after.acked, after.cursor) == (True, 0, 7)
    desk.answer = lambda events: httpx.Response(
        200, content=msgspec.json.encode(EventsReply("another", events[-1].seq))
    )
    await outbox.send_once()
    assert desk.sent[-1] == [1, 2, 3]
    assert b'"snapshot"' in desk.bodies[1]
    assert [msgspec.json.decode(desk.bodies[seq])["alarm"]["revision"] for seq in (2, 3)] == [1, 2]
    late = Now(now().boot + 8 * 86400, now().wall + 8 * 86400)
    assert journal.forget(late).result(10) == 3
    journal.close()


async def test_a_desk_of_another_incarnation_is_asked_its_time_before_its_answer_counts(tmp_path: Path) -> None:
    desk = Desk()
    journal, outbox = line(tmp_path, desk)
    await outbox.send_once()
    asked: list[str] = []

    async def beat() -> None:
        asked.append("beat")
        if len(asked) > 1:
            await outbox.heed(journal.position(), 1, "another", 1.0)

    clock = SiteClock()
    clock.heard(now().wall)
    outbox.keep_time(clock, beat)
    journal.record([standing(1)]).result(10)
    desk.answer = lambda _: httpx.Response(200, content=msgspec.json.encode(EventsReply("another", 1)))
    with pytest.raises(DeskError, match="another than before"):
        await outbox.send_once()
    assert await outbox.send_once()
    assert (journal.position().incarnation, journal.position().acked, len(asked)) == ("another", 1, 2)
    journal.close()
