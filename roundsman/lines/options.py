"""The words of `scan line` and `listen`: ports, speeds, parities, addresses; what cannot be is told in words."""

import argparse
from pathlib import Path

from collectors.line import search
from collectors.line.scanner import Scanner
from collectors.line.shelf import shelf
from config.line_port import DeviceServer, line_port
from config.schema import BAUDS
from roundsman.output import CommandError

GATEWAY_SECONDS = 3.0
"""How long a gateway may wait for one of its slaves; asked anything before that, it is late with all that follows."""
NETWORK_SECONDS = 0.25
"""What a network adds to each wait, mostly."""


def port_of(text: str) -> Path | DeviceServer:
    """Read a port; raises CommandError."""
    try:
        return line_port(text)
    except ValueError as error:
        raise CommandError(f"PORT {error}.") from error


def wanted_of(args: argparse.Namespace, scanner: Scanner) -> search.Wanted:
    """Return what is searched. Raises CommandError for an option that cannot be."""
    bauds = tuple(_number(word, "--baud", BAUDS) for word in args.baud.split(",")) if args.baud else search.BAUDS
    parities = _parities(args.parity) if args.parity else search.PARITIES
    given = _addresses(args.addresses) if args.addresses else ()
    units = tuple(each for each in given if 1 <= each <= 247) if given else search.UNITS
    addresses = tuple(each for each in given if each <= 254) if given else search.ADDRESSES
    settings = search.settings(bauds, parities)
    modbus, ydt = args.protocol != "ydt1363", args.protocol != "modbus" and not scanner.gateway
    if not ((units and modbus) or (addresses and ydt)):
        raise CommandError(_nobody(args, scanner))
    return search.Wanted(
        settings=settings if scanner.settable else settings[:1],
        units=units if modbus else (),
        addresses=addresses if ydt else (),
        knocks=shelf().knocks() if ydt else (),
        everywhere=args.all,
        wait=max(args.timeout, GATEWAY_SECONDS if scanner.gateway else 0.05),
        latency=NETWORK_SECONDS if isinstance(scanner.port, DeviceServer) else 0.0,
    )


def _nobody(args: argparse.Namespace, scanner: Scanner) -> str:
    """Say why nobody would be asked."""
    if scanner.gateway and args.protocol == "ydt1363":
        return f"--protocol ydt1363 cannot be: {scanner.port} is a gateway, which carries Modbus only."
    which = "YD/T 1363 go from 0 to 254" if args.protocol == "ydt1363" else "Modbus go from 1 to 247"
    return f"--addresses {args.addresses} cannot be; addresses of {which}."


def settings_of(args: argparse.Namespace, scanner: Scanner, *, every_parity: bool) -> tuple[search.Setting, ...]:
    """Return the settings at which a line is listened to: one, or the usual ones in their order."""
    bauds = search.BAUDS if args.baud == "auto" else (_number(args.baud, "--baud", BAUDS),)
    usual = search.PARITIES if every_parity else search.PARITIES[:1]
    parities = _parities(args.parity) if args.parity else usual
    settings = search.settings(bauds, parities)
    return settings if scanner.settable else settings[:1]


def _number(word: str, option: str, allowed: tuple[int, ...]) -> int:
    if not word.strip().isdecimal() or int(word) not in allowed:
        raise CommandError(f"{option} {word} cannot be; write one of {', '.join(map(str, allowed))}.")
    return int(word)


def _parities(text: str) -> tuple[search.Parity, ...]:
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in search.PARITIES:
            raise CommandError(f"--parity {word} cannot be; write one of {', '.join(search.PARITIES)}.")
    return tuple(parity for word in words for parity in search.PARITIES if parity == word)


def _addresses(text: str) -> tuple[int, ...]:
    """Read 1-32 or 1,2,40-50."""
    found: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise CommandError(f"--addresses {text} cannot be; write for example 1-32, or 1,2,40-50.")
        span = range(int(first), int(last or first) + 1)
        if not span or span[-1] > 254:
            raise CommandError(f"--addresses {part} cannot be; addresses go from 0 to 254, the lower one first.")
        found |= dict.fromkeys(span)
    return tuple(found)
