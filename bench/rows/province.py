"""Ninety days of a province at the desk, in minutes: people act, the desk is away; then its books, replayed."""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Budget, Figure, Spread
from bench.processes import BenchError
from bench.sizes import Sizes
from tests.province.books import check
from tests.province.simulation import Size, lived

LONGEST = 600.0  # seconds of CPU: minutes, not hours


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Live through it once; raises BenchError where the books are not what the entries add up to."""
    size = Size(*sizes.province)
    with TemporaryDirectory(prefix="roundsman-province-") as name:
        began, cpu = time.monotonic(), time.process_time()
        province = lived(size, Path(name))
        lived_for, spent = time.monotonic() - began, time.process_time() - cpu
        counted = province.counted
        tell(f"{counted['events']} events, {counted['acts']} acts of people, {counted['acts refused']} refused")
        began, cpu = time.monotonic(), time.process_time()
        books = check(province.file, province.clock.true, province.closed)
        checked, replayed = time.monotonic() - began, time.process_time() - cpu
    if books.wrong:
        raise BenchError(f"the books are wrong: {'; '.join(books.wrong[:5])}")
    tickets, entries = books.counted["tickets"], books.counted["entries"]
    tell(
        f"the books are exact: {tickets} tickets, {entries} entries, {books.counted['keys that fired']} keys that fired"
    )
    what = f"{size.days} days of {size.sites} sites, {tickets} tickets, {entries} entries"
    return [
        Figure(f"{what}: CPU", "s", Spread.of([spent]), budget=Budget(LONGEST)),
        Figure("the same: elapsed", "s", Spread.of([lived_for])),
        Figure("its books replayed from the entries and compared: CPU", "s", Spread.of([replayed])),
        Figure("the same: elapsed", "s", Spread.of([checked])),
    ]
