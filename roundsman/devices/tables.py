"""The table of readings that trying a definition prints."""

from collections.abc import Iterable

from model.protocol import ReadingRow
from roundsman.output import table, value_text
from roundsman.words import say


def readings_table(rows: Iterable[ReadingRow]) -> None:
    """Print each reading with its value, how bad it is, its point and where it is from."""
    table(
        tuple(map(say, ("READING", "VALUE", "SEVERITY", "POINT", "SOURCE"))),
        [
            (
                row.label + ("" if row.preferred else f" ({say('set aside')})"),
                value_text(row.value, row.unit),
                say(str(row.severity)) if row.severity else "",
                row.point,
                row.source,
            )
            for row in rows
        ],
        empty=say("No readings."),
    )
