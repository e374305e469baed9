"""Shelving from the desk: the site is asked by a command, and only its own Change says that it was done.

What was asked for is a row of the audit. An agent that is away, or too old to know the command, does nothing: then the
alarm stays as it is, and the page says that nothing came back.
"""

from typing import NamedTuple

import msgspec

from desk.alarm_list import Listed, Stands
from desk.store import Db, audit, one
from desk.tickets import command
from model.protocol import Shelve

TIMES: dict[str, float] = {
    "30min": 1800.0,
    "1h": 3600.0,
    "2h": 7200.0,
    "4h": 14_400.0,
    "8h": 28_800.0,
    "24h": 86_400.0,
    "7d": 604_800.0,
}
LONGEST_REASON = 300
ASK_LIVES = 300.0  # seconds: what was asked long ago shelves nothing by surprise
PATIENT = 30.0  # seconds after which an agent that answers has answered


class Asked(NamedTuple):
    """What was asked for last: by whom, when (desk's Unix seconds), for how long (0: off the shelf), and why.

    `answer` is `done`, `waits` or `nothing`.
    """

    by: str
    at: float
    seconds: float
    reason: str
    answer: str


class _Detail(msgspec.Struct):
    seconds: float = 0.0
    reason: str = ""


def may_shelve(alarm: Listed) -> bool:
    """Say whether a site may be asked to shelve an alarm: one that stands, of its own, and in service."""
    aside = {Stands.SHELVED, Stands.OUT_OF_SERVICE, Stands.RETURNED}
    return alarm.alarm.active and not alarm.by_desk and alarm.stands not in aside


def ask(db: Db, alarm: Listed, seconds: float, reason: str, *, by: str, source: str, now: float) -> None:
    """Ask a site to shelve an alarm, or with 0 to take it off the shelf."""
    command(db, alarm.site.id, Shelve(0, alarm.alarm.condition, seconds, by, reason), now, ASK_LIVES)
    what = "shelve_asked" if seconds else "unshelve_asked"
    detail: dict[str, object] = {"seconds": seconds, "reason": reason}
    audit(
        db, at=now, who=by, source=source, what=what, site=alarm.site.id, ticket=alarm.ticket, episode=alarm.episode,
        detail=detail,
    )  # fmt: skip


def asked(db: Db, alarm: Listed, now: float) -> Asked | None:
    """Return what was asked for last of an alarm, while it matters."""
    row = one(
        db,
        "SELECT who, at, what, detail FROM audit WHERE site = ? AND episode = ?"
        " AND what IN ('shelve_asked', 'unshelve_asked') ORDER BY id DESC LIMIT 1",
        alarm.site.id,
        alarm.episode,
    )
    if row is None:
        return None
    said = msgspec.json.decode(row["detail"], type=_Detail)
    shelved = alarm.stands is Stands.SHELVED
    if shelved == bool(said.seconds) or _told(db, alarm, row["at"]):
        answer = "done"
    elif said.seconds and now - row["at"] > said.seconds:
        return None
    else:
        answer = "waits" if now - row["at"] <= PATIENT else "nothing"
    return Asked(row["who"], row["at"], said.seconds, said.reason, answer)


def _told(db: Db, alarm: Listed, since: float) -> bool:
    """Say whether the site has told of its shelf since then."""
    of_site = one(
        db,
        "SELECT 1 FROM audit WHERE site = ? AND episode = ? AND at >= ?"
        " AND what IN ('alarm_shelved', 'alarm_unshelved')",
        alarm.site.id,
        alarm.episode,
        since,
    )
    of_ticket = alarm.ticket is not None and one(
        db, "SELECT 1 FROM entries WHERE ticket = ? AND at >= ? AND instr(did, 'shelved') > 0", alarm.ticket, since
    )
    return bool(of_site or of_ticket)
