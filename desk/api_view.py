"""What programs are given of tickets: a line of a list, a ticket with every clock, its entries."""

from math import floor

from desk.kept import Line, decoded, lines_of, record_of
from desk.ledger import Ledger
from desk.record import change_of
from desk.shown import Shown
from desk.store import Db, Row, Site, every, one, site_of
from desk.titles import title_of
from desk.told import told
from model.change import Change
from model.contract import Contract
from model.limits import unsaid
from model.service.clocks import outcomes
from model.service.documents import documents, handed_over
from model.service.outcome import Outcome
from model.service.penalties import Deduction, deductions, points
from model.service.record import Record
from model.ticket_protocol import ClockNow, DeductionNow, DocumentNow, EntryList, EntryNow, TicketLine, TicketNow

SELECT = """SELECT t.*, e.change AS change, e.state AS alarm_state,
    (SELECT count(*) FROM episodes x WHERE x.active = 1 AND x.explained_by <> ''
        AND x.explained_by = t.condition) AS explains
    FROM tickets t LEFT JOIN episodes e ON e.id = t.episode"""
LINE = frozenset(TicketLine.__struct_fields__)
_NOT_AS_RECORDED = LINE | {"handling", "starts"}
AS_RECORDED = frozenset(TicketNow.__struct_fields__) & frozenset(Record.__struct_fields__) - _NOT_AS_RECORDED


def line(ledger: Ledger, row: Row, known: dict[str, Site]) -> TicketLine:
    """Return a row of SELECT as a line of a list."""
    change = change_of(row) if row["change"] is not None else None
    site = known.get(row["site"]) or Site(row["site"], row["site"], "")
    contract = ledger.contracts(site.contract)
    return TicketLine(
        number=row["number"],
        condition=row["condition"],
        site=site.id,
        site_name=site.name,
        region=site.region,
        state=row["state"],
        level=row["level"],
        level_code=contract.code(row["level"]),
        provisional=bool(row["provisional"]),
        device=row["device"],
        device_name=change.origin.device_name if change else row["device"],
        fault=row["fault"],
        case=row["case"],
        title=change.origin.title if change else title_of(row["fault"]),
        case_title=change.case_title if change else {},
        last_words=_last_words(ledger.db, change),
        opened=row["opened"],
        onset=row["onset"],
        acknowledged=row["acknowledged"],
        acknowledged_by=row["acknowledged_by"],
        resolved=row["resolved"],
        closed=row["closed"],
        paused=bool(row["paused"]),
        workaround=bool(row["workaround"]),
        waits_for_word=bool(row["waits_for_word"]),
        late=row["late"],
        due=row["due"],
        due_clock=row["due_clock"],
        left=None if row["due"] is None else row["due"] - ledger.now,
        entries=row["entries"],
        contract=contract.name,
    )


def ticket_now(ledger: Ledger, number: int) -> TicketNow | None:
    """Return a ticket as it is now, None when there is no such ticket."""
    row = one(ledger.db, f"{SELECT} WHERE t.number = ?", number)
    if row is None:
        return None
    record = decoded(row["record"])
    contract = ledger.contracts(record.terms.contract)
    site = site_of(ledger.db, row["site"])
    short = line(ledger, row, {site.id: site} if site else {})
    alarm = change_of(row) if row["change"] is not None else None
    costs = deductions(record, contract, ledger.calendars, ledger.now)
    return TicketNow(
        **{name: getattr(short, name) for name in LINE},
        **{name: getattr(record, name) for name in AS_RECORDED},
        now=ledger.now,
        trust=ledger.trust,
        timezone=site.timezone if site else "",
        scope=alarm.origin.scope if alarm else "-",
        episode=record.ticket.episode,
        explained_by=record.ticket.explained_by,
        shelved=record.ticket.shelved,
        evidence=alarm.alarm.evidence if alarm else (),
        missing=alarm.alarm.missing if alarm else (),
        alarm_state=row["alarm_state"] or "",
        explains=row["explains"],
        agent_level=alarm.alarm.level if alarm else 0,
        agent_contract=alarm.origin.contract if alarm else "",
        agent_digest=alarm.origin.digest if alarm else "",
        digest=contract.digest,
        handling=record.handling or "",
        unsaid=unsaid(contract, record.situation),
        clocks=clocks(record, contract, ledger),
        starts={str(start): when for start, when in record.starts.items()},
        pauses=record.halts,
        workaround_only=record.workaround,
        links=record.bonds,
        documents=papers(record, contract, ledger),
        deductions=tuple(map(_cost, costs)),
        points=points(costs),
    )


def _cost(each: Deduction) -> DeductionNow:
    by = each.excused.accepted_by if each.excused else ""
    return DeductionNow(each.event, each.what_for, each.at, each.points, each.share, by, each.counts)


def clocks(record: Record, contract: Contract, ledger: Ledger) -> tuple[ClockNow, ...]:
    """Return every clock of a ticket and where it stands."""
    return tuple(
        _clock(each, contract, ledger.now) for each in outcomes(record, contract, ledger.calendars, ledger.now)
    )


def papers(record: Record, contract: Contract, ledger: Ledger) -> tuple[DocumentNow, ...]:
    """Return the documents that a ticket owes."""
    found: list[DocumentNow] = []
    for duty, begin, end in documents(record, contract, ledger.calendars):
        handed = handed_over(record, duty)
        late = end is not None and floor(ledger.now if handed is None else handed) > end
        found.append(DocumentNow(duty.name, duty.title, begin, end, handed, late))
    return tuple(found)


def entries_page(ledger: Ledger, number: int, language: str, *, after: int, limit: int) -> EntryList | None:
    """Return a ticket's entries after a seq, at most `limit`; None when there is no such ticket."""
    lines = lines_of(ledger.db, number)
    record = record_of(ledger.db, number)
    if record is None:
        return None
    rest = [each for each in lines if each.seq > after]
    site = site_of(ledger.db, record.ticket.site)
    shown_as = Shown(language, ledger.now, site.timezone if site else "")
    contract = ledger.contracts(record.terms.contract)
    shown = tuple(
        EntryNow(
            each.seq, each.entry.at, each.entry.who, each.entry.source, each.entry.side, each.entry.trust, each.did,
            _in_words(shown_as, contract, each), each.entry.act,
        )
        for each in rest[:limit]
    )  # fmt: skip
    return EntryList(number, shown, shown[-1].seq if len(rest) > limit else None)


def _in_words(shown: Shown, contract: Contract, line_: Line) -> str:
    """Return an entry in one line of words."""
    words = told(shown, contract, line_)
    return ("；" if shown.lang == "zh" else "; ").join([words.title, *words.details])


def _clock(each: Outcome, contract: Contract, now: float) -> ClockNow:
    left = None if each.due is None or each.end is not None else each.due - now
    return ClockNow(
        each.clock, each.limit, each.level, each.milestone, each.stand, each.start, each.due, each.end, left,
        each.assumed, contract.code(each.level),
    )  # fmt: skip


def _last_words(db: Db, change: Change | None) -> dict[str, str]:
    """Return the title of what a silent site told last, {} for another ticket."""
    told = change.alarm.explained_by if change and change.origin.fault == "site.silent" else ""
    rows = (
        every(db, "SELECT change FROM episodes WHERE condition = ? ORDER BY changed DESC LIMIT 1", told) if told else []
    )
    return change_of(rows[0]).origin.title if rows else {}
