"""Words about the desk's time (docs/clock.md)."""

CLOCK_WORDS: dict[str, tuple[str, str]] = {
    "clock_ahead": (
        "This machine's clock was set forward by {span}: escalations are frozen. Is it right? Say so: {command}",
        "本机时钟被拨快{span}，已暂停升级与催办。若时钟无误，请确认：{command}",
    ),
    "clock_behind": (
        "This machine's clock was set back by {span}: escalations are frozen. Is it right? Say so: {command}",
        "本机时钟被拨慢{span}，已暂停升级与催办。若时钟无误，请确认：{command}",
    ),
    "clock_rebooted": (
        "This machine was started anew, its clock is not synchronised: escalations are frozen. Is it right? {command}",
        "本机已重启，时钟尚未同步，已暂停升级与催办。若时钟无误，请确认：{command}",
    ),
    "clock_earlier": (
        "This machine's clock is {span} before the last entry: escalations are frozen. Set it, then say so: {command}",
        "本机时钟比最后记录早{span}，已暂停升级与催办。请校时后确认：{command}",
    ),
    "clock_held": ("What is due on {n} tickets waits.", "{n}张工单的到期事项暂缓执行。"),
    "did.clock_ahead": ("Clock set forward: escalations frozen", "时钟被拨快：暂停升级"),
    "did.clock_behind": ("Clock set back: escalations frozen", "时钟被拨慢：暂停升级"),
    "did.clock_rebooted": ("Started anew, clock not sure: escalations frozen", "重启，时钟未确认：暂停升级"),
    "did.clock_earlier": ("Clock before the last entry: escalations frozen", "时钟早于最后记录：暂停升级"),
    "did.clock_sure": ("Clock sure: escalations go on", "时钟可信：恢复升级"),
    "did.clock_confirmed": ("Clock confirmed", "人工确认时钟"),
}
