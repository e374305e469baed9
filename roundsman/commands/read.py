"""`roundsman read`: every reading, once: of the running agent, of a site file's devices, or of a device named here."""

import argparse
import asyncio
import sys

import msgspec

from agent.control import ControlError, ask
from agent.rounds import snmp_library, snmp_target
from agent.rows import reading_rows
from config.node import ConfigError
from config.schema import Device, HostDevice, Line, LineDevice, SnmpDevice
from config.site import Site, load_site
from model.point import Batch, Quality
from model.protocol import DeviceRow, ReadingRow, ReadingsReport
from roundsman.asking import CONTROL, SITE, site_argument
from roundsman.output import CommandError, clean, json_lines, table, value_text
from roundsman.snmp_options import at, snmp_card, snmp_options
from roundsman.words import say
from runtime.clock import now


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("device", nargs="?", help="one device of the site (default: all)")
    site_argument(parser)
    parser.add_argument("--once", action="store_true", help="ask the devices now, even when an agent runs elsewhere")
    parser.add_argument("--snmp", metavar="HOST", help="read this SNMP card, without a site file: HOST or HOST:PORT")
    snmp_options(parser)
    parser.add_argument("--definition", default="auto", help="its definition (auto: recognise it)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Print readings; 1 when a device did not answer."""
    if args.snmp:
        batches = [asyncio.run(_card(args))]
    elif args.once:
        site = load_site(args.site or SITE)
        batches = asyncio.run(_site(site, args.device))
    else:
        return _shown(args, _asked(args))
    boot = now().boot
    devices = tuple(DeviceRow(b.device, b.device, b.reachable, b.error) for b in batches)
    rows = tuple(row for batch in batches for row in reading_rows(batch.readings, boot))
    return _shown(args, ReadingsReport(now().wall, devices, rows))


def _asked(args: argparse.Namespace) -> ReadingsReport:
    """Ask the running agent; where none runs, ask the site file's devices."""
    site = load_site(args.site or SITE) if args.site or SITE.exists() else None
    control = site.agent.control if site else CONTROL
    if site is not None and not control.exists():
        boot = now().boot
        batches = asyncio.run(_site(site, args.device))
        rows = tuple(row for batch in batches for row in reading_rows(batch.readings, boot))
        return ReadingsReport(
            now().wall, tuple(DeviceRow(b.device, b.device, b.reachable, b.error) for b in batches), rows
        )
    try:
        return msgspec.convert(asyncio.run(ask(control, "read", device=args.device)), type=ReadingsReport)
    except ControlError as error:
        raise CommandError(str(error)) from error


async def _card(args: argparse.Namespace) -> Batch:
    from collectors.snmp.engine import read_once  # noqa: PLC0415 - only for a card

    card = at(snmp_card(args), args.snmp)
    return await read_once(msgspec.structs.replace(card, definition=args.definition, aside=True))


async def _site(site: Site, only: str | None) -> list[Batch]:
    """Read the site's devices: cards side by side, the devices of a line one after the other."""
    wanted = [device for device in site.devices if only in {None, device.id}]
    if not wanted:
        raise CommandError(f"No device {only!r} in {site.file}; there are: {', '.join(d.id for d in site.devices)}.")
    lines = [device for device in wanted if isinstance(device, LineDevice)]
    others = [device for device in wanted if not isinstance(device, LineDevice)]
    together = asyncio.create_task(_in_turn(site, lines))
    apart = await asyncio.gather(*(_one(site, device) for device in others))
    return [*apart, *await together]


async def _in_turn(site: Site, devices: list[LineDevice]) -> list[Batch]:
    return [await _one(site, device) for device in devices]


async def _one(site: Site, device: Device) -> Batch:
    """Read one device; what its file keeps from being read is in the batch."""
    match device:
        case HostDevice():
            from collectors.host import HostCollector  # noqa: PLC0415 - only for the host

            return await HostCollector(device.id, device).collect()
        case SnmpDevice():
            from collectors.snmp.engine import read_once  # noqa: PLC0415 - only for a card

            try:
                target, library = snmp_target(site, device), snmp_library(site)
            except ConfigError as error:
                return Batch(device.id, now().boot, (), reachable=False, error=str(error))
            return await read_once(target, definitions=library)
        case LineDevice():
            from collectors.line.engine import read_once as read_line  # noqa: PLC0415 - only for a line

            return await read_line(_line_of(site, device), device)
        case _:
            raise TypeError(f"{type(device).__name__} is no device that can be read")


def _line_of(site: Site, device: LineDevice) -> Line:
    return next(line for line in site.lines if device in line.devices)


def _shown(args: argparse.Namespace, report: ReadingsReport) -> int:
    if args.json:
        json_lines(_plain(row) for row in report.readings)
    else:
        rows = [
            (
                row.device,
                row.label,
                value_text(row.value, row.unit),
                say(str(row.severity)) if row.severity else "",
                ("" if row.quality is Quality.GOOD else say(str(row.quality)))
                + ("" if row.preferred else " (set aside)"),
                row.point,
                row.source,
            )
            for row in report.readings
        ]
        table(
            tuple(map(say, ("DEVICE", "READING", "VALUE", "SEVERITY", "QUALITY", "POINT", "SOURCE"))),
            rows,
            empty=say("No readings."),
        )
    for row in report.devices:
        if row.reachable and row.error:  # it answers, but was not recognised, or one of its mounts is dead
            print(f"{row.device}: {clean(row.error)}", file=sys.stderr)
    silent = [row for row in report.devices if not row.reachable]
    if silent:
        raise CommandError("\n".join(f"{row.device} does not answer: {row.error}" for row in silent))
    return 0


def _plain(row: ReadingRow) -> dict[str, object]:
    """Return a row with every key there, so that a program need not know the defaults."""
    return {name: getattr(row, name) for name in row.__struct_fields__}
