"""The roster for programs: who is on duty, who cannot be reached; substitutes."""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from desk.api_acts import language_of
from desk.duty import NotSwapped, roster_now, say_swap, withdraw_swap
from desk.ledger import Ledger
from desk.live import BOARD
from desk.once import Answer, keyed, once, reply_with
from desk.operation import Operation, Query
from desk.store import Db
from desk.web import ProblemError, address_of, body_of, decoded, desk_of, good_name, reply
from model.contract import Text
from model.protocol import PREFIX
from model.roster_protocol import RosterNow, SaySwap, SwapNow, WithdrawSwap
from model.ticket_protocol import Refused

T = TypeVar("T")
ROSTER = f"{PREFIX}/roster"
SWAPS = f"{ROSTER}/swaps"
_SENTENCES: dict[str, Text] = {
    NotSwapped.NO_ROSTER: {
        "en": "The desk has no roster: start it with --roster FILE.",
        "zh": "值班台没有值班表，请用 --roster FILE 启动。",
    },
    NotSwapped.NO_PERSON: {
        "en": "Nobody of that name is on the roster: use the short names of its file.",
        "zh": "值班表中没有此人，请用其文件中的短名。",
    },
    NotSwapped.ITSELF: {"en": "Nobody stands in for themselves.", "zh": "不能由本人代班。"},
    NotSwapped.TIMES: {
        "en": "A substitute is for a time that is not over, of at most 92 days.",
        "zh": "代班时间须尚未结束，且不超过92天。",
    },
    "no_such": {"en": "No substitute {} stands now.", "zh": "代班 {} 已不存在。"},
}
_LONGEST_LOOK = 62.0  # days
_LATEST = 4_102_444_800.0  # 2100


async def roster(request: Request) -> Response:
    """Give the roster: `?at=` a Unix time (now), `&days=` how far ahead (7)."""
    desk = desk_of(request)
    at, days = _number(request, "at", 0.0, _LATEST), _number(request, "days", 7.0, _LONGEST_LOOK)
    now = desk.timekeeper.now()
    return reply(await desk.store.read(lambda db: roster_now(db, desk.people, now, at=at, days=days)))


async def swap(request: Request) -> Response:
    """Say that somebody stands in for somebody."""

    def act(ledger: Ledger, said: SaySwap, source: str) -> Answer:
        said = replace(said, by=good_name(said.by))
        became = say_swap(ledger, desk_of(request).people, said, source)
        if isinstance(became, NotSwapped):
            return Answer(422, msgspec.json.encode(Refused(became, _SENTENCES[became][language_of(request)])))
        return Answer(201, msgspec.json.encode(became))

    return await _write(request, SaySwap, act)


async def withdraw(request: Request) -> Response:
    """Take a substitute back."""
    number: int = request.path_params["number"]

    def act(ledger: Ledger, said: WithdrawSwap, source: str) -> Answer:
        became = withdraw_swap(ledger, number, good_name(said.by), source)
        if became is None:
            return Answer(
                404, msgspec.json.encode(Refused("no_such", _SENTENCES["no_such"][language_of(request)].format(number)))
            )
        return Answer(200, msgspec.json.encode(became))

    return await _write(request, WithdrawSwap, act)


async def _write(request: Request, kind: type[T], act: Callable[[Ledger, T, str], Answer]) -> Response:
    desk = desk_of(request)
    body = await body_of(request)
    said, key, source = decoded(body, kind), keyed(request, body), address_of(request)

    def write(db: Db) -> Answer:
        ledger = desk.ledger(db)
        return once(db, key, ledger.now, lambda: act(ledger, said, source))

    answer = await desk.store.write(write)
    desk.hub.announce(BOARD)
    return reply_with(answer)


def _number(request: Request, name: str, otherwise: float, most: float) -> float:
    text = request.query_params.get(name, "")
    try:
        value = float(text) if text else otherwise
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise ProblemError(400, "malformed", f"{name} is a number from 0 to {most:g}.")
    return value


OPERATIONS = (
    Operation(
        "GET", ROSTER, "Who is on duty, and who cannot be reached", RosterNow, roster,
        query=(
            Query("at", "at which Unix time; 0: now", "number", 0),
            Query("days", "how many days ahead", "number", 7),
        ),
        refuses=((400, "malformed"),), group="roster",
    ),
    Operation(
        "POST", SWAPS, "Somebody stands in for somebody", SwapNow, swap, SaySwap, gives_status=201, once=True,
        refuses=((400, "malformed, who, key"), (409, "key_reused"), (422, "no_roster, no_person, itself, times")),
        group="roster",
    ),
    Operation(
        "POST", f"{SWAPS}/{{number:ticket}}/withdraw", "A substitute is needed no more", SwapNow, withdraw,
        WithdrawSwap, once=True,
        refuses=((400, "malformed, who, key"), (404, "no_such"), (409, "key_reused")), group="roster",
    ),
)  # fmt: skip
