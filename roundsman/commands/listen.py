"""`roundsman listen`: watch a serial line without sending a byte, and decode both directions."""

import argparse
import math

from roundsman.asking import site_argument
from roundsman.lines.in_use import refuse_port_in_use
from roundsman.output import CommandError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("port", metavar="PORT", help="/dev/serial/by-id/NAME, tcp://HOST:PORT or rfc2217://HOST:PORT")
    parser.add_argument("--baud", default="auto", help="its speed (auto: settings are tried until frames are right)")
    parser.add_argument("--parity", metavar="LIST", help="none, even or odd (auto: none,even,odd; else none)")
    parser.add_argument(
        "--for", dest="seconds", type=float, metavar="SECONDS", help="end after so long (Ctrl-C ends it)"
    )
    site_argument(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for each frame, and the summary")
    parser.epilog = "> is a request, < an answer, ? what could be both; +0.012 is the silence before it, in seconds."


def run(args: argparse.Namespace) -> int:
    """Show what passes until Ctrl-C or the end of the time, then who spoke; 1 when no frame was heard."""
    from roundsman.lines.options import port_of  # noqa: PLC0415 - slow to load
    from roundsman.lines.watching import watched  # noqa: PLC0415 - slow to load

    if args.seconds is not None and not (math.isfinite(args.seconds) and args.seconds > 0):
        raise CommandError(f"--for {args.seconds:g} cannot be; write a number above 0.")
    port = port_of(args.port)
    refuse_port_in_use(port, args.site)
    return watched(args, port)
