"""Who speaks on a line already: bytes are listened to at one setting after the other until they make frames."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from collectors.line.listening import Listening, Tuner
from collectors.line.scanner import Scanner
from collectors.line.search import SPARK, Setting
from roundsman.lines.words import NAMES

TUNING = 20.0
"""Seconds after the first bytes in which their setting is looked for."""
CYCLE = 3.0
"""Seconds of listening on once the setting is known: a supervision unit asks its devices again within them, mostly."""


@dataclass(frozen=True, slots=True)
class Overheard:
    """What was heard in so many seconds; `listening` at the setting that made frames, if one did."""

    octets: int
    seconds: float
    listening: Listening | None = None

    @property
    def is_traffic(self) -> bool:
        """Whether somebody spoke; a few bytes may be a spark on the wire."""
        return self.octets >= SPARK

    def told(self) -> str:
        """Say what was heard, in words."""
        heard = self.listening
        if heard is None:
            return f"{self.octets} bytes in {self.seconds:.0f} s that make no frame at any of the settings tried"
        by_protocol: dict[str, list[int]] = {}
        for protocol, unit in sorted(heard.speakers):
            by_protocol.setdefault(NAMES[protocol], []).append(unit)
        who = " and ".join(
            f"{name} address{'es' * (len(units) > 1)} {_listed(units)}" for name, units in by_protocol.items()
        )
        again = f", the same again after {heard.cycle:.1f} s" if heard.cycle else ""
        return f"{heard.setting}, {who}{again}"


def overhear(scanner: Scanner, settings: Sequence[Setting], seconds: float) -> Overheard:
    """Listen for so many seconds, and longer when there is something to hear. Sends nothing. Raises PortError."""
    began = time.monotonic()
    tuner = Tuner(settings)
    tune(scanner, tuner, seconds)
    if tuner.found is None:
        return Overheard(tuner.octets, time.monotonic() - began)
    listening = heard_so_far(tuner, tuner.found)
    until = time.monotonic() + CYCLE
    for octets, at in scanner.listen(tuner.found):
        listening.feed(octets, at)
        if at >= until:
            break
    return Overheard(listening.octets, time.monotonic() - began, listening)


def heard_so_far(tuner: Tuner, setting: Setting) -> Listening:
    """Return the books of what was read while the setting was being looked for."""
    listening = Listening(setting, tuner.kept[0][1])
    for octets, at in tuner.kept:
        listening.feed(octets, at)
    return listening


def tune(scanner: Scanner, tuner: Tuner, seconds: float, more: float = TUNING) -> None:
    """Listen until frames have told the setting; without a byte for so many seconds, with bytes so many more."""
    began = time.monotonic()
    while True:
        for octets, at in scanner.listen(setting := tuner.setting):
            tuner.feed(octets, at)
            limit = seconds + (more if tuner.octets >= SPARK else 0.0)
            if tuner.found or at - began >= limit:
                return
            if tuner.setting != setting:
                break


def _listed(units: list[int]) -> str:
    return ", ".join(map(str, units[:12])) + (f" and {len(units) - 12} more" if len(units) > 12 else "")
