"""The desk's time for programs, and a person's word that the machine's clock is right."""

import secrets

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from desk.operation import Operation
from desk.timekeeper import Standing
from desk.timekeeping import regain
from desk.web import ProblemError, bearer, desk_of, good_name, message_of, reply
from model.clock import JUMP
from model.protocol import PREFIX, ErrorReply

SOURCE = "command"


class ConfirmClock(msgspec.Struct, frozen=True):
    """Who says that the machine's clock is right, and by how many seconds they saw it ahead of the desk's time.

    `stood_still`: the clock was right before too, and the machine was paused: open tickets are older than was counted.

    A clock that is before the last time that was written down is believed only with `earlier`.
    """

    by: str
    off: float
    earlier: bool = False
    stood_still: bool = False


async def clock(request: Request) -> Response:
    """Tell the desk's time and the machine's, and what the desk's is worth."""
    return reply(desk_of(request).timekeeper.standing())


async def confirm(request: Request) -> Response:
    """Believe the machine's clock from now on: for this machine's own commands, by the secret in the state folder."""
    desk = desk_of(request)
    if not desk.secret or not secrets.compare_digest(bearer(request).encode(), desk.secret.encode()):
        raise ProblemError(401, "local", "Only this machine's own commands may say that its clock is right.")
    asked = await message_of(request, ConfirmClock)
    by = good_name(asked.by)
    standing = desk.timekeeper.standing()
    _check(standing, asked)
    return reply(await regain(desk, by, SOURCE, "clock_confirmed", word=True, stood_still=asked.stood_still))


def _check(standing: Standing, asked: ConfirmClock) -> None:
    if abs(standing.off - asked.off) > JUMP:
        raise ProblemError(409, "moved", "The clock was set again meanwhile: look at it again.")
    if standing.off < -JUMP and not asked.earlier:
        raise ProblemError(
            409,
            "earlier",
            f"The clock is {-standing.off:.0f} s before the last time that was written down."
            " If it is right all the same, say so with --earlier.",
        )


OPERATIONS = (
    Operation("GET", f"{PREFIX}/clock", "The desk's time, and what it is worth", Standing, clock, group="clock"),
    Operation(
        "POST", f"{PREFIX}/local/clock", "Say that the machine's clock is right", Standing, confirm, ConfirmClock,
        refuses=((400, "who"), (401, "local"), (409, "moved, earlier")), refusal=ErrorReply, group="this machine",
        open_to="this machine's commands, by the secret in local.json",
    ),
)  # fmt: skip
