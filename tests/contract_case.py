"""A case of a contract: what is known of a ticket, when it begins, and every limit that runs with its due time.

Times are local, as a person writes them: "2026-09-30 17:50:00", in the zone of the case.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from config.calendar import load_calendar
from config.contract import load_contract
from model.contract import Contract, Handling
from model.limits import Situation, dues, duty_dues


class Case(msgspec.Struct, frozen=True):
    """One row of a table. `due` are the limits by name, all that run; `times` what is known besides the opening."""

    begins: str
    due: dict[str, str | None]
    level: int = 1
    region: str = ""
    grade: str = ""
    fault: str = ""
    handling: Handling | None = None
    when: tuple[str, ...] = ()
    times: dict[str, str] = {}
    pauses: tuple[tuple[str, str], ...] = ()
    duties: dict[str, str] = {}
    zone: str = "Asia/Shanghai"


def moment(local: str, zone: str = "Asia/Shanghai") -> float:
    """Return a local time as Unix seconds."""
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp()


def local(moment: float | None, zone: str) -> str | None:
    """Return Unix seconds as a local time; a part of a second would show."""
    return (
        None if moment is None else datetime.fromtimestamp(moment, ZoneInfo(zone)).replace(tzinfo=None).isoformat(" ")
    )


def check(contract: Contract | str, case: Case) -> None:
    """Compare every limit and duty of a case with what was worked out by hand."""
    contract = load_contract(contract).contract if isinstance(contract, str) else contract
    situation = Situation(case.level, case.region, case.grade, case.fault, case.handling, frozenset(case.when))
    times = {"open": moment(case.begins, case.zone)}
    times |= {name: moment(text, case.zone) for name, text in case.times.items()}
    pauses = [(moment(start, case.zone), moment(end, case.zone), "waiting") for start, end in case.pauses]
    found = dues(contract, situation, times, load_calendar, pauses)
    assert {each.limit.name: local(each.due, case.zone) for each in found} == case.due
    duties = duty_dues(contract, case.level, times, found, load_calendar)
    assert {each.duty.name: local(each.due, case.zone) for each in duties} == case.duties
