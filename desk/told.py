"""A ticket's entries in words: what each said, for its history. One line an entry, one function an act."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from desk.kept import Line
from desk.offers import spoken
from desk.past import Entry as Row
from desk.shown import Shown
from desk.words import both
from model.contract import Contract, Text
from model.contract_words import HANDLINGS, MILESTONES, STARTS
from model.service import entry as acts
from model.service.effect import Kind
from model.service.entry import Act
from model.service.words import Side, Trust


class Told(msgspec.Struct, frozen=True):
    """A line of the history. `loud`: a limit was not kept or a level rose; `sure`: the desk's clock was, then."""

    at: float
    title: str
    details: tuple[str, ...]
    who: str
    source: str = ""
    customer: bool = False
    sure: bool = True
    loud: bool = False


Parts = tuple[str, list[str]]  # what was said, and what was added to it


def history(shown: Shown, contract: Contract, lines: Iterable[Line], audit: Iterable[Row]) -> list[Told]:
    """Return a ticket's entries and what the audit has of its episodes in the reader's words, latest first."""
    entries = [told(shown, contract, line) for line in lines]
    rows = [
        Told(row.at, shown.say(f"did.{row.what}"), _added(shown, contract, row), row.who, row.source) for row in audit
    ]
    return sorted([*entries[::-1], *rows], key=lambda each: -each.at)


def told(shown: Shown, contract: Contract, line: Line) -> Told:
    """Return an entry in the reader's words."""
    entry, act = line.entry, line.entry.act
    title, details = _ACTS.get(type(act), _plain)(shown, contract, act)
    if isinstance(act, acts.AlarmSeen) and line.did:
        title, details = (
            ("，" if shown.lang == "zh" else ", ").join(shown.say(f"did.{word}") for word in line.did),
            [title],
        )
    said = getattr(act, "said", None)
    if said is not None:
        details.insert(0, shown.say("happened_at", time=shown.moment(said)))
    loud = isinstance(act, acts.Fired) and act.effect.kind in {Kind.BREACH, Kind.UPGRADE, Kind.LASTING, Kind.REPLACE}
    return Told(
        entry.at,
        title,
        tuple(each for each in details if each),
        entry.who,
        entry.source,
        entry.side is Side.CUSTOMER,
        entry.trust is Trust.SURE,
        loud,
    )


def _added(shown: Shown, contract: Contract, row: Row) -> tuple[str, ...]:
    """Return what the audit's row adds: a case, a level, a reason."""
    level = row.detail.get("level")
    parts = [
        shown.title(row.detail.get("case_title") or {}),
        shown.say("level", n=contract.code(level)) if level else "",
    ]
    return tuple(each for each in (*parts, str(row.detail.get("reason") or "")) if each)


def _plain(shown: Shown, _contract: Contract, act: Act) -> Parts:
    return shown.say(f"act.{_tag(act)}"), [getattr(act, "reason", "") or getattr(act, "note", "")]


def _tag(act: Act) -> str:
    return str(act.__struct_config__.tag)


def _of(title: Callable[[Contract, Any], Text]) -> Callable[[Shown, Contract, Any], Parts]:
    """Return a function for acts that speak of one thing which the contract or the vocabulary names."""

    def parts(shown: Shown, contract: Contract, act: Act) -> Parts:
        of = shown.title(title(contract, act))
        return shown.say(f"act.{_tag(act)}", of=of), [getattr(act, "reason", "") or getattr(act, "note", "")]

    return parts


def _opened(shown: Shown, contract: Contract, act: acts.Opened) -> Parts:
    again = shown.say("recurrence_note", n=act.recurrence_of) if act.recurrence_of else ""
    guard = shown.say("opened_in_guard", n=act.guard) if act.guard else ""
    return shown.say("act.opened"), [shown.say("level", n=contract.code(act.level)), again, guard]


def _alarm(shown: Shown, _contract: Contract, act: acts.AlarmSeen) -> Parts:
    state = shown.say(f"alarm_is.{act.alarm.state}")
    return f"{shown.say('act.alarm')}: {state}", []


def _condition(shown: Shown, contract: Contract, act: acts.ConditionSaid) -> Parts:
    of = shown.title(contract.conditions.get(act.condition, {}), act.condition)
    return shown.say("act.condition" if act.holds else "act.condition_over", of=of), []


def _workaround(shown: Shown, _contract: Contract, act: acts.WorkaroundOnly) -> Parts:
    until = shown.say("until_at", time=shown.moment(act.due)) if act.due is not None else ""
    return shown.say("act.workaround"), [act.reason, until, _accepted(shown, act.accepted_by)]


def _accepted(shown: Shown, who: str) -> str:
    return shown.say("agreed_by", who=who) if who else ""


def _customer(shown: Shown, _contract: Contract, act: acts.CustomerSaid) -> Parts:
    of = shown.say("verdict.yes" if act.satisfied else "verdict.no")
    return shown.say("act.customer", of=of), [_signed(shown, act.signed_by), act.note]


def _signed(shown: Shown, who: str) -> str:
    return shown.say("signed", who=who) if who else ""


def _complained(shown: Shown, contract: Contract, act: acts.Complained) -> Parts:
    return shown.say("act.complained", of=act.id), [shown.title(_event(contract, act.event), act.event), act.text]


def _judged(shown: Shown, _contract: Contract, act: acts.Judged) -> Parts:
    found = shown.say("proven.yes" if act.proven else "proven.no")
    return f"{shown.say('act.judged', of=act.id)}: {found}", [act.reason]


def _excused(shown: Shown, contract: Contract, act: acts.Excused) -> Parts:
    excuse = next((each.title for each in contract.excuses if each.key == act.excuse), {})
    of = shown.title(spoken(contract, act.what_for), act.what_for)
    return shown.say("act.excused", of=of), [
        shown.title(excuse, act.excuse),
        _accepted(shown, act.accepted_by),
        act.note,
    ]


def _delivered(shown: Shown, contract: Contract, act: acts.Delivered) -> Parts:
    return shown.say("act.delivered", of=shown.title(_duty(contract, act.document))), [_signed(shown, act.signed_by)]


def _linked(shown: Shown, _contract: Contract, act: acts.Linked) -> Parts:
    return shown.say("act.linked", of=act.number), [shown.say(f"tie.{act.tie}"), act.reason]


def _number(shown: Shown, _contract: Contract, act: acts.MergedInto | acts.TookIn) -> Parts:
    return shown.say(f"act.{_tag(act)}", of=act.number), [getattr(act, "reason", "")]


def _dated(shown: Shown, _contract: Contract, act: acts.Dated) -> Parts:
    return shown.say("act.dated", of=shown.moment(act.opened)), []


def _retimed(shown: Shown, _contract: Contract, act: acts.Retimed) -> Parts:
    if not act.by:
        return shown.say("act.retimed.not"), []
    return shown.say("act.retimed.on" if act.by > 0 else "act.retimed.back", of=shown.span(abs(act.by))), []


def _fired(shown: Shown, contract: Contract, act: acts.Fired) -> Parts:
    effect = act.effect
    role = next((each.title for each in contract.escalation if each.to == effect.to), {})
    of = shown.title(spoken(contract, effect.clock), effect.clock)
    word = shown.say(f"fired.{effect.kind}", of=of, level=contract.code(effect.level), to=shown.title(role, effect.to))
    return word, [shown.say("due_at", time=shown.moment(effect.due)) if effect.due is not None else ""]


def _event(contract: Contract, event: str) -> Text:
    return next((each.title for each in contract.penalties if each.event == event), {"en": event, "zh": event})


def _duty(contract: Contract, name: str) -> Text:
    return next((each.title for each in contract.documents if each.name == name), {"en": name, "zh": name})


def _level(contract: Contract, act: acts.LevelSet | acts.LevelAgreed) -> Text:
    return {lang: word.format(n=contract.code(act.level)) for lang, word in both("level").items()}


_ACTS: dict[type[Act], Callable[[Shown, Contract, Any], Parts]] = {
    acts.Opened: _opened,
    acts.AlarmSeen: _alarm,
    acts.Reached: _of(lambda _, act: MILESTONES[act.milestone]),
    acts.Confirmed: _of(lambda _, act: MILESTONES[act.milestone]),
    acts.TakenBack: _of(lambda _, act: MILESTONES[act.milestone]),
    acts.Started: _of(lambda contract, act: contract.starts.get(act.start, STARTS[act.start])),
    acts.Handled: _of(lambda _, act: HANDLINGS[act.handling]),
    acts.ConditionSaid: _condition,
    acts.LevelSet: _of(_level),
    acts.LevelAgreed: _of(_level),
    acts.Paused: _of(lambda _, act: both(f"waiting.{act.waiting}")),
    acts.WorkaroundOnly: _workaround,
    acts.Repaired: _of(lambda _, act: {"en": act.part or "–", "zh": act.part or "–"}),
    acts.Entitled: _of(lambda _, act: both(f"cover.{act.cover}")),
    acts.Linked: _linked,
    acts.Dated: _dated,
    acts.Retimed: _retimed,
    acts.MergedInto: _number,
    acts.TookIn: _number,
    acts.Fired: _fired,
    acts.CustomerSaid: _customer,
    acts.Complained: _complained,
    acts.Judged: _judged,
    acts.Excused: _excused,
    acts.AskedFor: _of(lambda contract, act: _duty(contract, act.document)),
    acts.Delivered: _delivered,
    acts.Charged: _of(lambda contract, act: _event(contract, act.event)),
}
