"""What agent and desk say to each other: JSON over HTTP, every request with `Authorization: Bearer TOKEN`.

    POST /api/v1/enrol            EnrolRequest       -> EnrolReply         (the one-time code instead of a token)
    POST /api/v1/events           EventsRequest      -> EventsReply | 409 Conflict | 503 with Retry-After
    POST /api/v1/heartbeat        Heartbeat          -> HeartbeatReply
    GET  /api/v1/commands?after=CURSOR&wait=25       -> CommandsReply      (long poll)
    POST /api/v1/readings         ReadingsReport     -> 204
    POST /api/v1/trends           TrendReport        -> 204
    POST /api/v1/history          HistoryReport      -> 204              (model.trend)
    POST /api/v1/token            HoldToken          -> TokenReply         (said twice: below)
    GET  /api/v1/ca                                  -> DeskCa             (nobody needs a token for it)

Identity of an event is (agent, epoch, seq). The desk hashes `body` exactly as it came (SHA-256 of the bytes); the age
travels outside of it, so a retry has the same hash. The desk answers only after its commit, with the highest seq up to
which it has every event of that epoch; a refused event counts as received and is kept in quarantine. The same identity
with another hash is a 409: the agent begins a new epoch with a Snapshot. The site is taken from the token, never from a
body. Both sides ignore fields they do not know, so that versions may differ.
"""

import msgspec

from model.point import Quality, Severity
from model.trend import SendHistory

PREFIX = "/api/v1"


class EnrolRequest(msgspec.Struct, frozen=True):
    """A new agent redeems its one-time code; `agent` is the UUID it chose, `csr` asks for a certificate (PEM)."""

    code: str
    agent: str
    version: str
    csr: str = ""


class EnrolReply(msgspec.Struct, frozen=True):
    """The agent's token, for this site alone, and its certificate (PEM; "" where it gets none)."""

    token: str
    site: str
    incarnation: str
    certificate: str = ""


class HoldToken(msgspec.Struct, frozen=True):
    """The agent has made a token for itself: `hash` is its SHA-256 in hexadecimal, `csr` as at enrolment.

    Said with the old token, both are good; said with the new one, the old one is over. An agent that does not know how
    far it came says it again: with the old token, and where that is not known any more, with the new one.
    """

    hash: str
    csr: str = ""


class TokenReply(msgspec.Struct, frozen=True):
    """The desk has written it down; `certificate` (PEM) is a new one, "" where it gives none."""

    certificate: str = ""


class DeskCa(msgspec.Struct, frozen=True):
    """The CA (PEM) that agents of this desk trust, and its SHA-256 in hexadecimal; both "" where it has none."""

    ca: str
    fingerprint: str


class Event(msgspec.Struct, frozen=True):
    """One outbox row: `body` is the JSON of a Change or Snapshot, `age` seconds since it happened, at sending."""

    seq: int
    age: float
    body: msgspec.Raw


class EventsRequest(msgspec.Struct, frozen=True):
    """Events in rising seq. `oldest` is the lowest seq the agent still keeps of this epoch."""

    agent: str
    epoch: str
    oldest: int
    wall: float
    events: tuple[Event, ...]


class Refusal(msgspec.Struct, frozen=True):
    """An event that was received and put in quarantine, and why."""

    seq: int
    reason: str


class EventsReply(msgspec.Struct, frozen=True):
    """`acked` is the highest seq below which nothing of this epoch is missing at the desk."""

    incarnation: str
    acked: int
    refused: tuple[Refusal, ...] = ()


class ErrorReply(msgspec.Struct, frozen=True):
    """Why a request was not done: `error` is a word for programs, `message` a sentence that says what to do."""

    error: str
    message: str
    seq: int = 0


class Heartbeat(msgspec.Struct, frozen=True):
    """A sign of life. Ages in seconds; `wall` is the agent's Unix time."""

    agent: str
    epoch: str
    version: str
    last_seq: int
    depth: int
    oldest_age: float
    wall: float
    contract: str = ""
    digest: str = ""
    devices: int = 0
    unreachable: int = 0
    interval: float = 30.0
    metrics: str = ""


class HeartbeatReply(msgspec.Struct, frozen=True):
    """The desk's time and how far it has received this epoch."""

    incarnation: str
    wall: float
    acked: int


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge"):
    """An operator took the alarm of this episode at this level (0: any); one that got worse meanwhile asks again."""

    id: int
    condition: str
    episode: str
    by: str
    level: int = 0


class Shelve(msgspec.Struct, frozen=True, tag="shelve"):
    """Put a condition aside for `seconds`; 0 takes it back."""

    id: int
    condition: str
    seconds: float
    by: str
    reason: str


class SendReadings(msgspec.Struct, frozen=True, tag="send_readings", omit_defaults=True):
    """The desk wants the readings as they are now; `rules`: the fault rules in force too."""

    id: int
    rules: bool = False


class SendTrend(msgspec.Struct, frozen=True, tag="send_trend"):
    """The desk wants one point's history between two Unix times."""

    id: int
    device: str
    point: str
    start: float
    end: float


class RotateToken(msgspec.Struct, frozen=True, tag="rotate_token"):
    """The desk wants the agent to have another token."""

    id: int


Command = Acknowledge | Shelve | SendReadings | SendTrend | SendHistory | RotateToken


class CommandsReply(msgspec.Struct, frozen=True):
    """Commands after the cursor, in rising id, each the JSON of a Command; empty when none came within the wait.

    They are decoded one by one: a newer desk may know commands that an older agent does not.
    """

    incarnation: str
    commands: tuple[msgspec.Raw, ...]


class AnyCommand(msgspec.Struct, frozen=True):
    """What every command has, known or not."""

    id: int
    type: str


class ReadingRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reading as it travels and as `read --json` prints it; `age` in seconds."""

    device: str
    point: str
    quantity: str
    label: str
    value: float | str | None
    unit: str = ""
    index: dict[str, str] = {}
    quality: Quality = Quality.GOOD
    age: float = 0.0
    source: str = ""
    preferred: bool = True
    severity: Severity | None = None


class DeviceRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One device as it stands."""

    device: str
    name: str
    reachable: bool
    error: str = ""
    age: float = 0.0


class RuleRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fault rule in force and one thing that it looks at: the alarm's `condition`, and its limits in signs.

    `scope` is a point's label or an index, "" for the whole device.
    """

    condition: str
    device: str
    name: str
    fault: str
    title: dict[str, str]
    scope: str = ""
    asks: tuple[str, ...] = ()


class ReadingsReport(msgspec.Struct, frozen=True):
    """A snapshot of a site's readings, by command or on its own; `wall` is the agent's Unix time.

    `rules` are there when they were asked for.
    """

    wall: float
    devices: tuple[DeviceRow, ...]
    readings: tuple[ReadingRow, ...]
    command: int = 0
    rules: tuple[RuleRow, ...] = ()


class TrendReport(msgspec.Struct, frozen=True):
    """A range of one point's history: (Unix time, value) pairs, oldest first; a gap has value None."""

    command: int
    device: str
    point: str
    unit: str
    samples: tuple[tuple[float, float | None], ...]
