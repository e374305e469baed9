"""Loading a site file. The schema is `config.schema`; what its parts must agree on is `config.site_checks`."""

from pathlib import Path
from typing import TypeVar

import msgspec

from config.convert import Conversion
from config.node import ConfigError
from config.reader import read
from config.schema import Device, HostDevice, Line, LineDevice, Site, SiteFile, SnmpDevice
from config.site_checks import check_site

__all__ = ["Device", "HostDevice", "Line", "LineDevice", "Site", "SnmpDevice", "load_site"]

OWN = (".yaml", ".yml")
"""How the name of a definition ends that is a file of the site's own."""

D = TypeVar("D", HostDevice, SnmpDevice, LineDevice)


def load_site(path: Path | str) -> Site:
    """Read and check a site file. Raises ConfigError with every problem."""
    node = read(path)
    conversion = Conversion()
    file: SiteFile | None = conversion.value(node, SiteFile)
    if file is not None:
        check_site(conversion, file)
    if conversion.problems or file is None:
        raise ConfigError(conversion.problems)
    return _resolved(file, Path(path))


def _resolved(file: SiteFile, path: Path) -> Site:
    """Fill in what a key left out means."""
    folder = path.absolute().parent
    agent = msgspec.structs.replace(file.agent, state=folder / file.agent.state, control=folder / file.agent.control)
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
        host=_filled(file.host, file.host.every) if file.host else None,
        snmp=tuple(_filled(device, file.snmp.every) for device in file.snmp.devices) if file.snmp else (),
        lines=tuple(
            msgspec.structs.replace(line, devices=tuple(_placed(device, line.every, folder) for device in line.devices))
            for line in file.lines
        ),
        rules=file.rules,
        delays=file.delays,
        traps=file.snmp.traps if file.snmp else None,
        definitions=folder / file.snmp.definitions if file.snmp and file.snmp.definitions else None,
    )


def _placed(device: LineDevice, every: float, folder: Path) -> LineDevice:
    """Give a device on a line the whole path of a definition that is a file."""
    filled = _filled(device, every)
    if not filled.definition.endswith(OWN):
        return filled
    return msgspec.structs.replace(filled, definition=str(folder / filled.definition))


def _filled(device: D, every: float) -> D:
    """Give a device its name and its period where its own are not written."""
    return msgspec.structs.replace(device, name=device.name or device.id, every=device.every or every)
