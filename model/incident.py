"""When outages of several sites are one incident: enough of them, close enough together, from one cause in one region.

Theory. Onsets count, not the order in which they are told: sites that died with their mains tell of it hours later. An
outage belongs to an incident when `count` sites' outages, its own among them, began within `within` seconds; those of
them that are in no incident yet come in with it. So what trickles on after a storm starts none and lengthens none.
Around one onset at most `count` - 1 outages before it and as many after it can matter: the work is the same for the
first outage and for the ten thousandth.
"""

from collections.abc import Iterable

import msgspec

SITE_SILENT = "site.silent"
CAUSES = (
    "mains.lost",
    "mains.phase_missing",
    "mains.voltage_wrong",
    SITE_SILENT,
    "network.management_down",
    "traffic.interrupted",
)
"""The faults that several sites may have from one cause outside of them."""


class Rule(msgspec.Struct, frozen=True):
    """So many sites within so many seconds are an incident. Ours: no contract and no standard has a number."""

    count: int = 5
    within: float = 300.0


class Outage(msgspec.Struct, frozen=True):
    """A site's outage as its ticket tells it; `onset` in the desk's Unix seconds, `incident` 0 for none."""

    ticket: int
    site: str
    onset: float
    incident: int = 0


def cause_of(fault: str, explained_by: str = "") -> str:
    """Return the cause that a fault shares with other sites, "" for none; a silence takes that of its last words."""
    last_words = explained_by.rpartition("/")[2]
    if fault == SITE_SILENT and last_words in CAUSES:
        return last_words
    return fault if fault in CAUSES else ""


def together(new: Outage, near: Iterable[Outage], rule: Rule, going: frozenset[int] = frozenset()) -> list[Outage]:
    """Return the outages that with a new one make an incident, in order of onset; none when they are too few.

    `near` are other sites' within `rule.within` of it. Of several runs that fit, one that touches an incident comes
    first, and of incidents one that goes on (`going`), then the oldest.
    """
    row = sorted([new, *near], key=lambda each: (each.onset, each.ticket))
    place = row.index(new)
    runs = [
        row[start : start + rule.count]
        for start in range(max(0, place - rule.count + 1), place + 1)
        if start + rule.count <= len(row) and row[start + rule.count - 1].onset - row[start].onset <= rule.within
    ]
    return min(runs, key=lambda run: _best(run, going), default=[])


def incident_of(run: Iterable[Outage], going: frozenset[int] = frozenset()) -> int:
    """Return the incident that a run belongs to, 0 when it makes a new one."""
    return min((each.incident for each in run if each.incident), key=lambda one: (one not in going, one), default=0)


def _best(run: list[Outage], going: frozenset[int]) -> tuple[bool, bool, int, float]:
    number = incident_of(run, going)
    return not number, number not in going, number, run[0].onset
