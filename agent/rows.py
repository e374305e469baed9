"""Readings as they travel to the desk and as commands print them."""

from collections.abc import Iterable

from model.point import Reading
from model.protocol import ReadingRow


def reading_row(reading: Reading, boot: float) -> ReadingRow:
    """Return one reading as a row; `boot` is CLOCK_BOOTTIME now, for its age."""
    point = reading.point
    return ReadingRow(
        device=point.device,
        point=point.id,
        quantity=str(point.quantity),
        label=point.label,
        value=reading.value,
        unit=point.quantity.unit.symbol,
        index=dict(point.index),
        quality=reading.quality,
        age=round(max(0.0, boot - reading.time), 3),
        source=point.source,
        preferred=point.preferred,
        severity=point.severity(reading.value) if point.states else None,
    )


def reading_rows(readings: Iterable[Reading], boot: float) -> tuple[ReadingRow, ...]:
    """Return readings as rows, device by device, in the order of their points."""
    return tuple(reading_row(reading, boot) for reading in readings)
