"""Whether a walk over INFO is believable: the checks of its layout against the values that it met. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
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
    """Give for each place (a pack) "" where the sum is near, or why not.

    A part of 0 may be dead or not wired: what it and the parts that are absent or cannot be would add is not known, but
    for the most that such a part can have.
    """
    parts: dict[tuple[tuple[str, str], ...], list[Field]] = {}
    wholes: dict[tuple[tuple[str, str], ...], float | None] = {}
    for each in fields:
        place = tuple((name, number) for name, number in each.index.items() if name != sum_of.each)
        if each.meaning.quantity is sum_of.of and sum_of.each in each.index:
            parts.setdefault(place, []).append(each)
        elif each.meaning.quantity is check.near:
            wholes[place] = each.value if isinstance(each.value, float | int) else None
    for place, found in parts.items():
        whole = wholes.get(place)
        if whole is None:
            continue
        least = sum(each.value for each in found if isinstance(each.value, float | int))
        unknown = [each.meaning.range[1] if each.meaning.range else inf for each in found if not each.value]
        if abs(least - whole) > check.within and not least <= whole <= least + sum(unknown):
            yield f"the {sum_of.each}s add up to {least:g}, not to {whole:g}"
        elif all(each.value is not None for each in found) and abs(least - whole) <= check.within:
            yield ""


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
