"""A serial line: how much longer a cycle takes than the wire must, how many requests are answered, and what it costs.

The least time is counted on the line itself, of what was said there; nothing of the reader is asked for it.
"""

from collections.abc import Callable

from bench import peers
from bench.figures import Budget, Figure, Peer, Spread
from bench.sizes import Sizes
from bench.wires import OURS, PEERS, Line, Outcome, ours, read

Tell = Callable[[str], None]
NO_YDT, NO_CYCLE = "does not speak YD/T 1363", "tells no cycle"


def measure(sizes: Sizes, tell: Tell) -> list[Figure]:
    """Read 8 Modbus slaves at 9600 baud."""
    return beside(Line(), "9600, 8 Modbus x 20", 1.02, sizes, tell)


def measure_fast(sizes: Sizes, tell: Tell) -> list[Figure]:
    """Read them at 115200 baud, and so often that a lost reply would show."""
    return [*beside(Line(baud=115200), "115200, 8 Modbus x 20", 1.06, sizes, tell), _none_lost(sizes, tell)]


def measure_mixed(sizes: Sizes, tell: Tell) -> list[Figure]:
    """Read two power plants among them."""
    return alone(Line(ydt=(11, 12)), "9600, 8 Modbus x 20 and 2 YD/T 1363", 1.02, sizes, tell)


def beside(line: Line, what: str, budget: float, sizes: Sizes, tell: Tell) -> list[Figure]:
    """Return ratio, answers and CPU, ours and the peers', in turns."""
    cycles = sizes.cycles * (10 if line.baud > 9600 else 1)
    outcomes: dict[str, list[Outcome]] = {who: [] for who in (OURS, *PEERS)}
    for turn in range(sizes.runs):
        for who, list_of in outcomes.items():
            tell(f"{what}: run {turn + 1} of {sizes.runs}, {who}")
            outcome = read(who, line, cycles if who == OURS else f"{cycles},{sizes.listen:g}s", sizes.listen)
            list_of.extend([outcome] if outcome is not None else [])

    def others(value: Callable[[Outcome], float | None]) -> tuple[Peer, ...]:
        found = {who: [value(each) for each in list_of] for who, list_of in outcomes.items()}
        return tuple(
            peers.peer(
                name,
                [each for each in found[who] if each is not None],
                NO_CYCLE if found[who] else peers.NOT_INSTALLED,
            )
            for who, name in PEERS.items()
        )

    own, reads = outcomes[OURS], len(line.modbus)
    return [
        Figure(
            f"{what}: cycle over the wire's least",
            "ratio",
            Spread.of(each.counts["ratio"] for each in own),
            others(lambda each: _cycle(each, reads) / line.least()),
            Budget(budget),
        ),
        Figure(
            f"{what}: the quickest cycle over it",
            "ratio",
            Spread.of(_quickest(each, line) or 0.0 for each in own),
            others(lambda each: _quickest(each, line)),
        ),
        Figure(f"{what}: answered", "%", Spread.of(each.answered for each in own), others(lambda each: each.answered)),
        Figure(
            f"{what}: CPU of a request",
            "ms",
            Spread.of(each.milliseconds for each in own),
            others(lambda each: each.milliseconds),
        ),
        punctual(what, own),
    ]


def alone(line: Line, what: str, budget: float, sizes: Sizes, tell: Tell) -> list[Figure]:
    """Return our ratio and answers where no peer can read all of the line."""
    found = []
    for turn in range(sizes.runs):
        tell(f"{what}: run {turn + 1} of {sizes.runs}")
        found.append(ours(line, sizes.cycles))
    none = (Peer("every peer", None, NO_YDT),)
    ratios = Spread.of(each.counts["ratio"] for each in found)
    return [
        Figure(f"{what}: cycle over the wire's least", "ratio", ratios, none, Budget(budget)),
        Figure(f"{what}: answered", "%", Spread.of(each.answered for each in found), none),
    ]


def punctual(what: str, outcomes: list[Outcome]) -> Figure:
    """Return by how much the simulated line itself was late: its error, which is in every ratio."""
    late = Spread.of(each.counts["late_microseconds_median"] or 0.0 for each in outcomes)
    most = max(each.counts["late_microseconds_p99"] or 0.0 for each in outcomes)
    return Figure(f"{what}: the simulated line's own lateness", "µs", late, note=f"99 of 100 within {most:g}")


def _quickest(outcome: Outcome, line: Line) -> float | None:
    """Return the shortest cycle over its least, by the reader's own clock; None of one that does not tell."""
    return min(outcome.read["seconds"]) / line.least() if outcome.read else None


def _cycle(outcome: Outcome, reads: int) -> float:
    """Return the seconds of a cycle: by the requests of a client that reads a slave at once, or a register at once."""
    counts = outcome.counts
    one_by_one = not outcome.read
    return float(counts["window_seconds"]) / max(1, int(counts["asked"])) * reads * (20 if one_by_one else 1)


def _none_lost(sizes: Sizes, tell: Tell) -> Figure:
    """Return how many of many replies were lost, at 115200 baud."""
    line = Line(baud=115200)
    cycles = max(1, sizes.exchanges // len(line.modbus))
    tell(f"{sizes.exchanges} requests at 115200")
    found = ours(line, cycles)
    # By the reader, which asks again: the last request may be under way when it stops, and is not lost.
    lost = Spread.of([float(found.read["waited"] + found.read["lost"])])
    return Figure(f"115200: replies lost of {found.counts['asked']}", "replies", lost, budget=Budget(0.0))
