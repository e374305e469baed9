"""A contract in plain words, as sections in both languages: for the terminal, the desk's page and docs/contracts."""

import msgspec

from model.contract import Blank, Contract, Duty, Limit, Text
from model.contract_rules import rules
from model.contract_words import (
    HANDLINGS,
    MILESTONES,
    STARTS,
    after_words,
    duty_words,
    holds_for,
    limit_words,
    span_words,
)


class Section(msgspec.Struct, frozen=True):
    """A heading, a table and its columns; a table of one column is a list. `undecided`: the open points."""

    title: Text
    head: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    undecided: bool = False


def sections(contract: Contract) -> tuple[Section, ...]:
    """Return everything that a contract says; a section without rows is left out."""
    every = (
        _levels(contract),
        _general(contract),
        _faults(contract),
        _places(contract),
        _definitions(contract),
        _limits(contract),
        _blanks(contract),
        Section(two("Rules", "规则"), (two("RULE", "规则"),), tuple((rule,) for rule in rules(contract))),
        _duties(contract, two("Documents", "文档"), contract.documents),
        _duties(contract, two("Other services with a limit", "其他有时限的服务"), contract.services),
        _penalties(contract),
        Section(
            two("Excuses it accepts", "认可的免责理由"),
            (two("EXCUSE", "理由"), two("MEANING", "含义")),
            tuple((same(each.key), each.title) for each in contract.excuses),
        ),
        Section(
            two("Promised besides, shown and not clocked", "其他承诺（仅显示，不计时）"),
            (two("PROMISE", "承诺"),),
            tuple((each.title,) for each in contract.promises),
        ),
        Section(
            two("What the text leaves open, and our choice", "原文未定之处及本系统的选择"),
            (two("POINT", "要点"), two("CHOICE", "选择")),
            tuple((same(point.key), point.text) for point in contract.open),
            undecided=True,
        ),
    )
    return tuple(section for section in every if section.rows)


def two(english: str, chinese: str) -> Text:
    """Return a text in both languages."""
    return {"en": english, "zh": chinese}


def same(text: str) -> Text:
    """Return a text that is the same in both languages."""
    return {"en": text, "zh": text}


def opens(keys: tuple[str, ...]) -> Text:
    """Return the open points that something rests on, or a dash."""
    return same(", ".join(keys) or "-")


def level_names(contract: Contract, levels: tuple[int, ...]) -> Text:
    """Return the levels that something holds for."""
    return two("all", "全部") if not levels else same(", ".join(contract.code(level) for level in levels))


def _levels(contract: Contract) -> Section:
    rows = [
        (
            same(contract.code(level)),
            title,
            contract.definitions.get(level, same("-")),
            same(f"{contract.on_delays[level]:g} s / {contract.off_delay:g} s"),
        )
        for level, title in contract.levels.items()
    ]
    head = (two("LEVEL", "级别"), two("TITLE", "名称"), two("MEANS", "定义"), two("DELAY ON / OFF", "延时/恢复"))
    return Section(two("Levels, the worst first", "级别（由重到轻）"), head, tuple(rows))


def _general(contract: Contract) -> Section:
    words = {
        "interruption": two("service interrupted", "服务中断"),
        "danger": two("danger of an interruption", "有中断的潜在危险"),
        "degraded": two("directly affected, partly degraded", "直接影响，部分退化"),
        "indirect": two("intermittent or indirect effect", "断续或间接影响"),
    }
    rows = tuple((words[meaning], same(contract.code(level))) for meaning, level in contract.general.items())
    title = two("A fault that is not listed: its provisional level", "未列出的故障：暂定级别")
    if len(contract.levels) == 1:
        title = two("A fault that is not listed: its level", "未列出的故障：级别")
    return Section(title, (two("MEANING", "含义"), two("LEVEL", "级别")), rows)


def _faults(contract: Contract) -> Section:
    rows = tuple((same(fault), same(contract.code(level))) for fault, level in contract.faults.items())
    return Section(two("Listed faults", "列出的故障"), (two("FAULT", "故障"), two("LEVEL", "级别")), rows)


def _places(contract: Contract) -> Section:
    """Return regions with their cities, grades and conditions: everything a limit may depend on besides."""
    rows: list[tuple[Text, ...]] = []
    for key, title in contract.regions.items():
        cities = contract.cities.get(key, ())
        listed = two(", ".join(city["en"] for city in cities), "、".join(city["zh"] for city in cities))
        rows.append((two("region", "区域"), same(key), title, listed if cities else same("-")))
    for key, title in contract.grades.items():
        rows.append((two("grade", "等级"), same(key), title, same("-")))
    for key, title in contract.conditions.items():
        rows.append((two("condition", "条件"), same(key), title, same("-")))
    head = (two("KIND", "种类"), two("NAME", "标识"), two("TITLE", "名称"), two("CITIES", "城市"))
    return Section(two("What limits depend on", "时限所依"), head, tuple(rows))


def _definitions(contract: Contract) -> Section:
    """Return what milestones and starts are in this contract, where its text says."""
    rows = [(MILESTONES[milestone], said) for milestone, said in contract.milestones.items()]
    rows += [(STARTS[start], said) for start, said in contract.starts.items()]
    title = two("What its milestones and starts are", "节点和起点的定义")
    return Section(title, (two("NAME", "名称"), two("MEANS", "定义")), tuple(rows))


def _limits(contract: Contract) -> Section:
    head = (
        two("LEVEL", "级别"),
        two("FOR", "适用"),
        two("MILESTONE", "节点"),
        two("WITHIN", "期限"),
        two("FROM", "起点"),
        two("OPEN", "未定"),
    )
    rows = tuple(_limit(contract, limit) for limit in contract.limits)
    return Section(two("Limits", "时限"), head, rows)


def _limit(contract: Contract, limit: Limit) -> tuple[Text, ...]:
    holds = holds_for(contract, limit)
    return (
        level_names(contract, limit.levels),
        holds if holds["en"] else two("all", "全部"),
        limit_words(limit),
        span_words(limit.said),
        after_words(contract, limit.after),
        opens(limit.open),
    )


def _blanks(contract: Contract) -> Section:
    rows = [
        (
            MILESTONES[blank.milestone],
            level_names(contract, blank.levels),
            _blank_holds_for(contract, blank),
            after_words(contract, blank.after),
            two("agreed case by case", "逐案商定") if blank.negotiated else two("a site fills it in", "由使用方填写"),
            opens(blank.open),
        )
        for blank in contract.blanks
    ]
    head = (
        two("MILESTONE", "节点"),
        two("LEVEL", "级别"),
        two("FOR", "适用"),
        two("FROM", "起点"),
        two("NUMBER", "数值"),
        two("OPEN", "未定"),
    )
    return Section(two("Limits without a number in the text", "原文没有数值的时限"), head, tuple(rows))


def _blank_holds_for(contract: Contract, blank: Blank) -> Text:
    parts = [contract.regions[region] for region in blank.regions] + [contract.grades[grade] for grade in blank.grades]
    if blank.handling is not None:
        parts.append(HANDLINGS[blank.handling])
    if not parts:
        return two("every grade", "各等级") if contract.grades else two("all", "全部")
    return two("; ".join(part["en"] for part in parts), "；".join(part["zh"] for part in parts))


def _duties(contract: Contract, title: Text, duties: tuple[Duty, ...]) -> Section:
    rows = [
        (
            _with_needs(duty),
            level_names(contract, duty.levels),
            duty_words(duty),
            after_words(contract, duty.after),
            opens(duty.open),
        )
        for duty in duties
    ]
    head = (two("WHAT", "内容"), two("LEVEL", "级别"), two("WITHIN", "期限"), two("FROM", "起点"), two("OPEN", "未定"))
    return Section(title, head, tuple(rows))


def _with_needs(duty: Duty) -> Text:
    if not duty.needs:
        return duty.title
    return {
        "en": f"{duty.title['en']}; needs {duty.needs['en']}",
        "zh": f"{duty.title['zh']}（须{duty.needs['zh']}）",
    }


def _penalties(contract: Contract) -> Section:
    rows: list[tuple[Text, ...]] = []
    for each in contract.penalties:
        cost = two("number missing", "缺分值")
        if each.points is not None:
            cost = same(f"{each.points:+g}")
        elif each.share is not None:
            cost = two(f"{each.share:.0%} of the fee", f"费用的{each.share:.0%}")
        per = two("ticket", "每单") if each.per == "ticket" else two("time", "每次")
        rows.append((each.title, cost, per, same(", ".join(each.automatic) or "-"), opens(each.open)))
    head = (
        two("EVENT", "事件"),
        two("POINTS", "分值"),
        two("PER", "计法"),
        two("WHEN LATE", "超时的时限"),
        two("OPEN", "未定"),
    )
    return Section(two("Penalties", "考核"), head, tuple(rows))
