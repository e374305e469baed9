"""`roundsman listed`: the contract's list of a site's devices."""

import argparse

from model.contract import Text
from model.ticket_protocol import ListedDevices, SayListed
from roundsman.output import CommandError, json_lines, table
from roundsman.tickets.asking import asked, common, who

_HEAD: Text = {"en": "DEVICE|SERIAL|FROM|UNTIL|WARRANTY FROM", "zh": "设备|序列号|起|止|保修起"}
_NONE: Text = {"en": "No device of this site is on the list.", "zh": "清单中没有该站点的设备。"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("site", help="the site's id")
    parser.add_argument("device", nargs="?", default="", help="put this device on the list, or say anew what it says")
    parser.add_argument("--serial", help="its serial number")
    parser.add_argument("--from", dest="begin", metavar="TIME", help="under contract from when on (always)")
    parser.add_argument("--until", dest="end", metavar="TIME", help="and until when, which is not in it (no end)")
    parser.add_argument("--warranty-from", metavar="TIME", help="from when the contract's years of warranty count")
    common(parser, speaking=True, sides=False)


def run(args: argparse.Namespace) -> int:
    """Ask or tell the running desk, and print the list."""
    said = (args.serial, args.begin, args.end, args.warranty_from)
    if args.device:
        told = SayListed(who(args), args.device, args.serial or "", *said[1:])
        found = asked(args, lambda client: client.list_device(args.site, told, key=args.key))
    elif any(each is not None for each in said):
        raise CommandError("Say which device.")
    else:
        found = asked(args, lambda client: client.listed(args.site))
    if args.json:
        json_lines(found.devices)
    else:
        _print(found, args.lang)
    return 0


def _print(found: ListedDevices, lang: str) -> None:
    from desk.shown import Shown  # noqa: PLC0415 - not for --help

    shown = Shown(lang, 0.0, found.timezone)

    def day(at: float | None) -> str:
        return "-" if at is None else shown.moment(at)

    rows = [
        (each.device, each.serial or "-", day(each.begin), day(each.end), day(each.warranty_begin))
        for each in found.devices
    ]
    table(_HEAD[lang].split("|"), rows, empty=_NONE[lang])
