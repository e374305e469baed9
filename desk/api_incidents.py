"""Incidents and the quality of alarms for programs."""

from starlette.requests import Request
from starlette.responses import Response

from desk.incident_view import incident_now, incidents_now
from desk.incidents import rule_of, set_rule
from desk.nuisance import Counted, nuisances
from desk.operation import Operation
from desk.store import Db
from desk.web import ProblemError, address_of, desk_of, good_name, message_of, reply
from model.incident import Rule
from model.incident_protocol import (
    AlarmMeasure,
    IncidentList,
    IncidentNow,
    IncidentRule,
    NuisanceAlarm,
    SetIncidentRule,
)
from model.protocol import PREFIX, ErrorReply

INCIDENTS = f"{PREFIX}/incidents"


async def incidents(request: Request) -> Response:
    """List incidents, those that go on first."""
    desk = desk_of(request)

    def found(db: Db) -> IncidentList:
        rule = rule_of(db)
        return IncidentList(incidents_now(db, desk.contracts), IncidentRule(rule.count, rule.within))

    return reply(await desk.store.read(found))


async def incident(request: Request) -> Response:
    """Give one incident with its tickets."""
    desk = desk_of(request)
    number: int = request.path_params["number"]
    found = await desk.store.read(lambda db: incident_now(db, desk.contracts, number))
    if found is None:
        raise ProblemError(404, "no_incident", f"There is no incident {number}.")
    return reply(found)


async def change_rule(request: Request) -> Response:
    """Say how many sites within how many seconds are an incident."""
    desk = desk_of(request)
    asked = await message_of(request, SetIncidentRule)
    by, source = good_name(asked.by), address_of(request)

    def write(db: Db) -> IncidentRule:
        set_rule(db, Rule(asked.sites, asked.seconds), desk.ledger(db).now, by, source)
        return IncidentRule(asked.sites, asked.seconds)

    try:
        return reply(await desk.store.write(write))
    except ValueError as error:
        raise ProblemError(400, "malformed", str(error)) from error


async def measure(request: Request) -> Response:
    """Say how good the alarms are."""
    desk = desk_of(request)
    now = desk.timekeeper.standing().at
    found = await desk.store.read(lambda db: nuisances(db, now))
    lists = (_alarms(each) for each in (found.frequent, found.chattering, found.flapping, found.stale))
    return reply(AlarmMeasure(found.measures, found.now, found.standing, found.share, *lists))


def _alarms(found: tuple[Counted, ...]) -> list[NuisanceAlarm]:
    return [NuisanceAlarm(each.condition, each.site, each.announced, each.momentary, each.since) for each in found]


OPERATIONS = (
    Operation("GET", INCIDENTS, "Incidents across sites, and the rule that opens them", IncidentList, incidents,
              group="incidents"),
    Operation("GET", f"{INCIDENTS}/{{number:ticket}}", "One incident with its tickets", IncidentNow, incident,
              refuses=((404, "no_incident"),), refusal=ErrorReply, group="incidents"),
    Operation("POST", f"{INCIDENTS}/rule", "Change how many sites within how many seconds are an incident",
              IncidentRule, change_rule, SetIncidentRule, refuses=((400, "malformed, who"),), refusal=ErrorReply,
              group="incidents"),
    Operation("GET", f"{PREFIX}/alarms/measure", "How good the alarms are, by EEMUA 191", AlarmMeasure, measure,
              group="incidents"),
)  # fmt: skip
