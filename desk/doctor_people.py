"""Checks of who is told: the roster, holes in it, who could not be reached, and, when asked, the servers."""

import smtplib
import ssl
import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx

from config.node import ConfigError
from config.roster import MailServer, RosterFile, Webhook, read_roster
from desk.doctor_file import is_current
from desk.patient import Finding, Patient, finding
from desk.store import Db, every
from desk.words_doctor import span
from model.roster import Roster, Swap, gaps

AHEAD = 7 * 86_400.0  # seconds for which somebody must be on duty
_LATE = 900.0  # seconds that a message may wait
_LEVELS = (1, 2, 3, 4)
_WAITS = 10.0


def roster(patient: Patient) -> Iterator[Finding]:
    """There is a roster, it can be used, every level has a rule, and somebody is on duty in the days to come."""
    if patient.roster is None:
        yield finding("no_roster")
        return
    try:
        file = read_roster(patient.roster)
    except (ConfigError, OSError) as error:
        yield finding("bad_roster", path=patient.roster, why=" ".join(str(error).split()))
        return
    yield from (finding("roster_warning", why=warning) for warning in file.warnings)
    told = {level for rule in file.roster.policy for level in rule.levels}
    yield from (finding("no_rule", level=level) for level in _LEVELS if level not in told)
    yield from _holes(file.roster, patient)


def untold(patient: Patient) -> Iterator[Finding]:
    """Everybody can be reached, somebody was told of each open ticket, and no message waits for long."""
    if patient.db is None or not is_current(patient):
        return
    for row in every(patient.db, "SELECT * FROM reach WHERE failing IS NOT NULL ORDER BY failing"):
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(row["failing"]))
        yield finding("unreached", person=row["person"], channel=row["channel"], since=since, why=row["why"])
    nobody = every(
        patient.db,
        "SELECT nobody, count(DISTINCT ticket) AS n FROM occasions WHERE nobody <> '' AND ticket IN"
        " (SELECT number FROM tickets WHERE state = 'open') GROUP BY nobody ORDER BY n DESC",
    )
    if nobody:
        yield finding("untold", count=sum(row["n"] for row in nobody), why=nobody[0]["nobody"])
    late = every(patient.db, "SELECT id FROM messages WHERE state = 'sending' AND made < ?", patient.now - _LATE)
    if late:
        yield finding("late_messages", count=len(late), age=span(_LATE))


def servers(patient: Patient) -> Iterator[Finding]:
    """The mail server takes us and the webhooks answer; asked only with --try, and nothing is sent."""
    file = _file(patient) if patient.reach else None
    if file is None:
        return
    if file.mail is not None and (why := _mail(file.mail)):
        yield finding("mail", host=file.mail.host, port=file.mail.port, why=why)
    for name, hook in file.webhooks.items():
        if why := _webhook(hook):
            yield finding("webhook", name=name, why=why)


def _holes(roster: Roster, patient: Patient) -> Iterator[Finding]:
    zone = ZoneInfo(roster.calendar.zone)
    swaps = _swaps(patient.db) if patient.db is not None and is_current(patient) else ()
    for key, team in roster.teams.items():
        holes = gaps(roster, key, patient.now, patient.now + AHEAD, swaps) if team.always else ()
        title = team.title.get("en") or key
        said = [[f"{datetime.fromtimestamp(each, zone):%Y-%m-%d %H:%M}" for each in hole] for hole in holes]
        if holes and holes[0][0] <= patient.now:
            yield finding("hole_now", team=title, end=said.pop(0)[1])
        if said:
            yield finding("hole", team=title, start=said[0][0], end=said[0][1], count=len(said))


def _swaps(db: Db) -> tuple[Swap, ...]:
    rows = every(db, 'SELECT absent, stand_in, "start", "end" FROM swaps WHERE withdrawn IS NULL')
    return tuple(Swap(*row) for row in rows)


def _file(patient: Patient) -> RosterFile | None:
    try:
        return read_roster(patient.roster) if patient.roster is not None else None
    except (ConfigError, OSError):
        return None  # said by `roster`


def _mail(server: MailServer) -> str:
    context = ssl.create_default_context(cafile=str(server.ca) if server.ca else None)
    try:
        if server.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=_WAITS, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=_WAITS)
        with smtp:
            if server.security == "starttls":
                smtp.starttls(context=context)
            if server.user and server.password is not None:
                smtp.login(server.user, server.password.value)
            smtp.noop()
    except (OSError, smtplib.SMTPException) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def _webhook(hook: Webhook) -> str:
    context = ssl.create_default_context(cafile=str(hook.ca) if hook.ca else None)
    try:
        httpx.request("OPTIONS", hook.url, timeout=_WAITS, verify=context, trust_env=False)
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    return ""
