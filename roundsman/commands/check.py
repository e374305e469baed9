"""`roundsman check`: everything that is wrong with a site file, at once."""

import argparse
from pathlib import Path

from agent.plan import make_plan
from config.site import load_site


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", type=Path, help="the site file")


def run(args: argparse.Namespace) -> int:
    """Print what the file asks for, or raise ConfigError with every problem."""
    site = load_site(args.file)
    plan = make_plan(site)
    rules = sum(len(device.rules) for device in plan.devices.values())
    print(f"{args.file} is good: site {site.id}, contract {site.contract}, {len(plan.devices)} devices, {rules} rules.")
    return 0
