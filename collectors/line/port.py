"""What an exchange needs of a line's port, whatever its kind (`ports`), and the one error that leaves it."""

from typing import Protocol


class PortError(Exception):
    """The port cannot be opened or has died; the text says so in plain words. `permanent`: opening again is no use."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class StoppedError(Exception):
    """The wait for bytes was ended because the program wants to stop."""


class Port(Protocol):
    """An open port. Reads and writes bytes; every failure is a PortError, after which it must be closed.

    Where waiting ends by a descriptor given at opening, it raises StoppedError.
    """

    @property
    def latency(self) -> float:
        """Return the seconds that bytes may take beyond their time on the line; 0 for a port of this machine."""
        ...

    def read(self, seconds: float) -> bytes:
        """Wait so long for bytes and return what is there, or b"" when nothing came."""
        ...

    def write(self, octets: bytes, seconds: float) -> None:
        """Hand all bytes over within so many seconds; they are on the line later, at its speed."""
        ...

    def close(self) -> None:
        """Close the port; it may be dead already."""
        ...
