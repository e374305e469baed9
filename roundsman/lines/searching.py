"""A search on a line from the first listening to the section that is printed."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from collectors.line.port import PortError
from collectors.line.scanner import Scanner
from collectors.line.search import Found, Search, Wanted
from collectors.line.shelf import shelf
from config.line_port import DeviceServer
from roundsman.lines.options import wanted_of
from roundsman.lines.overhearing import overhear
from roundsman.lines.progress import Progress
from roundsman.lines.section import ids, section
from roundsman.lines.words import NAMES
from roundsman.output import CommandError, json_lines

MOST_GARBLED = 8
"""Addresses that are told of which bytes came that make no answer."""
_ADVICE = (
    "Check that the devices have power, that A and B are not swapped, that this adapter is on their line, and their "
    "addresses (--addresses). docs/serial.md tells the order of checks."
)


def searched(args: argparse.Namespace, port: Path | DeviceServer) -> int:
    """Listen, search, print; 1 when nobody answered or the port was lost, 130 when ended from the keyboard."""
    scanner = Scanner(port)
    ended, lost = False, ""
    try:
        search = Search(_listened(args, scanner, wanted_of(args, scanner)), shelf().recognise)
        progress = Progress(search)
        try:
            _go_through(search, scanner, progress)
        except KeyboardInterrupt:
            ended = True
        except PortError as error:
            lost = f"{error}."
        progress.over()
    except PortError as error:
        raise CommandError(f"{error}.") from error
    finally:
        scanner.close()
    if lost and not search.found:
        raise CommandError(lost)
    status = _told(args, scanner, search, ended=ended or bool(lost))
    if lost:
        raise CommandError(lost)
    return status


def _go_through(search: Search, scanner: Scanner, progress: Progress) -> None:
    steps = search.steps()
    step = next(steps, None)
    while step is not None:
        progress.now(step)
        heard = scanner.ask(step)
        try:
            step = steps.send(heard)
        except StopIteration:
            step = None
        progress.found()


def _listened(args: argparse.Namespace, scanner: Scanner, wanted: Wanted) -> Wanted:
    """Listen before the first question; refuse where another master speaks, or with --force begin at its setting."""
    if scanner.gateway or not args.listen:
        return wanted
    print(f"Listening for {args.listen:g} s before anything is sent.", file=sys.stderr)
    heard = overhear(scanner, wanted.settings, args.listen)
    if not heard.is_traffic:
        return wanted
    if not args.force:
        raise CommandError(_refusal(args.port, heard.told(), framed=heard.listening is not None))
    print(f"Going on beside: {heard.told()}.", file=sys.stderr)
    if heard.listening is None:
        return replace(wanted, shared=True)
    first = heard.listening.setting
    others = (each for each in wanted.settings if each != first)
    return replace(wanted, settings=(first, *others), shared=True)


def _refusal(port: str, told: str, *, framed: bool) -> str:
    if not framed:
        return (
            f"Something is on the line: {told}. Nothing was sent.\n"
            "That is noise, A and B swapped, or a protocol that is not known here. Check the wiring; to search all the "
            "same, add --force."
        )
    return (
        f"Another master speaks on this line: {told}. Nothing was sent: two masters spoil each other's answers.\n"
        f"See what it says: roundsman listen {port}. To search, disconnect it for the time, or add --force."
    )


def _told(args: argparse.Namespace, scanner: Scanner, search: Search, *, ended: bool) -> int:
    """Print what was found on standard output, and on standard error what else is to be said."""
    found = sorted(search.found.values(), key=lambda each: (each.protocol, each.address))
    if args.json:
        json_lines(_rows(found))
    elif found:
        if ended:
            print("# Not complete: the search was ended early.")
        print(section(scanner.port, found, shared=search.wanted.shared), end="")
    if scanner.echo:
        print("The line gives back what is sent (echo); the agent copes with it.", file=sys.stderr)
    for said in _garbled(search):
        print(said, file=sys.stderr)
    if ended:
        print("Ended early.", file=sys.stderr)
        return 130
    if not found:
        print(f"Nobody answered on {scanner.port}. {_ADVICE}", file=sys.stderr)
    return 0 if found else 1


def _garbled(search: Search) -> Iterator[str]:
    """Say where somebody seems to be; at the settings that others answered at, or at any while nobody did."""
    settings = {each.setting for each in search.found.values()}
    for (setting, protocol, address), octets in list(search.garbled.items())[:MOST_GARBLED]:
        if settings and setting not in settings:
            continue
        who = f"{NAMES[protocol]} {address}"
        if (setting, protocol, address) not in search.found:
            yield (
                f"{setting}: {who} brings {octets} bytes that make no answer: two devices with this address, another "
                "parity, or a bad line."
            )


def _rows(found: list[Found]) -> list[dict[str, Any]]:
    named = ids(found)
    return [
        {
            "ids": named[each.setting, each.protocol, each.address],
            "protocol": each.protocol,
            "address": each.address,
            "baud": each.setting.baud,
            "parity": each.setting.parity,
            "stop_bits": each.setting.stop_bits,
            "recognised": bool(each.definitions) and each.sure,
            "definitions": each.definitions,
            "identity": each.identity,
            "says": each.says,
        }
        for each in found
    ]
