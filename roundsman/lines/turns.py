"""How a reading of lines goes on, on standard error: whose turn it is, and how many there are."""

from roundsman.lines.live import LiveLine


class Turns:
    """Whose turn it is, where there is more than one device: a single one's readings come soon enough."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._asked = 0
        self._line = LiveLine()

    def now(self, device: str, port: str) -> None:
        """Say that a device is asked now. From any thread."""
        self._asked += 1
        if self._count > 1:
            self._line.now(f"Reading {device} on {port}, {self._asked} of {self._count}")

    def over(self) -> None:
        """Clear the line."""
        self._line.over()
