"""A contract's rules as sentences: who must say what, what raises a level, what is counted."""

from collections.abc import Iterator

from model.contract import Contract, DayRule, Text
from model.contract_words import HANDLINGS, MILESTONES, WHOSE
from model.due import DayEnd


def rules(contract: Contract) -> tuple[Text, ...]:
    """Return the rules, each a sentence in both languages."""
    return (*_levels(contract), *_words(contract), *_counted(contract), *_days(contract))


def _levels(contract: Contract) -> Iterator[Text]:
    if contract.provisional:
        yield contract.provisional
    if (upgrade := contract.upgrade) is not None:
        on = [MILESTONES[each] for each in upgrade.on]
        original = upgrade.counts_from == "original_start"
        yield {
            "en": f"A breach of a limit for {' or '.join(_lower(each['en']) for each in on)} raises the level by one; "
            f"the new limit counts from {'the original start' if original else 'the breach'}.",
            "zh": f"“{'”或“'.join(each['zh'] for each in on)}”的时限未满足时，级别自动升一级，新时限自"
            f"{'原起点' if original else '超时之时'}起算。",
        }
    for each in contract.lasting:
        code = contract.code(each.level)
        yield {
            "en": f"An interruption of {each.seconds / 3600:g} h or more from its onset is level {code}.",
            "zh": f"业务中断自发生起达{each.seconds / 3600:g}小时，即为{contract.levels[each.level]['zh']}。",
        }
    for step in contract.escalation:
        when = f"at {step.share:.0%} of {step.limit}" if step.share is not None else f"after {step.seconds or 0:g} s"
        zh_when = f"{step.limit}时限的{step.share:.0%}" if step.share is not None else f"{step.seconds or 0:g}秒后"
        of = ", ".join(contract.code(level) for level in step.levels)
        yield {
            "en": f"{step.title['en']}: {when}{f', level {of}' if of else ''}.",
            "zh": f"{step.title['zh']}：{zh_when}{f'，级别{of}' if of else ''}。",
        }


def _words(contract: Contract) -> Iterator[Text]:
    for milestone, word in contract.words.items():
        title = MILESTONES[milestone]
        yield {"en": f"{title['en']}: {WHOSE[word]['en']}.", "zh": f"{title['zh']}：{WHOSE[word]['zh']}。"}
    stops = contract.acknowledgement_stops
    if stops is None:
        yield {"en": "An acknowledgement alone stops no clock.", "zh": "仅确认工单不停止任何计时。"}
    else:
        title = MILESTONES[stops]
        yield {"en": f"An acknowledgement counts as: {_lower(title['en'])}.", "zh": f"确认工单即视为：{title['zh']}。"}
    if any(limit.handling for limit in contract.limits):
        handling = HANDLINGS[contract.default_handling]
        yield {
            "en": f"Until a person says how it is handled, a fault is handled {handling['en']}.",
            "zh": f"未指明处理方式前，按{handling['zh']}。",
        }


def _counted(contract: Contract) -> Iterator[Text]:
    if contract.difficult:
        yield contract.difficult
    if (momentary := contract.momentary) is not None:
        hours = f"{momentary.seconds / 3600:g}"
        yield {
            "en": f"{momentary.count} alarms within {hours} h that ended before their delay are {momentary.fault} "
            "(see open).",
            "zh": f"{hours}小时内{momentary.count}次未满延时即消失的告警，记为{momentary.fault}（见未定之处）。",
        }
    if (guard := contract.guard) is not None:
        yield {
            "en": f"A ticket that opens in a guard period has {guard.share:.0%} of each limit, rounded up to a whole "
            "second or day (see open).",
            "zh": f"重要通讯保障期内开启的工单，各时限取{guard.share:.0%}，按整秒或整天进位（见未定之处）。",
        }
    years, stated = contract.recurrence.years, contract.recurrence.stated
    yield {
        "en": f"The same fault of the same device within {years} calendar year{'s' * (years > 1)} of clearing "
        f"is a recurrence{'' if stated else ' (our rule)'}.",
        "zh": f"同一设备同一故障清除后{years}个日历年内再次发生，视为重复故障{'' if stated else '（本系统的规则）'}。",
    }
    repairs, stated = contract.replacement.repairs, contract.replacement.stated
    yield {
        "en": f"After {repairs} failed repairs one after another the device should be replaced"
        f"{'' if stated else ' (our rule)'}.",
        "zh": f"连续{repairs}次维修无效，建议更换设备{'' if stated else '（本系统的规则）'}。",
    }
    if contract.entitlement.title:
        said = contract.entitlement.title
        yield {"en": f"Entitled: {_lower(said['en'])}.", "zh": f"服务范围：{said['zh']}。"}


def _days(contract: Contract) -> Iterator[Text]:
    if contract.calendar:
        ends = {
            DayEnd.MIDNIGHT: ("to 24:00 of the last one", "至最后一日24:00"),
            DayEnd.CLOSE: ("to the close of business of the last one", "至最后一日下班"),
            DayEnd.ELAPSED: ("in spans of 24 h", "按24小时累计"),
        }[contract.day_ends]
        yield {
            "en": f"Working days by the calendar {contract.calendar}, {ends[0]}.",
            "zh": f"工作日按日历 {contract.calendar}，{ends[1]}。",
        }
    if any(limit.said.endswith("d") and not limit.said.endswith("wd") for limit in contract.limits):
        exact = contract.day_rule is DayRule.EXACT
        yield {
            "en": f"A day is {'24 h from the start, to the second' if exact else 'a day by its date'}.",
            "zh": f"一天为{'自起点起24小时，精确到秒' if exact else '一个日历日'}。",
        }


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
