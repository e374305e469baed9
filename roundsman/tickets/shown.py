"""A ticket on a terminal: what stands, every clock with start, limit and stand, and what was said."""

from collections.abc import Iterable, Iterator

from desk.shown import Shown
from model.contract import Text
from model.contract_words import MILESTONES
from model.service.outcome import Stand
from model.service.words import Trust
from model.ticket_protocol import ClockNow, EntryNow, TicketNow
from roundsman.output import clean, table

_HEAD: dict[str, Text] = {
    "clocks": {"en": "CLOCK|LEVEL|FROM|DUE|ENDED|LEFT|STANDS", "zh": "时限项|级别|起算|时限|结束|剩余|状态"},
    "no clocks": {"en": "The contract sets no limit here.", "zh": "合同在此未规定时限。"},
    "marks": {"en": "REACHED|WHEN|WRITTEN DOWN BY|COUNTS", "zh": "节点|时间|记录人|是否计入"},
    "papers": {"en": "DOCUMENT|DUE|DELIVERED", "zh": "文档|时限|提交"},
    "entries": {"en": "NO|WRITTEN DOWN|WHO|FOR|FROM|WHAT", "zh": "序号|记录时间|人员|代表|来源|内容"},
    "none": {"en": "Nothing.", "zh": "无。"},
    "frozen": {
        "en": "The desk's clock is not sure now: nothing is escalated (roundsman desk trust-clock).",
        "zh": "值班台时钟目前不可信，暂不升级或通知（roundsman desk trust-clock）。",
    },
    "waits": {"en": "waits for a word", "zh": "待确认"},
}
_OVER = frozenset({Stand.KEPT, Stand.MOOT, Stand.PROPOSED, Stand.UNSURE, Stand.WAITING, Stand.PAUSED})


def show_ticket(ticket: TicketNow, lang: str) -> None:
    """Print a ticket as it is now; times are the site's."""
    shown = Shown(lang, ticket.now, ticket.timezone)
    for line in _lines(ticket, shown):
        print(clean(line))
    print()
    table(
        _HEAD["clocks"][lang].split("|"),
        [_clock(each, shown) for each in ticket.clocks],
        empty=_HEAD["none" if ticket.unsaid else "no clocks"][lang],
    )
    if ticket.marks:
        print()
        table(_HEAD["marks"][lang].split("|"), _marks(ticket, shown), empty="")
    if ticket.documents:
        print()
        table(_HEAD["papers"][lang].split("|"), _papers(ticket, shown), empty="")


def show_entries(entries: Iterable[EntryNow], ticket: TicketNow, lang: str) -> None:
    """Print what was written down of a ticket."""
    shown = Shown(lang, ticket.now, ticket.timezone)
    rows = [
        (str(each.seq), shown.moment(each.at), each.who, shown.say(f"side.{each.side}"), each.source or "-", each.text)
        for each in entries
    ]
    table(_HEAD["entries"][lang].split("|"), rows, empty=_HEAD["none"][lang])


def limit_title(limit: str, shown: Shown) -> str:
    """Return what a limit is called."""
    return shown.say(f"limit.{limit}") if limit in _LIMITS else limit


def _lines(ticket: TicketNow, shown: Shown) -> Iterator[str]:
    """Yield what stands, a line each."""
    gap = "，" if shown.lang == "zh" else ", "
    title = shown.title(ticket.case_title) or shown.title(ticket.title, ticket.fault)
    level = shown.say("level", n=ticket.level_code) + ("?" if ticket.provisional else "")
    state = shown.say(f"state.{ticket.state}")
    where = ticket.site_name + (gap + ticket.device_name if ticket.device_name not in {"", "-"} else "")
    yield gap.join([f"#{ticket.number}", level, state, title, where])
    yield f"{shown.say('opened_word')} {shown.moment(ticket.opened)}"
    yield from _standing(ticket, shown)
    for each in ticket.unsaid:
        yield shown.say(f"unsaid.{each}")
    for bond in ticket.links:
        yield f"{shown.say(f'tie.{bond.tie}')}{gap}#{bond.number}"
    if ticket.points:
        yield shown.say("points", n=f"{ticket.points:g}")


def _standing(ticket: TicketNow, shown: Shown) -> Iterator[str]:
    """Yield who has it, what it waits for, and what is odd about it."""
    if ticket.acknowledged is not None:
        yield shown.say("stand.has", who=ticket.acknowledged_by, time=shown.time(ticket.acknowledged))
    elif ticket.state == "open":
        yield shown.say("stand.nobody")
    if ticket.merged_into:
        yield shown.say("stand.merged", n=ticket.merged_into)
    elif ticket.closed is not None:
        yield shown.say("stand.closed", time=shown.moment(ticket.closed))
    for halt in ticket.pauses:
        if halt.end is None:
            whom = shown.say(f"waiting.{halt.waiting}")
            yield shown.say("stand.waits", whom=whom, time=shown.time(halt.begin), reason=halt.reason)
    if ticket.workaround_only is not None:
        yield shown.say("stand.workaround")
    if ticket.trust is not Trust.SURE:
        yield _HEAD["frozen"][shown.lang]
    if ticket.unsure:
        yield shown.say("stand.unsure")


def _clock(each: ClockNow, shown: Shown) -> tuple[str, ...]:
    """Return a clock's line."""
    due = _moment(each.due, shown) + (f" ({shown.say('clock_assumed')})" if each.assumed and each.due else "")
    left = "-"
    if each.left is not None and each.stand not in _OVER:
        left = ("" if each.left >= 0 else "-") + shown.span(each.left)
    ended = _moment(each.end, shown)
    return (
        limit_title(each.limit, shown),
        each.level_code or str(each.level),
        _moment(each.start, shown),
        due,
        ended,
        left,
        shown.say(f"clock.{each.stand}"),
    )


def _marks(ticket: TicketNow, shown: Shown) -> Iterator[tuple[str, ...]]:
    """Yield the milestones that were said, in their order."""
    for milestone, mark in sorted(ticket.marks.items(), key=lambda each: each[1].when):
        counts = shown.say("yes") if mark.counts else _HEAD["waits"][shown.lang]
        yield MILESTONES[milestone][shown.lang], _moment(mark.when, shown), mark.who, counts


def _papers(ticket: TicketNow, shown: Shown) -> Iterator[tuple[str, ...]]:
    """Yield the documents that are owed."""
    for each in ticket.documents:
        delivered = _moment(each.delivered, shown) if each.delivered is not None else "-"
        late = f" ({shown.say('late_word')})" if each.late else ""
        yield shown.title(each.title, each.document), _moment(each.due, shown) + late, delivered


def _moment(at: float | None, shown: Shown) -> str:
    return "-" if at is None else shown.moment(at)


_LIMITS = frozenset({*(str(each) for each in MILESTONES), "total", "difficult"})
