"""Frames as people write them down, into bytes: hexadecimal in every dress, and YD/T 1363 as its own text."""

import contextlib
import re
from typing import Final

_DRESS: Final = re.compile(r"0[xX]|\\[xX]|[\s,;:|<>()\[\]{}'\"_-]+")
"""What stands around the digits: 0x, \\x, and whatever separates."""
_BYTES_LITERAL: Final = re.compile(r"\b[bB](?=['\"])")
_END: Final = re.compile(r"\\r|\\x0[dD]|<CR>|\bCR\b", re.IGNORECASE)
_UNENDED: Final = re.compile(rb"(?<![0-9A-Fa-f])([0-9A-Fa-f]{16,}+)(?!\r)")


class FrameTextError(ValueError):
    """What is written is no hexadecimal text; the text says what stands there."""


def octets_of(text: str) -> bytes:
    """Return the bytes of hexadecimal text: `01 03`, `0103`, `0x01,0x03`, `01:03`, `1 3`. Raises FrameTextError."""
    words = [word for word in _DRESS.split(_BYTES_LITERAL.sub("", text)) if word]
    digits = "".join(f"0{word}" if len(word) == 1 and len(words) > 1 else word for word in words)
    wrong = re.search(r"[^0-9A-Fa-f]", digits)
    if wrong:
        raise FrameTextError(f'"{wrong[0]}" is no hexadecimal digit')
    if len(digits) % 2:
        raise FrameTextError(f"{len(digits)} hexadecimal digits are not whole bytes")
    return bytes.fromhex(digits)


def ydt_texts(text: str) -> list[bytes]:
    r"""Return what a line of YD/T 1363 can be, the likeliest first.

    It is text, `~2001...` with or without CR or a literal `\r`, blanks in it perhaps; or the same in hexadecimal, where
    no `~` stands in it. Hexadecimal text that could be a frame ends with CR then, whether that was written or not.
    """
    plain = _END.sub("\r", text).encode("latin-1", "replace")
    found = [plain, b"".join(plain.split(b" "))]
    if "~" not in text:
        with contextlib.suppress(FrameTextError):  # then it is text whose first character was lost
            found.insert(0, octets_of(text))
    return [_UNENDED.sub(rb"\1\r", octets) for octets in found]
