"""What agents say to the desk: every handler answers only after the commit. The protocol is `model.protocol`."""

import math
import time
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desk.api_tokens import certificate_for
from desk.core import Badge, Desk, token_hash
from desk.enrolment import CodeError, redeem
from desk.events import LONGEST_NAME, Taken, cursor_of, take_events, unpack
from desk.live import BOARD, commands_of, news, readings_of
from desk.record import Books, Told
from desk.silence import heard_again
from desk.store import Db, Site, every, one, site_of
from desk.web import ProblemError, address_of, badge_of, body_of, decoded, desk_of, message_of, reply
from model.protocol import (
    PREFIX,
    Command,
    CommandsReply,
    EnrolReply,
    EnrolRequest,
    EventsReply,
    EventsRequest,
    Heartbeat,
    HeartbeatReply,
    ReadingsReport,
    SendTrend,
    TrendReport,
)

LONGEST_WAIT = 30.0
MOST_COMMANDS = 100
_COMMAND: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


async def enrol(request: Request) -> Response:
    """Redeem a one-time code for a token."""
    desk = desk_of(request)
    asked = await message_of(request, EnrolRequest)
    now = desk.timekeeper.now()
    source = address_of(request)
    try:
        enrolled = await desk.store.write(lambda db: redeem(db, asked, source, now))
    except CodeError as error:
        raise ProblemError(403, "code", f"Not enrolled: {error}.") from error
    desk.welcome(token_hash(enrolled.token), Badge(enrolled.agent, enrolled.site))
    desk.hub.announce(BOARD)
    certificate = await certificate_for(desk, asked.csr, enrolled.site, enrolled.agent)
    return reply(EnrolReply(enrolled.token, enrolled.site, desk.store.incarnation, certificate))


async def events(request: Request) -> Response:
    """Take a batch of events."""
    desk = desk_of(request)
    badge = badge_of(request)
    asked = await message_of(request, EventsRequest)
    _same_agent(badge, asked.agent)
    began = time.monotonic()
    try:
        parcels = unpack(asked)
    except ValueError as error:
        raise ProblemError(400, "malformed", f"The batch is wrong: {error}.") from error
    source = address_of(request)

    def take(db: Db, *, whole: bool = True) -> Taken:
        ledger = desk.ledger(db)
        told = Told(badge.agent, asked.epoch, ledger.now, source=source)
        return take_events(Books(ledger, _site(db, badge), told), asked, parcels, whole=whole)

    taken = await desk.store.write(take, partial(take, whole=False))
    desk.meters.seconds.observe(time.monotonic() - began)
    _count(desk, taken)
    if taken.conflict:
        message = f"seq {taken.conflict} of this epoch came before with another content: begin a new epoch."
        raise ProblemError(409, "conflict", message, seq=taken.conflict)
    if taken.new:
        desk.hub.announce(BOARD)
    return reply(EventsReply(desk.store.incarnation, taken.acked, taken.refused))


async def heartbeat(request: Request) -> Response:
    """Note a sign of life; a site that was silent is not any more."""
    desk = desk_of(request)
    badge = badge_of(request)
    beat = await message_of(request, Heartbeat)
    _same_agent(badge, beat.agent)
    if not (math.isfinite(beat.wall) and 0 < beat.interval < 86_400 and 0 <= beat.last_seq < 2**53):
        raise ProblemError(400, "malformed", "A heartbeat needs a time, and an interval of at most a day.")
    if not beat.epoch or max(map(len, (beat.epoch, beat.contract, beat.digest))) > LONGEST_NAME:
        raise ProblemError(400, "malformed", f"Epoch, contract and digest have at most {LONGEST_NAME} characters.")
    now = desk.timekeeper.now()

    def keep(db: Db) -> tuple[int, bool]:
        _keep_heartbeat(db, badge, beat, now)
        return cursor_of(db, badge.agent, beat.epoch), heard_again(desk.ledger(db), _site(db, badge))

    acked, returned = await desk.store.write(keep)
    desk.hear(badge.agent, beat.interval)
    if returned:
        desk.hub.announce(BOARD)
    return reply(HeartbeatReply(desk.store.incarnation, now, acked))


async def commands(request: Request) -> Response:
    """Give the commands after the agent's cursor; wait for one when there is none."""
    desk = desk_of(request)
    badge = badge_of(request)
    try:
        after = int(request.query_params.get("after", "0"))
        wait = min(float(request.query_params.get("wait", "0")), LONGEST_WAIT)
    except ValueError:
        raise ProblemError(400, "malformed", "`after` is a command's id and `wait` is seconds.") from None

    def waiting(db: Db) -> tuple[Command, ...]:
        return _commands_after(db, badge.site, after, desk.timekeeper.now())

    with desk.hub.listen(commands_of(badge.site)) as event:
        found = await desk.store.read(waiting)
        if not found and wait > 0 and await news(event, wait):
            badge_of(request)  # it may have been revoked meanwhile
            found = await desk.store.read(waiting)
    each = tuple(msgspec.Raw(msgspec.json.encode(command)) for command in found)
    return reply(CommandsReply(desk.store.incarnation, each))


async def readings(request: Request) -> Response:
    """Keep a site's last snapshot of readings."""
    desk = desk_of(request)
    badge = badge_of(request)
    raw = await body_of(request)
    report = decoded(raw, ReadingsReport)
    now = desk.timekeeper.now()
    await desk.store.write(lambda db: _keep_readings(db, badge.site, report.command, raw, now))
    desk.hub.announce(readings_of(badge.site))
    return Response(status_code=204)


async def trends(request: Request) -> Response:
    """Keep a range of one point's history that the desk asked for."""
    desk = desk_of(request)
    badge = badge_of(request)
    raw = await body_of(request)
    report = decoded(raw, TrendReport)
    now = desk.timekeeper.now()

    def keep(db: Db) -> bool:
        row = one(db, "SELECT body FROM commands WHERE id = ? AND site = ?", report.command, badge.site)
        asked = _COMMAND.decode(row["body"]) if row else None
        if not isinstance(asked, SendTrend) or (asked.device, asked.point) != (report.device, report.point):
            return False
        db.execute(
            "INSERT INTO trends VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (site, device, point) DO UPDATE SET"
            " received = excluded.received, command = excluded.command, report = excluded.report",
            (badge.site, report.device, report.point, now, report.command, raw),
        )
        return True

    if not await desk.store.write(keep):
        raise ProblemError(404, "not_asked", "The desk did not ask for this trend.")
    desk.hub.announce(readings_of(badge.site))
    return Response(status_code=204)


ROUTES = (
    Route(f"{PREFIX}/enrol", enrol, methods=["POST"]),
    Route(f"{PREFIX}/events", events, methods=["POST"]),
    Route(f"{PREFIX}/heartbeat", heartbeat, methods=["POST"]),
    Route(f"{PREFIX}/commands", commands, methods=["GET"]),
    Route(f"{PREFIX}/readings", readings, methods=["POST"]),
    Route(f"{PREFIX}/trends", trends, methods=["POST"]),
)


def _same_agent(badge: Badge, agent: str) -> None:
    if agent != badge.agent:
        raise ProblemError(403, "other_agent", "This token belongs to another agent: enrol this one again.")


def _site(db: Db, badge: Badge) -> Site:
    site = site_of(db, badge.site)
    if site is None:
        raise ProblemError(403, "no_site", "The desk has no record of this site: enrol the agent again.")
    return site


def _count(desk: Desk, taken: Taken) -> None:
    desk.meters.events.labels("taken").inc(taken.new - len(taken.refused))
    desk.meters.events.labels("quarantined").inc(len(taken.refused))
    desk.meters.events.labels("conflict").inc(1 if taken.conflict else 0)


def _keep_heartbeat(db: Db, badge: Badge, beat: Heartbeat, now: float) -> None:
    db.execute(
        "UPDATE agents SET version = ?, heartbeat = ?, skew = ?, interval = ?, epoch = ?, last_seq = ?, depth = ?,"
        " oldest_age = ?, contract = ?, digest = ?, devices = ?, unreachable = ?, metrics = ? WHERE id = ?",
        (
            beat.version[:64],
            now,
            beat.wall - now,
            beat.interval,
            beat.epoch,
            beat.last_seq,
            beat.depth,
            beat.oldest_age,
            beat.contract,
            beat.digest,
            beat.devices,
            beat.unreachable,
            beat.metrics[:65_536],
            badge.agent,
        ),
    )


def _keep_readings(db: Db, site: str, command: int, raw: bytes, now: float) -> None:
    db.execute(
        "INSERT INTO snapshots VALUES (?, ?, ?, ?) ON CONFLICT (site) DO UPDATE SET received = excluded.received,"
        " command = excluded.command, report = excluded.report",
        (site, now, command, raw),
    )


def _commands_after(db: Db, site: str, after: int, now: float) -> tuple[Command, ...]:
    rows = every(
        db,
        "SELECT id, body FROM commands WHERE site = ? AND id > ? AND expires > ? ORDER BY id LIMIT ?",
        site,
        after,
        now,
        MOST_COMMANDS,
    )
    return tuple(msgspec.structs.replace(_COMMAND.decode(row["body"]), id=row["id"]) for row in rows)
