"""`roundsman devices test DEFINITION RECORDING`: what a definition makes of a recorded card, and what it leaves."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from agent.rows import reading_rows
from roundsman.devices.shelf import library_with
from roundsman.devices.tables import readings_table
from roundsman.output import CommandError, clean, json_lines
from roundsman.words import say

if TYPE_CHECKING:
    from collectors.line.definition import Definition as LineDefinition
    from collectors.snmp.definition import Definition
    from collectors.snmp.recording import Recording
    from model.point import Batch

AUTO = "auto"
_LEFT = 12  # subtrees that are named; the rest is counted


def tried(args: argparse.Namespace) -> int:
    """Print every reading of a recorded card, then what the definition names in vain and what it leaves unread."""
    from collectors.snmp.library import shipped  # noqa: PLC0415 - slow to read, only here
    from collectors.snmp.recording import RecordingError, read_from, read_recording  # noqa: PLC0415 - only here

    if args.definition != AUTO and (of_line := _of_line(args.definition)) is not None:
        from roundsman.devices.line_shelf import tried_line  # noqa: PLC0415 - only for a device on a line

        return tried_line(of_line, args)
    is_file = args.definition.endswith((".yaml", ".yml")) or "/" in args.definition
    library = library_with(Path(args.definition)) if is_file else shipped()
    name = Path(args.definition).stem if is_file else args.definition
    if name != AUTO and name not in library:
        raise CommandError(f"No definition {name!r}: name a file, one of `roundsman devices`, or {AUTO}.")
    try:
        recording = read_recording(args.recording)
    except (OSError, RecordingError) as error:
        raise CommandError(str(error)) from error
    batch, seen = read_from(recording, library, definition=name)
    rows = reading_rows(batch.readings, 0.0)
    if args.json:
        json_lines({key: getattr(row, key) for key in row.__struct_fields__} for row in rows)
        return 0 if batch.readings else 1
    readings_table(rows)
    serving = seen.definitions if seen else ()
    print()
    print(say("Read by:"), ", ".join(serving) or say("nothing; the definition finds none of its objects"))
    for line in _remarks([library[each] for each in serving], batch, recording):
        print(clean(line))
    return 0 if serving else 1


def _of_line(name: str) -> "LineDefinition | None":
    from roundsman.devices.line_shelf import line_definition  # noqa: PLC0415 - slow to read, only here

    return line_definition(name)


def _remarks(definitions: list["Definition"], batch: "Batch", recording: "Recording") -> Iterator[str]:
    sources = {reading.point.source for reading in batch.readings}
    vain = sorted({name for each in definitions for name, oid in _named(each) if not _any_below(oid, sources)})
    if vain:
        yield f"{say('Named, but not there:')} {', '.join(vain)}"
    silent = sorted({r.point.label for r in batch.readings if r.value is None and r.point.source in recording.objects})
    if silent:
        nothing = say("There, but said nothing that counts (absent, out of range, a state not listed):")
        yield f"{nothing} {', '.join(silent)}"
    left = Counter(oid.rpartition(".")[0] for oid in recording.objects if oid not in sources and _is_makers(oid))
    if left:
        yield say("Of the maker's, not read (subtree, objects):")
        yield from (f"  {oid}  {count}" for oid, count in left.most_common(_LEFT))
        if len(left) > _LEFT:
            yield f"  ... {len(left) - _LEFT} {say('more')}"


def _named(definition: "Definition") -> Iterator[tuple[str, str]]:
    for each in definition.objects:
        yield each.name, each.oid
    for rows in definition.tables:
        for column in rows.columns:
            yield column.name, f"{rows.entry}.{column.column}"


def _any_below(oid: str, sources: set[str]) -> bool:
    return oid in sources or any(source.startswith(oid + ".") for source in sources)


def _is_makers(oid: str) -> bool:
    return oid.startswith("1.3.6.1.4.1.")
