"""What a doctor finds at a desk or at a site: what is wrong, how bad it is, and what to do."""

from enum import IntEnum

import msgspec

Said = dict[str, tuple[int, str, str]]  # a finding's word -> its weight, its sentence in English and in Chinese


class Weight(IntEnum):
    """How bad a finding is; the worst is the exit code."""

    NOTE = 0
    WARNING = 1
    BROKEN = 2


class Finding(msgspec.Struct, frozen=True):
    """What is wrong and what to do, one sentence in each language; `what` is its word for programs."""

    what: str
    weight: Weight
    en: str
    zh: str


def found(said: Said, what: str, **fill: object) -> Finding:
    """Return a finding by its word, its blanks filled in."""
    weight, english, chinese = said[what]
    return Finding(what, Weight(weight), english.format(**fill), chinese.format(**fill))


def worst(findings: list[Finding]) -> int:
    """Return the exit code: 0 well, or notes alone, 1 something to see to, 2 something is broken."""
    return int(max((each.weight for each in findings), default=0))
