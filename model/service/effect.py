"""What time asks for: a warning, a breach, a higher level, telling somebody, a document that is owed."""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What is to be done."""

    WARN = "warn"  # a limit is near
    BREACH = "breach"  # a limit was not kept
    UPGRADE = "upgrade"  # the contract raises the level for that
    LASTING = "lasting"  # an interruption lasted so long that it is of a worse level
    ESCALATE = "escalate"  # tell a role
    DOCUMENT_OWED = "document_owed"  # a document's clock begins
    DOCUMENT_LATE = "document_late"
    REPLACE = "replace"  # repairs failed one after another


class Effect(msgspec.Struct, frozen=True, omit_defaults=True):
    """An effect and its key: it fires once for a ticket, clock and step. Times are Unix seconds.

    `clock` is a limit's name with its level ("restore/1"), a document's or another rule's; `step` tells the effects of
    one clock apart. `at` is when it fell due, `due` the limit's own time. `level` is the new one, `to` a role.
    """

    ticket: int
    clock: str
    step: str
    kind: Kind
    at: float
    due: float | None = None
    level: int = 0
    to: str = ""

    @property
    def key(self) -> tuple[int, str, str]:
        """What is unique: ticket, clock, step."""
        return self.ticket, self.clock, self.step
