"""What must hold between the parts of a contract: each name is one that it has, each limit can be counted."""

import re
from collections.abc import Collection, Iterable
from itertools import combinations
from typing import Any

from config import shipped
from config.advice import either, nearest, show
from config.contract_build import codes
from config.contract_text import ContractText, DutyText, LimitText
from config.convert import Conversion
from config.fault_rules import FaultRule
from model.contract import Contract, Milestone
from model.limits import rivals
from model.rule import Meaning

# the keys of the file under which stands what a key of a part names
_STANDS_IN = {
    "level": {"levels"},
    "region": {"regions"},
    "grade": {"grades"},
    "when": {"conditions"},
    "unless": {"conditions"},
    "open": {"open"},
    "limit": {"limits"},
    "automatic": {"limits", "documents", "services"},
}


def check(
    text: ContractText, faults: dict[str, FaultRule], conversion: Conversion, calendars: frozenset[str] = frozenset()
) -> None:
    """Add every problem between the parts of a contract to the conversion's.

    What could not be read is no ground for more: names of a part that has a problem are not looked up.
    """
    unread = {re.split(r"[.\[]", problem.path)[0] for problem in conversion.problems}
    if "levels" not in unread:
        _check_levels(text, unread, conversion)
    _check_names(text, unread, conversion)
    _check_faults(text, faults, conversion)
    _check_limits(text, unread, conversion)
    _check_duties(text, unread, conversion)
    _check_calendar(text, calendars, conversion)


def check_rivals(text: ContractText, contract: Contract, conversion: Conversion) -> None:
    """Add a problem for each two limits of one name of which neither is the narrower."""
    limits = list(zip(text.limits, contract.limits, strict=True))
    for (one, first), (other, second) in combinations(limits, 2):
        if first.name == second.name and rivals(first, second):
            line = conversion.node_of(one).place.line
            message = f"holds where the limit in line {line} holds too, and neither says more; give one its own name"
            conversion.complain(other, "milestone", message)


def _check_levels(text: ContractText, unread: set[str], conversion: Conversion) -> None:
    known = list(text.levels)
    numbers = [str(place) for place in range(1, len(known) + 1)]
    if any(code.isdigit() for code in known) and known != numbers:
        message = f"number the levels {', '.join(numbers)} in this order, the worst first, or name them by letters"
        conversion.complain(text, "levels", message)
    if not known:
        conversion.complain(text, "levels", "at least one level is meant")
    if text.delays is not None and (len(text.delays.on) != len(known) or text.delays.off is None):
        conversion.complain(text, "delays", f"write {len(known)} delays on, one for each level, and one off")
    missing = [meaning.value for meaning in Meaning if meaning not in text.general]
    if missing and "general" not in unread:
        conversion.complain(text, "general", f"the level of {', '.join(missing)} is missing")
    for key, named in (("general", text.general.values()), ("faults", text.faults.values())):
        for code in dict.fromkeys(named):
            if code not in text.levels:
                conversion.complain(text, key, f"there is no level {code}; {nearest(code, known)}")


def _check_names(text: ContractText, unread: set[str], conversion: Conversion) -> None:
    """Check every part that names a level, region, grade, condition, limit or open point of the contract."""
    limits = {limit.name or limit.milestone for limit in text.limits}
    known: dict[str, tuple[str, Collection[str]]] = {
        "level": ("level", text.levels),
        "region": ("region", text.regions),
        "grade": ("grade", text.grades),
        "when": ("condition", text.conditions),
        "unless": ("condition", text.conditions),
        "open": ("open point", [point.key for point in text.open]),
        "limit": ("limit", limits),
        "automatic": ("limit, document or service", limits | {each.name for each in (*text.documents, *text.services)}),
    }
    for key, (what, names) in known.items():
        if unread & _STANDS_IN[key]:
            continue
        for part in _parts(text):
            for name in codes(getattr(part, key, ())):
                if name not in names:
                    conversion.complain(part, key, f"there is no {what} {show(name)}; {nearest(name, names)}")
    for what, parts, key in (
        ("open point", text.open, "key"),
        ("excuse", text.excuses, "key"),
        ("promise", text.promises, "key"),
        ("document", text.documents, "name"),
        ("service", text.services, "name"),
    ):
        _check_once(what, parts, key, conversion)


def _parts(text: ContractText) -> list[Any]:
    single = [each for each in (text.upgrade, text.momentary, text.guard) if each is not None]
    listed = (text.limits, text.blanks, text.lasting, text.escalation, text.documents, text.services, text.penalties)
    return [*single, *(each for parts in listed for each in parts)]


def _check_once(what: str, parts: Iterable[Any], key: str, conversion: Conversion) -> None:
    seen: set[str] = set()
    for part in parts:
        name = getattr(part, key)
        if name in seen:
            conversion.complain(part, key, f"the {what} {show(name)} stands twice; give each a name of its own")
        seen.add(name)


def _check_faults(text: ContractText, faults: dict[str, FaultRule], conversion: Conversion) -> None:
    """A limit is for a fault that the contract lists or that a rule finds."""
    known = {fault.partition("/")[0] for fault in text.faults} | text.faults.keys() | faults.keys()
    for fault, rule in faults.items():
        known |= {f"{fault}/{case}" for case in rule.text.cases or (fault.partition(".")[2],)}
    for part in (*text.limits, *((text.momentary,) if text.momentary else ())):
        if part.fault and part.fault not in known:
            conversion.complain(part, "fault", f"there is no fault {show(part.fault)}; {nearest(part.fault, known)}")


def _check_limits(text: ContractText, unread: set[str], conversion: Conversion) -> None:
    reached = {str(limit.milestone) for limit in text.limits}
    for limit in text.limits if "limits" not in unread else ():
        if limit.after in set(Milestone) and limit.after not in reached:
            message = f"no limit leads to {limit.after}; count from {either(sorted(reached))}, or from a start"
            conversion.complain(limit, "after", message)
        elif _returns(limit, text.limits):
            conversion.complain(limit, "after", f"{limit.milestone} counts from itself in the end; name a start")
        if both := sorted(set(limit.when) & set(limit.unless)):
            conversion.complain(limit, "unless", f"{both[0]} stands under when as well; this limit never holds")


def _returns(limit: LimitText, limits: tuple[LimitText, ...]) -> bool:
    """Say whether following `after` from a limit comes back to its milestone."""
    seen: set[str] = set()
    ahead = {str(limit.after)}
    while ahead:
        if str(limit.milestone) in ahead:
            return True
        seen |= ahead
        ahead = {str(each.after) for each in limits if str(each.milestone) in ahead} - seen
    return False


def _check_duties(text: ContractText, unread: set[str], conversion: Conversion) -> None:
    for duty in (*text.documents, *text.services):
        if duty.within is not None and duty.month_day is not None:
            conversion.complain(
                duty, "month_day", "a time is either within a span or by a day of the month; leave one out"
            )
    for step in text.escalation if "escalation" not in unread else ():
        if (step.share is None) == (step.at is None):
            conversion.complain(step, "share", "a step has either share, with the limit it is a share of, or at")
        elif step.share is not None and not step.limit:
            conversion.complain(step, "share", 'name the limit that this is a share of, for example "limit: restore"')
    for penalty in text.penalties:
        if penalty.points is not None and penalty.share is not None:
            conversion.complain(penalty, "share", "a penalty has points or a share of the fee, not both")


def _check_calendar(text: ContractText, calendars: frozenset[str], conversion: Conversion) -> None:
    known = shipped.names("calendars") | calendars
    parts: tuple[ContractText | LimitText, ...] = (text, *text.limits)
    for part in parts:
        if part.calendar and part.calendar not in known:
            message = f"there is no calendar {show(part.calendar)}; {nearest(part.calendar, known)}"
            conversion.complain(part, "calendar", message)
    timed: tuple[LimitText | DutyText, ...] = (*text.limits, *text.documents, *text.services)
    for each in timed:
        own = each.calendar if isinstance(each, LimitText) else ""
        if each.within is not None and each.within.unit in {"wd", "wh"} and not (own or text.calendar):
            message = f"{each.within.text} counts working time; name the contract's calendar with calendar"
            conversion.complain(each, "within", message)
