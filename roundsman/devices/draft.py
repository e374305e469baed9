"""`roundsman devices draft`: walk a device and print a definition to begin with."""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from collectors.snmp.checked import read_definition
from collectors.snmp.definition import ROOM
from collectors.snmp.meaning import as_text
from collectors.snmp.plan import SYS_DESCR, SYS_NAME, SYS_OBJECT_ID, SYS_UPTIME
from collectors.snmp.recording import written
from collectors.snmp.whole import walk_card
from config.reader import read_text
from roundsman.devices.mib import MibObject, read_mibs
from roundsman.devices.shape import Guess, Shape, guess, label, split
from roundsman.output import CommandError, clean
from roundsman.snmp_options import at, snmp_card
from wire.ber import MalformedError, encode_oid
from wire.snmp import Value

ENTERPRISES = ["1", "3", "6", "1", "4", "1"]
ENTERPRISE_PARTS = 7  # with the maker's number
SYSTEM = (SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_NAME)


def drafted(args: argparse.Namespace) -> int:
    """Print a draft on standard output; say on standard error how far the walk is and what to do next."""
    root = _root(args.root)
    mib = read_mibs(args.mib)
    card = at(snmp_card(args), args.snmp)
    objects, error = asyncio.run(walk_card(card, SYSTEM, lambda found: _roots(found, root), _Progress()))
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if error and not objects:
        raise CommandError(f"{args.snmp}: {error}. Check address, community or user, and the device's access list.")
    read = {oid: value for oid, value in objects.items() if oid not in SYSTEM}
    if not read:
        below = " and ".join(_roots(objects, root))
        raise CommandError(
            f"{args.snmp}: {error}."
            if error
            else f"{args.snmp} has nothing below {below}; name another subtree with --root, for example 1.3.6.1.2.1."
        )
    if error:
        print(f"{args.snmp}: {error}; the draft holds what was read until then.", file=sys.stderr)
    if args.save:
        _save(args.save, written(objects))
    text = draft(read, objects, mib)
    read_definition(read_text(text, f"{ROOM}/draft.yaml"))  # what cannot be read is no draft
    print(text, end="")
    saved = f"roundsman devices test FILE.yaml {args.save}" if args.save else "draft again with --save FILE, then test"
    print(f"{len(objects)} objects. Check each line against the maker's manual, then: {saved}", file=sys.stderr)
    return 0


class _Progress:
    """Says how many objects were read: on a terminal in place, else every five seconds."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, objects: int) -> None:
        now = time.monotonic()
        if sys.stderr.isatty() and now - self._said >= 0.1:
            print(f"\r{objects} objects", end="", flush=True, file=sys.stderr)
        elif now - self._said >= 5:
            print(f"{objects} objects", file=sys.stderr)
        else:
            return
        self._said = now


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise CommandError(f"--save {path}: {error.strerror}.") from error


def _root(written_as: str | None) -> str:
    """Return the subtree that is to be walked, nothing when none is named."""
    if written_as is None:
        return ""
    root = written_as.removeprefix(".")
    try:
        encode_oid(root)
    except MalformedError as error:
        raise CommandError(f"--root {written_as} is no OID ({error}); write for example 1.3.6.1.4.1.318.") from error
    return root


def _roots(found: Mapping[str, Value], root: str) -> Iterable[str]:
    if root:
        return (root,)
    own = as_text(found.get(SYS_OBJECT_ID), 256).split(".")
    if not _is_makers(own):
        return (".".join(ENTERPRISES),)  # it says nothing of its maker: all makers' objects
    return (".".join(own[:ENTERPRISE_PARTS]),)


def _is_makers(oid: list[str]) -> bool:
    """Tell whether a sysObjectID names a maker; net-snmp's own says nothing of the device it runs on."""
    return oid[:6] == ENTERPRISES and len(oid) >= ENTERPRISE_PARTS and oid[6] not in {"8072", "2021"}


def draft(objects: Mapping[str, Value], system: Mapping[str, Value], mib: Mapping[str, MibObject]) -> str:
    """Return the text of a definition for what a walk found; what nobody can guess stands in comments."""
    single, tables = split(objects, mib)
    wanted = list(_singles(single, mib))
    some = any(not line.startswith("#") for line in wanted)
    lines = [*_head(objects, system, mib), "", f"{'' if some else '# '}objects:", *wanted]
    shown = [line for table in tables for line in _table(table, mib)]
    if any(line.startswith("  - name:") for line in shown):
        lines += ["", "tables:"]
    return "".join(clean(line) + "\n" for line in [*lines, *shown])


def _head(objects: Mapping[str, Value], system: Mapping[str, Value], mib: Mapping[str, MibObject]) -> Iterator[str]:
    own = as_text(system.get(SYS_OBJECT_ID), 256)
    first = next(iter(objects), "1.3.6.1.4.1")
    yield f"# A draft, from a walk of: {as_text(system.get(SYS_DESCR)) or 'a device without sysDescr'}"
    yield "# Check every quantity, unit, scale and state against the maker's manual; `TODO` marks what is not known."
    yield "protocol: snmp"
    yield "name: TODO what it is"
    yield "maker: TODO"
    yield f'source: "TODO the document: {"the MIB given" if mib else "MIB or manual, and where in it"}"'
    yield "match:"
    if _is_makers(own.split(".")):
        yield f"  sys_object_id: [{own}]"
    below = ".".join(first.split(".")[: ENTERPRISE_PARTS + 1])
    yield f"  has: [{below}]   # narrow it to a subtree that only this kind of device has"
    yield "absent: [-1, 65535, 2147483647, 4294967295]"


def _singles(single: Mapping[str, Value], mib: Mapping[str, MibObject]) -> Iterator[str]:
    for oid, value in single.items():
        known = mib.get(oid.removesuffix(".0"))
        yield from _line("  - ", f"oid: {oid}", known, oid.split(".")[-2] if "." in oid else oid, value)


def _table(table: Shape, mib: Mapping[str, MibObject]) -> Iterator[str]:
    columns = [
        line
        for number, value in table.columns.items()
        for line in _line("      - ", f"column: {number}", mib.get(f"{table.entry}.{number}"), str(number), value)
    ]
    entry = mib.get(table.entry)
    index = (
        [part.casefold() for part in entry.index] if entry else [f"row{n}" if n else "row" for n in range(table.parts)]
    )
    index = index[: table.parts] or ["row"]
    mark = "" if any(not line.lstrip().startswith("#") for line in columns) else "# "
    name = entry.name.removesuffix("Entry") + "Table" if entry else "TODO"
    yield f"{mark}  - name: {name}   {'' if mark else '# '}{table.rows} rows"
    yield f"{mark}    entry: {table.entry}"
    yield f"{mark}    index: [{', '.join(index)}]"
    yield f"{mark}    columns:"
    yield from (line if not mark else f"# {line.lstrip('# ')}" for line in columns)


def _line(bullet: str, place: str, known: MibObject | None, number: str, value: Value) -> Iterator[str]:
    """Yield the lines of one object: as the file has it when it can be guessed, else as a comment."""
    name = known.name if known else f"object{number}"
    seen = as_text(value, 40)
    what = guess(name, known) if not (known and known.text) and not _is_text(value) else Guess(None)
    told = f" {known.description}" if known and known.description else ""
    head = f"{{{place}, name: {name}, label: {label(name)}"
    if what.quantity is None:
        yield f"#{bullet}{head}, quantity: TODO}}   # {seen!r}{told}"
        return
    extra = f", unit: {what.unit}" if what.unit else ""
    extra += f", scale: {what.scale:g}" if what.scale != 1.0 else ""
    if not what.states:
        yield f"{bullet}{head}, quantity: {what.quantity}{extra}}}   # {seen}{told}"
        return
    indent = " " * len(bullet)
    yield f"{bullet}{place}   # {seen}{told}"
    yield f"{indent}name: {name}"
    yield f"{indent}label: {label(name)}"
    yield f"{indent}quantity: {what.quantity}"
    yield f"{indent}states:"
    for key, (state, severity) in what.states.items():
        yield f"{indent}  {key}: {{name: '{state}'{'' if severity == 'ok' else f', severity: {severity}'}}}"


def _is_text(value: Value) -> bool:
    return isinstance(value, bytes) and not as_text(value).strip().lstrip("+-").replace(".", "", 1).isdigit()
