"""The rules of one site, each setting from the layer that says it last: default, contract, site, device.

book = RuleBook(site)
book.contract            # the site's contract, with the site's own delays
book.rules(device)       # the rules that are in force for a device, ready for `model.decide`
book.effective(device)   # every rule with every setting, its value and where it comes from
"""

import msgspec

from config.contract import load_contract
from config.convert import Conversion
from config.fault_rules import COMMON, FaultRule, load_faults, read_setting
from config.node import ConfigError, Node, Place, Scalar, Table
from config.schema import Device, Site
from model.level import Contract, Setting
from model.rule import Rule

Layers = tuple[tuple[str, dict[str, Node]], ...]


class EffectiveSetting(msgspec.Struct, frozen=True):
    """A setting's value in force, the layer that gives it (default, contract, site, device), and its file and line."""

    name: str
    value: Setting
    layer: str
    origin: Place


class Effective(msgspec.Struct, frozen=True):
    """A rule in force for a device; `rule` is None when it is off or asks nothing without a setting that is missing."""

    fault: str
    title: dict[str, str]
    rule: Rule | None
    settings: tuple[EffectiveSetting, ...]


class RuleBook:
    """Every rule of a site. Rules with the same settings are made once and shared by the devices that have them."""

    def __init__(self, site: Site) -> None:
        self.faults = load_faults()
        file = load_contract(site.contract)
        self.contract = _with_delays(file.contract, site)
        self._layers = (("contract", file.settings), ("site", site.rules))
        self._rules: dict[tuple[str, tuple[tuple[str, str], ...]], Rule | None] = {}
        self._shared: tuple[Rule, ...] | None = None

    def rules(self, device: Device) -> tuple[Rule, ...]:
        """Return the rules in force for a device."""
        if device.rules:
            return tuple(each.rule for each in self.effective(device) if each.rule is not None)
        if self._shared is None:
            self._shared = tuple(each.rule for each in self.effective(device) if each.rule is not None)
        return self._shared

    def effective(self, device: Device) -> tuple[Effective, ...]:
        """Return every rule with its settings and their origins, in the order of the fault's name."""
        layers: Layers = (*self._layers, ("device", device.rules))
        return tuple(self._effective(self.faults[fault], layers) for fault in sorted(self.faults))

    def _effective(self, rule: FaultRule, layers: Layers) -> Effective:
        conversion = Conversion()
        texts: dict[str, str] = {}
        settings: dict[str, EffectiveSetting] = {}
        for layer, node in (("default", _defaults(rule)), *((each, said.get(rule.fault)) for each, said in layers)):
            for name, value in node.fields.items() if isinstance(node, Table) else ():
                if (read := read_setting(rule, name, value, conversion)) is not None:
                    texts[name] = read[0]
                    settings[name] = EffectiveSetting(name, read[1], layer, value.place)
        if conversion.problems:
            raise ConfigError(conversion.problems)
        return Effective(rule.fault, rule.text.title.both(), self._filled(rule, texts), tuple(settings.values()))

    def _filled(self, rule: FaultRule, texts: dict[str, str]) -> Rule | None:
        key = (rule.fault, tuple(sorted(texts.items())))
        if key not in self._rules:
            conversion = Conversion()
            self._rules[key] = rule.fill(texts, conversion)
            if conversion.problems:
                raise ConfigError(conversion.problems)
        return self._rules[key]


def _defaults(rule: FaultRule) -> Table:
    enabled = Scalar(rule.place, f"{rule.fault}.{COMMON[0]}", "true")
    return Table(rule.place, rule.fault, {COMMON[0]: enabled, **rule.defaults})


def _with_delays(contract: Contract, site: Site) -> Contract:
    """Return the contract with the site's own delays; the digest still names what the contract says."""
    on, off = site.delays.on, site.delays.off
    return msgspec.structs.replace(
        contract,
        on_delays=dict(zip(sorted(contract.levels), on, strict=True)) if on else contract.on_delays,
        off_delay=contract.off_delay if off is None else off,
    )
