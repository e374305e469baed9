"""Fault rules from config/faults/*.yaml: read once, then filled with the settings of each device.

A setting's default says what it is: a number, a duration (10min), true or false, one of the words that an `if` of the
rule asks about, or `unset`: a number that somebody has to give before the condition counts. Every rule also has
`enabled`, `on_delay`, `off_delay`, `flapping` (held open, or told each time) and `explained` (by its parents).
"""

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from config import shipped
from config.advice import nearest, show
from config.condition import UNSET, alternatives, amount, build
from config.convert import Conversion
from config.node import ConfigError, Node, Place, Scalar
from config.scalars import Form, Seconds, decimal, seconds, truth
from model.level import Setting
from model.rule import AllOf, AnyOf, Case, Compare, Condition, Meaning, Reach, Rule

# Probable causes of ITU-T X.733 and M.3100 as IANA-ITU-ALARM-TC-MIB (RFC 3877) spells them, words parted by "_".
CAUSES = frozenset(
    {
        "air_conditioning_failure",
        "battery_charging_failure",
        "battery_discharging",
        "battery_failure",
        "commercial_power_failure",
        "communications_subsystem_failure",
        "cooling_fan_failure",
        "cooling_system_failure",
        "enclosure_door_open",
        "equipment_malfunction",
        "external_point_failure",
        "flood",
        "fuse_failure",
        "generator_failure",
        "high_humidity",
        "high_temperature",
        "indeterminate",
        "intrusion_detection",
        "lan_error",
        "loss_of_redundancy",
        "low_battery_threshold",
        "low_fuel",
        "low_humidity",
        "low_temperature",
        "out_of_cpu_cycles",
        "out_of_memory",
        "performance_degraded",
        "power_problem",
        "power_supply_failure",
        "real_time_clock_failure",
        "rectifier_failure",
        "resource_at_or_nearing_capacity",
        "smoke",
        "storage_capacity_problem",
        "threshold_crossed",
        "timing_problem",
        "underlying_resource_unavailable",
    }
)
COMMON = ("enabled", "on_delay", "off_delay", "flapping", "explained")
HELD, TOLD = "held", "told"

FaultName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*",
        description="two words of small letters, a point between",
        examples=["mains.lost"],
    ),
]


class Title(msgspec.Struct, frozen=True):
    """What people read, in both languages."""

    en: str
    zh: str

    def both(self) -> dict[str, str]:
        """Return the title by language."""
        return {"en": self.en, "zh": self.zh}


class CaseText(msgspec.Struct, frozen=True):
    """One case as it is written."""

    when: Node
    title: Title | None = None
    meaning: Meaning | None = None
    delay: Literal["none", "by_level"] | Seconds | None = None


class RuleText(msgspec.Struct, frozen=True):
    """One rule as it is written."""

    title: Title
    scope: Annotated[str, msgspec.Meta(pattern="[a-z_]+", description="device, point or the name of an index")]
    cause: str
    meaning: Meaning
    settings: dict[str, Scalar] = {}
    when: Node | None = None
    cases: dict[str, CaseText] = {}
    explained_by: dict[FaultName, Reach] = {}
    delay: Literal["none", "by_level"] | Seconds | None = None


class FaultRule(msgspec.Struct, frozen=True):
    """A rule before its settings: `defaults` are its settings' texts, `forms` how each is read."""

    fault: str
    text: RuleText
    place: Place
    defaults: dict[str, Scalar]
    forms: dict[str, Form]

    def fill(self, settings: Mapping[str, str], conversion: Conversion) -> Rule | None:
        """Return the rule with these settings, or None when it is off or has nothing left to ask."""
        if settings.get("enabled") == "false":
            return None
        written = self.text.cases or {self.fault.partition(".")[2]: CaseText(self.text.when or Scalar(self.place, ""))}
        cases = []
        for name, case in written.items():
            condition = build(case.when, settings, conversion)
            if condition is not None:
                cases.append(self._case(name, case, condition, settings))
        if not cases:
            return None
        return Rule(
            fault=self.fault,
            title=self.text.title.both(),
            scope=self.text.scope,
            cases=tuple(cases),
            cause=self.text.cause,
            meaning=self.text.meaning,
            explained_by=() if settings.get("explained") == "false" else tuple(self.text.explained_by.items()),
        )

    def _case(self, name: str, case: CaseText, condition: Condition, settings: Mapping[str, str]) -> Case:
        delay = case.delay if case.delay is not None else self.text.delay
        if delay is None:
            delay = "none" if _has_deadband(condition) else "by_level"
        on = 0.0 if delay == "none" else None if delay == "by_level" else delay
        off = 0.0 if delay == "none" else None
        return Case(
            name=name,
            when=condition,
            title=(case.title or self.text.title).both(),
            meaning=case.meaning,
            on_delay=seconds(settings["on_delay"]) if "on_delay" in settings else on,
            off_delay=seconds(settings["off_delay"]) if "off_delay" in settings else off,
            flaps=(case.delay or self.text.delay) != "none" and settings.get("flapping", HELD) == HELD,
        )


@functools.cache
def load_faults() -> dict[str, FaultRule]:
    """Return every rule that is shipped, by fault. Raises ConfigError with every problem."""
    return parse_faults(shipped.read_shipped("faults", name) for name in sorted(shipped.names("faults")))


def parse_faults(files: Iterable[Node]) -> dict[str, FaultRule]:
    """Return the rules of some files, checked with their defaults. Raises ConfigError with every problem."""
    conversion = Conversion()
    rules: dict[str, FaultRule] = {}
    for file in files:
        for fault, text in (conversion.value(file, dict[FaultName, RuleText]) or {}).items():
            node = conversion.node_of(text)
            if fault in rules:
                conversion.fail(node, f"the fault stands in {rules[fault].place} already")
            rules[fault] = FaultRule(fault, text, node.place, _defaults(text), _forms(text))
    if not conversion.problems:
        for rule in rules.values():
            _check(rule, rules, conversion)
    if conversion.problems:
        raise ConfigError(conversion.problems)
    return rules


def read_setting(rule: FaultRule, name: str, node: Node, conversion: Conversion) -> tuple[str, Setting] | None:
    """Return a setting's text for the conditions and its value, or None after noting a problem."""
    form = rule.forms.get(name)
    if form is None:
        conversion.fail(node, f"{rule.fault} has no such setting; {nearest(name, rule.forms)}")
        return None
    before = len(conversion.problems)
    value = conversion.value(node, Annotated[float, form])
    if len(conversion.problems) > before or not isinstance(node, Scalar):
        return None
    return (str(value).lower() if isinstance(value, bool) else node.text), value


def _defaults(text: RuleText) -> dict[str, Scalar]:
    return {name: node for name, node in text.settings.items() if isinstance(node, Scalar)}


def _forms(text: RuleText) -> dict[str, Form]:
    """Return how each setting is read: its default says what it is."""
    words: dict[str, set[str]] = {}
    for node in [text.when, *(case.when for case in text.cases.values())]:
        for name, values in (alternatives(node) if node is not None else {}).items():
            words.setdefault(name, set()).update(values)
    forms = {"enabled": Form(truth), "on_delay": Form(seconds, "60s"), "off_delay": Form(seconds, "20s")}
    forms["explained"] = Form(truth)
    forms["flapping"] = Form(_word({HELD, TOLD}))
    for name, default in _defaults(text).items():
        if default.text in {"true", "false"}:
            forms[name] = Form(truth)
        elif name in words:
            forms[name] = Form(_word(words[name] | {default.text}))
        elif re.fullmatch(r"[0-9.]+ *[a-z]+", default.text):
            forms[name] = Form(seconds, default.text)
        else:
            forms[name] = Form(_number_or_unset, default.text if default.text != UNSET else "45")
    return forms


def _word(words: set[str]) -> Any:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{show(text)} is not one of its values; write {' or '.join(sorted(words))}")
        return text

    return read


def _number_or_unset(text: str) -> float | str:
    return text if text == UNSET else amount(text) if text[-1:].isalpha() else decimal(text)


def _has_deadband(condition: Condition) -> bool:
    if isinstance(condition, (AllOf, AnyOf)):
        return any(_has_deadband(part) for part in condition.conditions)
    return isinstance(condition, Compare) and condition.deadband > 0


def _check(rule: FaultRule, rules: Mapping[str, FaultRule], conversion: Conversion) -> None:
    text = rule.text
    if text.cause not in CAUSES:
        conversion.complain(text, "cause", f"{show(text.cause)} is no probable cause; {nearest(text.cause, CAUSES)}")
    if (text.when is None) == (not text.cases):
        conversion.fail(conversion.node_of(text), "a rule has either cases or when")
        return
    for parent, reach in text.explained_by.items():
        if parent not in rules:
            conversion.complain(text, "explained_by", f"there is no fault {show(parent)}; {nearest(parent, rules)}")
        elif parent == rule.fault and reach is Reach.DEVICE:
            conversion.complain(
                text, "explained_by", "a fault does not explain itself; another device's may, with site"
            )
    for name, node in rule.defaults.items():
        read_setting(rule, name, node, conversion)
    rule.fill({name: node.text for name, node in rule.defaults.items()}, conversion)
