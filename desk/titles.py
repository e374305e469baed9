"""The title of a fault that no alarm has told."""

import functools

from config.fault_rules import load_faults

BY_HAND = {  # faults of contracts that no rule tells, in the contract's words
    "alarm.momentary": {"en": "Momentary alarms that cannot be reproduced", "zh": "瞬间告警，无法重现"},
    "traffic.interrupted": {"en": "Traffic interrupted", "zh": "业务中断"},
    "traffic.errors": {"en": "Transmission errors beyond their limits", "zh": "性能越限"},
    "network.management_down": {"en": "Network management down", "zh": "网管工作不正常"},
    "order_wire.failed": {"en": "Order wire telephone broken", "zh": "公务电话损坏"},
    "cabinet.signal_failed": {"en": "Alarm signal of the cabinet broken", "zh": "机柜声光告警信号故障"},
    "auxiliary.failed": {"en": "Auxiliary equipment broken", "zh": "附属设备损坏"},
}


@functools.cache
def title_of(fault: str) -> dict[str, str]:
    """Return the title of a fault that no alarm has told, by language: the rule book's, ours, else its name."""
    rule = load_faults().get(fault)
    return rule.text.title.both() if rule else BY_HAND.get(fault, {"en": fault, "zh": fault})
