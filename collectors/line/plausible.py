"""Whether a walk over INFO is believable: the checks of its layout against the values that it met. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from collectors.line.ydt_definition import Check, Sum

if TYPE_CHECKING:
    from collectors.line.walk import Field


def proofs(checks: Iterable[Check], fields: tuple[Field, ...]) -> tuple[int, list[str]]:
    """Return how many checks held, and of those that did not why; a check that lacks a value counts as neither."""
    held, wrong = 0, list[str]()
    for check in checks:
        for verdict in _sums(check, check.sum, fields) if check.sum else _ranges(check, fields):
            held += verdict == ""
            wrong += [verdict] if verdict else []
    return held, wrong


def _sums(check: Check, sum_of: Sum, fields: tuple[Field, ...]) -> Iterable[str]:
    """Give for each place (a pack) "" where the sum is near, or why not."""
    parts: dict[tuple[tuple[str, str], ...], list[float | None]] = {}
    wholes: dict[tuple[tuple[str, str], ...], float | None] = {}
    doubtful: set[tuple[tuple[str, str], ...]] = set()
    for each in fields:
        place = tuple((name, number) for name, number in each.index.items() if name != sum_of.each)
        value = each.value if isinstance(each.value, float | int) else None
        if each.meaning.quantity is sum_of.of and sum_of.each in each.index:
            parts.setdefault(place, []).append(value)
            doubtful |= {place} if each.doubtful else set()
        elif each.meaning.quantity is check.near:
            wholes[place] = value
    for place, values in parts.items():
        whole, known = wholes.get(place), [value for value in values if value is not None]
        if place in doubtful:
            yield f"one of the {sum_of.each}s cannot be"
            continue
        if whole is None or len(known) < len(values):
            continue
        gap = abs(sum(known) - whole)
        yield "" if gap <= check.within else f"the {sum_of.each}s add up to {sum(known):g}, not to {whole:g}"


def _ranges(check: Check, fields: tuple[Field, ...]) -> Iterable[str]:
    """Give "" where at least half of the values are within, or why not."""
    assert check.range is not None  # noqa: S101  # a check is a sum or a range
    wanted = check.index.items()
    found = [each for each in fields if each.meaning.quantity is check.of and wanted <= each.index.items()]
    values = [each.value for each in found if isinstance(each.value, float | int)]
    if not values:
        return
    least, most = check.range
    beyond = [value for value in values if not least <= value <= most]
    yield "" if len(beyond) * 2 <= len(values) else f"{check.of} is {beyond[0]:g}, not {least:g} to {most:g}"
