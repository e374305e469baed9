"""The sites by region, as their contracts name the regions, with what is open and silent in each."""

from collections.abc import Iterable

import msgspec

from desk.rounds import SiteLine
from desk.settings import Contracts
from model.contract import Text

FEW = 40  # sites that are all shown unfolded


class Branch(msgspec.Struct, frozen=True):
    """A region and its sites, those with open tickets first; `title` is {} where the sites have no region.

    `open` counts tickets, `silent` sites; `unfolded` says whether it shows its sites by itself.
    """

    region: str
    title: Text
    lines: tuple[SiteLine, ...]
    open: int
    silent: int
    unfolded: bool


def tree(lines: Iterable[SiteLine], contracts: Contracts) -> tuple[Branch, ...]:
    """Return sites by region; regions by title, which stays where it is, and last what has no region.

    A region that two contracts call otherwise is two.
    """
    found: dict[tuple[bool, str, str], tuple[Text, list[SiteLine]]] = {}
    total = 0
    for line in lines:
        region, total = line.site.region, total + 1
        title = contracts(line.site.contract).regions.get(region) or {"en": region, "zh": region} if region else {}
        found.setdefault((not region, title.get("en", ""), region), (title, []))[1].append(line)
    ordered = sorted(found.items(), key=_first)
    return tuple(_branch(key[2], title, there, unfolded=total <= FEW) for key, (title, there) in ordered)


def _first(item: tuple[tuple[bool, str, str], object]) -> tuple[bool, str, str]:
    return item[0]


def _branch(region: str, title: Text, lines: list[SiteLine], *, unfolded: bool) -> Branch:
    silent = sum(line.silent for line in lines)
    ill = sum(line.open for line in lines)
    return Branch(region, title, tuple(lines), ill, silent, unfolded or bool(ill or silent))
