"""What people's programs and the desk say to each other about tickets: JSON over HTTP (docs/api.md).

A person's word is one of `model.service.entry`'s acts with who says it and for which side. A time is Unix seconds, or
text: ISO 8601, or `14:05`, the last time that it was so; without an offset it is the site's local time. The answer is
the ticket as it is afterwards, or a refusal by name.
"""

from typing import Any

import msgspec

from model.contract import Milestone
from model.rule import Evidence
from model.service import entry as acts
from model.service.outcome import Stand
from model.service.record import (
    Bond,
    Charge,
    Complaint,
    Delivery,
    Halt,
    LevelStep,
    Mark,
    Pardon,
    Repair,
    Verdict,
    Workaround,
)
from model.service.words import Side, Trust

Moment = float | str
KEY = "Idempotency-Key"
LONGEST_KEY = 200  # characters

Sayable = (
    acts.Acknowledged
    | acts.Reached
    | acts.Confirmed
    | acts.TakenBack
    | acts.Started
    | acts.Handled
    | acts.ConditionSaid
    | acts.LevelSet
    | acts.LevelAgreed
    | acts.Paused
    | acts.Resumed
    | acts.WorkaroundOnly
    | acts.Repaired
    | acts.RepairFailed
    | acts.Entitled
    | acts.Linked
    | acts.Dated
    | acts.MergedInto
    | acts.Closed
    | acts.CustomerSaid
    | acts.Complained
    | acts.Judged
    | acts.Excused
    | acts.AskedFor
    | acts.Delivered
    | acts.Charged
)
SAYABLE: dict[str, type[acts.Act]] = {str(act.__struct_config__.tag): act for act in Sayable.__args__}
TIMES = frozenset({"said", "due", "opened", "onset"})  # fields of acts that are times
OURS = {"closed": frozenset({"outcomes"})}  # fields that the desk fills in


class Say(msgspec.Struct, frozen=True):
    """A person's word on a ticket. `act` is an object whose `what` names it: `{"what": "reached", ...}`."""

    by: str
    act: dict[str, Any]
    side: Side = Side.SERVICE


class Take(msgspec.Struct, frozen=True):
    """Who acknowledges, and the level that they saw; 0: any."""

    by: str
    level: int = 0


class OpenByHand(msgspec.Struct, frozen=True):
    """A fault that a person reports and no alarm has told. `level`: a number, or the contract's word; 0: it decides.

    `said` is since when the fault stands, `reported` when the customer reported it; the opening is now.
    """

    by: str
    site: str
    fault: str
    device: str = ""
    case: str = ""
    level: int | str = 0
    said: Moment | None = None
    reported: Moment | None = None
    side: Side = Side.SERVICE


class Refused(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something was not done: a word for programs, a sentence for people, the words that would be taken."""

    error: str
    message: str
    known: tuple[str, ...] = ()
    ticket: int = 0


class ClockNow(msgspec.Struct, frozen=True):
    """A limit of a ticket and where it stands. Unix seconds; `left` is until `due`, less than 0 when it is over.

    `assumed`: it counts from a milestone that nobody has reached yet, taken at its latest.
    """

    clock: str
    limit: str
    level: int
    milestone: Milestone
    stand: Stand
    start: float | None
    due: float | None
    end: float | None
    left: float | None
    assumed: bool
    level_code: str = ""


class DocumentNow(msgspec.Struct, frozen=True):
    """A document that the ticket owes: since when, until when, and when it was handed over as it counts."""

    document: str
    title: dict[str, str]
    start: float
    due: float | None
    delivered: float | None
    late: bool


class DeductionNow(msgspec.Struct, frozen=True):
    """What an event costs by the contract; `counts` is false when it is excused, or counted once already."""

    event: str
    what_for: str
    at: float
    points: float | None
    share: float | None
    excused_by: str
    counts: bool


class TicketLine(msgspec.Struct, frozen=True):
    """A ticket in a list. Times are the desk's Unix seconds.

    `due` is the soonest limit that runs, else the last that is over, of the clock `due_clock`; `left` is until then.
    `late` counts the limits not kept, `waits_for_word` says that a milestone waits for somebody's word.
    """

    number: int
    condition: str
    site: str
    site_name: str
    region: str
    state: str
    level: int
    level_code: str
    provisional: bool
    device: str
    device_name: str
    fault: str
    case: str
    title: dict[str, str]
    case_title: dict[str, str]
    last_words: dict[str, str]
    opened: float
    onset: float
    acknowledged: float | None
    acknowledged_by: str
    resolved: float | None
    closed: float | None
    paused: bool
    workaround: bool
    waits_for_word: bool
    late: int
    due: float | None
    due_clock: str
    left: float | None
    entries: int
    contract: str


class TicketList(msgspec.Struct, frozen=True):
    """Tickets at `now`; `before` is what to ask with for the next page, None on the last.

    `more`: there are others. Least time left first has no next page: ask for more, or by number.
    """

    now: float
    incarnation: str
    tickets: tuple[TicketLine, ...]
    before: int | None = None
    more: bool = False


class TicketNow(TicketLine, frozen=True, kw_only=True):
    """A ticket with all that was said of it and every clock. Times are the desk's Unix seconds.

    `unsaid` is what limits of the contract depend on and nobody has said, `region` or `grade`: they do not run.
    `trust` is what the desk's clock is worth `now`: unless it is `sure`, nothing that time asks for takes place.
    """

    now: float
    trust: Trust
    timezone: str
    start: float
    unsure: bool
    scope: str
    episode: str
    explained_by: str
    shelved: bool
    evidence: tuple[Evidence, ...]
    missing: tuple[str, ...]
    alarm_state: str
    explains: int
    agent_level: int
    agent_contract: str
    agent_digest: str
    digest: str
    grade: str
    handling: str
    conditions: tuple[str, ...]
    unsaid: tuple[str, ...]
    cover: str
    clocks: tuple[ClockNow, ...]
    marks: dict[Milestone, Mark]
    starts: dict[str, float]
    levels: tuple[LevelStep, ...]
    agreed: dict[Side, int]
    final_level: int
    pauses: tuple[Halt, ...]
    workaround_only: Workaround | None
    repair: Repair | None
    failed_repairs: int
    links: tuple[Bond, ...]
    took_in: tuple[int, ...]
    merged_into: int
    documents: tuple[DocumentNow, ...]
    deliveries: tuple[Delivery, ...]
    complaints: tuple[Complaint, ...]
    excuses: tuple[Pardon, ...]
    verdicts: tuple[Verdict, ...]
    charges: tuple[Charge, ...]
    deductions: tuple[DeductionNow, ...]
    points: float


class EntryNow(msgspec.Struct, frozen=True):
    """One entry of a ticket: when it was written down (Unix seconds), by whom, from where, what was said and done.

    `text` is the same in words, in the language that was asked for.
    """

    seq: int
    at: float
    who: str
    source: str
    side: Side
    trust: str
    did: tuple[str, ...]
    text: str
    act: acts.Acts


class EntryList(msgspec.Struct, frozen=True):
    """A ticket's entries in order; `after` is what to ask with for the next page, None on the last."""

    ticket: int
    entries: tuple[EntryNow, ...]
    after: int | None = None


class SayListed(msgspec.Struct, frozen=True):
    """A device on the list: under contract from `begin` until `end`, in warranty from `warranty_begin` on."""

    by: str
    device: str
    serial: str = ""
    begin: Moment | None = None
    end: Moment | None = None
    warranty_begin: Moment | None = None


class ListedNow(msgspec.Struct, frozen=True):
    """A device on the list; Unix seconds, None where nothing was said."""

    device: str
    serial: str
    begin: float | None
    end: float | None
    warranty_begin: float | None


class ListedDevices(msgspec.Struct, frozen=True):
    """The list of a site, and the site's time zone."""

    site: str
    devices: tuple[ListedNow, ...]
    timezone: str = ""
