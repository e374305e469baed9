"""A serial port, opened by its path and for us alone; what goes wrong with it is one error.

A port that hangs up, fails or reads nothing when it said there is something is dead: it is never kept. USB adapters
come back under another number, so the path is best a link of /dev/serial/by-id or by-path, followed anew each time.

Exclusive in three ways, as programs differ: a lock (flock), TIOCEXCL, and the lock file of another program, of the
older custom (FHS 5.9), is heeded.
"""

import contextlib
import errno
import fcntl
import logging
import math
import os
import select
import termios
import time
from pathlib import Path

import serial
from serial.rs485 import RS485Settings

from collectors.line.port import PortError, StoppedError
from config.schema import Line

PARITY = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}
LOCK_FILES = Path("/var/lock")
logger = logging.getLogger(__name__)
_DEAD = select.POLLHUP | select.POLLERR | select.POLLNVAL


class SerialPort:
    """An open serial port (see `Port`)."""

    latency = 0.0

    def __init__(self, line: Line, wake: int | None = None) -> None:
        """Open and lock the line's port. Raises PortError. When descriptor `wake` is readable, waiting ends."""
        self.path = str(line.port)
        if holder := locked_by(Path(self.path), LOCK_FILES):
            raise PortError(f"{self.path} is in use by another program (process {holder})")
        try:
            self._serial = serial.Serial(
                self.path,
                line.baud,
                parity=PARITY[line.parity],
                stopbits=line.stop_bits,
                timeout=0,
                exclusive=True,
            )
        except serial.SerialException as error:
            raise PortError(_plainly(self.path, error)) from error
        except (ValueError, termios.error) as error:
            raise PortError(f"{self.path} does not take {line.baud} baud, parity {line.parity}: {error}") from error
        self._fd = self._serial.fileno()
        # The lock above holds back only those who ask for it; this one holds back every later open.
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._fd, termios.TIOCEXCL)
        # Adapters wait 16 ms for more bytes unless told; a pseudo-terminal or a plain UART knows no such setting.
        with contextlib.suppress(OSError, ValueError, NotImplementedError):
            self._serial.set_low_latency_mode(True)
        self._switch_direction(line)
        self._readable = select.poll()
        self._readable.register(self._fd, select.POLLIN)
        self._wake = wake
        if wake is not None:
            self._readable.register(wake, select.POLLIN)

    def _switch_direction(self, line: Line) -> None:
        """Have the driver switch an RS-485 transceiver by RTS, where the site file says so."""
        if line.rs485 == "off":
            return
        high = line.rs485 == "rts_high"
        try:
            self._serial.rs485_mode = RS485Settings(rts_level_for_tx=high, rts_level_for_rx=not high)
        except (OSError, ValueError):
            # The adapter most likely switches by itself; if not, nothing will answer, and this line says why.
            logger.warning("line %s: the driver of %s does not switch RS-485 direction", line.id, self.path)

    def close(self) -> None:
        """Close the port; it may be dead already."""
        with contextlib.suppress(OSError, termios.error):
            fcntl.ioctl(self._fd, termios.TIOCNXCL)
        with contextlib.suppress(OSError, serial.SerialException):
            self._serial.close()

    def read(self, seconds: float) -> bytes:
        """Wait so long for bytes and return what is there, or b"" when nothing came. Raises StoppedError when woken."""
        events = self._readable.poll(max(0, math.ceil(seconds * 1000)))
        if not events:
            return b""
        if any(descriptor == self._wake for descriptor, _ in events):
            raise StoppedError
        try:
            octets = os.read(self._fd, 4096)
        except BlockingIOError:
            octets = b""
        except OSError as error:
            raise PortError(_plainly(self.path, error)) from error
        if not octets:
            raise PortError(f"{self.path} hung up")
        return octets

    def write(self, octets: bytes, seconds: float) -> None:
        """Hand all bytes to the driver within so many seconds; they leave later, at the line's speed."""
        left, until = memoryview(octets), time.monotonic() + seconds
        while left:
            try:
                left = left[os.write(self._fd, left) :]
            except BlockingIOError:
                self._wait_writable(until)
            except OSError as error:
                raise PortError(_plainly(self.path, error)) from error

    def _wait_writable(self, until: float) -> None:
        writable = select.poll()
        writable.register(self._fd, select.POLLOUT)
        events = writable.poll(max(0, math.ceil((until - time.monotonic()) * 1000)))
        if not events or events[0][1] & _DEAD:
            raise PortError(f"{self.path} takes no bytes")


def _plainly(path: str, error: OSError) -> str:
    """Say in plain words what is wrong with the port."""
    number = error.errno
    if isinstance(error.__context__, termios.error):
        number = error.__context__.args[0]
    if isinstance(error, serial.SerialException) and "exclusively lock" in str(error):
        number = errno.EBUSY
    words = {
        errno.ENOENT: "is not there",
        errno.ENODEV: "is not there",
        errno.ENXIO: "is not there",
        errno.EACCES: "may not be opened by this user; add it to the group that owns the port (dialout)",
        errno.EPERM: "may not be opened by this user",
        errno.EBUSY: "is in use by another program",
        errno.EIO: "hung up",
        errno.ENOTTY: "is no serial port",
    }
    return f"{path} {words.get(number or 0) or (error.strerror or str(error)).lower()}"


def locked_by(path: Path, folder: Path) -> int | None:
    """Return the process that says by a lock file that it has this port open, if it lives and is not this one."""
    for name in {path.name, path.resolve().name}:
        try:
            number = int((folder / f"LCK..{name}").read_bytes()[:64])
        except (OSError, ValueError):
            continue  # no such file, or none of its kind
        if number > 0 and number != os.getpid() and _lives(number):
            return number
    return None


def _lives(number: int) -> bool:
    """Tell whether there is such a process. Its folder in /proc may be hidden from a service, but not this."""
    try:
        os.kill(number, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
