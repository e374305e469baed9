"""`roundsman scan line`: find what hangs on a serial line, recognise it, and print the site file's section for it."""

import argparse
import math

from roundsman.asking import site_argument
from roundsman.lines.in_use import refuse_port_in_use
from roundsman.output import CommandError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "port",
        metavar="PORT",
        help="/dev/serial/by-id/NAME, tcp://HOST:PORT, rfc2217://HOST:PORT or modbus-tcp://HOST:PORT",
    )
    parser.add_argument("--baud", metavar="LIST", help="speeds tried, in this order (9600,19200,4800,2400,38400,...)")
    parser.add_argument("--parity", metavar="LIST", help="parities tried (none,even,odd)")
    parser.add_argument("--protocol", choices=("modbus", "ydt1363"), help="the only protocol tried (both)")
    parser.add_argument("--addresses", metavar="LIST", help="1-32, or 1,2,40-50 (Modbus 1-32, YD/T 1363 0-16)")
    parser.add_argument("--timeout", type=float, default=0.2, metavar="SECONDS", help="wait for each answer (0.2)")
    parser.add_argument("--listen", type=float, default=5.0, metavar="SECONDS", help="listen first for so long (5)")
    parser.add_argument("--force", action="store_true", help="go on though another master speaks on the line")
    parser.add_argument("--all", action="store_true", help="try every setting, also when one has brought answers")
    site_argument(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for each device found")
    parser.epilog = (
        "Only reads are sent, and never states or alarms of YD/T 1363 (43H, 44H): reading those clears flags that "
        "another master may wait for. Ctrl-C ends the search and prints what was found."
    )


def run(args: argparse.Namespace) -> int:
    """Listen, search, print; 1 when nobody answered, 130 when ended from the keyboard."""
    from roundsman.lines.options import port_of  # noqa: PLC0415 - slow to load
    from roundsman.lines.searching import searched  # noqa: PLC0415 - slow to load

    for name, number in (("--timeout", args.timeout), ("--listen", args.listen)):
        if not (math.isfinite(number) and number >= 0):
            raise CommandError(f"{name} {number:g} cannot be; write seconds, 0 or more.")
    port = port_of(args.port)
    refuse_port_in_use(port, args.site)
    return searched(args, port)
