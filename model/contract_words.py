"""The words of a contract in both languages: milestones, starts, spans, and a limit in one line."""

import re

from model.contract import Contract, Duty, Handling, Limit, Milestone, Start, Text, Word

MILESTONES: dict[Milestone, Text] = {
    Milestone.ACCEPT: {"en": "Accepted", "zh": "接受"},
    Milestone.RESPOND: {"en": "Responded", "zh": "响应"},
    Milestone.CONTACT: {"en": "Contacted", "zh": "联系"},
    Milestone.REMOTE: {"en": "Logged in remotely", "zh": "远程登录"},
    Milestone.DEPART: {"en": "Departed", "zh": "出发"},
    Milestone.ARRIVE: {"en": "Arrived on site", "zh": "抵达现场"},
    Milestone.RESTORE: {"en": "Restored", "zh": "恢复"},
    Milestone.SUBSTITUTE: {"en": "Substitute in place", "zh": "提供代用设备"},
    Milestone.RESOLVE: {"en": "Resolved", "zh": "解决"},
}
STARTS: dict[Start, Text] = {
    Start.OPEN: {"en": "the ticket's opening", "zh": "工单开启"},
    Start.ONSET: {"en": "the fault's onset", "zh": "故障发生"},
    Start.FOUND: {"en": "finding it", "zh": "发现故障"},
    Start.REPORT: {"en": "the report", "zh": "报修"},
    Start.ACCEPTED: {"en": "acceptance by both sides", "zh": "双方确认接受"},
    Start.REQUESTED: {"en": "the request for service", "zh": "服务请求"},
    Start.REMOTE_REQUESTED: {"en": "the request for remote support", "zh": "要求远程支持"},
    Start.SITE_REQUESTED: {"en": "the request for support on site", "zh": "要求现场支持"},
}
EVENTS: dict[str, Text] = {
    "request": {"en": "the request", "zh": "提出要求"},
    "confirmed": {"en": "confirmation", "zh": "确认"},
    "inspection_end": {"en": "the end of the inspection", "zh": "巡检结束"},
    "month_end": {"en": "the end of the month", "zh": "当月结束"},
    "upgrade": {"en": "the upgrade", "zh": "升级"},
    "receipt": {"en": "receipt", "zh": "收到"},
}
HANDLINGS: dict[Handling, Text] = {
    Handling.REMOTE: {"en": "remotely", "zh": "远程处理"},
    Handling.ON_SITE: {"en": "on site", "zh": "现场处理"},
}
WHOSE: dict[Word, Text] = {
    Word.AGENT: {"en": "good readings are enough", "zh": "读数正常即可"},
    Word.PERSON: {"en": "a person says so", "zh": "须由人员确认"},
    Word.CUSTOMER: {"en": "the customer confirms it", "zh": "须客户确认"},
    Word.BOTH: {"en": "both sides confirm it", "zh": "须双方确认"},
}
_NAMES: dict[str, Text] = {"total": {"en": "in all", "zh": "总时限"}}
_UNITS = {
    "s": ("second", "秒"),
    "min": ("minute", "分钟"),
    "h": ("hour", "小时"),
    "d": ("day", "天"),
    "wd": ("working day", "个工作日"),
    "wh": ("working hour", "个工作小时"),
}


def limit_words(limit: Limit) -> Text:
    """Return what a limit is for: its milestone, and its name where that says more."""
    title = MILESTONES[limit.milestone]
    if limit.name == limit.milestone:
        return title
    name = _NAMES.get(limit.name, {"en": limit.name, "zh": limit.name})
    return {"en": f"{title['en']} ({name['en']})", "zh": f"{title['zh']}（{name['zh']}）"}


def after_words(contract: Contract, after: str) -> Text:
    """Return from what a limit or a duty counts: a start, a milestone or an event."""
    if after in set(Start):
        return contract.starts.get(Start(after), STARTS[Start(after)])
    return MILESTONES[Milestone(after)] if after in set(Milestone) else EVENTS[after]


def span_words(said: str) -> Text:
    """Return a span as people say it: `7wd` is 7 working days."""
    match = re.fullmatch(r"([0-9]+)([a-z]+)", said)
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"no span: {said!r}")
    english, chinese = _UNITS[match[2]]
    return {"en": f"{match[1]} {english}{'' if match[1] == '1' else 's'}", "zh": f"{match[1]}{chinese}"}


def duty_words(duty: Duty) -> Text:
    """Return a duty's limit: a span, a day of the month, or none."""
    if duty.month_day is not None:
        return {"en": f"by day {duty.month_day} of each month", "zh": f"每月{duty.month_day}日前"}
    return span_words(duty.said) if duty.said else {"en": "no limit stated", "zh": "未写时限"}


def holds_for(contract: Contract, limit: Limit) -> Text:
    """Return for what a limit holds besides its level: region, grade, fault, handling and conditions."""
    parts: list[Text] = []
    if limit.region:
        parts.append(contract.regions[limit.region])
    if limit.grade:
        parts.append(contract.grades[limit.grade])
    if limit.handling:
        parts.append(HANDLINGS[limit.handling])
    if limit.fault:
        parts.append({"en": limit.fault, "zh": limit.fault})
    parts += [contract.conditions[name] for name in limit.when]
    parts += [
        {"en": f"not: {contract.conditions[name]['en']}", "zh": f"非{contract.conditions[name]['zh']}"}
        for name in limit.unless
    ]
    return {"en": "; ".join(part["en"] for part in parts), "zh": "；".join(part["zh"] for part in parts)}
