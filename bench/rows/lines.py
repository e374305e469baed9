"""Eight lines in one agent, two of them at 115200 baud, while it polls 200 SNMP cards: its CPU, each line's ratio.

A site file takes no interval below 1 s.  Back to back means so many slaves that a cycle takes longer than that.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from bench import peers
from bench.definitions import TWENTY
from bench.figures import Budget, Figure, Peer, Spread
from bench.processes import Child, scrape
from bench.rows.idle import until_read
from bench.site import Place, cards_section, playing, site
from bench.sizes import Sizes
from bench.wires import Line, Running, running

Tell = Callable[[str], None]
SPEEDS = (9600, 9600, 9600, 9600, 9600, 9600, 115200, 115200)
BACK_TO_BACK, SELDOM = 1, 5
FILLED = {9600: 16, 115200: 90}
"""Slaves whose cycle takes more than a second at that speed."""
FEW = dict.fromkeys(FILLED, 8)
NONE: dict[int, int] = {}
CARDS = 200


@dataclass(frozen=True)
class Window:
    """What was seen in one stretch of time: the agent's CPU in % of a core, each line's cycle over its least.

    `late` is the worst line's own lateness, in microseconds: 99 of 100 answers ended within it of their time.
    """

    cpu: float
    ratios: tuple[float, ...]
    lost: int
    late: float


def measure(sizes: Sizes, tell: Tell) -> list[Figure]:
    """Read back to back, then every 5 s, then the cards alone: what the lines cost is the difference."""
    cards = min(CARDS, sizes.devices * 2)
    what = f"eight lines and {cards} cards"
    back = _windows(cards, FILLED, BACK_TO_BACK, sizes, tell)
    seldom = _windows(cards, FEW, SELDOM, sizes, tell)
    alone = _windows(cards, NONE, 0, sizes, tell)
    whole = cards == CARDS
    cards_alone = (Peer("those cards without a line", Spread.of(each.cpu for each in alone)),)
    return [
        Figure(
            f"{what}, back to back: CPU",
            "% of a core",
            Spread.of(each.cpu for each in back),
            cards_alone,
            Budget(20.0) if whole else None,
        ),
        _ratios(f"{what}: worst 9600 line's cycle over its least", back, 9600, 1.02),
        _ratios(f"{what}: worst 115200 line's cycle over its least", back, 115200, 1.06),
        Figure(f"{what}: replies lost", "replies", Spread.of(float(each.lost) for each in back), budget=Budget(0.0)),
        Figure(f"{what}: the worst line's own lateness, 99 of 100", "µs", Spread.of(each.late for each in back)),
        Figure(
            f"{what}, 8 slaves each, every 5 s: CPU",
            "% of a core",
            Spread.of(each.cpu for each in seldom),
            cards_alone,
            Budget(3.0) if whole else None,
        ),
    ]


def _ratios(what: str, windows: list[Window], baud: int, budget: float) -> Figure:
    worst = (max(r for r, speed in zip(each.ratios, SPEEDS, strict=True) if speed == baud) for each in windows)
    return Figure(what, "ratio", Spread.of(worst), budget=Budget(budget))


def _windows(cards: int, slaves: dict[int, int], every: int, sizes: Sizes, tell: Tell) -> list[Window]:
    """Let an agent run for some windows, with so many slaves on a line of each speed, or no line."""
    with ExitStack() as stack:
        units = [tuple(range(1, slaves[baud] + 1)) for baud in SPEEDS if slaves]
        pairs = zip(SPEEDS, units, strict=False)
        lines = [stack.enter_context(running(Line(baud=baud, modbus=each))) for baud, each in pairs]
        _, port = stack.enter_context(playing("ups", cards))
        sections = cards_section(cards, port, f"{sizes.interval}s", "auto") + _lines_section(lines, units, every)
        place = stack.enter_context(site(sections))
        agent = stack.enter_context(place.agent())
        until_read(place, agent, cards + sum(map(len, units)))
        time.sleep(sizes.settle)
        found = []
        for turn in range(sizes.runs):
            tell(f"{len(lines)} lines every {every} s: window {turn + 1} of {sizes.runs}, {sizes.window:g} s")
            found.append(_window(place, agent, lines, sizes))
    return found


def _window(place: Place, agent: Child, lines: list[Running], sizes: Sizes) -> Window:
    before = [line.counts() for line in lines]
    cpu = agent.cpu()
    seconds = peers.paced(sizes.window, [partial(scrape, place.metrics)])
    cpu = (agent.cpu() - cpu) / seconds * 100.0
    after = [line.counts() for line in lines]
    ratios, lost = [], 0
    for old, new in zip(before, after, strict=True):
        # From answer to answer: an exchange under way at the window's ends would be a hundredth of a slow line's time.
        took, least = (new[name] - old[name] for name in ("window_seconds", "least_seconds"))
        ratios.append(took / max(1e-6, least))
        answered = new["answered"] - old["answered"]
        lost += max(0, new["asked"] - old["asked"] - answered - 1)  # one may be under way at each end
    late = max((new["late_microseconds_p99"] or 0.0 for new in after), default=0.0)
    return Window(cpu, tuple(ratios), lost, late)


def _lines_section(lines: list[Running], units: list[tuple[int, ...]], every: int) -> str:
    said = "lines:\n" if lines else ""
    for number, (line, baud, slaves) in enumerate(zip(lines, SPEEDS, units, strict=False), 1):
        said += f"  - id: line-{number}\n    port: {line.port}\n    baud: {baud}\n    every: {every}s\n    devices:\n"
        said += "".join(
            f"      - {{id: slave-{number}-{unit}, protocol: modbus, address: {unit}, definition: {TWENTY}}}\n"
            for unit in slaves
        )
    return said
