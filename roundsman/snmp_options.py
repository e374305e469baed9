"""How a card is spoken to that no site file names: the options of `read`, `scan` and `devices draft`.

`snmp_options` adds them to a parser, `snmp_card` makes a Target of them that has no address yet (and warns of weak
protocols), `at` gives it one: HOST, HOST:PORT, 2001:db8::1 or [2001:db8::1]:PORT.
"""

import argparse
import sys
from ipaddress import IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import msgspec

from config.scalars import Address, address, host
from config.secret import read_secret
from roundsman.output import CommandError
from wire.user import AuthProtocol, PrivacyProtocol, User, weakness_text

if TYPE_CHECKING:
    from collectors.snmp.target import Target

PORT = 161


def snmp_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a card is spoken to."""
    group = parser.add_argument_group("SNMP")
    group.add_argument("--version", choices=("1", "2c", "3"), default="2c", help="its SNMP version (2c)")
    group.add_argument("--community", help="its community, for versions 1 and 2c (public)")
    group.add_argument("--community-file", type=Path, metavar="FILE", help="a file that holds it")
    group.add_argument("--user", help="who asks, for version 3")
    group.add_argument("--auth-protocol", choices=get_args(AuthProtocol), help="how the user proves it (sha1)")
    group.add_argument("--auth-key-file", type=Path, metavar="FILE", help="a file that holds the pass phrase for it")
    group.add_argument("--privacy-protocol", choices=get_args(PrivacyProtocol), help="how it is encrypted (aes128)")
    group.add_argument("--privacy-key-file", type=Path, metavar="FILE", help="a file that holds the pass phrase for it")
    group.add_argument("--context", help="the context that is read, for version 3 (none)")


def snmp_card(args: argparse.Namespace) -> "Target":
    """Return a Target without an address, as the options say; raises CommandError, or ConfigError for a secret."""
    from collectors.snmp.target import Target  # noqa: PLC0415 - only for a card

    for_version_3 = ("user", "auth_protocol", "auth_key_file", "privacy_protocol", "privacy_key_file", "context")
    others = ("community", "community_file") if args.version == "3" else for_version_3
    wrong = [f"--{name.replace('_', '-')}" for name in others if getattr(args, name) is not None]
    if wrong:
        right = "--version 1 or 2c" if args.version == "3" else "--version 3"
        raise CommandError(f"{', '.join(wrong)} goes with {right}.")
    if args.version == "3":
        return Target(device="", address="", version="3", user=_user(args))
    if args.community_file:
        community = _secret(args.community_file)
    else:
        community = "public" if args.community is None else args.community
    return Target(device="", address="", version=args.version, community=community.encode())


def _user(args: argparse.Namespace) -> User:
    if not args.user:
        raise CommandError("--version 3 needs --user.")
    for what in ("auth", "privacy"):
        if getattr(args, f"{what}_protocol") and not getattr(args, f"{what}_key_file"):
            raise CommandError(f"--{what}-protocol needs --{what}-key-file.")
    try:
        user = User(
            name=args.user,
            auth=args.auth_protocol or ("sha1" if args.auth_key_file else None),
            auth_pass=_secret(args.auth_key_file) if args.auth_key_file else "",
            privacy=args.privacy_protocol or ("aes128" if args.privacy_key_file else None),
            privacy_pass=_secret(args.privacy_key_file) if args.privacy_key_file else "",
            context=args.context or "",
        )
    except ValueError as error:
        raise CommandError(f"--version 3: {error}.") from error
    for protocol in user.weaknesses:
        print(f"Warning: {weakness_text(protocol)}.", file=sys.stderr)
    return user


def _secret(path: Path) -> str:
    secret = read_secret(path)
    if secret.warning:
        print(f"Warning: {secret.warning}.", file=sys.stderr)
    return secret.value


def at(card: "Target", place: str, *, device: str = "") -> "Target":
    """Return the Target of the card at a place; its device is called `device`, else as the place is written."""
    found = card_address(place)
    return msgspec.structs.replace(card, device=device or place, address=found.host, port=found.port)


def card_address(place: str) -> Address:
    """Read HOST, HOST:PORT, an IPv6 address, or [IPv6]:PORT; the port is 161 unless given."""
    try:
        if place.startswith("[") and place.endswith("]"):
            return Address(host(place), PORT)
        if place.count(":") > 1 and not place.startswith("["):
            return Address(str(IPv6Address(place)), PORT)
        return address(place) if ":" in place else Address(host(place), PORT)
    except ValueError as error:
        raise CommandError(f"{place} is no place of a card; write HOST, HOST:PORT or [IPv6]:PORT ({error}).") from error
