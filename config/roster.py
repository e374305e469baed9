"""Rosters: one YAML file of one's own into `model.roster`, with the servers that messages go by. See `roster_text`.

Everything wrong is said at once. The digest is over what a roster says of people, not over its servers and secrets.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from config import shipped
from config.advice import nearest, show
from config.calendar import load_calendar, read_calendar
from config.convert import Conversion
from config.node import ConfigError, Node
from config.reader import read
from config.roster_text import Names, PersonText, RosterText, RuleText, ShiftText, TeamText
from config.secret import Secret, find_secret, read_secret
from model.calendar import ALWAYS, Calendar, Kind
from model.roster import Channel, Person, Roster, Rule, Shift, Team, Turn, Way

_BASE64 = "whsec_"  # with it in front, what signs a webhook is written in base64
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


class MailServer(msgspec.Struct, frozen=True):
    """The server that mail is handed to; no user: without a password."""

    host: str
    port: int
    sender: str
    security: Literal["starttls", "tls", "none"]
    user: str = ""
    password: Secret | None = None
    ca: Path | None = None


class Webhook(msgspec.Struct, frozen=True):
    """Where a webhook goes and what it is signed with; `ca` when no public authority vouches for it."""

    url: str
    secret: Secret
    ca: Path | None = None


class RosterFile(msgspec.Struct, frozen=True):
    """A roster and how its people are told. `link` is where they find the desk, "" its own address.

    `files` are those that it names and that are read with it: secrets, a calendar of one's own.
    """

    roster: Roster
    mail: MailServer | None = None
    webhooks: dict[str, Webhook] = {}
    link: str = ""
    warnings: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


def read_roster(path: Path) -> RosterFile:
    """Return the roster in a file; secrets lie beside it. Raises ConfigError with every problem."""
    return parse_roster(read(path), path.parent)


def parse_roster(node: Node, folder: Path) -> RosterFile:
    """Return a roster, checked. Raises ConfigError with every problem."""
    conversion = Conversion()
    text: RosterText | None = conversion.value(node, RosterText)
    if text is None or conversion.problems:
        raise ConfigError(conversion.problems)
    _check_people(text, conversion)
    _check_teams(text, conversion)
    _check_policy(text, conversion)
    _check_servers(text, conversion)
    calendar = _calendar(text, folder, conversion)
    secrets = _secrets(text, folder, conversion)
    if conversion.problems:
        raise ConfigError(conversion.problems)
    return _built(text, calendar, secrets, folder)


def _built(text: RosterText, calendar: Calendar, secrets: Mapping[str, Secret], folder: Path) -> RosterFile:
    roster = Roster(
        calendar=calendar,
        people={key: _person(key, each) for key, each in text.people.items()},
        teams={key: _team(each) for key, each in text.teams.items()},
        policy=tuple(_rule(each) for each in text.policy),
        roles={key: _many(each) for key, each in text.roles.items()},
        quiet=text.quiet,
        apart=text.apart,
    )
    said = json.dumps(msgspec.to_builtins(roster, str_keys=True), sort_keys=True)
    mail = text.mail
    server = None
    if mail is not None:
        server = MailServer(
            mail.server.host, mail.server.port, mail.sender, mail.security, mail.user,
            secrets.get(mail.password_file), folder / mail.ca_file if mail.ca_file else None,
        )  # fmt: skip
    return RosterFile(
        msgspec.structs.replace(roster, digest=hashlib.sha256(said.encode()).hexdigest()[:16]),
        server,
        {
            key: Webhook(each.url, secrets[each.secret_file], folder / each.ca_file if each.ca_file else None)
            for key, each in text.webhooks.items()
        },
        text.link.rstrip("/"),
        tuple(secret.warning for secret in secrets.values() if secret.warning),
        (
            *(find_secret(name, folder) for name in secrets),
            *((folder / text.calendar,) if text.calendar.endswith(".yaml") else ()),
        ),
    )


def _person(key: str, text: PersonText) -> Person:
    ways = ((Way.MAIL, text.mail), (Way.WEBHOOK, text.webhook))
    return Person(key, text.name, text.language, tuple(Channel(way, to) for way, to in ways if to), text.quiet)


def _team(text: TeamText) -> Team:
    return Team(text.title.both(), tuple(_shift(each) for each in text.shifts), text.always)


def _shift(text: ShiftText) -> Shift:
    kinds = (text.on,) if isinstance(text.on, Kind) else text.on
    return Shift(_many(text.who), text.hours, text.days, kinds, text.first, text.last, text.turn)


def _rule(text: RuleText) -> Rule:
    levels = (text.level,) if isinstance(text.level, int) else text.level
    return Rule(levels, _many(text.tell), text.next_after, _many(text.warn), _many(text.breach), text.over)


def _many(names: Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def _check_people(text: RosterText, conversion: Conversion) -> None:
    for person in text.people.values():
        if not person.mail and not person.webhook:
            conversion.complain(person, "name", "can be told in no way; write mail: or webhook:")
        if person.mail and text.mail is None:
            conversion.complain(person, "mail", "no server is named to send it by; write mail: with server: and from:")
        if person.webhook and person.webhook not in text.webhooks:
            known = nearest(person.webhook, text.webhooks)
            conversion.complain(person, "webhook", f"there is no webhook {show(person.webhook)}; {known}")


def _check_teams(text: RosterText, conversion: Conversion) -> None:
    for key, team in text.teams.items():
        if key in text.people:
            conversion.complain(team, "title", f"{show(key)} is a person's name already; name the team otherwise")
        if not team.shifts:
            conversion.complain(team, "shifts", "a team without shifts is never on duty; write one")
        for shift in team.shifts:
            _check_shift(text, shift, conversion)
    for role, names in text.roles.items():
        if role in text.people or role in text.teams:
            conversion.complain(text, "roles", f"{show(role)} is a person's or a team's name already")
        _check_names(text, "roles", names, [*text.teams, *text.people], conversion)


def _check_shift(text: RosterText, shift: ShiftText, conversion: Conversion) -> None:
    _check_names(shift, "who", shift.who, text.people, conversion)
    if not _many(shift.who):
        conversion.complain(shift, "who", "names nobody; write a person")
    if not shift.hours:
        conversion.complain(shift, "hours", "a shift has hours; write for example 08:00-20:00")
    if shift.turn is not Turn.TOGETHER and shift.first is None:
        conversion.complain(shift, "turn", "turns count from a day; write from: and the first day of the first's turn")
    if shift.first and shift.last and shift.last < shift.first:
        conversion.complain(shift, "until", f"is before {shift.first}")


def _check_policy(text: RosterText, conversion: Conversion) -> None:
    known = [*text.roles, *text.teams, *text.people]
    seen: set[int] = set()
    for rule in text.policy:
        for key, names in (("tell", rule.tell), ("warn", rule.warn), ("breach", rule.breach)):
            _check_names(rule, key, names, known, conversion)
        if not _many(rule.tell):
            conversion.complain(rule, "tell", "names nobody; write a role, a team or a person")
        levels = {rule.level} if isinstance(rule.level, int) else set(rule.level)
        if twice := sorted(levels & seen):
            conversion.complain(rule, "level", f"level {twice[0]} has a rule already")
        seen |= levels


def _check_names(where: msgspec.Struct, key: str, names: Names, known: Iterable[str], conversion: Conversion) -> None:
    known = list(known)
    for name in _many(names):
        if name not in known:
            conversion.complain(where, key, f"there is no {show(name)}; {nearest(name, known)}")


def _check_servers(text: RosterText, conversion: Conversion) -> None:
    mail = text.mail
    if mail is None:
        return
    if mail.security == "none" and mail.server.host not in _HERE:
        conversion.complain(mail, "security", "none is for a server on this machine; write starttls or tls")
    if bool(mail.user) != bool(mail.password_file):
        conversion.complain(mail, "user", "user and password_file go together; write both or neither")


def _calendar(text: RosterText, folder: Path, conversion: Conversion) -> Calendar:
    if text.calendar.endswith(".yaml"):
        try:
            return read_calendar(folder / text.calendar)
        except ConfigError as error:
            conversion.problems += error.problems
            return ALWAYS
    try:
        return load_calendar(text.calendar)
    except KeyError:
        known = shipped.names("calendars")
        problem = f"there is no calendar {show(text.calendar)}; {nearest(text.calendar, known)}"
        conversion.complain(text, "calendar", f"{problem}, or name a file that ends in .yaml")
        return ALWAYS


def _secrets(text: RosterText, folder: Path, conversion: Conversion) -> dict[str, Secret]:
    """Return the secrets by the name of their file."""
    owners: list[tuple[msgspec.Struct, str, str]] = [
        (each, "secret_file", each.secret_file) for each in text.webhooks.values()
    ]
    if text.mail is not None and text.mail.password_file:
        owners.append((text.mail, "password_file", text.mail.password_file))
    found: dict[str, Secret] = {}
    for owner, key, name in owners:
        try:
            found[name] = read_secret(find_secret(name, folder))
        except ConfigError as error:
            conversion.complain(owner, key, error.problems[0].message)
        else:
            if key == "secret_file" and not _signs(found[name].value):
                conversion.complain(owner, key, f"what stands behind {_BASE64} is not base64; write the secret whole")
    return found


def _signs(secret: str) -> bool:
    if not secret.startswith(_BASE64):
        return True
    try:
        return bool(base64.b64decode(secret.removeprefix(_BASE64), validate=True))
    except binascii.Error:
        return False
