"""How commands reach the running agent."""

import argparse
import asyncio
from pathlib import Path
from typing import Any

from agent.control import ControlError, ask
from config.site import load_site
from roundsman.output import CommandError

SITE = Path("/etc/roundsman/site.yaml")
DESK_STATE = Path("/var/lib/roundsman-desk")
CONTROL = Path("/run/roundsman/control.sock")


def site_argument(parser: argparse.ArgumentParser) -> None:
    """Add --site."""
    parser.add_argument("--site", type=Path, metavar="FILE", help=f"the site file (default {SITE}, where there is one)")


def desk_site_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a command takes that tells the running desk something of one site's agent."""
    parser.add_argument("site", help="the site's id")
    parser.add_argument("--by", default="admin", metavar="NAME", help="who says so")
    parser.add_argument(
        "--state", type=Path, default=DESK_STATE, metavar="DIR", help=f"the desk's state folder ({DESK_STATE})"
    )


def site_file(args: argparse.Namespace) -> Path:
    """Return the site file that is meant; says what to do when there is none."""
    given: Path | None = args.site
    if given is None and not SITE.exists():
        raise CommandError(f"There is no {SITE}. Name the site file: --site FILE (`roundsman example` prints one).")
    return given or SITE


def ask_agent(args: argparse.Namespace, do: str, **words: Any) -> Any:
    """Ask the agent that runs for the site file, or the service's."""
    given: Path | None = args.site
    socket = load_site(given or SITE).agent.control if given or SITE.exists() else CONTROL
    try:
        return asyncio.run(ask(socket, do, **words))
    except ControlError as error:
        raise CommandError(str(error)) from error
