"""A serial port told over Telnet: the client's side of the COM-PORT option, without I/O.

Sources: RFC 854 (Telnet), RFC 855 (options), RFC 856 (binary), RFC 858 (no go-ahead), RFC 2217 (COM-PORT).

    IAC SB 44 command value IAC SE      the server confirms with command + 100 and the value that now holds

`ComPort` takes what comes and gives the line's bytes in it; what it has to say is in `pending`. It is `ready` once the
server carries bytes as they are and has confirmed every setting. A server that will not is a TelnetError, the one
exception that leaves this module.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
BINARY, NO_GO_AHEAD, COM_PORT = 0, 3, 44

SIGNATURE, BAUD, DATA_SIZE, PARITY, STOP_SIZE, CONTROL = 0, 1, 2, 3, 4, 5
SUSPEND, RESUME, LINE_MASK, MODEM_MASK, PURGE = 8, 9, 10, 11, 12
CONFIRMED: Final = 100
"""What the server adds to a command in its answer, and to those that it sends of its own accord."""

NO_FLOW_CONTROL, DTR_ON, RTS_ON = 1, 8, 11
PURGE_BOTH: Final = 3
PARITIES: Final = {"none": 1, "odd": 2, "even": 3}
NAMES: Final = {BAUD: "baud", DATA_SIZE: "data bits", PARITY: "parity", STOP_SIZE: "stop bits"}
LONGEST: Final = 512
"""Bytes of a sub-negotiation that are kept; a server's signature is the longest."""

_WANTED: Final = frozenset({BINARY, NO_GO_AHEAD, COM_PORT})


class TelnetError(ValueError):
    """The server will not do what is needed; the text says what, in plain words."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the line is set to; eight data bits always."""

    baud: int
    parity: Literal["none", "even", "odd"]
    stop_bits: int

    @property
    def values(self) -> dict[int, int]:
        """Every setting that the server must confirm, by its command."""
        return {BAUD: self.baud, DATA_SIZE: 8, PARITY: PARITIES[self.parity], STOP_SIZE: self.stop_bits}


def escaped(octets: bytes) -> bytes:
    """Return the line's bytes as they are sent: a byte FFH twice (RFC 856)."""
    return octets.replace(b"\xff", b"\xff\xff")


def command(number: int, value: bytes) -> bytes:
    """Encode one COM-PORT command."""
    return bytes((IAC, SB, COM_PORT, number)) + escaped(value) + bytes((IAC, SE))


class ComPort:
    """One connection to a device server, from its first byte on."""

    def __init__(self, settings: Settings) -> None:
        self._unconfirmed = settings.values
        self._options = {(WILL, BINARY), (DO, BINARY), (WILL, COM_PORT), (WILL, NO_GO_AHEAD), (DO, NO_GO_AHEAD)}
        """What was said of options, as (verb, option): each is said once."""
        self._agreed: set[tuple[int, int]] = set()
        self._state: Callable[[int], None] = self._text
        self._verb = 0
        self._inner = bytearray()
        self._data = bytearray()
        self._out = bytearray()
        self.signature = ""
        self.suspended = False
        for verb, option in sorted(self._options):
            self._out += bytes((IAC, verb, option))

    @property
    def pending(self) -> bytes:
        """Return what must be sent now; it is then taken as sent."""
        out = bytes(self._out)
        self._out.clear()
        return out

    @property
    def ready(self) -> bool:
        """Tell whether both directions are binary and every setting is confirmed."""
        return not self._unconfirmed and {(DO, BINARY), (WILL, BINARY)} <= self._agreed

    @property
    def missing(self) -> str:
        """Say what the server has not agreed to yet."""
        if not {(DO, COM_PORT), (WILL, COM_PORT)} & self._agreed:
            return "" if not self._agreed else "the COM-PORT option"
        return ", ".join(NAMES[number] for number in self._unconfirmed) or "eight-bit data"

    def feed(self, octets: bytes) -> bytes:
        """Take what came, in any pieces; return the line's bytes in it. Raises TelnetError."""
        for byte in octets:
            self._state(byte)
        data = bytes(self._data)
        self._data.clear()
        return data

    def _text(self, byte: int) -> None:
        if byte == IAC:
            self._state = self._command
        else:
            self._data.append(byte)

    def _command(self, byte: int) -> None:
        self._state = self._text
        if byte == IAC:
            self._data.append(IAC)
        elif byte in (WILL, WONT, DO, DONT):
            self._verb, self._state = byte, self._option
        elif byte == SB:
            self._inner.clear()
            self._state = self._within

    def _within(self, byte: int) -> None:
        if byte == IAC:
            self._state = self._within_command
        elif len(self._inner) < LONGEST:
            self._inner.append(byte)

    def _within_command(self, byte: int) -> None:
        self._state = self._within
        if byte == IAC and len(self._inner) < LONGEST:
            self._inner.append(IAC)
        elif byte == SE:
            self._state = self._text
            self._subnegotiated(bytes(self._inner))

    def _option(self, option: int) -> None:
        """Take DO, DONT, WILL or WONT: agree to what is needed, refuse what is not, and say each once."""
        self._state = self._text
        verb = self._verb
        if verb in (DONT, WONT):
            self._refused(verb, option)
            return
        agree, refuse = (WILL, WONT) if verb == DO else (DO, DONT)
        wanted = option in _WANTED
        answer = (agree if wanted else refuse, option)
        if answer not in self._options and len(self._options) < LONGEST:
            self._options.add(answer)
            self._out += bytes((IAC, *answer))
        # Some servers say WILL of this option, where the standard has them say DO; either will do, once.
        if option == COM_PORT and not {(DO, COM_PORT), (WILL, COM_PORT)} & self._agreed:
            self._set_up()
        if wanted:
            self._agreed.add((verb, option))

    def _refused(self, verb: int, option: int) -> None:
        if (verb, option) == (DONT, COM_PORT):
            raise TelnetError("does not take a line's settings (it refuses RFC 2217)")
        if option == BINARY:
            raise TelnetError("does not carry bytes as they are (it refuses Telnet's binary transmission)")

    def _set_up(self) -> None:
        for number, value in self._unconfirmed.items():
            self._out += command(number, struct.pack(">I", value) if number == BAUD else bytes((value,)))
        for value in (NO_FLOW_CONTROL, DTR_ON, RTS_ON):
            self._out += command(CONTROL, bytes((value,)))
        self._out += command(LINE_MASK, b"\0") + command(MODEM_MASK, b"\0")
        self._out += command(SIGNATURE, b"") + command(PURGE, bytes((PURGE_BOTH,)))

    def _subnegotiated(self, inner: bytes) -> None:
        if len(inner) < 2 or inner[0] != COM_PORT:
            return
        number, value = inner[1] - CONFIRMED, inner[2:]
        if number == SIGNATURE and value:
            self.signature = value.decode("ascii", "replace").strip()
        elif number == SIGNATURE or inner[1] == SIGNATURE:
            self._out += command(SIGNATURE, b"roundsman")
        elif number in (SUSPEND, RESUME):
            self.suspended = number == SUSPEND
        elif number in self._unconfirmed and value:
            # Some servers answer a baud with more bytes than the four of the standard; the first four count.
            self._confirmed(number, int.from_bytes(value[:4] if number == BAUD else value[:1], "big"))

    def _confirmed(self, number: int, value: int) -> None:
        meant = self._unconfirmed[number]
        if value != meant:
            words = {code: name for name, code in PARITIES.items()} if number == PARITY else {}
            raise TelnetError(
                f"does not set {NAMES[number]} {words.get(meant, meant)}: it stays at {words.get(value, value)}"
            )
        del self._unconfirmed[number]
