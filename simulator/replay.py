"""A device that says what was once recorded: known requests get their recorded answers, all others silence."""

from collections.abc import Mapping
from pathlib import Path


class Replayed:
    """Answers whole frames by a table of request and answer."""

    def __init__(self, name: str, answers: Mapping[bytes, bytes]) -> None:
        self.name = name
        self._answers = dict(answers)

    def answer(self, frame: bytes) -> bytes | None:
        """Return the recorded answer to this very frame."""
        return self._answers.get(frame)


def read_frames(file: Path) -> dict[bytes, bytes]:
    """Read a file of `request answer` lines, each frame as hexadecimal digits or as `~...` text without its CR.

    Empty lines and those that begin with # are left out.  Raises OSError, and ValueError with the line's number.
    """
    found: dict[bytes, bytes] = {}
    for number, line in enumerate(file.read_text(encoding="ascii").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            request, answer = line.split()
            found[_frame(request)] = _frame(answer)
        except ValueError as error:
            raise ValueError(f"{file}:{number}: write a request and its answer, as hexadecimal or ~ text") from error
    return found


def _frame(text: str) -> bytes:
    return text.encode("ascii") + b"\r" if text.startswith("~") else bytes.fromhex(text)
