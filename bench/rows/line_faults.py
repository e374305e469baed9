"""A serial line with devices that fail: what a dead one costs the living, and whether a babbling one hides them."""

from collections.abc import Callable

from bench.figures import Budget, Figure, Peer, Spread
from bench.sizes import Sizes
from bench.wires import Line, ours

Tell = Callable[[str], None]
EIGHT = Line().modbus


def measure(sizes: Sizes, tell: Tell) -> list[Figure]:
    """Read eight slaves of which one is dead, then two with a babbling device beside."""
    return [_one_dead(sizes, tell), *_babbled(sizes, tell)]


def _one_dead(sizes: Sizes, tell: Tell) -> Figure:
    """Return the mean cycle of the seven living beside the dead one, over that of the seven alone."""
    tell(f"seven alone, {sizes.trouble:g} s")
    alone = ours(Line(modbus=EIGHT[:7]), _seconds(sizes))
    tell(f"the eighth is dead, {sizes.trouble:g} s")
    beside = ours(Line(extra=("--dead", "8")), _seconds(sizes))
    # A cycle with the dead one's turn in it belongs to the seven: their answers in the time that they had.
    took = [each.counts["window_seconds"] / each.counts["answered"] * 7 for each in (beside, alone)]
    return Figure(
        "one dead of eight at 9600: cycle of the living",
        "s",
        Spread.of([took[0]]),
        (Peer("the seven alone", Spread.of([took[1]])),),
        Budget(1.05, of_ratio=True),
    )


def _babbled(sizes: Sizes, tell: Tell) -> list[Figure]:
    """Return the cycles in which one of the six living was not read."""
    tell(f"two dead, one babbling, {sizes.trouble:g} s")
    found = ours(Line(extra=("--dead", "3,6", "--babble", "0.10")), _seconds(sizes))
    cycles = len(found.read["seconds"])
    reached = [found.read["reached"].get(f"modbus-{unit}", 0) for unit in EIGHT if unit not in {3, 6}]
    missed = float(max(0, cycles - min(reached)))
    what = f"two dead and one babbling 10 % of the time, {cycles} cycles"
    return [
        Figure(f"{what}: without a living one", "cycles", Spread.of([missed]), budget=Budget(0.0)),
        Figure(f"{what}: values of another slave taken", "answers", _count(found.read["foreign"]), budget=Budget(0.0)),
    ]


def _count(value: int) -> Spread:
    return Spread.of([float(value)])


def _seconds(sizes: Sizes) -> str:
    return f"{sizes.trouble:g}s"
