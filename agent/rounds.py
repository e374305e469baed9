"""What makes the rounds at this site: the host collector and the engines that the site file asks for.

Imports stand where they are used: a site without SNMP or lines does not pay for them.
"""

import hashlib
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.schedule import Schedule
from config.advice import nearest
from config.node import ConfigError, Problem
from config.schema import Device, HostDevice, LineDevice, SnmpDevice, Traps, UserCredential
from config.secret import find_secret, read_secret
from config.site import OWN, Site
from model.point import Batch
from runtime.listen import handed_over, udp
from wire.user import User

if TYPE_CHECKING:
    from collectors.line.engine import Engine as LineEngine
    from collectors.line.stats import LineStats
    from collectors.snmp.engine import Counts, Engine
    from collectors.snmp.library import Library
    from collectors.snmp.target import Target
    from collectors.snmp.traps.gate import Sender
    from collectors.snmp.traps.notification import Notifications
    from collectors.snmp.traps.receiver import TrapCounts

Emit = Callable[[Batch], None]
log = logging.getLogger("roundsman.rounds")


@dataclass
class Rounds:
    """What the engines say of themselves, for /metrics."""

    lines: "dict[str, LineStats]" = field(default_factory=dict)
    snmp: "Counts | None" = None
    traps: "TrapCounts | None" = None
    polling: "Engine | None" = None
    on_lines: "LineEngine | None" = None

    def hint(self, device: str) -> bool:
        """Have a device read at once; False while nobody polls it."""
        return any(engine is not None and engine.hint(device) for engine in (self.polling, self.on_lines))

    def take(self, stats: "LineStats") -> None:
        """Keep a line's last counters."""
        self.lines[stats.line] = stats


class Cards(NamedTuple):
    """The site's cards with their secrets: how each is polled, what its traps may bear, what its objects mean."""

    targets: "list[Target]"
    senders: "list[Sender]"
    library: "Library | None"
    own: str = ""  # a digest of the definitions of the site's own


def snmp_cards(site: Site) -> Cards:
    """Return the site's cards. Raises ConfigError for a secret or a definition, also of a line, that cannot be read."""
    check_lines(site)
    targets = [snmp_target(site, device) for device in site.snmp]
    senders = _senders(site, targets) if site.traps is not None else []
    return Cards(targets, senders, snmp_library(site) if targets else None, _digest(site.definitions))


def _digest(folder: Path | None) -> str:
    """Return what changes when a definition in the site's own folder does."""
    files = _files(folder) if folder is not None and folder.is_dir() else []
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


def _files(folder: Path) -> list[Path]:
    """Return the definitions in a folder of the site's own."""
    return sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})


def snmp_library(site: Site) -> "Library":
    """Return the definitions that serve the site's cards. Raises ConfigError for one that is wrong or not there."""
    from collectors.snmp.library import shipped, with_files  # noqa: PLC0415 - only where a site has cards
    from collectors.snmp.target import AUTO  # noqa: PLC0415 - only where a site has cards

    if site.definitions is not None and not site.definitions.is_dir():
        raise ConfigError([Problem(site.file, 0, 0, "snmp.definitions", f"{site.definitions} is no folder")])
    own = _files(site.definitions) if site.definitions is not None else []
    library = with_files(own) if own else shipped()
    problems: list[Problem] = []
    for name in {path.stem: path for path in own}:
        try:
            library[name]
        except ConfigError as error:
            problems += error.problems
    for device in site.snmp:
        if device.definition != AUTO and device.definition not in library:
            message = f'"{device.definition}" is no SNMP definition; {nearest(device.definition, library)}'
            problems.append(Problem(site.file, 0, 0, f"snmp.devices: {device.id}: definition", message))
    if problems:
        raise ConfigError(problems)
    return library


def check_lines(site: Site) -> None:
    """Read the definitions of the site's lines. Raises ConfigError with what is wrong in them or in their inputs."""
    problems: list[Problem] = []
    for device in (device for line in site.lines for device in line.devices):
        from collectors.line.inputs import definition_of  # noqa: PLC0415 - only where a site has lines

        try:
            definition_of(device)
        except ConfigError as error:
            problems += [each for each in error.problems if each not in problems]
    if problems:
        raise ConfigError(problems)


def own_definition(device: Device) -> str:
    """Return what changes when a device's definition does that is a file of the site's own; else nothing."""
    path = Path(device.definition) if isinstance(device, LineDevice) and device.definition.endswith(OWN) else None
    return hashlib.sha256(path.read_bytes()).hexdigest() if path is not None and path.is_file() else ""


def _senders(site: Site, targets: "list[Target]") -> "list[Sender]":
    from collectors.snmp.traps.gate import Sender  # noqa: PLC0415 - only where traps are received

    names = site.traps.credentials if site.traps is not None else ()
    bearers = [snmp_target(site, SnmpDevice(id="traps", address="", credential=name)) for name in names]
    besides = tuple(bearer.user or bearer.community for bearer in bearers)
    return [
        Sender(
            device=each.device,
            address=each.address,
            secrets=(each.user or each.community, *besides),
            every=each.every,
        )
        for each in targets
    ]


def start_rounds(site: Site, cards: Cards, schedule: Schedule, emit: Emit) -> Rounds:
    """Put the site's collectors on the schedule; engines that ran before must have been ended."""
    rounds = Rounds()
    schedule.forget("host")
    if site.host is not None:
        _start_host(site.host, schedule, emit)
    if site.snmp:
        schedule.engine("snmp", partial(_poll, rounds, cards, emit))
        if site.traps is not None:
            _start_traps(site, cards, rounds, schedule)
    if site.lines:
        from collectors.line.engine import Engine as LineEngine  # noqa: PLC0415 - only where a site has lines

        rounds.on_lines = LineEngine(site.lines, emit, rounds.take)
        schedule.engine("line", rounds.on_lines.run)
    return rounds


def snmp_target(site: Site, device: SnmpDevice) -> "Target":
    """Return how the SNMP engine finds a card; its secret is read here."""
    from collectors.snmp.target import Target  # noqa: PLC0415 - only where a site has cards

    credential = site.credentials[device.credential]
    named: dict[str, Any] = {
        name: getattr(device, name) for name in ("address", "port", "definition", "every", "timeout", "retries")
    }
    if isinstance(credential, UserCredential):
        return Target(device=device.id, version="3", user=_user(site, credential, device.credential), **named)
    community = _secret(site, credential.community_file).encode()
    return Target(device=device.id, version=credential.version, community=community, **named)


def _user(site: Site, credential: UserCredential, name: str) -> User:
    """Return who asks; raises ConfigError for a pass phrase that is missing or too short."""
    for weakness in credential.weaknesses:
        _warn(f"credentials.{name}: {weakness}")
    auth, privacy = credential.auth_key_file, credential.privacy_key_file
    try:
        return User(
            name=credential.user,
            auth=credential.auth_protocol,
            auth_pass=_secret(site, auth) if auth is not None else "",
            privacy=credential.privacy_protocol,
            privacy_pass=_secret(site, privacy) if privacy is not None else "",
            context=credential.context,
        )
    except ValueError as error:
        raise ConfigError([Problem(site.file, 0, 0, f"credentials.{name}", str(error))]) from error


@cache
def _warn(text: str) -> None:
    """Say it once, however many cards it is true of."""
    log.warning("%s", text)


def _secret(site: Site, file: Path) -> str:
    secret = read_secret(find_secret(file, site.folder))
    if secret.warning:
        _warn(secret.warning)
    return secret.value


async def _poll(rounds: Rounds, cards: Cards, emit: Emit) -> None:
    from collectors.snmp.engine import Counts, Engine  # noqa: PLC0415 - only where a site has cards

    rounds.snmp = rounds.snmp or Counts()
    rounds.polling = Engine(emit, counts=rounds.snmp, definitions=cards.library)
    await rounds.polling.run(cards.targets)


def _start_traps(site: Site, cards: Cards, rounds: Rounds, schedule: Schedule) -> None:
    from collectors.snmp.traps import receiver  # noqa: PLC0415 - only where traps are received

    counts = rounds.traps = receiver.TrapCounts()
    engine = partial(_trap_engine, site.id, site.agent.state)
    port = partial(_trap_port, site)
    schedule.engine("traps", partial(receiver.run, port, cards.senders, rounds.hint, counts, engine))


def _trap_port(site: Site) -> socket.socket:
    listen = site.traps.listen if site.traps is not None else Traps().listen
    return handed_over("traps") or udp(listen.host, listen.port)


def _trap_engine(site: str, state: Path) -> "Notifications":
    """Return pysnmp's engine; its id (RFC 3411 section 5) is the same after every start. Called in a thread."""
    from collectors.snmp.traps.notification import shared  # noqa: PLC0415 - pysnmp costs 10 MB

    own = hashlib.sha256(site.encode()).digest()[:8]
    return shared(bytes.fromhex("80004fb805") + own, state / "trap-boots")


def _start_host(host: HostDevice, schedule: Schedule, emit: Emit) -> None:
    from collectors.host import HostCollector  # noqa: PLC0415 - only where the host itself is watched

    schedule.collector("host", host.id, host.every, HostCollector(host.id, host).collect, emit)
