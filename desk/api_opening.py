"""A ticket that a person opens, for a fault that no alarm has told."""

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from config.fault_rules import load_faults
from desk.api_acts import Speaker, read_time, speaker_of, ticket_answer, zone_of
from desk.api_words import desk_time, refused
from desk.before import cover_of, earlier
from desk.ledger import Ledger, open_ticket, terms_for
from desk.live import BOARD
from desk.once import Answer, keyed, once, reply_with
from desk.saying import NotSaidError, plain
from desk.shown import Shown
from desk.store import Db, Site, site_of
from desk.tickets import standing, taken_in
from desk.web import ProblemError, body_of, decoded, desk_of
from model.change import condition_key
from model.contract import Contract, Start
from model.level import Assignment, assign
from model.rule import Meaning
from model.service.entry import Opened
from model.service.history import failed_before
from model.service.words import Refusal
from model.ticket_protocol import OpenByHand

SAID = "said"  # the scope of a condition that a person told: no alarm's
LONGEST = 120  # characters of a device, fault or case


async def open_by_hand(request: Request) -> Response:
    """Open a ticket for a fault that a person reports; the answer is the ticket, or a refusal by name."""
    desk = desk_of(request)
    body = await body_of(request)
    asked = decoded(body, OpenByHand)
    key, speaker = keyed(request, body), speaker_of(request, asked.by, asked.side)
    asked = as_kept(asked)

    def write(db: Db) -> Answer:
        ledger = desk.ledger(db)
        return once(db, key, ledger.now, lambda: opened_by_hand(ledger, speaker, asked))

    answer = await desk.store.write(write)
    if not answer.again:
        desk.hub.announce(BOARD)
    return reply_with(answer)


def as_kept(asked: OpenByHand) -> OpenByHand:
    """Return what is asked for with its names as they are kept. Raises a ProblemError, `malformed`."""
    device, fault, case = (name_of(getattr(asked, name), name) for name in ("device", "fault", "case"))
    if not fault:
        raise ProblemError(400, "malformed", "fault is missing.")
    return replace(asked, device=device, fault=fault, case=case)


def name_of(text: str, name: str) -> str:
    """Return a device, fault, case or serial number as it is kept. Raises a ProblemError, `malformed`."""
    try:
        kept = plain(text, name)
    except NotSaidError as error:
        raise ProblemError(400, error.word, error.sentence, both=error.said) from error
    if len(kept) > LONGEST or (name != "serial" and "/" in kept):
        raise ProblemError(400, "malformed", f"{name} is a name of at most {LONGEST} characters, without `/`.")
    return kept


def opened_by_hand(ledger: Ledger, speaker: Speaker, asked: OpenByHand) -> Answer:
    """Open a ticket, in the caller's transaction; the answer is the ticket (201), or a refusal by name."""
    site = site_of(ledger.db, asked.site)
    if site is None:
        raise ProblemError(404, "no_site", f"There is no site {asked.site[:64]!r}: enrol it first.")
    device = asked.device or "-"
    condition = condition_key(site.id, device, SAID, asked.fault)
    there = standing(ledger.db, site.id, condition)
    number = there.ticket.number if there else taken_in(ledger.db, site.id, condition)
    if number:
        return refused(Refusal.OPEN_ALREADY, speaker.language, ticket=number)
    contract = ledger.contracts(site.contract)
    level = _level(contract, asked.level)
    if level is None:
        return refused(Refusal.NO_SUCH_LEVEL, speaker.language, tuple(map(contract.code, contract.levels)))
    since, reported = (
        None if time is None else read_time(ledger, speaker, site.id, time) for time in (asked.said, asked.reported)
    )
    onset = next((time for time in (since, reported) if time is not None), ledger.now)  # what was reported stood then
    if max(onset, reported or 0.0) > ledger.now:
        shown = Shown(speaker.language, ledger.now, zone_of(ledger, speaker, site.id))
        return refused(Refusal.IN_THE_FUTURE, speaker.language, more=desk_time(Refusal.IN_THE_FUTURE, shown))
    opened = _opened(ledger, site, replace(asked, level=level), onset, reported)
    number = open_ticket(ledger, site, opened, speaker.who, speaker.source, side=speaker.side)
    return ticket_answer(ledger, number, 201)


def _level(contract: Contract, said: int | str) -> int | None:
    """Return a level by its number or by what the contract calls it, 0 for none said, None when there is no such."""
    called = {contract.code(level).casefold(): level for level in contract.levels}
    known = {"": 0, **{str(level): level for level in contract.levels}, **called}
    return known.get(str(said or "").strip().casefold())


def _opened(ledger: Ledger, site: Site, asked: OpenByHand, onset: float, reported: float | None) -> Opened:
    """Return the opening of a ticket by a person: what an alarm's has, but for the alarm."""
    contract, device = ledger.contracts(site.contract), asked.device or "-"
    meaning = _meaning(asked, contract)
    given = assign(contract, asked.fault, asked.case, meaning)
    if isinstance(asked.level, int) and asked.level:
        given = Assignment(asked.level, provisional=False, reason=SAID)
    before = earlier(ledger, site, device, asked.fault, onset)
    return Opened(
        number=0,
        site=site.id,
        condition=condition_key(site.id, device, SAID, asked.fault),
        device=device,
        fault=asked.fault,
        level=given.level,
        provisional=given.provisional,
        case=asked.case,
        meaning=meaning,
        region=site.region,
        terms=terms_for(ledger, site),
        onset=onset,
        starts={Start.REPORT: reported} if reported is not None else {},
        cover=cover_of(ledger, site, device),
        recurrence_of=before.number if before else 0,
        failed_repairs=failed_before(before),
    )


def _meaning(asked: OpenByHand, contract: Contract) -> Meaning:
    """Return what a fault means for the service: the rule book's word, else the least that the contract has."""
    rule = load_faults().get(asked.fault)
    if rule is None:
        return max(contract.general, key=lambda meaning: contract.general[meaning])
    case = rule.text.cases.get(asked.case)
    return (case.meaning if case else None) or rule.text.meaning
