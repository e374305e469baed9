"""What agents ask, as the API's document has it; the handlers are `desk.intake`'s."""

from desk.operation import Operation, Query
from model.protocol import (
    PREFIX,
    CommandsReply,
    EnrolReply,
    EnrolRequest,
    ErrorReply,
    EventsReply,
    EventsRequest,
    Heartbeat,
    HeartbeatReply,
    ReadingsReport,
    TrendReport,
)
from model.trend import HistoryReport

_TOKEN = (401, "unknown_token")
_UNREADABLE = (400, "malformed")


def _of_agents(method: str, path: str, says: str, gives: type | None, takes: type | None = None, *,
               query: tuple[Query, ...] = (), conflict: str = "") -> Operation:  # fmt: skip
    refuses = (_UNREADABLE, _TOKEN, *(((409, conflict),) if conflict else ()))
    return Operation(
        method, f"{PREFIX}/{path}", says, gives, takes=takes, query=query, refuses=refuses, refusal=ErrorReply,
        group="agents", open_to="an agent, by its token",
    )  # fmt: skip


OPERATIONS = (
    Operation(
        "POST", f"{PREFIX}/enrol", "Redeem a one-time code for a token", EnrolReply, takes=EnrolRequest,
        refuses=(_UNREADABLE, (403, "code")), refusal=ErrorReply, group="agents",
    ),
    _of_agents("POST", "events", "Hand over events; answered after the commit", EventsReply, EventsRequest,
               conflict="conflict, epoch"),
    _of_agents("POST", "heartbeat", "Give a sign of life", HeartbeatReply, Heartbeat),
    _of_agents(
        "GET", "commands", "Wait for commands", CommandsReply,
        query=(
            Query("after", "the last command that was done", "integer", 0),
            Query("wait", "seconds to wait for one", "number", 0),
        ),
    ),
    _of_agents("POST", "readings", "Hand over the readings as they stand", None, ReadingsReport),
    _of_agents("POST", "trends", "Hand over a range of one point's history", None, TrendReport),
    _of_agents("POST", "history", "Hand over a range with lowest and highest", None, HistoryReport),
)  # fmt: skip
