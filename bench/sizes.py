"""How much is measured: five runs of everything by default, and sizes so small that a test can run all rows."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    `window`, `interval`, `settle`, `listen`, `trouble` and `storm_seconds` are seconds; `sensors` and `gauges` count
    values of one device and one page, `exchanges` and `spoilt` requests, `storm` sites,
    `province` sites and days, `boards` open pages.
    """

    runs: int = 5
    devices: int = 500
    window: float = 10.0
    interval: int = 10
    collections: int = 40
    scrapes: int = 20
    gauges: int = 10_000
    sensors: int = 500
    walks: int = 10
    settle: float = 25.0
    gets: int = 100
    requests: int = 3000
    cycles: int = 20
    listen: float = 20.0
    exchanges: int = 10_000
    trouble: float = 120.0
    spoilt: int = 100_000
    storm: int = 10_000
    storm_seconds: float = 60.0
    province: tuple[int, int] = (200, 90)
    boards: int = 500


TINY = Sizes(
    runs=1,
    devices=5,
    window=1.0,
    interval=1,
    collections=2,
    scrapes=2,
    gauges=50,
    sensors=10,
    walks=2,
    settle=0.5,
    gets=3,
    requests=50,
    cycles=2,
    listen=3.0,
    exchanges=80,
    trouble=4.0,
    spoilt=500,
    storm=30,
    storm_seconds=1.0,
    province=(10, 3),
    boards=5,
)

FAST = replace(
    Sizes(),
    runs=1,
    devices=50,
    window=5.0,
    settle=10.0,
    cycles=6,
    listen=6.0,
    exchanges=1000,
    trouble=20.0,
    spoilt=10_000,
    storm=1000,
    storm_seconds=6.0,
    province=(50, 20),
)
