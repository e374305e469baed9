"""From a site file to what the watch does: the rules of each device with their settings, and what is installed."""

from agent.watched import Plan, Watched
from config.rulebook import RuleBook
from config.schema import Device
from config.site import Site


def make_plan(site: Site) -> Plan:
    """Return the watch's plan. Raises ConfigError for settings that no rule has."""
    book = RuleBook(site)
    line_of = {device.id: line.id for line in site.lines for device in line.devices}
    devices = {device.id: _watched(book, device, line_of.get(device.id, "")) for device in site.devices}
    for line in site.lines:
        devices |= {line.id: _watched(book, Device(id=line.id), every=line.every)}
    return Plan(site.id, book.contract, devices)


def _watched(book: RuleBook, device: Device, line: str = "", every: float = 0.0) -> Watched:
    installed = {
        (index, value): device.installed(index, value) for index, groups in device.groups.items() for value in groups
    }
    return Watched(
        id=device.id,
        name=device.name or device.id,
        rules=book.rules(device),
        every=every or float(getattr(device, "every", 0.0)) or 15.0,
        installed=installed,
        parents=device.explained_by,
        line=line,
    )
