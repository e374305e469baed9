"""Figures: medians with least and most, ratios to peers, budgets, and the table they are printed in."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Spread:
    """The median of some runs, the least and the most."""

    median: float
    least: float
    most: float
    runs: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Return the spread of at least one value."""
        found = list(values)
        return cls(statistics.median(found), min(found), max(found), len(found))

    def __str__(self) -> str:
        if self.runs == 1:
            return short(self.median)
        return f"{short(self.median)} ({short(self.least)}..{short(self.most)})"


@dataclass(frozen=True)
class Peer:
    """A peer's figure in the same run; None with a note that says why there is none."""

    name: str
    spread: Spread | None
    note: str = ""


@dataclass(frozen=True)
class Budget:
    """At most `limit`: of our figure, or of the ratio to the first peer."""

    limit: float
    of_ratio: bool = False


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, ours, and the peers beside it."""

    what: str
    unit: str
    ours: Spread
    peers: tuple[Peer, ...] = ()
    budget: Budget | None = None
    note: str = ""

    def ratio(self, peer: Peer) -> float | None:
        """Return ours over the peer's; None without one."""
        return self.ours.median / peer.spread.median if peer.spread is not None and peer.spread.median else None

    @property
    def verdict(self) -> str:
        """Say whether the budget is met: "met 1.5", "NOT met 1.5", "" without a budget or its peer."""
        if self.budget is None:
            return ""
        value = self.ratio(self.peers[0]) if self.budget.of_ratio else self.ours.median
        if value is None:
            return ""
        word = "ratio " if self.budget.of_ratio else ""
        return f"{'met' if value <= self.budget.limit else 'NOT met'}: {word}at most {short(self.budget.limit)}"

    def row(self, name: str) -> dict[str, Any]:
        """Return the figure as one JSON object."""
        peers = [asdict(peer) | {"ratio": self.ratio(peer)} for peer in self.peers]
        return {
            "row": name,
            "what": self.what,
            "unit": self.unit,
            "ours": asdict(self.ours),
            "peers": peers,
            "budget": self.verdict,
            "note": self.note,
        }


HEAD = ("row", "what", "ours", "peer", "theirs", "ratio", "unit", "budget")


def table(figures: Sequence[tuple[str, Figure]]) -> str:
    """Return the figures as a table in Markdown, one line for each peer."""
    lines = [HEAD, tuple("-" * len(word) for word in HEAD)]
    for name, figure in figures:
        for place, peer in enumerate(figure.peers or (Peer("no peer", None),)):
            ratio = figure.ratio(peer)
            theirs = str(peer.spread) if peer.spread is not None else peer.note
            shown = "" if ratio is None else f"{ratio:.2f}"
            ours = (name, figure.what, str(figure.ours)) if place == 0 else ("", "", "")
            lines.append((*ours, peer.name, theirs, shown, figure.unit, figure.verdict if place == 0 else ""))
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEAD))]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines)


def short(value: float) -> str:
    """Return a number with three digits that count."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
