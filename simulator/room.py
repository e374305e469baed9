"""The power room: the plant, its devices on a line and two cards, a scenario that plays, and controls for tests."""

import asyncio
import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from simulator import cards, line_devices
from simulator.bus import PacedLine
from simulator.plant import MODULES, Plant, Snapshot
from simulator.scenario import DEVICES, Scenario, Step, Title, load
from simulator.subrack import FANS
from simulator.trouble import Trouble

_LOOK_IN_SECONDS = 10.0
_REMEMBERED = 500


@dataclass(frozen=True, slots=True)
class Happening:
    """A step as it happened: seconds of the room's time, its title, what was done (`mains_fails` ...)."""

    at: float
    title: Title
    what: str


class PowerRoom:
    """A power room that plays itself on this machine: one paced line, two SNMP cards on 127.0.0.1.

    With a `folder`, the line is also there as the link `line` (replaced when it exists), a name that stays the same
    from run to run.  After `start`: `line_port` is the serial port's path, `ups_address` and `subrack_address` are
    (host, port).  The controls may be called at any time from the loop's thread; they act at once.
    """

    def __init__(
        self, folder: Path | None = None, *, seed: int = 1, baud: int = 9600, turnaround: float = 0.005
    ) -> None:
        self.line_port = ""
        self.line_link: Path | None = folder / "line" if folder is not None else None
        self._plant = Plant(seed=seed)
        self._lock = threading.Lock()  # the line reads the plant from its own thread
        self._began = time.monotonic()
        self._speed = 1.0
        self.line = PacedLine(line_devices.devices(self.read), baud=baud, turnaround=turnaround)
        self._cards = cards.Cards(self.read)
        self._story: deque[Happening] = deque(maxlen=_REMEMBERED)
        self._happened = 0
        self._told = asyncio.Event()
        self._player: asyncio.Task[None] | None = None

    async def start(self, scenario: Scenario | str | Path | None = None, *, speed: float = 1.0) -> None:
        """Open the line and the cards and begin to play; without a scenario nothing happens by itself.

        `speed` makes the room's time run faster; the line keeps the wire's pace.  Raises ConfigError for a scenario
        that cannot be used.
        """
        story = load(scenario) if isinstance(scenario, str | Path) else scenario
        await self._cards.start()
        self._speed = speed
        self._began = time.monotonic() - self._plant.time / speed
        self.plug_in()
        if story is not None:
            self._player = asyncio.create_task(self._tell(story), name="scenario")

    async def stop(self) -> None:
        """End the story, close the cards and take the line away."""
        try:
            if self._player is not None:
                self._player.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._player
        finally:
            self._player = None
            self._told.set()
            self._cards.stop()
            self.unplug()

    @property
    def ups_address(self) -> tuple[str, int]:
        """Host and port of the UPS's card."""
        return self._cards.address(cards.UPS)

    @property
    def subrack_address(self) -> tuple[str, int]:
        """Host and port of the transmission equipment's card."""
        return self._cards.address(cards.SUBRACKS)

    def now(self) -> float:
        """Return the room's time in seconds since it started."""
        return (time.monotonic() - self._began) * self._speed

    def read(self) -> Snapshot:
        """Return what everything in the room measures now."""
        with self._lock:
            return self._plant.snapshot(self.now())

    async def play(self) -> AsyncIterator[Happening]:
        """Yield the last 500 steps and what happens from now on, until the story is over or the room stops."""
        seen = 0
        while True:
            while seen < self._happened:
                seen = max(seen, self._happened - len(self._story))
                yield self._story[seen - self._happened]
                seen += 1
            if self._player is None or self._player.done():
                return
            self._told.clear()
            await self._told.wait()

    def plug_in(self) -> None:
        """Make the line, if it is not there; `line_port` may be another than before, the link stays the same."""
        if not self.line_port:
            self.line_port = self.line.open()
            self.line.start()
            if self.line_link is not None:
                link_to(self.line_link, self.line_port)

    def unplug(self) -> None:
        """Take the line away, as when its USB adapter is pulled: its port hangs up, its link is gone."""
        if self.line_port:
            if self.line_link is not None:
                self.line_link.unlink(missing_ok=True)
            self.line.stop()
            self.line_port = ""

    def trouble_line(self, trouble: Trouble) -> None:
        """Let the line be as bad as that from now on."""
        self.line.pair.worsen(trouble, time.monotonic())

    def mains(self, on: bool) -> None:
        """Take mains away or give it back."""
        with self._lock:
            self._plant.set_mains(self.now(), on=on)

    def stop_fan(self, subrack: int, fan: int) -> None:
        """Stop fan 1..4 of subrack 1 or 2."""
        with self._plant_now() as plant:
            plant.subrack(subrack).stopped.add(_index(fan, FANS, "fan"))

    def start_fan(self, subrack: int, fan: int) -> None:
        """Let that fan turn again."""
        with self._plant_now() as plant:
            plant.subrack(subrack).stopped.discard(_index(fan, FANS, "fan"))

    def set_temperature(self, subrack: int, celsius: float, over: float = 0.0) -> None:
        """Bring a subrack to exactly this temperature, at once or within `over` seconds, and hold it."""
        with self._plant_now() as plant:
            plant.impose_temperature(self.now(), subrack, celsius, over)

    def free_temperature(self, subrack: int) -> None:
        """Let a subrack's temperature follow its fans again."""
        with self._plant_now() as plant:
            plant.subrack(subrack).ramp = None

    def kill_sensor(self, subrack: int, fan: int | None = None) -> None:
        """Break the sensor of a fan, or without a fan the subrack's temperature sensor."""
        self._set_sensor(subrack, fan, dead=True)

    def mend_sensor(self, subrack: int, fan: int | None = None) -> None:
        """Mend that sensor."""
        self._set_sensor(subrack, fan, dead=False)

    def fail_module(self, module: int) -> None:
        """Break rectifier module 1..3: it gives nothing and reports a fault."""
        with self._plant_now() as plant:
            plant.faulty_modules.add(_index(module, MODULES, "module"))

    def mend_module(self, module: int) -> None:
        """Mend that module."""
        with self._plant_now() as plant:
            plant.faulty_modules.discard(_index(module, MODULES, "module"))

    def kill(self, device: str) -> None:
        """Let a device answer no more: rectifier, battery, meter, ups or subracks."""
        self._silent(device).add(device)

    def revive(self, device: str) -> None:
        """Let it answer again."""
        self._silent(device).discard(device)

    def _silent(self, device: str) -> set[str]:
        if device not in DEVICES:
            raise ValueError(f"there is no {device}; there are {', '.join(DEVICES)}")
        return self._cards.silent if device in {cards.UPS, cards.SUBRACKS} else self.line.silent

    @contextlib.contextmanager
    def _plant_now(self) -> Iterator[Plant]:
        with self._lock:
            self._plant.advance(self.now())
            yield self._plant

    def _set_sensor(self, subrack: int, fan: int | None, *, dead: bool) -> None:
        with self._plant_now() as plant:
            rack = plant.subrack(subrack)
            if fan is None:
                rack.temperature_dead = dead
            elif dead:
                rack.dead_sensors.add(_index(fan, FANS, "fan"))
            else:
                rack.dead_sensors.discard(_index(fan, FANS, "fan"))

    async def _tell(self, story: Scenario) -> None:
        """Play the steps at their times, again and again if the story says so."""
        began = self.now()
        try:
            while True:
                for step in story.steps:
                    await self._until(began + step.at)
                    step.apply(self)
                    self._announce(step)
                if story.again_every is None:
                    return
                began += story.again_every
        finally:
            self._told.set()

    async def _until(self, moment: float) -> None:
        while (left := (moment - self.now()) / self._speed) > 0:
            await asyncio.sleep(min(left, _LOOK_IN_SECONDS))
            self.read()  # the plant lives on in small steps when nobody asks it anything

    def _announce(self, step: Step) -> None:
        self._story.append(Happening(self.now(), step.title, str(step.__struct_config__.tag)))
        self._happened += 1
        self._told.set()


def _index(number: int, most: int, what: str) -> int:
    if not 1 <= number <= most:
        raise ValueError(f"there are {what}s 1 to {most}, not {number}")
    return number - 1


def link_to(link: Path, port: str) -> None:
    """Point the link at the port, in one step: a client that opens it finds the old line or the new one."""
    link.parent.mkdir(parents=True, exist_ok=True)
    new = link.with_name(f"{link.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(port)
    new.replace(link)
