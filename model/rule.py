"""Fault rules: which readings are which physical fault, in three-valued logic.

A rule looks at one scope of one device: the whole device, each point alone, or each group of points that share an index
(the fans and the temperature of one subrack). It has cases, worst first; the first that is true is the fault's case. A
missing reading makes a comparison unknown: unknown never raises, and never lowers a case already reached (`decide`).

In YAML (config/faults/*.yaml), one rule:

    subrack.cooling:
      title: {en: Subrack cooling, zh: 子架散热}
      scope: subrack                  # device | point | the name of an index
      cause: cooling_system_failure   # ITU-T X.733 probable cause
      meaning: degraded               # general definition: interruption | danger | degraded | indirect
      settings: {temperature: 45, fan_share: 0.30, temperature_is: absolute}
      cases:                          # worst first; a rule with one case may write `when:` instead
        over_temperature:
          title: {en: Over temperature, zh: 超温}
          when: {quantity: equipment.temperature, above: $temperature, deadband: 2, if: {temperature_is: absolute}}
        many_stopped:
          when: {share: fan.running, is: stopped, at_least: $fan_share}
      explained_by: {mains.lost: site, device.unreachable: device}
      delay: none                     # by_level (default without a deadband) | none (default with one)

A condition is `all: [..]`, `any: [..]`, a comparison of a quantity (`above`, `below`, `at_least`, `at_most`, with
`deadband`, and `minus: QUANTITY` for a rise over another), a state (`is: STATE` or a list, or `severity: critical`), a
share of an installed number, or `quality: [stale, unavailable]`. `every: true` asks it of every point of the quantity
in the scope, else of any. `$name` is a setting; settings layer: default, contract, site, device. `if` keeps a condition
only where the settings have these values.
"""

from enum import StrEnum

import msgspec

from model.point import Quality, Severity
from model.quantity import Quantity


class Op(StrEnum):
    """How a value is held against its limit; `above` and `below` are strict."""

    ABOVE = "above"
    BELOW = "below"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """What proves a case: a reading and its limit, or a count of an installed number."""

    quantity: str
    label: str
    value: float | str | None = None
    unit: str = ""
    limit: float | None = None
    count: int | None = None
    installed: int | None = None


class Compare(msgspec.Struct, frozen=True, tag="compare"):
    """A number against a limit: exactly at the limit is not above it. `deadband` is in the quantity's unit."""

    quantity: Quantity
    op: Op
    limit: float
    deadband: float = 0.0
    minus: Quantity | None = None
    every: bool = False


class Is(msgspec.Struct, frozen=True, tag="is"):
    """A state that is one of `states`, or of a severity its maker gives it."""

    quantity: Quantity
    states: tuple[str, ...] = ()
    severity: Severity | None = None
    every: bool = False


class Share(msgspec.Struct, frozen=True, tag="share"):
    """The part of the installed number that is in a state; what cannot be read counts in the whole alone."""

    quantity: Quantity
    states: tuple[str, ...]
    op: Op
    share: float


class QualityIs(msgspec.Struct, frozen=True, tag="quality"):
    """Some reading of the scope whose quality is one of these."""

    qualities: tuple[Quality, ...]


class AllOf(msgspec.Struct, frozen=True, tag="all"):
    """Every condition holds."""

    conditions: tuple["Condition", ...]


class AnyOf(msgspec.Struct, frozen=True, tag="any"):
    """One of the conditions holds."""

    conditions: tuple["Condition", ...]


Condition = Compare | Is | Share | QualityIs | AllOf | AnyOf


class Meaning(StrEnum):
    """The general definitions of a contract's levels, for faults that it does not list."""

    INTERRUPTION = "interruption"
    DANGER = "danger"
    DEGRADED = "degraded"
    INDIRECT = "indirect"


class Case(msgspec.Struct, frozen=True):
    """One case of a fault. `on_delay` and `off_delay` in seconds; None: the contract's for its level.

    `flaps`: it is held open when it comes and goes; not what must be told at once, as a door is (`delay: none`).
    """

    name: str
    when: Condition
    title: dict[str, str] = {}
    meaning: Meaning | None = None
    on_delay: float | None = None
    off_delay: float | None = None
    flaps: bool = True


class Reach(StrEnum):
    """How far a parent's explanation reaches: the same device, the devices on a line, or all."""

    DEVICE = "device"
    LINE = "line"
    SITE = "site"


class Rule(msgspec.Struct, frozen=True):
    """A fault rule with its settings filled in; `cases` are ordered worst first."""

    fault: str
    title: dict[str, str]
    scope: str
    cases: tuple[Case, ...]
    cause: str = "indeterminate"
    meaning: Meaning = Meaning.DEGRADED
    explained_by: tuple[tuple[str, Reach], ...] = ()

    def case(self, name: str) -> Case | None:
        """Return the case of that name."""
        return next((case for case in self.cases if case.name == name), None)
