"""From a contract as it is written (`config.contract_text`) to the values of `model.contract`; the text is checked."""

import msgspec

from config.contract_text import (
    BlankText,
    ContractText,
    DutyText,
    LimitText,
    MomentaryText,
    Names,
    PenaltyText,
    StepText,
    UpgradeText,
)
from config.fault_rules import Title
from model.contract import (
    Blank,
    Clock,
    Contract,
    Duty,
    Entitlement,
    EscalationStep,
    Excuse,
    Guarding,
    Lasting,
    Limit,
    Milestone,
    Momentary,
    OpenPoint,
    Penalty,
    Recurrence,
    Replacement,
    ServicePromise,
    Setting,
    Start,
    Text,
    Upgrade,
)
from model.limits import Situation, limits_for


def build(text: ContractText, name: str, settings: dict[str, dict[str, Setting]]) -> Contract:
    """Return the contract without its digest."""
    order = orders(text)
    contract = Contract(
        name=name,
        title=text.title.both(),
        levels={order[code]: {"en": level.en, "zh": level.zh} for code, level in text.levels.items()},
        general={meaning: order[code] for meaning, code in text.general.items()},
        on_delays=dict(zip(order.values(), text.delays.on, strict=True)),
        off_delay=text.delays.off or 0.0,
        faults={fault: order[code] for fault, code in text.faults.items()},
        settings=settings,
        regions={key: {"en": region.en, "zh": region.zh} for key, region in text.regions.items()},
        open=tuple(OpenPoint(point.key, {"en": point.en, "zh": point.zh}) for point in text.open),
        codes={place: code for code, place in order.items() if code != str(place)},
        definitions={order[code]: level.means.both() for code, level in text.levels.items() if level.means},
        cities={key: tuple(city.both() for city in region.cities) for key, region in text.regions.items()},
        grades={key: grade.both() for key, grade in text.grades.items()},
        conditions={key: condition.both() for key, condition in text.conditions.items()},
        milestones={key: title.both() for key, title in text.milestones.items()},
        starts={key: title.both() for key, title in text.starts.items()},
        limits=tuple(_limit(limit, text) for limit in text.limits),
        blanks=tuple(_blank(blank, text) for blank in text.blanks),
        calendar=text.calendar,
        day_rule=text.day_rule,
        day_ends=text.day_ends,
        default_handling=text.handling,
        words=text.words,
        acknowledgement_stops=text.acknowledgement_stops,
        upgrade=_upgrade(text.upgrade),
        lasting=tuple(Lasting(order[each.level], each.lasts, each.after, each.meaning) for each in text.lasting),
        escalation=tuple(_step(step, order) for step in text.escalation),
        provisional=_both(text.provisional),
        difficult=_both(text.difficult),
        momentary=_momentary(text.momentary),
        guard=Guarding(text.guard.share, codes(text.guard.open)) if text.guard else None,
        recurrence=Recurrence(text.recurrence.years, stated=True) if text.recurrence else Recurrence(),
        replacement=Replacement(text.replacement.repairs, stated=True) if text.replacement else Replacement(),
        documents=tuple(_duty(duty, text) for duty in text.documents),
        services=tuple(_duty(duty, text) for duty in text.services),
        penalties=tuple(_penalty(penalty, order) for penalty in text.penalties),
        excuses=tuple(Excuse(each.key, {"en": each.en, "zh": each.zh}) for each in text.excuses),
        entitlement=_entitlement(text),
        promises=tuple(
            ServicePromise(each.key, {"en": each.en, "zh": each.zh}, each.at_least, each.within)
            for each in text.promises
        ),
    )
    return _with_clocks(contract)


def orders(text: ContractText) -> dict[str, int]:
    """Return each level's order by its code; 1 is the worst and stands first."""
    return {code: place for place, code in enumerate(text.levels, 1)}


def codes(written: Names) -> tuple[str, ...]:
    """Return what a key with one value or a list of them names."""
    return ((written,) if written else ()) if isinstance(written, str) else written


def _levels(written: str | tuple[str, ...], order: dict[str, int]) -> tuple[int, ...]:
    return tuple(order[code] for code in codes(written))


def _both(title: Title | None) -> Text:
    return title.both() if title else {}


def _limit(text: LimitText, whole: ContractText) -> Limit:
    stops = (Milestone.RESTORE, Milestone.RESOLVE) if text.milestone is Milestone.RESTORE else (text.milestone,)
    return Limit(
        name=text.name or text.milestone,
        milestone=text.milestone,
        span=text.within.span(whole.day_rule, whole.day_ends),
        said=text.within.text,
        after=_after(text.after, whole),
        levels=_levels(text.level, orders(whole)),
        region=text.region,
        grade=text.grade,
        fault=text.fault,
        handling=text.handling,
        when=text.when,
        unless=text.unless,
        stopped_by=text.stopped_by or stops,
        calendar=text.calendar,
        open=codes(text.open),
    )


def _blank(text: BlankText, whole: ContractText) -> Blank:
    return Blank(
        text.milestone,
        _after(text.after, whole),
        _levels(text.level, orders(whole)),
        codes(text.grade),
        codes(text.region),
        text.handling,
        text.negotiated,
        codes(text.open),
    )


def _after(name: str | None, whole: ContractText) -> Start | Milestone:
    if name is None:
        return whole.start
    return Start(name) if name in set(Start) else Milestone(name)


def _upgrade(text: UpgradeText | None) -> Upgrade | None:
    return Upgrade(text.on, text.counts_from, codes(text.open)) if text else None


def _step(text: StepText, order: dict[str, int]) -> EscalationStep:
    title = {"en": text.en, "zh": text.zh}
    return EscalationStep(text.to, title, _levels(text.level, order), text.limit, text.share, text.at)


def _momentary(text: MomentaryText | None) -> Momentary | None:
    return Momentary(text.fault, text.count, text.within, codes(text.open)) if text else None


def _duty(text: DutyText, whole: ContractText) -> Duty:
    return Duty(
        text.name,
        {"en": text.en, "zh": text.zh},
        text.after,
        span=text.within.span(whole.day_rule, whole.day_ends) if text.within else None,
        said=text.within.text if text.within else "",
        month_day=text.month_day,
        levels=_levels(text.level, orders(whole)),
        needs=_both(text.needs),
        open=codes(text.open),
    )


def _penalty(text: PenaltyText, order: dict[str, int]) -> Penalty:
    return Penalty(
        text.event,
        {"en": text.en, "zh": text.zh},
        text.points,
        text.share,
        text.per,
        _levels(text.level, order),
        text.automatic,
        codes(text.open),
    )


def _entitlement(text: ContractText) -> Entitlement:
    if (said := text.entitlement) is None:
        return Entitlement()
    return Entitlement({"en": said.en, "zh": said.zh}, said.listed_only, said.warranty_years)


def _with_clocks(contract: Contract) -> Contract:
    """Return the contract with the plain clocks of the desk's board: seconds from the opening, nothing to choose."""
    found: dict[tuple[int, str, str, str], float] = {}
    for limit in contract.limits:
        if limit.grade or limit.when or limit.handling not in {None, contract.default_handling}:
            continue
        for level in limit.levels or contract.levels:
            running = limits_for(contract, Situation(level, limit.region, fault=limit.fault))
            if (seconds := _from_opening(limit, running)) is not None:
                key = (level, str(limit.milestone), limit.region, limit.fault)
                found[key] = min(seconds, found.get(key, seconds))
    clocks = (Clock(level, name, seconds, region, fault) for (level, name, region, fault), seconds in found.items())
    return msgspec.structs.replace(contract, clocks=tuple(clocks))


def _from_opening(limit: Limit, running: tuple[Limit, ...]) -> float | None:
    """Return a limit's seconds from the opening, with the limits before it; None where working time counts."""
    if limit.span.unit != "second":
        return None
    before = 0.0
    if isinstance(limit.after, Milestone):
        earlier = [_from_opening(each, running) for each in running if each.milestone is limit.after]
        known = [each for each in earlier if each is not None]
        if not known:
            return None
        before = min(known)
    return before + limit.span.amount
