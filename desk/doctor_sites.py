"""Checks of sites and their agents: their contracts, whether they are heard, what waits there or was put aside."""

from collections.abc import Iterator

from desk.doctor_file import is_current
from desk.patient import Finding, Patient, finding
from desk.settings import calendars_in, contracts_in
from desk.silence import standing_silence
from desk.store import Db, Row, Site, every, one, sites
from desk.words_doctor import span
from model.limits import regional
from runtime.version import VERSION

_DEEP, _OLD = 1000, 600.0  # events that wait at a site, seconds that the oldest does
_SKEW = 60.0  # seconds


def contracts(patient: Patient) -> Iterator[Finding]:
    """Each site's contract, its calendars and the site's region are there."""
    named, calendars = contracts_in(patient.contracts), calendars_in(patient.contracts)
    for site in _sites(patient):
        try:
            contract = named(site.contract)
        except LookupError as error:
            yield finding("contract", site=site.id, contract=site.contract, why=error.args[0])
            continue
        for name in sorted(filter(None, {contract.calendar, *(limit.calendar for limit in contract.limits)})):
            try:
                calendars(name)
            except LookupError as error:
                why = error.args[0]
                yield finding("calendar", site=site.id, calendar=name, contract=site.contract, why=why)
        if contract.regions and site.region not in contract.regions and (site.region or regional(contract)):
            known = "|".join(contract.regions)
            yield finding("region", site=site.id, contract=site.contract, region=site.region, known=known)


def agents(patient: Patient) -> Iterator[Finding]:
    """Each site has an agent, and it is heard."""
    if patient.db is None or not is_current(patient):
        return
    there = _sites(patient)
    if not there:
        yield finding("no_sites")
    for site in there:
        row = _agent(patient.db, site)
        if row is None:
            yield finding("no_agent", site=site.id)
        elif row["heartbeat"] is None:
            yield finding("silent", site=site.id, age=span(patient.now - row["enrolled"]))
        elif standing_silence(patient.db, site.id):
            yield finding("silent", site=site.id, age=span(patient.now - row["heartbeat"]))


def behind(patient: Patient) -> Iterator[Finding]:
    """Agents are of the desk's version, send what they have, and have its time."""
    if patient.db is None or not is_current(patient):
        return
    for site in _sites(patient):
        row = _agent(patient.db, site)
        if row is None or row["heartbeat"] is None:
            continue
        if row["version"] != VERSION:
            yield finding("agent_version", site=site.id, version=row["version"], own=VERSION)
        if row["depth"] > _DEEP or row["oldest_age"] > _OLD:
            yield finding("agent_behind", site=site.id, depth=row["depth"], age=span(row["oldest_age"]))
        if abs(row["skew"] or 0.0) > _SKEW:
            yield finding("agent_skew", site=site.id, skew=f"{abs(row['skew']):.0f}")


def quarantine(patient: Patient) -> Iterator[Finding]:
    """No event was put aside."""
    if patient.db is None or not is_current(patient):
        return
    row = one(patient.db, "SELECT site, reason FROM quarantine ORDER BY received DESC LIMIT 1")
    if row is not None:
        count = patient.db.execute("SELECT count(*) FROM quarantine").fetchone()[0]
        yield finding("quarantine", count=count, site=row["site"], why=row["reason"])


def _sites(patient: Patient) -> list[Site]:
    return sites(patient.db) if patient.db is not None and is_current(patient) else []


def _agent(db: Db, site: Site) -> Row | None:
    return next(iter(every(db, "SELECT * FROM agents WHERE site = ? AND retired IS NULL", site.id)), None)
