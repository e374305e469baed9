"""`roundsman rules DEVICE`: each rule's settings and where they come from."""

import argparse

from config.rulebook import RuleBook
from config.site import load_site
from roundsman.asking import site_argument, site_file
from roundsman.output import CommandError, json_lines, said, table
from roundsman.words import say


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("device", help="the device's id in the site file")
    site_argument(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Print fault, setting, value, layer and file:line."""
    site = load_site(site_file(args))
    device = site.device(args.device)
    if device is None:
        raise CommandError(f"No device {args.device!r}; there are: {', '.join(d.id for d in site.devices)}.")
    rows = [
        {
            "fault": each.fault,
            "title": said(each.title),
            "setting": setting.name,
            "value": setting.value,
            "layer": setting.layer,
            "from": f"{setting.origin.file}:{setting.origin.line}",
        }
        for each in RuleBook(site).effective(device)
        for setting in each.settings
    ]
    if args.json:
        json_lines(rows)
    else:
        cells = [tuple(str(cell) for cell in row.values()) for row in rows]
        table(tuple(map(say, ("FAULT", "TITLE", "SETTING", "VALUE", "LAYER", "FROM"))), cells, empty=say("No rules."))
    return 0
