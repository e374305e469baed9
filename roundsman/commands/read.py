"""`roundsman read`: every reading, once: of the running agent, of a site file's devices, or of a device named here."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from agent.control import ControlError, ask
from agent.rounds import snmp_library, snmp_target
from agent.rows import reading_rows
from config.advice import nearest
from config.node import ConfigError
from config.schema import Device, HostDevice, Line, LineDevice, SnmpDevice
from config.site import Site, load_site
from model.point import Batch, Quality
from model.protocol import DeviceRow, ReadingRow, ReadingsReport
from roundsman.asking import CONTROL, SITE, site_argument
from roundsman.lines.turns import Turns
from roundsman.output import CommandError, clean, json_lines, table, value_text
from roundsman.snmp_options import at, snmp_card, snmp_options
from roundsman.words import say
from runtime.clock import now

if TYPE_CHECKING:
    from collectors.snmp.library import Library
    from collectors.snmp.target import Target


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
    with _quietly():
        return _run(args)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the collectors' warnings out of the way: why something is not read stands beside the readings."""
    log = logging.getLogger("collectors")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _run(args: argparse.Namespace) -> int:
    if args.snmp:
        card = msgspec.structs.replace(at(snmp_card(args), args.snmp), definition=_known(args.definition), aside=True)
        return _shown(args, _report([asyncio.run(_card(card))]))
    if args.once:
        return _shown(args, _report(_read(load_site(args.site or SITE), args.device)))
    return _shown(args, _asked(args))


def _report(batches: list[Batch]) -> ReadingsReport:
    """Return batches as an agent would report them."""
    here = now()
    devices = tuple(DeviceRow(b.device, b.device, b.reachable, b.error) for b in batches)
    rows = tuple(row for batch in batches for row in reading_rows(batch.readings, here.boot))
    return ReadingsReport(here.wall, devices, rows)


def _asked(args: argparse.Namespace) -> ReadingsReport:
    """Ask the running agent; where none runs, ask the site file's devices."""
    site = load_site(args.site or SITE) if args.site or SITE.exists() else None
    control = site.agent.control if site else CONTROL
    if site is not None and not control.exists():
        return _report(_read(site, args.device))
    try:
        return msgspec.convert(asyncio.run(ask(control, "read", device=args.device)), type=ReadingsReport)
    except ControlError as error:
        raise CommandError(str(error)) from error


def _known(definition: str) -> str:
    from collectors.snmp.library import shipped  # noqa: PLC0415 - only for a card
    from collectors.snmp.target import AUTO  # noqa: PLC0415 - only for a card

    if definition != AUTO and definition not in shipped():
        raise CommandError(f'"{definition}" is no SNMP definition; {nearest(definition, (AUTO, *shipped()))}')
    return definition


async def _card(card: "Target") -> Batch:
    from collectors.snmp.engine import read_once  # noqa: PLC0415 - only for a card

    return await read_once(card)


def _read(site: Site, only: str | None) -> list[Batch]:
    """Read the site's devices. Raises ConfigError for a definition of the site's own that is wrong."""
    wanted = [device for device in site.devices if only in {None, device.id}]
    if not wanted:
        raise CommandError(f"No device {only!r} in {site.file}; there are: {', '.join(d.id for d in site.devices)}.")
    library = snmp_library(site) if any(isinstance(device, SnmpDevice) for device in wanted) else None
    return asyncio.run(_together(site, wanted, library))


async def _together(site: Site, wanted: list[Device], library: "Library | None") -> list[Batch]:
    """Read cards and lines side by side, the devices of a line one after the other; return batches in their order."""
    lines = [(line, [device for device in line.devices if device in wanted]) for line in site.lines]
    others = [device for device in wanted if not isinstance(device, LineDevice)]
    told = Turns(sum(len(devices) for _, devices in lines))
    together = asyncio.gather(*(_line(line, devices, told) for line, devices in lines if devices))
    try:
        apart = await asyncio.gather(*(_one(site, device, library) for device in others))
        return [*apart, *(batch for each in await together for batch in each)]
    finally:
        told.over()


async def _line(line: Line, devices: list[LineDevice], told: Turns) -> list[Batch]:
    from collectors.line import read_all_once  # noqa: PLC0415 - only for a line

    return await read_all_once(line, devices, lambda device: told.now(device.id, str(line.port)))


async def _one(site: Site, device: Device, library: "Library | None") -> Batch:
    """Read a device that hangs on no line; what its file keeps from being read is in the batch."""
    match device:
        case HostDevice():
            from collectors.host import HostCollector  # noqa: PLC0415 - only for the host

            return await HostCollector(device.id, device).collect()
        case SnmpDevice():
            from collectors.snmp.engine import read_once  # noqa: PLC0415 - only for a card

            try:
                target = snmp_target(site, device)
            except ConfigError as error:
                return Batch(device.id, now().boot, (), reachable=False, error=str(error))
            return await read_once(target, definitions=library)
        case _:
            raise TypeError(f"{type(device).__name__} is no device that can be read")


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
        raise CommandError("\n".join(map(_silence, silent)))
    return 0


def _silence(row: DeviceRow) -> str:
    """Say once that a device does not answer: of one on a line, its error says so and where, or what came instead."""
    said = row.error.startswith(("does not answer", "answers "))
    return f"{row.device} {row.error}" if said else f"{row.device} does not answer: {row.error}"


def _plain(row: ReadingRow) -> dict[str, object]:
    """Return a row with every key there, so that a program need not know the defaults."""
    return {name: getattr(row, name) for name in row.__struct_fields__}
