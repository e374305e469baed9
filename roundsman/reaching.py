"""How a command reaches a desk: the one that runs on this machine, or another one with TLS."""

import argparse
import ssl
from dataclasses import dataclass
from pathlib import Path

from config.node import ConfigError
from config.secret import read_secret
from desk.local import read_local
from roundsman.output import CommandError
from runtime.trust import trusting

STATE = Path("/var/lib/roundsman-desk")


@dataclass(frozen=True)
class Reached:
    """A desk: its address, the token that it knows us by, and whom we believe."""

    url: str
    token: str
    verify: ssl.SSLContext | bool


def reach_arguments(parser: argparse.ArgumentParser, *, default: bool = True) -> None:
    """Add --state of a desk of this machine, and --desk of another one; without `default` only what is given is set."""

    def kept(value: object) -> object:
        return value if default else argparse.SUPPRESS

    parser.add_argument(
        "--state", type=Path, default=kept(STATE), metavar="DIR", help=f"the desk's state folder ({STATE})"
    )
    parser.add_argument("--desk", default=kept(""), metavar="URL", help="another machine's desk: https://...")
    parser.add_argument(
        "--ca", type=Path, default=kept(None), metavar="FILE", help="its CA, where it has one of its own"
    )
    parser.add_argument(
        "--token-file", type=Path, default=kept(None), metavar="FILE", help="holds the token it knows you by"
    )


def reached(args: argparse.Namespace) -> Reached:
    """Return the desk that is meant. Raises CommandError, LocalError."""
    if not args.desk:
        if args.ca is not None or args.token_file is not None:
            raise CommandError("--ca and --token-file are for another machine's desk: name it, --desk https://...")
        local = read_local(args.state)
        return Reached(local.url, local.secret, local.verify())
    if not args.desk.startswith("https://"):
        raise CommandError("--desk: the token would be sent unencrypted; write https://")
    try:
        verify = trusting(args.ca.read_text("ascii") if args.ca is not None else "")
        token = read_secret(args.token_file).value if args.token_file is not None else ""
    except (OSError, ValueError) as error:
        raise CommandError(f"--ca {args.ca}: {error}") from error
    except ConfigError as error:
        raise CommandError(f"--token-file: {error}") from error
    return Reached(args.desk, token, verify)
