"""`roundsman scan`: find SNMP devices at addresses, recognise them, and print the site file's section for them."""

import argparse
import asyncio
import ipaddress
import math
import re
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from roundsman.output import CommandError, clean, json_lines
from roundsman.snmp_options import at, snmp_card, snmp_options

MOST_ADDRESSES = 4096
AT_ONCE = 32
_SLUG = re.compile(r"[^a-z0-9]+")
if TYPE_CHECKING:
    from collectors.snmp.plan import Recognition
    from collectors.snmp.target import Target


class Found(msgspec.Struct, frozen=True):
    """A device that answered: where, what it is, how many readings it gave, and why it was not recognised."""

    id: str
    address: str
    port: int
    name: str
    description: str
    sys_object_id: str
    recognised: bool
    definitions: tuple[str, ...]
    identity: dict[str, str]
    has: tuple[str, ...]
    readings: int
    error: str


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "places",
        nargs="+",
        metavar="PLACE",
        help="addresses: 192.0.2.0/28, 192.0.2.5, ups.example.org, [2001:db8::5]:161",
    )
    snmp_options(parser)
    parser.add_argument("--port", type=int, help="UDP port where a place names none (161)")
    parser.add_argument("--rate", type=float, default=20.0, help="addresses asked a second, at most (20)")
    parser.add_argument("--timeout", type=float, default=1.0, help="seconds that each try waits (1)")
    parser.add_argument(
        "--credential", default="scanned", help="what the site file shall call the credential (scanned)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for each device found")
    parser.epilog = "Devices on a serial line: roundsman scan line PORT (roundsman scan line --help)."


def run(args: argparse.Namespace) -> int:
    """Ask each address with the credentials given, and print what was found; 1 when nothing answered.

    Ended from the keyboard it prints what was found until then, and the status is 130.
    """
    for name, number in (("--rate", args.rate), ("--timeout", args.timeout)):
        if not (math.isfinite(number) and number > 0):
            raise CommandError(f"{name} {number:g} cannot be; write a number above 0.")
    if args.port is not None and not 0 < args.port < 65536:
        raise CommandError(f"--port {args.port} is no port; write one from 1 to 65535.")
    card = msgspec.structs.replace(snmp_card(args), timeout=args.timeout, retries=1, every=86_400.0)
    targets = _each_once(_target(card, place, args.port) for place in addresses(args.places))
    scan = _Scan(targets, args.rate)
    ended = False
    try:
        asyncio.run(scan.ask())
    except KeyboardInterrupt:
        ended = True
    found = _named(scan.in_order())
    if args.json:
        json_lines(found)
    elif found:
        print(section(found, args, scan), end="")
    if ended:
        print(f"Ended early: {scan.asked} of {len(targets)} addresses were asked.", file=sys.stderr)
        return 130
    if not found:
        print(f"Nothing answered at {len(targets)} addresses. {_ADVICE}", file=sys.stderr)
    return 0 if found else 1


_ADVICE = (
    "Check that SNMP is switched on at the devices, that this address may ask them (their access list), "
    "and the community or user."
)


def addresses(places: Iterable[str]) -> list[str]:
    """Return every address that the places mean, each once; a network's own and broadcast address are left out."""
    found: dict[str, None] = {}
    for place in places:
        if "/" not in place:
            found[place] = None
            continue
        try:
            network = ipaddress.ip_network(place, strict=False)
        except ValueError as error:
            raise CommandError(f"{place} is no network; write for example 192.0.2.0/28 ({error}).") from error
        if network.num_addresses > MOST_ADDRESSES:
            raise CommandError(
                f"{place} has {network.num_addresses} addresses; scan at most {MOST_ADDRESSES} at a time."
            )
        found |= dict.fromkeys(map(str, network.hosts()))
    return list(found)


def _target(card: "Target", place: str, port: int | None) -> "Target":
    target = at(card, place)
    names_port = not place.endswith("]") if place.startswith("[") else place.count(":") == 1
    return target if port is None or names_port else msgspec.structs.replace(target, port=port)


def _each_once(targets: "Iterable[Target]") -> "list[Target]":
    """Return the targets without those that ask the same address and port again."""
    own = {"localhost": "127.0.0.1"}
    found: dict[tuple[str, int], Target] = {}
    for target in targets:
        address = target.address.casefold().rstrip(".")
        found.setdefault((own.get(address, address), target.port), target)
    return list(found.values())


class _Scan:
    """One scan under way: who is asked next, what was found, and the line that says so."""

    def __init__(self, targets: "list[Target]", rate: float) -> None:
        self.targets, self.rate = targets, rate
        self.asked = 0
        self.found: list[tuple[Target, Found]] = []
        self._free = asyncio.Semaphore(AT_ONCE)
        self._said = time.monotonic()

    async def ask(self) -> None:
        """Ask all, so many a second and so many at once."""
        tasks = []
        for target in self.targets:
            await self._free.acquire()
            tasks.append(asyncio.create_task(self._one(target)))
            await asyncio.sleep(1 / self.rate)
        await asyncio.gather(*tasks)
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def in_order(self) -> list[Found]:
        """Return what answered so far, in the order of the addresses."""
        order = {id(target): place for place, target in enumerate(self.targets)}
        return [each for _, each in sorted(self.found, key=lambda pair: order[id(pair[0])])]

    async def _one(self, target: "Target") -> None:
        from collectors.snmp.engine import recognise_once  # noqa: PLC0415 - slow to load

        try:
            batch, seen = await recognise_once(target)
            if seen is not None:
                self.found.append((target, _found(target, seen, len(batch.readings), batch.error)))
                self._say(f"{target.address}:{target.port}  {_what(seen)}")
        finally:
            self._free.release()
        self.asked += 1
        self._progress()

    def _say(self, line: str) -> None:
        print(("\r\x1b[K" if sys.stderr.isatty() else "") + clean(line), file=sys.stderr)

    def _progress(self) -> None:
        line = f"{self.asked} of {len(self.targets)} asked, {len(self.found)} found"
        if sys.stderr.isatty():
            print(f"\r{line}", end="", flush=True, file=sys.stderr)
        elif time.monotonic() - self._said >= 5 or self.asked == len(self.targets):
            self._said = time.monotonic()
            print(line, file=sys.stderr)


def _what(seen: "Recognition") -> str:
    called = " ".join(filter(None, (seen.identity.get("maker"), seen.identity.get("model")))) or seen.description
    if not _recognised(seen):
        return f"not recognised: {called or 'says nothing of itself'} ({seen.sys_object_id or 'no sysObjectID'})"
    return f"{called} ({', '.join(seen.definitions)})"


def _recognised(seen: "Recognition") -> bool:
    return bool(seen.definitions) and not seen.found


def _found(target: "Target", seen: "Recognition", readings: int, error: str) -> Found:
    return Found(
        id="",
        address=target.address,
        port=target.port,
        name=seen.name,
        description=seen.description,
        sys_object_id=seen.sys_object_id,
        recognised=_recognised(seen),
        definitions=seen.definitions,
        identity=seen.identity,
        has=seen.found,
        readings=readings,
        error=error,
    )


def _named(found: list[Found]) -> list[Found]:
    """Give each device an id that a site file may have: its own name, else its address; each once."""
    taken: set[str] = set()
    named = []
    for each in found:
        own = _SLUG.sub("-", each.name.casefold()).strip("-")[:48]
        name = wanted = own or "snmp-" + (_SLUG.sub("-", each.address.casefold()).strip("-")[:48] or "device")
        number = 2
        while name in taken:
            name, number = f"{wanted}-{number}", number + 1
        taken.add(name)
        named.append(msgspec.structs.replace(each, id=name))
    return named


def section(found: list[Found], args: argparse.Namespace, scan: _Scan) -> str:
    """Return the site file's section for what was found, ready to be pasted; what is uncertain stands in comments."""
    total = len(scan.targets)
    lines = [f"# {len(found)} of {total} addresses answered."]
    if scan.asked < total:
        lines = [f"# Not complete: only {scan.asked} of {total} addresses were asked, {len(found)} answered."]
    lines += [*_credential(args), "snmp:", "  devices:"]
    for each in found:
        port = f", port: {each.port}" if each.port != 161 else ""
        lines.append(
            f"    - {{id: {each.id}, name: {_quoted(each.name or each.id)}, address: {_quoted(each.address)}{port}, "
            f"credential: {args.credential}}}"
        )
        lines.append(f"      # {_says(each)}")
    return "\n".join(map(clean, lines)) + "\n"


def _says(each: Found) -> str:
    called = " ".join(filter(None, (each.identity.get("maker"), each.identity.get("model")))) or each.description
    if each.recognised:
        return f"{called}: {', '.join(each.definitions)}, {each.readings} readings"
    has = f"; it has objects of {', '.join(each.has)}" if each.has else ""
    by = f", read as far as {', '.join(each.definitions)} go" if each.definitions else ""
    return f"not recognised{by}: sysObjectID {each.sys_object_id or '(none)'}, {called or 'no description'}{has}"


def _credential(args: argparse.Namespace) -> list[str]:
    """Return the credentials' part: the file that holds the secret, never the secret."""
    if args.version != "3":
        file = args.community_file or "snmp-community"
        make = [
            "# First write the community to a file of its own, beside the site file:",
            f"#     install -m 600 /dev/stdin {file} <<< 'the community'",
        ]
        return [
            *([] if args.community_file else make),
            "credentials:",
            f"  {args.credential}: {{version: {args.version}, community_file: {_quoted(str(file))}}}",
        ]
    keys = [f"version: 3, user: {_quoted(args.user)}"]
    if args.auth_key_file:
        keys.append(f"auth_protocol: {args.auth_protocol or 'sha1'}, auth_key_file: {_quoted(str(args.auth_key_file))}")
    if args.privacy_key_file:
        protocol = args.privacy_protocol or "aes128"
        keys.append(f"privacy_protocol: {protocol}, privacy_key_file: {_quoted(str(args.privacy_key_file))}")
    if args.context:
        keys.append(f"context: {_quoted(args.context)}")
    return ["credentials:", f"  {args.credential}: {{{', '.join(keys)}}}"]


def _quoted(text: str) -> str:
    plain = clean(text).replace("\\", "\\\\").replace('"', '\\"')
    return (
        text
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", text) and not re.fullmatch(r"[0-9.]+", text)
        else f'"{plain}"'
    )
