"""What a running agent does when asked: by commands on this machine (control socket) and by the desk."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import msgspec

from agent.control import ControlError, Doing
from agent.journal import Standing
from agent.rows import reading_rows
from agent.told_rules import rule_rows
from agent.trend_answer import limits_of
from connectors.desk import DeskError
from model.alarm import Alarm, AlarmState
from model.protocol import (
    Acknowledge,
    Command,
    DeviceRow,
    ReadingsReport,
    RotateToken,
    SendReadings,
    SendTrend,
    Shelve,
    TrendReport,
)
from model.rule import Evidence
from model.trend import MOST, HistoryReport, SendHistory

if TYPE_CHECKING:
    from agent.service import Agent

log = logging.getLogger("roundsman.doings")


class AlarmRow(msgspec.Struct, frozen=True):
    """An alarm as `roundsman alarms` shows it; `since` is Unix seconds."""

    condition: str
    device: str
    name: str
    title: dict[str, str]
    case: str
    state: AlarmState
    level: int
    provisional: bool
    active: bool
    since: float
    evidence: list[str]
    missing: tuple[str, ...]
    explained_by: str
    acknowledged_by: str
    momentary: int
    flapping: bool


def table(agent: "Agent") -> dict[str, Doing]:
    """Return what the control socket answers."""

    async def alarms(args: dict[str, Any]) -> Any:
        every = bool(args.get("all"))
        rows = [alarm_row(agent, alarm) for alarm in agent.watch.alarms.values()]
        return [row for row in rows if every or row.active or row.state is not AlarmState.NORMAL]

    async def ack(args: dict[str, Any]) -> Any:
        condition = _condition(agent, str(args["condition"]))
        standing = agent.watch.acknowledge(condition, str(args["by"]), agent.clock())
        alarm = agent.watch.alarms[condition]
        if not standing and not alarm.acknowledged_by:
            raise ControlError(f"{condition} is {alarm.state}: there is nothing to take")
        return await _settled(agent, condition, standing)

    async def shelve(args: dict[str, Any]) -> Any:
        condition = _condition(agent, str(args["condition"]))
        seconds = float(args["seconds"])
        standing = agent.watch.shelve(
            condition, seconds, str(args["by"]), agent.clock(), reason=str(args.get("reason", ""))
        )
        return await _settled(agent, condition, standing)

    async def read(args: dict[str, Any]) -> Any:
        return readings_report(agent, device=args.get("device"))

    async def points(_: dict[str, Any]) -> Any:
        return await _points(agent)

    async def history(args: dict[str, Any]) -> Any:
        device, _, point = _point(str(args["point"]), await _points(agent)).partition("/")
        most = int(args.get("most", MOST))
        return await _history(agent, SendHistory(0, device, point, float(args["start"]), float(args["end"]), most))

    async def reload(_: dict[str, Any]) -> Any:
        return await agent.reload()

    async def status(_: dict[str, Any]) -> Any:
        place = await asyncio.to_thread(agent.journal.position)
        return {
            "site": agent.site.id,
            "agent": place.agent,
            "epoch": place.epoch,
            "last": place.last,
            "acked": place.acked,
            "trouble": agent.rounds.traps.trouble if agent.rounds.traps is not None else "",
        }

    return {
        "alarms": alarms,
        "ack": ack,
        "shelve": shelve,
        "read": read,
        "points": points,
        "history": history,
        "reload": reload,
        "status": status,
    }


async def obey(agent: "Agent", command: Command) -> list[Standing]:
    """Do what the desk asks and return what the journal must keep; what cannot be done is said in the log."""
    moment = agent.clock()
    try:
        match command:
            case Acknowledge(condition=condition, episode=episode, by=by, level=level):
                return agent.watch.acknowledge(condition, by, moment, episode=episode, level=level)
            case Shelve(condition=condition, seconds=seconds, by=by, reason=reason):
                return agent.watch.shelve(condition, seconds, by, moment, reason=reason)
            case SendReadings(id=number, rules=rules):
                await _sent(agent, readings_report(agent, command=number, rules=rules))
            case SendTrend(id=number, device=device, point=point, start=start, end=end):
                told = await _history(agent, SendHistory(number, device, point, start, end))
                pairs = tuple(zip(told.times, told.means, strict=False))
                await _sent(agent, TrendReport(number, device, point, told.unit, pairs))
            case SendHistory():
                await _sent(agent, await _history(agent, command))
            case RotateToken():
                await agent.rotate()
    except KeyError as error:
        log.warning("command %d is about %s, which has no alarm here", command.id, error)
    return []


async def _points(agent: "Agent") -> list[str]:
    """Return every point that has a history: DEVICE/POINT."""
    found = await asyncio.to_thread(agent.trends.devices)
    return sorted(f"{device}/{point}" for device, points in found.items() for point in points)


def _point(given: str, points: list[str]) -> str:
    """Return the point a person means: whole, or a part that fits only one."""
    fits = [point for point in points if point == given] or [point for point in points if given in point]
    if len(fits) != 1:
        some = ", ".join(fits[:10]) + (" ..." if len(fits) > 10 else "")
        raise ControlError(
            f"{given!r} fits several points: {some}" if fits else f"no point {given!r} has a history here"
        )
    return fits[0]


async def _history(agent: "Agent", asked: SendHistory) -> HistoryReport:
    """Return what is known of a range; that the disk cannot be read is said in it."""
    device = agent.watch.plan.devices.get(asked.device)
    point = next((r.point for r in agent.watch.readings(asked.device) if r.point.id == asked.point), None)
    limits = limits_of(device.rules, point.quantity) if device is not None and point is not None else ()
    try:
        return await asyncio.to_thread(agent.trends.report, asked, limits)
    except OSError as error:
        log.warning("the history cannot be read: %s", error)
        said = f"the site's disk cannot be read: {error.strerror}"
        return HistoryReport(asked.id, asked.device, asked.point, asked.start, asked.end, said=said)


def readings_report(
    agent: "Agent", *, device: str | None = None, command: int = 0, rules: bool = False
) -> ReadingsReport:
    """Return the readings as they stand, of one device or all, and the rules in force if they are asked for."""
    moment = agent.clock()
    devices = tuple(
        DeviceRow(d.id, d.name, bool(answers), error, round(moment.boot - at, 3))
        for d, answers, error, at, _ in agent.watch.devices()
        if device in {None, d.id} and answers is not None
    )
    if device is not None and device not in agent.watch.plan.devices:
        raise ControlError(f"no device {device!r} here; there are: {', '.join(agent.watch.plan.devices)}")
    readings = reading_rows(agent.watch.readings(device), moment.boot)
    return ReadingsReport(moment.wall, devices, readings, command, rule_rows(agent.watch) if rules else ())


def alarm_row(agent: "Agent", alarm: Alarm) -> AlarmRow:
    """Return an alarm in the words of its rule."""
    _, device_id, _, fault = alarm.condition.split("/", 3)
    device = agent.watch.plan.devices.get(device_id)
    rule = next((r for r in device.rules if r.fault == fault), None) if device else None
    return AlarmRow(
        condition=alarm.condition,
        device=device_id,
        name=device.name if device else device_id,
        title=rule.title if rule else {"en": fault},
        case=alarm.case,
        state=alarm.state,
        level=alarm.level,
        provisional=alarm.provisional,
        active=alarm.active,
        since=alarm.onset_wall,
        evidence=[evidence_text(each) for each in alarm.evidence],
        missing=alarm.missing,
        explained_by=alarm.explained_by,
        acknowledged_by=alarm.acknowledged_by,
        momentary=alarm.momentary,
        flapping=alarm.flapping,
    )


def evidence_text(evidence: Evidence) -> str:
    """Return one piece of evidence in a few words: `L1 3.2 V (limit 50)`, `stopped 2 of 4`."""
    if evidence.count is not None:
        return f"{evidence.label} {evidence.count} of {evidence.installed}"
    if evidence.value is None or isinstance(evidence.value, str):
        return f"{evidence.label} {evidence.value or ''}".strip()
    limit = "" if evidence.limit is None else f" (limit {evidence.limit:g})"
    return f"{evidence.label} {evidence.value:.4g} {evidence.unit}".rstrip() + limit


async def _settled(agent: "Agent", condition: str, standing: list[Standing]) -> AlarmRow:
    """Answer a person only when what they did is on the disk."""
    agent.keep(standing)
    await agent.keeper.settled()
    return alarm_row(agent, agent.watch.alarms[condition])


async def _sent(agent: "Agent", report: ReadingsReport | TrendReport | HistoryReport) -> None:
    """Send a report; one that cannot be sent is not sent again: the desk asks anew when it still wants it."""
    if agent.client is None:
        return
    try:
        if isinstance(report, HistoryReport):
            await agent.client.history(report)
        elif isinstance(report, TrendReport):
            await agent.client.trend(report)
        else:
            await agent.client.readings(report)
    except DeskError as error:
        log.warning("the desk did not take the report it asked for: %s", error)


def _condition(agent: "Agent", given: str) -> str:
    """Return the condition a person means: the whole key, or a part of it that fits only one running alarm."""
    if given in agent.watch.alarms:
        return given
    fits = [c for c, alarm in agent.watch.alarms.items() if given in c and (alarm.active or alarm.state != "normal")]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise ControlError(f"{given!r} fits several alarms: {', '.join(sorted(fits))}")
    raise ControlError(f"no alarm {given!r} stands here; `roundsman alarms` lists them")
