"""The command line: which commands there are, and what becomes of their errors."""

import argparse
import logging
import os
import sys
from importlib import import_module
from types import ModuleType

from config.node import ConfigError
from roundsman.output import CommandError, clean
from runtime.version import VERSION

# name -> what it is for; the module is roundsman.commands.NAME, imported only when the command is used
# a name of two words is a command of its own, said as both words
COMMANDS: dict[str, str] = {
    "demo": "play a small power room on this machine, with agent, desk and page",
    "agent": "watch a site, as a service",
    "desk": "the central desk: run it, or enrol a site",
    "desk backup": "the desk's file and what it needs, into one checked file, while it runs",
    "desk restore": "a backup into the desk's state folder; what was there is moved aside",
    "desk copy": "the desk's file into a PostgreSQL database, checked row by row",
    "desk user": "who may sign in at the desk, with which role; one-time links",
    "desk token": "tokens by which programs ask the desk: make, list, revoke",
    "desk init": "certificates of the desk: make its own CA and one for its names, or take one that is given",
    "desk doctor": "what is wrong with this desk, and what to do",
    "desk rotate": "have a site's agent take another token, without a gap",
    "desk revoke": "end a site's agent's tokens and its join lines",
    "join": "join this site's agent to a desk, by a one-time line",
    "doctor": "what is wrong at this site, and what to do",
    "check": "check a site file and say everything that is wrong",
    "scan": "find SNMP devices at addresses, and print the site file's section for them",
    "scan line": "find what hangs on a serial line, and print the site file's section for it",
    "listen": "watch a serial line without sending, and decode both directions",
    "decode": "frames of a serial line, as hexadecimal or text, into JSON with every field named",
    "read": "read devices once, or the running agent's readings",
    "rules": "show a device's fault rules: each setting and where it comes from",
    "alarms": "list the alarms of the running agent",
    "ack": "acknowledge an alarm",
    "shelve": "put an alarm aside for a time",
    "trend": "the history of a point, as this site keeps it",
    "tickets": "list the desk's tickets",
    "ticket": "one ticket of the desk: show it, or say what happened",
    "ticket open": "open a ticket for a fault that no alarm has told",
    "listed": "the contract's list of a site's devices: show it, or put a device on it",
    "window": "planned work, which holds tickets back: plan, extend, approve, end",
    "guard": "guard periods: declare one with its roster, watch it, its report",
    "walktest": "commissioning of a site: open a walk-test, tick its items, sign it",
    "roster": "who is on duty, whether a roster's file is good, and substitutes",
    "contract": "the maintenance contracts: one in plain words, and what would be due when",
    "devices": "the device definitions: what ships, trying one, drafting one",
    "example": "print an example site file",
    "simulate": "play a scenario in a simulated power room",
}


def parser(only: str = "") -> argparse.ArgumentParser:
    """Return the parser; `only` one command's arguments are filled in when it is named, else every command's."""
    top = argparse.ArgumentParser(
        prog="roundsman", description="Makes the rounds of sites that nobody sits at.", allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"roundsman {VERSION}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        sub = commands.add_parser(
            name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".", allow_abbrev=False
        )
        if only in {"", name}:
            _module(name).arguments(sub)
    return top


def run(words: list[str] | None = None) -> int:
    """Run one command; returns 0 when it did what was asked, 1 when it could not, 2 for wrong words."""
    words = sys.argv[1:] if words is None else words
    if (both := " ".join(words[:2])) in COMMANDS:
        words = [both, *words[2:]]
    named = next((word for word in words if word in COMMANDS), "")
    args = parser(named or "none").parse_args(words)
    logging.basicConfig(
        level=os.environ.get("ROUNDSMAN_LOG", "WARNING").upper(), format="%(levelname)s %(name)s: %(message)s"
    )
    try:
        status: int = _module(args.command).run(args)
    except (CommandError, ConfigError) as error:
        print(*map(clean, str(error).splitlines()), sep="\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _module(name: str) -> ModuleType:
    return import_module(f"roundsman.commands.{name.replace(' ', '_')}")
