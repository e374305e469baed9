"""Windows and guard periods on a terminal; times are the period's own zone's."""

from collections.abc import Iterable, Sequence

from desk.shown import Shown
from model.period import Step
from model.period_protocol import GuardList, GuardNow, GuardReport, HeldNow, WindowList, WindowNow
from roundsman.output import clean, table

_WINDOWS = {"en": ("NO", "STATE", "FROM", "UNTIL", "WHERE", "WORK", "BY"),
            "zh": ("编号", "状态", "开始", "结束", "范围", "工作内容", "申请人")}  # fmt: skip
_GUARDS = {"en": ("NO", "STATE", "FROM", "UNTIL", "WHERE", "NAME", "ON DUTY NOW"),
           "zh": ("编号", "状态", "开始", "结束", "范围", "名称", "当前值班")}  # fmt: skip
_TICKETS = {"en": ("NO", "LEVEL", "STATE", "SITE", "FAULT", "OPENED", "RESTORED", "ON DUTY", "LATE"),
            "zh": ("工单", "级别", "状态", "站点", "故障", "开单", "恢复", "值班", "超时项")}  # fmt: skip


def show_windows(found: WindowList, lang: str) -> None:
    """Print the windows, a line each."""
    rows = [
        (f"W{each.id}", _state(each, lang), *_span(each, lang, found.now), each.where, each.work, each.by)
        for each in found.windows
    ]
    table(_WINDOWS[lang], rows, empty=_say(lang, "windows_none"))


def show_window(window: WindowNow, lang: str) -> None:
    """Print one window with what it holds or held back."""
    shown = Shown(lang, window.start, window.zone)
    kind = shown.say(f"work.{window.kind}") + (f" · {shown.say('period.urgent')}" if window.urgent else "")
    lines = [
        f"W{window.id} {window.work} · {_state(window, lang)}",
        _dates(window, shown),
        f"{window.where} · {kind} · {shown.say('period.by', who=window.by)}",
    ]
    if window.approved_by:
        lines.append(shown.say("period.approved_by", who=window.approved_by))
    if window.frozen_by:
        lines.append(shown.say("period.frozen_by", n=window.frozen_by))
    lines += _steps(window.steps, shown)
    lines.append("")
    lines += [_held(held, shown) for held in window.held]
    _print([*lines, *([] if window.held else [shown.say("period.held_nothing")])])


def show_guards(found: GuardList, lang: str) -> None:
    """Print the guard periods, a line each."""
    rows = [
        (f"G{each.id}", _say(lang, f"period.{each.state}"), *_span(each, lang, found.now), each.where, each.name,
         ", ".join(each.on_duty) or "-")
        for each in found.guards
    ]  # fmt: skip
    table(_GUARDS[lang], rows, empty=_say(lang, "guards_none"))


def show_guard(guard: GuardNow, lang: str) -> None:
    """Print one guard period with its roster."""
    shown = Shown(lang, guard.start, guard.zone)
    lines = [
        f"G{guard.id} {guard.name} · {shown.say(f'period.{guard.state}')}",
        _dates(guard, shown),
        f"{guard.where} · {shown.say('period.declared_by', who=guard.by)}",
    ]
    if guard.freezes:
        lines.append(shown.say("period.freezes", names=", ".join(f"W{number}" for number in guard.freezes)))
    for turn in guard.duty:
        span = shown.say("period.span", start=shown.moment(turn.start)[:16], end=shown.moment(turn.end)[:16])
        lines.append(" · ".join(part for part in (turn.who, turn.contact, span) if part))
    _print([*lines, *_steps(guard.steps, shown)])


def show_report(report: GuardReport, lang: str) -> None:
    """Print what a guard period came to."""
    show_guard(report.guard, lang)
    shown = Shown(lang, report.at, report.guard.zone)
    counts = [
        f"{shown.say('level', n=line.level)}: {shown.say('report.opened_n')} {line.opened},"
        f" {shown.say('report.standing_n')} {line.standing}, {shown.say('report.late_n')} {line.late}"
        for line in report.levels
    ]
    alarms = f"{shown.say('report.sites')} {report.sites} · {shown.say('report.alarms')} {report.alarms}"
    _print(["", shown.say("report.final" if report.final else "report.so_far"), alarms, *counts, ""])
    rows = [
        (
            str(each.number),
            str(each.level),
            shown.say(f"state.{each.state}"),
            each.site_name,
            shown.title(each.title, each.fault),
            shown.moment(each.opened)[:16],
            shown.moment(each.restored)[:16] if each.restored else "-",
            ", ".join(each.on_duty) or "-",
            str(each.late),
        )
        for each in report.tickets
    ]
    table(_TICKETS[lang], rows, empty=shown.say("report.no_tickets"))


def _held(held: HeldNow, shown: Shown) -> str:
    if held.ticket:
        became = shown.say("period.held_ticket", n=held.ticket)
    elif held.looked_at:
        became = shown.say("period.held_over")
    else:
        became = shown.say("period.held_until", time=shown.time(held.until))
    since = shown.say("since", time=shown.time(held.since))
    return f"{held.site} {held.device} {held.fault} · {since} · {became}"


def _say(lang: str, key: str) -> str:
    return Shown(lang, 0.0).say(key)


def _state(window: WindowNow, lang: str) -> str:
    return _say(lang, f"period.{window.state}")


def _span(period: WindowNow | GuardNow, lang: str, now: float) -> tuple[str, str]:
    shown = Shown(lang, now, period.zone)
    return shown.moment(period.start)[:16], shown.moment(period.end)[:16]


def _dates(period: WindowNow | GuardNow, shown: Shown) -> str:
    start, end = _span(period, shown.lang, shown.now)
    return f"{shown.say('period.span', start=start, end=end)} {period.zone}".rstrip()


def _steps(steps: Iterable[Step], shown: Shown) -> list[str]:
    return [
        " · ".join(
            part
            for part in (
                shown.moment(step.at)[:16],
                shown.say(f"step.{step.what}", end=shown.moment(step.end)[:16]),
                step.who,
                step.reason,
            )
            if part
        )
        for step in steps
    ]


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        print(clean(line))
