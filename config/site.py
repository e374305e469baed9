"""Loading a site file. The schema is `config.schema`; what its parts must agree on is `config.site_checks`."""

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from config.convert import Conversion
from config.node import ConfigError
from config.reader import read
from config.schema import Device, HostDevice, Line, LineDevice, Site, SiteFile, SnmpDevice
from config.site_checks import check_site

__all__ = ["Device", "HostDevice", "Line", "LineDevice", "Site", "SnmpDevice", "load_site"]


def load_site(path: Path | str, *, definitions: Collection[str] | None = None) -> Site:
    """Read and check a site file. Raises ConfigError with every problem.

    `definitions` are the names a device's `definition` may have; without it, those that are shipped.
    """
    node = read(path)
    conversion = Conversion()
    file: SiteFile | None = conversion.value(node, SiteFile)
    if file is not None:
        check_site(conversion, file, definitions)
    if conversion.problems or file is None:
        raise ConfigError(conversion.problems)
    return _resolved(file, Path(path))


def _resolved(file: SiteFile, path: Path) -> Site:
    """Fill in what a key left out means."""
    folder = path.absolute().parent
    change: Any = msgspec.structs.replace
    named = partial(_filled, change)
    agent = change(file.agent, state=folder / file.agent.state, control=folder / file.agent.control)
    lines = tuple(change(line, devices=tuple(named(d, line.every) for d in line.devices)) for line in file.lines)
    return Site(
        file=str(path),
        folder=folder,
        id=file.site.id,
        name=file.site.name,
        contract=file.site.contract,
        region=file.site.region,
        timezone=file.site.timezone,
        agent=agent,
        desk=file.desk,
        credentials=file.credentials,
        host=named(file.host, 15.0) if file.host else None,
        snmp=tuple(named(d, file.snmp.every) for d in file.snmp.devices) if file.snmp else (),
        lines=lines,
        rules=file.rules,
        delays=file.delays,
    )


def _filled(change: Any, device: Any, every: float) -> Any:
    return change(device, name=device.name or device.id, every=device.every or every)
