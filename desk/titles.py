"""The title of a fault that no alarm has told."""

import functools

from config.fault_rules import load_faults


@functools.cache
def title_of(fault: str) -> dict[str, str]:
    """Return the title of a fault that no alarm has told, by language: the rule book's, else its name."""
    rule = load_faults().get(fault)
    return rule.text.title.both() if rule else {"en": fault, "zh": fault}
