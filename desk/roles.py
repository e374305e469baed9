"""Who may do what: every route of the desk with the least role that may ask for it. What has no line here is refused.

A person may be bound to regions and sites; `Within` says how a route keeps them to these. Where a route has none of
the kept ways, people with bounds are refused.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from model.protocol import PREFIX


class Role(enum.IntEnum):
    """What a person may do; each may do all that the ones before may."""

    VIEWER = 1
    OPERATOR = 2
    ENGINEER = 3
    MANAGER = 4
    ADMINISTRATOR = 5

    @property
    def word(self) -> str:
        """The role as it is kept and said: viewer, operator, engineer, manager, administrator."""
        return self.name.lower()


ROLES: dict[str, Role] = {role.word: role for role in Role}
VIEWER, OPERATOR, ENGINEER, MANAGER, ADMINISTRATOR = Role


class By(enum.Enum):
    """Who asks, besides people with a role."""

    PEOPLE = "people"
    EVERYBODY = "everybody"  # who is not signed in too
    AGENTS = "agents"  # their tokens are looked at by the handler
    MACHINE = "machine"  # this machine's commands, by the secret in the state folder


class Within(enum.Enum):
    """How a route keeps people with bounds to their sites."""

    WHOLE = "whole"  # it tells of all sites: they are refused
    NOTHING = "nothing"  # it tells of no site
    OWN = "own"  # its handler leaves out what is not theirs
    SITE = "site"  # the address names the site
    TICKET = "ticket"  # the address names the ticket
    SAID = "said"  # what is sent names the site


class Way(enum.Enum):
    """How somebody is known."""

    NOBODY = "nobody"  # not signed in
    OPEN = "open"  # the desk knows no people yet: whoever is on this machine
    MACHINE = "machine"  # who may read the desk's state folder
    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a word


@dataclass(frozen=True)
class Person:
    """Who asks. `name` is "" where it is said by hand; `session` is the session's hash, `csrf` its forms' token."""

    way: Way
    role: Role
    name: str = ""
    account: int = 0
    regions: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    session: str = ""
    csrf: str = ""

    @property
    def bounded(self) -> bool:
        """Say whether some sites are not theirs."""
        return bool(self.regions or self.sites)

    @property
    def signed(self) -> bool:
        """Say whether the desk knows their name by itself."""
        return self.way in {Way.SESSION, Way.TOKEN}

    def has(self, site: str, region: str) -> bool:
        """Say whether a site of a region is theirs."""
        return not self.bounded or site in self.sites or (bool(region) and region in self.regions)


NOBODY = Person(Way.NOBODY, VIEWER)
OPEN = Person(Way.OPEN, ADMINISTRATOR)
MACHINE = Person(Way.MACHINE, ADMINISTRATOR)


@dataclass(frozen=True)
class Access:
    """Who may ask for a route. `words`: what needs more, by the word of what is said; `shut`: also while it is open."""

    least: Role = ADMINISTRATOR
    within: Within = Within.WHOLE
    by: By = By.PEOPLE
    words: Mapping[str, Role] = field(default_factory=dict)
    shut: bool = False


_ACTS: dict[str, Role] = {
    **dict.fromkeys(("charged", "excused", "judged", "level_agreed"), MANAGER),
    **dict.fromkeys(("dated", "entitled", "level"), ENGINEER),
}
_PERIODS: dict[str, Role] = {**dict.fromkeys(("approve", "declare", "end_guard", "roster"), MANAGER)}
_EVERYBODY = Access(VIEWER, Within.NOTHING, By.EVERYBODY)
_AGENTS = Access(VIEWER, Within.NOTHING, By.AGENTS)
_MACHINE = Access(by=By.MACHINE)
_ALONE = Access(VIEWER, Within.NOTHING, shut=True)  # one's own account
_PEOPLE = Access(shut=True)


def _read(within: Within = Within.WHOLE, least: Role = VIEWER) -> Access:
    return Access(least, within)


_PAGES: dict[str, Access] = {
    "GET /": _read(Within.OWN),
    "GET /live": _read(Within.NOTHING),
    "GET /tickets": _read(Within.OWN),
    "GET /tickets.csv": _read(Within.OWN),
    "GET /tickets/new": Access(OPERATOR, Within.OWN),
    "POST /tickets/new": Access(OPERATOR, Within.SAID),
    "GET /tickets/{number:ticket}": _read(Within.TICKET),
    "POST /tickets/{number:ticket}": Access(OPERATOR, Within.TICKET, words=_ACTS),
    "POST /tickets/{number:ticket}/acknowledge": Access(OPERATOR, Within.TICKET),
    "GET /alarms": _read(Within.OWN),
    "GET /alarms.csv": _read(Within.OWN),
    "GET /contracts": _read(Within.OWN),
    "GET /contracts/{name}": _read(Within.OWN),
    "GET /sites": _read(Within.OWN),
    "GET /sites/{site}/alarms/{episode}": _read(Within.SITE),
    "POST /sites/{site}/alarms/{episode}": Access(OPERATOR, Within.SITE),
    "GET /sites/{site}": _read(Within.SITE),
    "GET /sites/{site}/trend": _read(Within.SITE),
    "GET /sites/{site}/trend.json": _read(Within.SITE),
    "GET /sites/{site}/trend.csv": _read(Within.SITE),
    "GET /walktests": _read(),
    "GET /sites/{site}/walktests": _read(Within.SITE),
    "POST /sites/{site}/walktests": Access(ENGINEER, Within.SITE),
    "GET /sites/{site}/walktests/{number:ticket}": _read(Within.SITE),
    "POST /sites/{site}/walktests/{number:ticket}": Access(ENGINEER, Within.SITE),
    "GET /sites/{site}/walktests/{number:ticket}/record.csv": _read(Within.SITE),
    "GET /incidents": _read(),
    "GET /incidents.csv": _read(),
    "GET /incidents/{number:ticket}": _read(),
    "POST /incidents/rule": Access(MANAGER),
    "GET /alarms/measure": _read(),
    "GET /roster": _read(),
    "POST /roster": Access(OPERATOR),
    "GET /periods": _read(),
    "POST /periods": Access(ENGINEER, words=_PERIODS),
    "GET /guards/{number:ticket}": _read(),
    "POST /guards/{number:ticket}": Access(ENGINEER, words=_PERIODS),
    "GET /guards/{number:ticket}/report.csv": _read(),
    "GET /system": _read(least=ENGINEER),
    "GET /who": _EVERYBODY,
    "POST /who": _EVERYBODY,
    "GET /login": _EVERYBODY,
    "POST /login": _EVERYBODY,
    "GET /welcome/{code}": _EVERYBODY,
    "POST /welcome/{code}": _EVERYBODY,
    "POST /logout": _ALONE,
    "GET /account": _ALONE,
    "POST /account": _ALONE,
    "GET /users": _PEOPLE,
    "POST /users": _PEOPLE,
    "GET /healthz": _EVERYBODY,
    "GET /metrics": _read(),
}
_CALLS: dict[str, Access] = {
    "GET /openapi.json": _read(Within.NOTHING),
    "GET /tickets": _read(Within.OWN),
    "POST /tickets": Access(OPERATOR, Within.SAID),
    "GET /tickets/{number:ticket}": _read(Within.TICKET),
    "GET /tickets/{number:ticket}/entries": _read(Within.TICKET),
    "POST /tickets/{number:ticket}/acts": Access(OPERATOR, Within.TICKET, words=_ACTS),
    "POST /tickets/{number:ticket}/acknowledge": Access(OPERATOR, Within.TICKET),
    "GET /contracts": _read(Within.NOTHING),
    "GET /contracts/{name}": _read(Within.NOTHING),
    "GET /contracts/{name}/due": _read(Within.NOTHING),
    "GET /calendars/{name}": _read(Within.NOTHING),
    "GET /sites/{site}/listed": _read(Within.SITE),
    "POST /sites/{site}/listed": Access(ENGINEER, Within.SITE),
    "GET /walktests": _read(Within.OWN),
    "POST /sites/{site}/walktests": Access(ENGINEER, Within.SITE),
    "GET /sites/{site}/walktests/{number:ticket}": _read(Within.SITE),
    "POST /sites/{site}/walktests/{number:ticket}/mark": Access(ENGINEER, Within.SITE),
    "POST /sites/{site}/walktests/{number:ticket}/extend": Access(ENGINEER, Within.SITE),
    "POST /sites/{site}/walktests/{number:ticket}/sign": Access(ENGINEER, Within.SITE),
    "POST /sites/{site}/walktests/{number:ticket}/cancel": Access(ENGINEER, Within.SITE),
    "GET /clock": _read(Within.NOTHING),
    "GET /incidents": _read(),
    "GET /incidents/{number:ticket}": _read(),
    "POST /incidents/rule": Access(MANAGER),
    "GET /alarms/measure": _read(),
    "GET /windows": _read(),
    "POST /windows": Access(ENGINEER),
    "GET /windows/{number:ticket}": _read(),
    "POST /windows/{number:ticket}/extend": Access(ENGINEER),
    "POST /windows/{number:ticket}/end": Access(ENGINEER),
    "POST /windows/{number:ticket}/approve": Access(MANAGER),
    "GET /guards": _read(),
    "POST /guards": Access(MANAGER),
    "GET /guards/{number:ticket}": _read(),
    "POST /guards/{number:ticket}/roster": Access(MANAGER),
    "POST /guards/{number:ticket}/end": Access(MANAGER),
    "GET /guards/{number:ticket}/report": _read(),
    "GET /roster": _read(),
    "POST /roster/swaps": Access(OPERATOR),
    "POST /roster/swaps/{number:ticket}/withdraw": Access(OPERATOR),
    "GET /users": _PEOPLE,
    "POST /users": _PEOPLE,
    "POST /users/{name}/link": _PEOPLE,
    "POST /users/{name}/change": _PEOPLE,
    "POST /users/{name}/sign-out": _PEOPLE,
    "GET /tokens": _PEOPLE,
    "POST /tokens": _PEOPLE,
    "POST /tokens/{number:ticket}/revoke": _PEOPLE,
    "POST /local/clock": _MACHINE,
    "POST /local/enrol": _MACHINE,
    "POST /local/revoke": _MACHINE,
    "POST /local/rotate": _MACHINE,
    "POST /enrol": _AGENTS,
    "POST /events": _AGENTS,
    "POST /heartbeat": _AGENTS,
    "GET /commands": _AGENTS,
    "POST /readings": _AGENTS,
    "POST /trends": _AGENTS,
    "POST /history": _AGENTS,
    "POST /token": _AGENTS,
    "GET /ca": _AGENTS,
}
ACCESS: dict[str, Access] = _PAGES | {call.replace(" ", f" {PREFIX}", 1): access for call, access in _CALLS.items()}


def may(person: Person, route: str) -> bool:
    """Say whether a person may ask for a route such as `GET /system` (what is said in it may need more)."""
    access = ACCESS.get(route)
    if access is None or (access.by is By.PEOPLE and person.way is Way.NOBODY):
        return False
    if access.shut and person.way is Way.OPEN:
        return False
    return person.role >= access.least and not (person.bounded and access.within is Within.WHOLE)
