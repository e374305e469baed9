"""`roundsman check`: everything that is wrong with a site file, at once."""

import argparse
import sys
from pathlib import Path

from agent.plan import make_plan
from agent.rounds import check_lines, snmp_library
from config.line_port import advice_on
from config.schema import UserCredential
from config.secret import find_secret
from config.site import load_site

_HOW = "A secret is a file of its own: install -m 600 /dev/stdin FILE; `roundsman join` writes the desk's token."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", type=Path, help="the site file")


def run(args: argparse.Namespace) -> int:
    """Print what the file asks for, or raise ConfigError with every problem."""
    site = load_site(args.file)
    plan = make_plan(site)
    if site.snmp:
        snmp_library(site)
    check_lines(site)
    rules = sum(len(device.rules) for device in plan.devices.values())
    named = [file for credential in site.credentials.values() for file in credential.secret_files]
    for name, credential in site.credentials.items():
        for weakness in credential.weaknesses if isinstance(credential, UserCredential) else ():
            print(f"Warning: credentials.{name}: {weakness}.", file=sys.stderr)
    for line in site.lines:
        if advice := advice_on(line.port):
            print(f"Advice: line {line.id}: {advice}.", file=sys.stderr)
    for secret in (*named, *([site.desk.token_file] if site.desk else [])):
        if not find_secret(secret, site.folder).is_file():
            print(f"Not there yet: {site.folder / secret}. {_HOW}", file=sys.stderr)
    devices = len(list(site.devices))  # of the plan, each line is one too
    print(
        f"{args.file} is good: site {site.id}, contract {site.contract}, {devices} device{'s' * (devices != 1)}, "
        f"{rules} rules."
    )
    return 0
