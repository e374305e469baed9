"""What the commands of keeping a desk say, in English and Chinese."""

import argparse
from pathlib import Path

from model.finding import Finding, worst
from roundsman.output import clean, json_lines

STATE = Path("/var/lib/roundsman-desk")
_SAID: dict[str, tuple[str, str]] = {
    "made": (
        "{path}: {tickets} tickets, {files} files, {size} MB; read back, every check sum is right.",
        "{path}：{tickets}张工单，{files}个文件，{size} MB；已回读，校验无误。",
    ),
    "secret": (
        "It holds keys and secrets: keep it on another machine, where only those may read it who run the desk.",
        "备份内含密钥，请存放于另一台机器，仅限值班台管理员读取。",
    ),
    "good": (
        "{path} is good: {tickets} tickets, {files} files, {size} MB.",
        "{path}完好：{tickets}张工单，{files}个文件，{size} MB。",
    ),
    "restored": ("{state} is as of {at}: {tickets} tickets.", "{state}已恢复到{at}：{tickets}张工单。"),
    "aside": ("What was there before is in {path}.", "原有内容移至{path}。"),
    "own": (
        "Roster and contracts of the backup are in {path}: put them where the desk is told to look for them.",
        "备份中的值班表与合同在{path}，请放回值班台启动时指定的位置。",
    ),
    "next": (
        "Start the desk. Agents send again by themselves what it has forgotten since.",
        "请启动值班台。各站点代理会自动补发此后的告警。",
    ),
    "lost": (
        "What people did at the desk since then is not in it: ask who was on duty, and add again who was added since.",
        "此后人员在值班台的操作不在备份中，请向当班人员核实；此后新增的站点与用户须重新添加。",
    ),
    "numbers": (
        "New tickets go on from {number}, so that no number is given twice.",
        "新工单从{number}号起，编号不会重复。",
    ),
    "broken": ("BROKEN ", "故障"),
    "warning": ("WARNING", "注意"),
    "note": ("note   ", "提示"),
    "well": ("All is well.", "一切正常。"),
    "copied": (
        "Copied {rows} rows of {tables} tables, and read every one back: they are alike.",
        "已复制{tables}张表共{rows}行，并逐行回读比对，完全一致。",
    ),
    "same": (
        "{tickets} tickets, and their books add up. For its agents it is the same desk ({incarnation}).",
        "共{tickets}张工单，账目无误。对各站点代理而言仍是同一值班台（{incarnation}）。",
    ),
    "file": (
        "The file is now {path}: keep it until you trust the database.",
        "原文件已改名为{path}，请在确认数据库可靠之前保留。",
    ),
    "go_on": ("Next: roundsman desk --store ADDRESS", "下一步：roundsman desk --store 数据库地址"),
    "finished": ("The restore that was broken off is finished.", "中断的恢复已完成。"),
}


def say(args: argparse.Namespace, key: str, **fill: object) -> str:
    """Return a sentence in the language that was asked for."""
    return _SAID[key][args.lang == "zh"].format(**fill)


def shown(args: argparse.Namespace, found: list[Finding]) -> int:
    """Print what a doctor found; returns the exit code."""
    if args.json:
        rows = [(each, each.weight.name.lower()) for each in found]
        json_lines([{"what": each.what, "weight": weight, "en": each.en, "zh": each.zh} for each, weight in rows])
        return worst(found)
    for each in found:
        print(clean(f"{say(args, each.weight.name.lower())} {each.zh if args.lang == 'zh' else each.en}"))
    if not found:
        print(say(args, "well"))
    return worst(found)
