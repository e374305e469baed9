"""How long things take on the wire: one character, the gap between frames, and what a hole in a read costs.

    T = sum over reads of (13 + 2n) * char + max(turnaround, gap) + gap        (Modbus RTU, n registers a read)

A read through h unwanted registers costs 2h characters; a request of its own costs 13 characters, the slave's
turnaround and a gap. The largest hole worth reading through is where both are equal.

Of a Modbus TCP gateway or device the wire is not known: nothing is the least that an exchange can take, and a request
of its own, which is a round trip more, costs more than any hole does.
"""

from dataclasses import dataclass

from config.line_port import MODBUS_TCP, DeviceServer
from config.schema import Line

FAST = 19200
"""Above this speed the gap of Modbus no longer shrinks with the characters (Modbus over Serial Line V1.02, 2.5.1.1)."""

ANY_HOLE = 2000
"""More than any read may ask for."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one line: `char` for one character, `gap` between frames, `turnaround` that slaves need to answer.

    `pause` is waited on top of each gap, `unit_pause` before another unit is spoken to: as the site file says. `wired`
    is False where what we speak on is no serial line.
    """

    char: float
    gap: float
    turnaround: float
    first: float
    between: float
    pause: float = 0.0
    unit_pause: float = 0.0
    wired: bool = True

    @classmethod
    def of(cls, line: Line) -> "Timing":
        """Return the timing of a line. A character is a start bit, 8 data bits, parity if any, and the stop bits."""
        bits = 1 + 8 + (line.parity != "none") + line.stop_bits
        char = bits / line.baud
        # USB adapters deliver what they have every 16 ms, so silence within a reply is real only well above that.
        between = max(0.1, 20 * char)
        gap = 0.00175 if line.baud > FAST else 3.5 * char
        return cls(
            char=char,
            gap=gap,
            turnaround=line.turnaround,
            first=line.timeout,
            between=between,
            pause=line.pause,
            unit_pause=line.unit_pause,
            wired=not (isinstance(line.port, DeviceServer) and line.port.kind == MODBUS_TCP),
        )

    @property
    def quiet(self) -> float:
        """Silence before a request: the gap, and what the site file adds to it."""
        return self.gap + self.pause

    @property
    def largest_hole(self) -> int:
        """Most unwanted registers that are cheaper to read than to leave out."""
        if not self.wired:
            return ANY_HOLE
        return int((13 * self.char + max(self.turnaround, self.gap) + self.quiet) / (2 * self.char))

    def exchange(self, characters: int) -> float:
        """Return the least seconds that an exchange of so many characters, both ways, can take; 0: not known."""
        return characters * self.char + max(self.turnaround, self.gap) + self.quiet if self.wired else 0.0
