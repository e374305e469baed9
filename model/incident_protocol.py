"""What people's programs and the desk say to each other about incidents and about how good the alarms are."""

import msgspec

from model.nuisance import Measure


class IncidentLine(msgspec.Struct, frozen=True):
    """An incident: tickets of several sites whose outages began together. Times are Unix seconds.

    `first` and `last` are the first and the last onset, `ended` is null while an outage goes on (`going` of them do).
    """

    number: int
    contract: str
    region: str
    region_title: dict[str, str]
    cause: str
    title: dict[str, str]
    opened: float
    first: float
    last: float
    ended: float | None
    tickets: int
    going: int
    sites: int


class Member(msgspec.Struct, frozen=True):
    """A ticket of an incident: its site's outage began at `onset`, `ended` is null while it goes on.

    `acknowledged` is when `acknowledged_by` took it, null and "" while nobody has.
    """

    ticket: int
    site: str
    site_name: str
    state: str
    onset: float
    joined: float
    ended: float | None
    acknowledged: float | None = None
    acknowledged_by: str = ""


class IncidentNow(msgspec.Struct, frozen=True):
    """An incident with its tickets, those that go on first; `more` were left out."""

    incident: IncidentLine
    members: list[Member]
    more: int


class IncidentRule(msgspec.Struct, frozen=True):
    """So many sites of one region within so many seconds are an incident."""

    sites: int
    seconds: float


class IncidentList(msgspec.Struct, frozen=True):
    """The incidents that go on, then the last that ended, and the rule by which the next one opens."""

    incidents: list[IncidentLine]
    rule: IncidentRule


class SetIncidentRule(msgspec.Struct, frozen=True):
    """A person changes the rule, from the next ticket on."""

    by: str
    sites: int
    seconds: float


class NuisanceAlarm(msgspec.Struct, frozen=True):
    """A condition that is a nuisance: how often it was announced and passed, and since when."""

    condition: str
    site: str
    announced: int
    momentary: int
    since: float


class AlarmMeasure(msgspec.Struct, frozen=True):
    """How good the alarms are, by EEMUA 191, by "day", "week", "month"; `share` of the ten most frequent."""

    measures: dict[str, Measure]
    now: int
    stale: int
    share: float
    frequent: list[NuisanceAlarm]
    chattering: list[NuisanceAlarm]
    flapping: list[NuisanceAlarm]
    stale_alarms: list[NuisanceAlarm]
