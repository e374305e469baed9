"""What people may say of a ticket now, each as a form: what comes next first, everything else in groups.

An offer is one act of `model.service.entry` with what is still to be filled in. It needs no script: a form that posts
its fields. What is offered follows the record; whether it is taken is still the step's word, which may refuse.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from desk.words import both
from model.contract import Contract, Duty, Handling, Milestone, Start, Text, Word
from model.contract_words import HANDLINGS, MILESTONES, STARTS
from model.service.outcome import Outcome, Stand
from model.service.penalties import Deduction
from model.service.record import Record
from model.service.words import Cover, Side, Tie, Waiting
from model.ticket import TicketState

_AT_A_SITE = (Milestone.DEPART, Milestone.ARRIVE)
_ENDS = (Milestone.RESTORE, Milestone.RESOLVE)
_TIES = (Tie.RELATED, Tie.CHILD, Tie.INCIDENT, Tie.RECURRENCE)


class Field(msgspec.Struct, frozen=True):
    """One field of a form. `kind`: when (a time, now unless said), until (another time), line, pick, number, tick.

    `named` is a line with words to choose from: its options.
    """

    name: str
    kind: str
    label: str = ""
    options: tuple[tuple[str, Text], ...] = ()
    needed: bool = False


class Offer(msgspec.Struct, frozen=True):
    """A form: its id on the page, the act, the key of its words, the group it stands in, what is fixed, what is asked.

    `given` are fields that the page fills in. `of` is what the words speak of: a milestone, a condition.
    """

    id: str
    act: str
    word: str
    group: str
    given: tuple[tuple[str, str], ...] = ()
    fields: tuple[Field, ...] = ()
    of: Text = {}


class Standing(msgspec.Struct, frozen=True):
    """What an offer is made from: the record, its contract, its clocks, its documents, what it costs so far."""

    record: Record
    contract: Contract
    clocks: tuple[Outcome, ...] = ()
    documents: tuple[tuple[Duty, float, float | None], ...] = ()
    costs: tuple[Deduction, ...] = ()


WHEN = Field("said", "when", "when")
NOTE = Field("note", "line", "note")
REASON = Field("reason", "line", "reason", needed=True)
BY_SIDE = Field(
    "side", "pick", "side", tuple((side.value, both(f"side.{side}")) for side in (Side.SERVICE, Side.CUSTOMER))
)


def offers(standing: Standing) -> tuple[Offer, ...]:
    """Return everything that may be said now."""
    groups = _PAPERS if standing.record.closed else (*_OPEN, *_PAPERS)
    return tuple(offer for group in groups for offer in group(standing))


def first(standing: Standing, everything: tuple[Offer, ...], most: int = 3) -> tuple[Offer, ...]:
    """Return the two or three of them that come next, the first first."""
    known = {offer.id: offer for offer in everything}
    found = [known[each] for each in dict.fromkeys(_next(standing)) if each in known]
    return tuple(found[:most])


def to_come(standing: Standing) -> list[Milestone]:
    """Return the milestones that the ticket still has before it, in their order: of clocks that run, and the ends.

    What a later milestone made pointless is left out.
    """
    marks = standing.record.marks
    said = [each for each, mark in marks.items() if mark.sides != (Side.SYSTEM,)]
    order = list(Milestone)
    reached = max((order.index(each) for each in said if each is not Milestone.SUBSTITUTE), default=-1)
    clocked = {each.milestone for each in standing.clocks if each.end is None and each.stand is not Stand.MOOT}
    running = {each.limit for each in standing.clocks if each.end is None}
    if any(each.after is Start.ACCEPTED and each.name in running for each in standing.contract.limits):
        clocked.add(Milestone.ACCEPT)  # both sides say from when they count
    return [each for each in order if each in (clocked | set(_ENDS)) - marks.keys() and order.index(each) > reached]


def _next(standing: Standing) -> Iterator[str]:
    record, ticket = standing.record, standing.record.ticket
    if record.merged_into:
        return  # the ticket that took it in goes on
    if record.closed:
        yield from (f"delivered.{duty.name}" for duty, _, _ in standing.documents)
        yield "level_agreed"
        if not record.verdicts:
            yield "customer"
        return
    if ticket.state is TicketState.OPEN and ticket.acknowledged is None and not ticket.shelved:
        yield "acknowledged"
    if record.unsure:
        yield "dated"
    if any(halt.end is None for halt in record.halts):
        yield "resumed"
    waiting = [milestone for milestone, mark in record.marks.items() if not mark.counts]
    words = [(each, f"confirmed.{each}.{side}") for side in (Side.SERVICE, Side.CUSTOMER) for each in waiting]
    yield from (word for each, word in words if each in _ENDS)
    if ticket.state is TicketState.RESOLVED:
        yield "closed"
    ahead, limits = to_come(standing), standing.contract.limits
    yield from (f"reached.{each}" for each in ahead[:1])
    yield from (word for _, word in words)
    if record.handling is None and ticket.state is TicketState.OPEN and any(each.handling for each in limits):
        yield f"handled.{Handling.REMOTE}"
    yield from (f"reached.{each}" for each in ahead[1:])


def _taking(standing: Standing) -> Iterator[Offer]:
    ticket = standing.record.ticket
    if ticket.state is TicketState.OPEN and ticket.acknowledged is None:
        yield Offer("acknowledged", "acknowledged", "acknowledge", "steps", (("seen", str(ticket.level)),))
    if standing.record.unsure or standing.record.moved:
        fields = (
            Field("opened", "until", "opened_when", needed=True),
            Field("onset", "until", "onset_when", needed=True),
        )
        yield Offer("dated", "dated", "dated", "steps", (), fields)


def _milestones(standing: Standing) -> Iterator[Offer]:
    record, contract = standing.record, standing.contract
    used = {limit.milestone for limit in contract.limits} | set(contract.words) | {*_AT_A_SITE, *_ENDS}
    for milestone in Milestone:
        mark = record.marks.get(milestone)
        of, given = _milestone(milestone), (("milestone", milestone.value),)
        if mark is not None and not mark.counts:
            for side in (Side.SERVICE, Side.CUSTOMER):
                if side not in mark.sides and (side is Side.SERVICE or _asks_customer(standing, milestone)):
                    field = NOTE if side is Side.SERVICE else Field("note", "line", "who_of_customer")
                    yield Offer(f"confirmed.{milestone}.{side}", "confirmed", f"confirm.{side}", "steps",
                                (*given, ("side", side.value)), (field,), of)  # fmt: skip
        unsure = mark is not None and not mark.sure
        if (milestone in used or unsure) and (mark is None or unsure or mark.sides == (Side.SYSTEM,)):
            yield Offer(f"reached.{milestone}", "reached", "reached", "steps", given, (WHEN, NOTE), of)
    if record.marks:
        options = tuple((each.value, _milestone(each)) for each in record.marks)
        yield Offer("taken_back", "taken_back", "taken_back", "steps", (),
                    (Field("milestone", "pick", "milestone", options), REASON))  # fmt: skip


def _asks_customer(standing: Standing, milestone: Milestone) -> bool:
    return standing.record.terms.word(milestone) in {Word.CUSTOMER, Word.BOTH}


def _milestone(milestone: Milestone) -> Text:
    return MILESTONES[milestone]


def _handling(standing: Standing) -> Iterator[Offer]:
    record, contract = standing.record, standing.contract
    for handling in Handling:
        if record.handling is not handling:
            yield Offer(f"handled.{handling}", "handled", "handled", "steps", (("handling", handling.value),),
                        (Field("reason", "line", "note"),), HANDLINGS[handling])  # fmt: skip
    starts = [Start(limit.after) for limit in contract.limits if limit.after in set(Start)]
    for start in dict.fromkeys(starts):
        if start not in {Start.OPEN, Start.ONSET} and start not in record.starts:
            yield Offer(f"started.{start}", "started", "started", "steps", (("start", start.value),), (WHEN,),
                        contract.starts.get(start, STARTS[start]))  # fmt: skip
    for name in record.terms.conditions:
        holds = name in record.conditions
        yield Offer(f"condition.{name}", "condition", "condition_over" if holds else "condition_holds", "steps",
                    (("condition", name), ("holds", "false" if holds else "true")), (),
                    contract.conditions.get(name, _same(name)))  # fmt: skip


def _waiting(standing: Standing) -> Iterator[Offer]:
    record = standing.record
    if any(halt.end is None for halt in record.halts):
        yield Offer("resumed", "resumed", "resume", "clock", (), (WHEN,))
    else:
        whom = Field("waiting", "pick", "waiting", tuple((each.value, both(f"waiting.{each}")) for each in Waiting))
        yield Offer("paused", "paused", "pause", "clock", (), (whom, REASON, WHEN))
    limit = (Field("due", "until", "agreed_limit"), Field("accepted_by", "line", "agreed_with"))
    yield Offer("workaround", "workaround", "workaround", "clock", (), (REASON, *limit))


def _levels(standing: Standing) -> Iterator[Offer]:
    record = standing.record
    levels = record.terms.levels or tuple(standing.contract.levels)
    others = level_options(standing.contract, [each for each in levels if each != record.ticket.level])
    if others:
        yield Offer("level", "level", "set_level", "level", (), (Field("level", "pick", "new_level", others), REASON))
    covers = tuple((each.value, both(f"cover.{each}")) for each in Cover if each is not record.cover)
    yield Offer("entitled", "entitled", "set_cover", "level", (), (Field("cover", "pick", "cover", covers), REASON))


def level_options(contract: Contract, levels: Iterable[int]) -> tuple[tuple[str, Text], ...]:
    """Return levels to pick from, as their contract calls them."""
    return tuple(
        (str(each), {lang: f"{contract.code(each)} · {text}" for lang, text in contract.levels.get(each, {}).items()}
         or _same(str(each)))
        for each in levels
    )  # fmt: skip


def _repairs(standing: Standing) -> Iterator[Offer]:
    worn = Field("consumable", "tick", "consumable")
    yield Offer("repaired", "repaired", "repaired", "repair", (), (Field("part", "line", "part"), worn, WHEN))
    if standing.record.repair is not None:
        yield Offer("repair_failed", "repair_failed", "repair_failed", "repair", (), (REASON,))


def _others(_standing: Standing) -> Iterator[Offer]:
    number = Field("number", "number", "other_ticket", needed=True)
    ties = Field("tie", "pick", "tie", tuple((each.value, both(f"tie.{each}")) for each in _TIES))
    yield Offer("linked", "linked", "link", "others", (), (number, ties, Field("reason", "line", "note")))
    yield Offer("merged", "merged", "merge", "others", (), (number, REASON))


def _closing(standing: Standing) -> Iterator[Offer]:
    if standing.record.ticket.state is TicketState.RESOLVED:
        yield Offer("closed", "closed", "close", "steps", (), (NOTE,))


def _agreeing(standing: Standing) -> Iterator[Offer]:
    if standing.record.ticket.provisional:
        levels = standing.record.terms.levels or tuple(standing.contract.levels)
        level = Field("level", "pick", "final_level", level_options(standing.contract, levels))
        yield Offer("level_agreed", "level_agreed", "agree_level", "level", (), (level, BY_SIDE))


def _customer(standing: Standing) -> Iterator[Offer]:
    record, contract = standing.record, standing.contract
    yes = Field("satisfied", "pick", "satisfied", (("true", both("yes")), ("false", both("no"))))
    signed = Field("signed_by", "line", "signed_by")
    yield Offer("customer", "customer", "customer", "customer", (("side", "customer"),), (yes, signed, NOTE))
    events = tuple((each.event, each.title) for each in contract.penalties if each.event in record.terms.events)
    if events:
        text = Field("text", "line", "complaint_text", needed=True)
        own = f"C{len(record.complaints) + 1}"
        yield Offer("complained", "complained", "complain", "customer", (("id", own), ("side", "customer")),
                    (Field("event", "pick", "event", events), text))  # fmt: skip
    waiting = tuple((each.id, _same(f"{each.id} · {each.text}")) for each in record.complaints if each.proven is None)
    if waiting:
        proven = Field("proven", "pick", "proven", (("true", both("proven.yes")), ("false", both("proven.no"))))
        yield Offer(
            "judged", "judged", "judge", "customer", (), (Field("id", "pick", "complaint", waiting), proven, REASON)
        )


def _money(standing: Standing) -> Iterator[Offer]:
    record, contract = standing.record, standing.contract
    excuses = tuple((each.key, each.title) for each in contract.excuses if each.key in record.terms.excuses)
    pardoned = {each.what_for for each in record.excuses}
    late = [each.clock for each in standing.clocks if each.stand is Stand.LATE]
    what = [
        each for each in dict.fromkeys([*late, *(each.what_for for each in standing.costs)]) if each not in pardoned
    ]
    if excuses and what:
        options = tuple((each, spoken(contract, each)) for each in what)
        accepted = Field("accepted_by", "line", "accepted_by", needed=True)
        yield Offer("excused", "excused", "excuse", "money", (),
                    (Field("what_for", "pick", "what_for", options), Field("excuse", "pick", "excuse_is", excuses),
                     accepted, NOTE))  # fmt: skip
    events = tuple((each.event, each.title) for each in contract.penalties if each.event in record.terms.events)
    if events:
        note = Field("note", "line", "note", needed=True)
        yield Offer("charged", "charged", "charge", "money", (), (Field("event", "pick", "event", events), note))


def _documents(standing: Standing) -> Iterator[Offer]:
    record, contract = standing.record, standing.contract
    owed = {duty.name for duty, _, _ in standing.documents}
    signed = {each.document for each in record.deliveries if each.signed_by}
    for duty in contract.documents:
        if duty.name in owed and duty.name not in signed:
            yield Offer(f"delivered.{duty.name}", "delivered", "delivered", "papers", (("document", duty.name),),
                        (WHEN, Field("signed_by", "line", "signed_by")), duty.title)  # fmt: skip
        if duty.after == "request" and duty.name not in record.asked:
            yield Offer(f"asked_for.{duty.name}", "asked_for", "asked_for", "papers",
                        (("document", duty.name), ("side", "customer")), (WHEN,), duty.title)  # fmt: skip


def spoken(contract: Contract, what_for: str) -> Text:
    """Return in words what an excuse or a deduction is for: a clock, a document, a complaint, a person's word."""
    kind, _, rest = what_for.partition(" ")
    if kind == "document":
        return next((duty.title for duty in contract.documents if duty.name == rest), _same(rest))
    if kind == "charge":
        return both("charge_of")
    limit, _, level = what_for.rpartition("/")
    if not (limit and level.isdecimal()):
        event = next((each.title for each in contract.penalties if each.event == what_for), None)
        return event or {lang: f"{word} {rest}".strip() for lang, word in both(kind).items()}
    of_level = {lang: word.format(n=contract.code(int(level))) for lang, word in both("level").items()}
    return {lang: f"{word} ({of_level[lang]})" for lang, word in both(f"limit.{limit}").items()}


def _same(text: str) -> Text:
    return {"en": text, "zh": text}


Group = Callable[[Standing], Iterator[Offer]]
_OPEN: tuple[Group, ...] = (_taking, _milestones, _handling, _closing, _waiting, _levels, _repairs, _others)
_PAPERS: tuple[Group, ...] = (_agreeing, _customer, _documents, _money)
GROUPS = ("steps", "clock", "level", "repair", "others", "customer", "papers", "money")
