"""What commands print: tables for people, one JSON object a line for programs."""

import locale
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec


class CommandError(Exception):
    """A command could not do what was asked; the text says why and what to do."""


def language() -> str:
    """Return `zh` where the terminal speaks Chinese, else `en`."""
    named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if (named or locale.getlocale()[0] or "").startswith("zh") else "en"


def said(texts: dict[str, str]) -> str:
    """Return a text in the terminal's language, else in English."""
    return texts.get(language()) or texts.get("en") or next(iter(texts.values()), "")


def clean(text: str) -> str:
    """Return a device's text without signs that could steer a terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def value_text(value: float | str | None, unit: str = "") -> str:
    """Return a value as people read it: `53.5 V`, `on`, or a dash for what could not be read."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    number = f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 1e6 else f"{value:.6g}"
    return f"{number} {unit}".strip()


def json_lines(rows: Iterable[Any]) -> None:
    """Print one JSON object a line."""
    for row in rows:
        sys.stdout.buffer.write(msgspec.json.encode(row) + b"\n")
    sys.stdout.flush()


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Print rows in columns; `empty` is the sentence for none. Texts are in the reader's language already."""
    lines = [[clean(cell) for cell in row] for row in rows]
    if not lines:
        print(empty)
        return
    widths = [max(_width(row[i]) for row in [list(head), *lines]) for i in range(len(head))]
    for row in [list(head), *lines]:
        padded = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(padded).rstrip())


def shortened(text: str, columns: int) -> str:
    """Return as much of a text as so many columns of a terminal have room for."""
    while _width(text) > columns:
        text = text[:-1]
    return text


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
