"""The words of messages: what stands there, shown safely, and what would be right."""

from collections.abc import Iterable


def show(text: str) -> str:
    """Return text in quotes for a message: at most 60 characters, and nothing that could steer a terminal."""
    return f'"{printable(text)}"'


def printable(text: str) -> str:
    """Return at most 60 characters of text, with what does not print written as an escape."""
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text[:60])
    return f"{shown}..." if len(text) > 60 else shown


def either(words: Iterable[str]) -> str:
    """Return words as a choice: a, b or c."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def nearest(word: str, known: Iterable[str]) -> str:
    """Return what would be right instead of a word that is not known: the nearest one, or all of them."""
    import difflib  # noqa: PLC0415 - only for a mistake

    known = sorted(known)
    if near := difflib.get_close_matches(word[:80], known, n=1):
        return f'did you mean "{near[0]}"?'
    if not known:
        return "there is none"
    return f"write {either(known)}" if len(known) <= 16 else f"write for example {either(known[:3])}"
