"""Walk-tests on a terminal; times are the site's own zone's."""

from desk.shown import Shown
from desk.walktest_shown import counts_text, device_name, facts, item_name, said_text, seen_text
from model.walktest_protocol import WalkList, WalkNow
from roundsman.output import clean, table

_WALKS = {"en": ("NO", "STATE", "SITE", "DEVICE", "FROM", "UNTIL", "RESULTS", "BY"),
          "zh": ("编号", "状态", "站点", "设备", "开始", "结束", "结果", "人员")}  # fmt: skip
_ITEMS = {"en": ("ITEM", "DEVICE", "NAME", "WHAT THE DESK SAW", "RESULT", "SAID"),
          "zh": ("项目", "设备", "名称", "值班台所见", "结果", "备注")}  # fmt: skip


def show_walks(found: WalkList, lang: str) -> None:
    """Print the walk-tests, a line each."""
    rows = []
    for walk in found.walktests:
        shown = Shown(lang, found.now, walk.zone)
        times = (shown.moment(walk.opened)[:16], shown.moment(walk.end)[:16])
        state, counts = shown.say(f"walk.{walk.state}"), counts_text(walk, shown)
        rows.append((f"T{walk.number}", state, walk.site, walk.device or "-", *times, counts, walk.by))
    table(_WALKS[lang], rows, empty=Shown(lang, found.now).say("walk.none"))


def show_walk(walk: WalkNow, lang: str, *, whole: bool) -> None:
    """Print one walk-test, with its list when `whole`."""
    shown = Shown(lang, walk.opened, walk.zone)
    for word, text in facts(walk, shown):
        if text:
            print(clean(f"{word}: {text}"))
    for held in walk.held:
        if held.ticket:
            print(clean(f"{shown.say('period.held_ticket', n=held.ticket)}: {held.device} {held.fault}"))
    if not whole:
        return
    print()
    rows = [
        (item.key, device_name(shown, item), item_name(shown, item), seen_text(shown, item) or "-",
         shown.say(f"walk.result.{item.result}"), said_text(shown, item) or "-")
        for item in walk.items
    ]  # fmt: skip
    table(_ITEMS[lang], rows, empty=shown.say("walk.asking"))
