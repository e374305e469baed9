"""From a site file to what the watch does: the rules of each device with their settings, and what is installed."""

from agent.watched import Plan, Watched
from config.rulebook import RuleBook
from config.schema import Device
from config.site import Site


def make_plan(site: Site) -> Plan:
    """Return the watch's plan. Raises ConfigError for settings that no rule has."""
    book = RuleBook(site)
    devices = {device.id: _watched(book, device) for device in site.devices}
    return Plan(site.id, book.contract, devices)


def _watched(book: RuleBook, device: Device) -> Watched:
    installed = {
        (index, value): device.installed(index, value) for index, groups in device.groups.items() for value in groups
    }
    return Watched(
        id=device.id,
        name=device.name or device.id,
        rules=book.rules(device),
        every=float(getattr(device, "every", 0.0)) or 15.0,
        installed=installed,
        parents=device.explained_by,
    )
