"""A roster as it is written in YAML: people, teams and their shifts, who is told of what, and by which servers.

    calendar: china-working-days              # the zone of every hour here, and which days are holidays
    people:
      zhang: {name: 张伟, language: zh, mail: zhang@example.com}
      li: {name: Li Na, mail: li@example.com, webhook: pager}
    teams:
      field:
        title: {en: Field crew, zh: 现场班}
        shifts:
          - {who: [zhang, li], hours: 08:00-20:00, turn: week, from: 2026-11-02}
          - {who: zhang, hours: 20:00-08:00}
    roles: {province: li}                     # names that contracts use
    policy:
      - {level: 1, tell: [field, li], next_after: 15min}
    quiet: 22:00-07:00                        # level 1 ignores them
    mail: {server: "mail.example.com:587", from: desk@example.com, user: desk, password_file: mail.password}
    webhooks:
      pager: {url: "https://pager.example.com/in", secret_file: pager.secret}

`docs/rosters.md` says what each key means.
"""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from config.advice import show
from config.calendar_text import Date, HoursText, Weekdays
from config.fault_rules import Title
from config.scalars import Address, Form, Seconds, address
from model.calendar import Kind
from model.roster import Turn

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_NAME = r"[a-z][a-z0-9_.-]{0,39}"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def mail_address(text: str) -> str:
    """Read an address of mail, without a name before it."""
    if _MAIL.fullmatch(text) and len(text) <= 254:
        return text
    raise ValueError(f"{show(text)} is no address of mail; write for example duty@example.com")


def web_address(text: str) -> str:
    """Read where a webhook is sent to, or where people find the desk: https, or http on this machine alone."""
    try:
        parts = urlsplit(text)
        good = (
            parts.hostname is not None and not re.search(r"[\s\x00-\x1f]", text) and (parts.port is None or parts.port)
        )
    except ValueError:
        raise ValueError(f"{show(text)} is no address of the web") from None
    if not good or parts.username is not None or parts.scheme not in {"http", "https"}:
        raise ValueError(f"{show(text)} is no address of the web")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError(f"{show(text)} is not encrypted; write https, or http to this machine alone")
    return text


Name = Annotated[
    str, msgspec.Meta(pattern=_NAME, description="small letters, digits, dots and dashes", examples=["li"])
]
Names = Name | tuple[Name, ...]
MailAddress = Annotated[str, Form(mail_address, "duty@example.com")]
WebAddress = Annotated[str, Form(web_address, "https://desk.example.com")]
Server = Annotated[Address, Form(address, "mail.example.com:587")]
Level = Annotated[int, msgspec.Meta(ge=1, le=9, examples=[1])]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class PersonText(msgspec.Struct, frozen=True):
    """Somebody, and where they are told: by mail, by a webhook, or by both."""

    name: Label
    language: Literal["en", "zh"] = "en"
    mail: MailAddress = ""
    webhook: Name = ""
    quiet: HoursText | None = None


class ShiftText(msgspec.Struct, frozen=True, rename={"first": "from", "last": "until"}):
    """A shift: hours of the days that fit, together or by turns."""

    who: Names
    hours: HoursText
    days: Weekdays = ()
    on: Kind | tuple[Kind, ...] = ()
    first: Date | None = None
    last: Date | None = None
    turn: Turn = Turn.TOGETHER


class TeamText(msgspec.Struct, frozen=True):
    """A team; `always: false` where nobody need be on duty at times."""

    title: Title
    shifts: tuple[ShiftText, ...]
    always: bool = True


class RuleText(msgspec.Struct, frozen=True):
    """Who is told of these levels, in order."""

    level: Level | tuple[Level, ...]
    tell: Names
    next_after: Annotated[Seconds, msgspec.Meta(ge=60, le=604_800, description="1min to 7d")] | None = None
    warn: Names = ()
    breach: Names = ()
    over: bool = True


class MailText(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """The server that mail is handed to. `security: none` only for a server on this machine."""

    server: Server
    sender: MailAddress
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_file: str = ""
    ca_file: str = ""


class WebhookText(msgspec.Struct, frozen=True):
    """Where a webhook goes; the secret in `secret_file` signs it."""

    url: WebAddress
    secret_file: str
    ca_file: str = ""


class RosterText(msgspec.Struct, frozen=True, kw_only=True):
    """A roster as it is written."""

    calendar: str
    people: dict[Name, PersonText]
    teams: dict[Name, TeamText] = {}
    roles: dict[Name, Names] = {}
    policy: tuple[RuleText, ...]
    quiet: HoursText = ()
    apart: Annotated[Seconds, msgspec.Meta(ge=0, le=3600, description="0s to 1h")] = 30.0
    link: WebAddress = ""
    mail: MailText | None = None
    webhooks: dict[Name, WebhookText] = {}
