"""What makes the rounds at this site: the host collector and the engines that the site file asks for.

Imports stand where they are used: a site without SNMP or lines does not pay for them.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from agent.schedule import Schedule
from config.schema import HostDevice, SnmpDevice
from config.secret import find_secret, read_secret
from config.site import Site
from model.point import Batch

if TYPE_CHECKING:
    from collectors.line.stats import LineStats
    from collectors.snmp.engine import Counts
    from collectors.snmp.target import Target

Emit = Callable[[Batch], None]
log = logging.getLogger("roundsman.rounds")


@dataclass
class Rounds:
    """What the engines say of themselves, for /metrics."""

    lines: "dict[str, LineStats]" = field(default_factory=dict)
    snmp: "Counts | None" = None

    def take(self, stats: "LineStats") -> None:
        """Keep a line's last counters."""
        self.lines[stats.line] = stats


def snmp_targets(site: Site) -> "list[Target]":
    """Return how the SNMP engine finds the site's cards. Raises ConfigError for a secret that cannot be read."""
    return [snmp_target(site, device) for device in site.snmp]


def start_rounds(site: Site, targets: "list[Target]", schedule: Schedule, emit: Emit) -> Rounds:
    """Put the site's collectors on the schedule; engines that ran before must have been ended."""
    rounds = Rounds()
    schedule.forget("host")
    if site.host is not None:
        _start_host(site.host, schedule, emit)
    if site.snmp:
        from collectors.snmp import engine as snmp  # noqa: PLC0415 - only where a site has cards

        rounds.snmp = snmp.Counts()
        schedule.engine("snmp", partial(snmp.run, targets, emit, counts=rounds.snmp))
    if site.lines:
        from collectors.line import engine as line  # noqa: PLC0415 - only where a site has lines

        schedule.engine("line", partial(line.run, site.lines, emit, rounds.take))
    return rounds


def snmp_target(site: Site, device: SnmpDevice) -> "Target":
    """Return how the SNMP engine finds a card; its secret is read here."""
    from collectors.snmp.target import Target  # noqa: PLC0415 - only where a site has cards

    credential = site.credentials[device.credential]
    secret = read_secret(find_secret(credential.community_file, site.folder))
    if secret.warning:
        log.warning("%s", secret.warning)
    named: dict[str, Any] = {
        name: getattr(device, name) for name in ("port", "definition", "every", "timeout", "retries")
    }
    return Target(
        device=device.id,
        address=device.address,
        community=secret.value.encode(),
        version=credential.version,
        **named,
    )


def _start_host(host: HostDevice, schedule: Schedule, emit: Emit) -> None:
    from collectors.host import HostCollector  # noqa: PLC0415 - only where the host itself is watched

    schedule.collector("host", host.id, host.every, HostCollector(host.id, host).collect, emit)
