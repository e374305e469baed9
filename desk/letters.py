"""What a message says: level, site, fault, since when, what is due when, the link; in the reader's language, short.

One ticket is told whole. Of several each has its lines, worst first; beyond `MOST` they are counted by level. Times
are the site's.
"""

import logging
from collections import Counter

import msgspec

from desk.kept import record_of
from desk.ledger import Ledger
from desk.letter_words import BY, LETTER, WHATS
from desk.record import change_of
from desk.shown import Shown, clean
from desk.store import Site, one, site_of
from model.contract import Contract
from model.contract_words import MILESTONES, limit_words
from model.service.clocks import DIFFICULT, outcomes
from model.service.outcome import Outcome, Stand
from model.service.record import Record
from model.telling import What

LOG = logging.getLogger("roundsman.desk")
MOST = 20  # tickets that a message names
_LONGEST = 300  # signs of a subject
_LATE = frozenset({What.BREACH, What.UPGRADED, What.DOCUMENT_LATE})
_RUNS = frozenset({Stand.RUNNING, Stand.LATE})


class Line(msgspec.Struct, frozen=True):
    """Something to be told of a ticket: what, of which clock and step, and that clock's limit (Unix seconds)."""

    ticket: int
    what: What
    clock: str
    step: str
    due: float | None


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """A ticket in a message, as programs read it. Times are Unix seconds; `due` by clock, of those that run."""

    number: int
    site: str
    level: int
    code: str
    fault: str
    title: str
    what: tuple[str, ...]
    since: float
    due: dict[str, float] = {}
    link: str = ""


class Letter(msgspec.Struct, frozen=True):
    """A message: what a person reads, and the same for a program. `level` is the worst one's.

    `more` are the numbers of the tickets that are only counted.
    """

    language: str
    level: int
    subject: str
    text: str
    count: int
    tickets: tuple[Told, ...]
    more: tuple[int, ...] = ()


class Writer:
    """Writes messages for one reader. `link` is where people find the desk, `zone` that of sites without one."""

    def __init__(self, ledger: Ledger, language: str, link: str, zone: str) -> None:
        self.ledger = ledger
        self.link = link
        self.index = 1 if language == "zh" else 0
        self.shown = Shown(language, ledger.now, zone)

    def letter(self, lines: list[Line], levels: dict[int, int]) -> Letter:
        """Return the message that says all of it; `levels` are those of the tickets."""
        by_ticket: dict[int, list[Line]] = {}
        for line in lines:
            by_ticket.setdefault(line.ticket, []).append(line)
        over = {number for number in by_ticket if all(line.what is What.OVER for line in by_ticket[number])}
        order = sorted(by_ticket, key=lambda number: (number in over, levels[number], number))
        parts = [self._whole_or_bare(by_ticket[number], levels[number]) for number in order[:MOST]]
        told = tuple(told for told, _ in parts)
        text = "\n\n".join(part for _, part in parts)
        if rest := order[MOST:]:
            text += "\n\n" + self._rest([levels[number] for number in rest])
        late = any(line.what in _LATE for line in lines)
        key = "subject_over" if len(over) == len(order) else "subject_late" if late else "subject"
        subject = self._subject(told, len(order), key)
        return Letter(
            self.shown.lang, min(levels[number] for number in order), subject[:_LONGEST],
            f"{text}\n\n-- \n{self.say('foot')}\n", len(order), told, tuple(rest),
        )  # fmt: skip

    def say(self, key: str, **parts: object) -> str:
        """Return a sentence in the reader's language."""
        return LETTER[key][self.index].format(**parts)

    def _subject(self, told: tuple[Told, ...], count: int, key: str) -> str:
        first = told[0]
        if count > 1:
            many = "subject_many_over" if key == "subject_over" else "subject_many"
            return self.say(many, count=count, level=first.code)
        record = record_of(self.ledger.db, first.number)
        if key == "subject_over" and record is not None and (record.merged_into or record.ticket.explained_by):
            key = "subject"  # the fault is not over, another ticket has it
        site = self._site(first.site).name
        return self.say(key, level=first.code, site=clean(site), fault=first.title, number=first.number)

    def _rest(self, levels: list[int]) -> str:
        counted = sorted(Counter(levels).items())
        parts = [self.say("of_level", count=count, level=level) for level, count in counted]
        joined = ("，" if self.index else ", ").join(parts)
        return self.say("more", count=len(levels), levels=joined)

    def _whole_or_bare(self, lines: list[Line], level: int) -> tuple[Told, str]:
        """Return a ticket as `_part` does; of one that cannot be read what its row has: nobody waits for its repair."""
        number = lines[0].ticket
        try:
            record = record_of(self.ledger.db, number)
            if record is not None:
                return self._part(record, lines)
        except Exception:  # whatever it is: what a ticket's record has become must not silence all others
            LOG.exception("ticket %d cannot be told whole", number)
        row = one(self.ledger.db, "SELECT site, fault, onset FROM tickets WHERE number = ?", number)
        site, fault, onset = (row["site"], row["fault"], row["onset"]) if row else ("", "", self.ledger.now)
        link = f"{self.link}/tickets/{number}" if self.link else ""
        what = tuple(dict.fromkeys(line.what.value for line in lines))
        told = Told(number, site, level, str(level), fault, clean(fault), what, onset, {}, link)
        name = clean(self._site(site).name)
        said = [self.say("head", level=level, site=name), f"#{number}  {clean(fault)}", self.say("unreadable"), link]
        return told, "\n".join(filter(None, said))

    def _part(self, record: Record, lines: list[Line]) -> tuple[Told, str]:
        """Return a ticket for programs, and its lines for people."""
        contract = self.ledger.contracts(record.terms.contract)
        site = self._site(record.ticket.site)
        shown = self.shown.at(site.timezone)
        clocks = outcomes(record, contract, self.ledger.calendars, self.ledger.now)
        running = [each for each in clocks if each.stand in _RUNS and each.end is None and each.due is not None]
        title, code = self._title(record), contract.code(record.ticket.level)
        link = f"{self.link}/tickets/{record.ticket.number}" if self.link else ""
        whats = dict.fromkeys(self._what(line, record, contract, shown) for line in _without_doubles(lines))
        head = self.say("head", level=code, site=clean(site.name))
        said = [
            f"{head}  ({self.say('provisional')})" if record.ticket.provisional else head,
            f"#{record.ticket.number}  {title}",
            *whats,
            self.say("since", when=_when(shown, record.onset)),
            *self._dues(running, lines, contract, shown),
            *([link] if link else []),
        ]
        told = Told(
            record.ticket.number, site.id, record.ticket.level, code, record.fault, title,
            tuple(dict.fromkeys(line.what.value for line in lines)), record.onset,
            {each.clock: each.due for each in running if each.due is not None}, link,
        )  # fmt: skip
        return told, "\n".join(said)

    def _dues(self, running: list[Outcome], lines: list[Line], contract: Contract, shown: Shown) -> list[str]:
        """Return the clocks that run, soonest first; those that a line has named already are left out."""
        named = {line.clock for line in lines if line.what in {What.WARN, What.BREACH, What.UPGRADED}}
        ordered = sorted((each for each in running if each.clock not in named), key=lambda each: each.due or 0.0)
        return [
            self.say(
                "over" if each.stand is Stand.LATE else "due",
                clock=self._clock(each.clock, contract),
                when=_when(shown, each.due or 0.0),
            )
            for each in ordered
        ]

    def _what(self, line: Line, record: Record, contract: Contract, shown: Shown) -> str:
        when = _when(shown, line.due) if line.due is not None else ""
        if line.what is What.OVER:
            ticket = record.ticket
            if record.merged_into or ticket.explained_by:
                return self.say("merged" if record.merged_into else "explained", number=record.merged_into)
            when = _when(shown, ticket.resolved or ticket.closed or self.ledger.now)
        return WHATS[line.what][self.index].format(
            level=contract.code(record.ticket.level),
            clock=self._clock(line.clock, contract),
            when=when,
            role=self._role(line, contract),
            document=self._document(line.clock, contract),
            by=BY[self.index].format(when=when) if when else "",
        )

    def _clock(self, clock: str, contract: Contract) -> str:
        """Return what people call a clock: its milestone, and the limit's name where that says more."""
        name = clock.rpartition("/")[0]
        if name == DIFFICULT:
            return ("agreed limit", "商定时限")[self.index]
        limit = next((each for each in contract.limits if each.name == name), None)
        if limit is None:
            known = {each.value: text for each, text in MILESTONES.items()}
            return self.shown.title(known.get(name, {}), name or clock)
        text = limit_words(limit)
        own = contract.milestones.get(limit.milestone)
        return self.shown.title(own if own and limit.name == limit.milestone else text, name)

    def _role(self, line: Line, contract: Contract) -> str:
        words = line.step.split(maxsplit=2)  # "tell ORDER ROLE"
        if len(words) == 3 and words[1].isdigit() and int(words[1]) < len(contract.escalation):
            return self.shown.title(contract.escalation[int(words[1])].title, words[2])
        return line.step

    def _document(self, clock: str, contract: Contract) -> str:
        name = clock.removeprefix("document ")
        duty = next((each for each in contract.documents if each.name == name), None)
        return self.shown.title(duty.title if duty else {}, name)

    def _title(self, record: Record) -> str:
        row = one(self.ledger.db, "SELECT change FROM episodes WHERE id = ?", record.ticket.episode)
        if row is None:
            return clean(record.fault)
        change = change_of(row)
        title = clean(self.shown.title(change.case_title) or self.shown.title(change.origin.title, record.fault))
        device = clean(change.origin.device_name)
        return f"{title} - {device}" if device else title

    def _site(self, site: str) -> Site:
        return site_of(self.ledger.db, site) or Site(site, site, "")


def _when(shown: Shown, at: float) -> str:
    """Return a time to the minute, as people say it."""
    return shown.moment(at).rpartition(":")[0]


def _without_doubles(lines: list[Line]) -> list[Line]:
    """Leave out a warning of a clock that is over by now, and an opening that came with a higher level."""
    over = {line.clock for line in lines if line.what is What.BREACH}
    return [line for line in lines if line.what is not What.WARN or line.clock not in over]
