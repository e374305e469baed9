"""What a ticket refuses, and the word for it: each refusal there is, with what was before."""

import msgspec
import pytest

from model.alarm import AlarmState
from model.contract import Handling, Milestone, Start
from model.service import entry as acts
from model.service.effect import Kind
from model.service.entry import Act, Entry
from model.service.step import BY_PEOPLE, PAPERS, STEPS, step
from model.service.words import Cover, Refusal, Side, Tie, Trust, Waiting
from tests.service_world import HOUR, T0, Life, alarm, by_hand, closed, entry, fired, opening, restored, seen
from tests.service_world import system as by_agent

A, M, R, S = acts, Milestone, Refusal, AlarmState
COMPLAINT = A.Complained("c1", "complaint", "slow")
EXCUSE = A.Excused("restore/2", "power_cut", "Wang")


def person(after: float, act: Act) -> Entry:
    return entry(T0 + after, act)


def customer(after: float, act: Act) -> Entry:
    return entry(T0 + after, act, Side.CUSTOMER)


def system(after: float, act: Act) -> Entry:
    return by_agent(T0 + after, act)


def after(act: Act, side: Side = Side.SERVICE) -> Life:
    """A ticket with one act, 200 s after its opening."""
    life = Life()
    life.do(200, act, side)
    return life


def difficult() -> Life:
    life = restored()
    life.do(HOUR + 1, A.WorkaroundOnly("bypassed", T0 + 48 * HOUR, "Wang"))
    return life


def reached(milestone: Milestone) -> Life:
    return after(A.Reached(milestone))


def paused() -> Life:
    return after(A.Paused(Waiting.CARRIER, "line down"))


REFUSED: list[tuple[str, Life, Entry, Refusal]] = [
    ("opened twice", Life(), system(1, opening()), R.OPEN_ALREADY),
    ("revision known", Life(), system(1, seen(1, S.NORMAL)), R.KNOWN),
    ("late raise", restored(), system(3700, seen(1, S.UNACKNOWLEDGED)), R.KNOWN),
    ("nothing new", Life(), system(1, seen(2, S.UNACKNOWLEDGED)), R.UNCHANGED),
    ("alarm of a closed one", closed(), system(9000, seen(3, S.NORMAL)), R.CLOSED),
    ("taken twice", after(A.Acknowledged()), person(300, A.Acknowledged()), R.UNCHANGED),
    ("taken when resolved", restored(), person(3700, A.Acknowledged()), R.UNCHANGED),
    ("worse than seen", Life(1), person(10, A.Acknowledged(seen=2)), R.WORSE),
    ("reached by the agent", Life(), system(10, A.Reached(M.ARRIVE)), R.NOT_BY_A_PERSON),
    ("reached twice", reached(M.ARRIVE), person(300, A.Reached(M.ARRIVE)), R.ALREADY),
    ("before opening", Life(), person(10, A.Reached(M.ARRIVE, T0 - 1)), R.BEFORE_OPENING),
    ("in the future", Life(), person(10, A.Reached(M.ARRIVE, T0 + 11)), R.IN_THE_FUTURE),
    ("arrived first", reached(M.DEPART), person(300, A.Reached(M.ARRIVE, T0 + 199)), R.OUT_OF_ORDER),
    ("departed last", reached(M.ARRIVE), person(300, A.Reached(M.DEPART, T0 + 201)), R.OUT_OF_ORDER),
    ("resolved first", reached(M.RESTORE), person(300, A.Reached(M.RESOLVE, T0 + 199)), R.OUT_OF_ORDER),
    ("nothing to confirm", Life(), customer(10, A.Confirmed(M.RESTORE)), R.NOT_REACHED),
    ("confirmed by itself", reached(M.RESTORE), person(300, A.Confirmed(M.RESTORE)), R.ALREADY),
    ("confirmed by the agent", reached(M.RESTORE), system(300, A.Confirmed(M.RESTORE)), R.NOT_BY_A_PERSON),
    ("nothing to take back", Life(), person(10, A.TakenBack(M.RESTORE, "no")), R.NOT_REACHED),
    ("taken back for nothing", restored(), person(3700, A.TakenBack(M.RESTORE, "")), R.NO_REASON),
    ("taken back by the desk", restored(), system(3700, A.TakenBack(M.RESTORE, "x")), R.NOT_BY_A_PERSON),
    ("another opening", Life(), person(10, A.Started(Start.OPEN)), R.ALREADY),
    ("another onset", Life(), person(10, A.Started(Start.ONSET)), R.ALREADY),
    ("accepted twice", after(A.Started(Start.ACCEPTED)), person(300, A.Started(Start.ACCEPTED)), R.ALREADY),
    ("accepted early", Life(), person(10, A.Started(Start.ACCEPTED, T0 - 1)), R.BEFORE_OPENING),
    ("reported later", Life(), person(10, A.Started(Start.REPORT, T0 + 11)), R.IN_THE_FUTURE),
    ("so already", after(A.Handled(Handling.REMOTE)), person(300, A.Handled(Handling.REMOTE)), R.UNCHANGED),
    ("unknown condition", Life(), person(10, A.ConditionSaid("rain")), R.NO_SUCH_CONDITION),
    ("not so anyway", Life(), person(10, A.ConditionSaid("supplier_needed", holds=False)), R.UNCHANGED),
    ("level for nothing", Life(), person(10, A.LevelSet(1, "")), R.NO_REASON),
    ("no such level", Life(), person(10, A.LevelSet(4, "x")), R.NO_SUCH_LEVEL),
    ("the same level", Life(), person(10, A.LevelSet(2, "x")), R.UNCHANGED),
    ("not provisional", Life(), person(10, A.LevelAgreed(2)), R.NOT_PROVISIONAL),
    ("agreed by the desk", Life(provisional=True), system(10, A.LevelAgreed(2)), R.NOT_BY_A_PERSON),
    ("agreed on no level", Life(provisional=True), person(10, A.LevelAgreed(9)), R.NO_SUCH_LEVEL),
    ("paused twice", paused(), person(300, A.Paused(Waiting.OTHER, "x")), R.PAUSED),
    ("paused for nothing", Life(), person(200, A.Paused(Waiting.OTHER, "")), R.NO_REASON),
    ("paused in the future", Life(), person(200, A.Paused(Waiting.OTHER, "x", T0 + 201)), R.IN_THE_FUTURE),
    ("not paused", Life(), person(200, A.Resumed()), R.NOT_PAUSED),
    ("resumed before the pause", paused(), person(300, A.Resumed(T0 + 199)), R.OUT_OF_ORDER),
    ("resumed in the future", paused(), person(300, A.Resumed(T0 + 301)), R.IN_THE_FUTURE),
    ("difficult for nothing", Life(), person(10, A.WorkaroundOnly("")), R.NO_REASON),
    ("difficult and resolved", reached(M.RESOLVE), person(300, A.WorkaroundOnly("x")), R.ALREADY),
    ("a limit that is over", Life(), person(10, A.WorkaroundOnly("x", T0 + 10, "Wang")), R.IN_THE_PAST),
    ("a limit of nobody", Life(), person(10, A.WorkaroundOnly("x", T0 + 20)), R.NO_ACCEPTER),
    ("repaired twice", after(A.Repaired("fan")), person(200, A.Repaired("fan")), R.ALREADY),
    ("repaired early", Life(), person(10, A.Repaired(said=T0 - 1)), R.BEFORE_OPENING),
    ("no repair to fail", Life(), person(10, A.RepairFailed("x")), R.NO_REPAIR),
    ("failed for nothing", after(A.Repaired("fan")), person(300, A.RepairFailed("")), R.NO_REASON),
    ("entitled for nothing", Life(), person(10, A.Entitled(Cover.IN_WARRANTY, "")), R.NO_REASON),
    ("entitled already", Life(), person(10, A.Entitled(Cover.UNKNOWN, "x")), R.UNCHANGED),
    ("linked to itself", Life(), person(10, A.Linked(Tie.RELATED, 7)), R.ITSELF),
    ("linked twice", after(A.Linked(Tie.CHILD, 3)), person(300, A.Linked(Tie.CHILD, 3)), R.ALREADY),
    ("dated already", Life(), system(10, A.Dated(T0 - 60, T0 - 60)), R.SURE),
    ("merged into itself", Life(), person(10, A.MergedInto(7, "same")), R.ITSELF),
    ("merged for nothing", Life(), person(10, A.MergedInto(8, "")), R.NO_REASON),
    ("took itself in", Life(), person(10, A.TookIn(7, T0, T0, 2)), R.ITSELF),
    ("took in twice", after(A.TookIn(8, T0, T0, 2)), person(300, A.TookIn(8, T0, T0, 2)), R.ALREADY),
    ("closed while it stands", Life(), person(10, A.Closed()), R.STANDING),
    ("closed and not restored", by_hand(), person(10, A.Closed()), R.NOT_CONFIRMED),
    ("closed by the desk alone", restored(), system(7200, A.Closed()), R.NOT_CONFIRMED),
    ("closed as difficult", difficult(), person(7200, A.Closed()), R.WORKAROUND_ONLY),
    ("closed twice", closed(), person(9000, A.Closed()), R.CLOSED),
    ("fired twice", after(fired(), Side.SYSTEM), system(300, fired()), R.FIRED),
    ("of another ticket", Life(), system(10, fired(ticket=8)), R.OTHER_TICKET),
    ("no worse level", Life(), system(10, fired(Kind.UPGRADE, level=2)), R.UNCHANGED),
    ("unknown event", Life(), customer(10, A.Complained("c1", "rain", "x")), R.NO_SUCH_EVENT),
    ("complaint without an id", Life(), customer(10, A.Complained("", "complaint", "slow")), R.NO_ID),
    ("complaint of nothing", Life(), customer(10, A.Complained("c1", "complaint", "")), R.NO_TEXT),
    ("charged without a word", Life(), person(10, A.Charged("thanks", "")), R.NO_TEXT),
    ("complained twice", after(COMPLAINT), customer(300, COMPLAINT), R.ALREADY),
    ("no such complaint", Life(), person(10, A.Judged("c1", proven=True, reason="x")), R.NO_SUCH_COMPLAINT),
    ("judged for nothing", after(COMPLAINT), person(300, A.Judged("c1", proven=True, reason="")), R.NO_REASON),
    ("unknown excuse", Life(), person(10, A.Excused("restore/2", "rain", "Wang")), R.NO_SUCH_EXCUSE),
    ("excused by nobody", Life(), person(10, A.Excused("restore/2", "power_cut", "")), R.NO_ACCEPTER),
    ("excused twice", after(EXCUSE), person(300, EXCUSE), R.ALREADY),
    ("asked twice", after(A.AskedFor("analysis")), customer(300, A.AskedFor("analysis")), R.ALREADY),
    ("asked in the future", Life(), customer(10, A.AskedFor("analysis", T0 + 11)), R.IN_THE_FUTURE),
    ("delivered twice", after(A.Delivered("form")), person(300, A.Delivered("form")), R.ALREADY),
    ("delivered early", Life(), person(10, A.Delivered("form", T0 - 1)), R.BEFORE_OPENING),
    ("unknown charge", Life(), person(10, A.Charged("rain", "x")), R.NO_SUCH_EVENT),
    ("charged twice", after(A.Charged("thanks", "x")), person(200, A.Charged("thanks", "x")), R.ALREADY),
    (
        "the same word twice",
        after(A.CustomerSaid(satisfied=True)),
        person(300, A.CustomerSaid(satisfied=True)),
        R.ALREADY,
    ),
]


@pytest.mark.parametrize(("life", "made", "refusal"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_is_refused_by_name_and_changes_nothing(life: Life, made: Entry, refusal: Refusal) -> None:
    before = life.record
    assert life.take(made).refused is refusal
    assert life.record is before


def test_every_refusal_is_tried_here() -> None:
    elsewhere = {R.NO_TICKET, R.NOT_ANNOUNCED, R.OVERLAPS, R.NOT_SURE, R.OTHER_CONDITION, R.BREACHED}
    assert {row[3] for row in REFUSED} | elsewhere == set(R)


def test_every_act_has_one_step() -> None:
    assert set(STEPS) | set(PAPERS) | {A.Opened} == set(Act.__subclasses__())
    assert not set(STEPS) & set(PAPERS)


@pytest.mark.parametrize("act", [A.Acknowledged(), seen(2, S.NORMAL), A.Closed(), A.Charged("thanks", "x")])
def test_without_a_ticket_nothing_but_an_opening_is_taken(act: Act) -> None:
    assert step(None, entry(T0, act)).refused is R.NO_TICKET


@pytest.mark.parametrize("state", [S.PENDING, S.SHELVED, S.SUPPRESSED, S.RETURNED, S.NORMAL, S.OUT_OF_SERVICE])
def test_an_alarm_that_nobody_must_see_to_opens_no_ticket(state: AlarmState) -> None:
    assert step(None, by_agent(T0, opening(alarm=alarm(state)))).refused is R.NOT_ANNOUNCED


def test_a_ticket_opens_at_a_level_of_its_contract() -> None:
    assert step(None, by_agent(T0, opening(level=4))).refused is R.NO_SUCH_LEVEL


def test_an_alarm_of_another_condition_is_refused() -> None:
    other = msgspec.structs.replace(alarm(S.NORMAL, 2), condition="S/ups2/-/mains.lost")
    assert Life().refused(10, A.AlarmSeen(other, 2), Side.SYSTEM) is R.OTHER_CONDITION


def test_a_pause_never_begins_within_the_one_before() -> None:
    life = paused()
    life.do(300, A.Resumed())
    assert life.refused(400, A.Paused(Waiting.SUPPLIER, "part", T0 + 299)) is R.OVERLAPS
    life.do(401, A.Paused(Waiting.SUPPLIER, "part", T0 + 300))
    assert [(halt.begin - T0, halt.end) for halt in life.now.halts] == [(200, T0 + 300), (300, None)]


@pytest.mark.parametrize("trust", [Trust.JUMPED, Trust.UNSYNCHRONISED])
def test_nothing_fires_while_the_clock_is_not_sure(trust: Trust) -> None:
    assert Life().take(by_agent(T0 + 10, fired(), trust=trust)).refused is R.NOT_SURE


def test_no_limit_is_agreed_on_while_the_clock_is_not_sure() -> None:
    agreed = A.WorkaroundOnly("bypassed", T0 + HOUR, "Wang")
    assert Life().take(entry(T0 + 10, agreed, trust=Trust.JUMPED)).refused is R.NOT_SURE


@pytest.mark.parametrize("act", sorted(BY_PEOPLE, key=lambda act: act.__name__))
def test_what_only_people_may_say_is_refused_from_agent_and_desk(act: type[Act]) -> None:
    said = {
        A.Reached: A.Reached(M.ARRIVE),
        A.Confirmed: A.Confirmed(M.RESTORE),
        A.TakenBack: A.TakenBack(M.RESTORE, "x"),
        A.LevelSet: A.LevelSet(1, "x"),
        A.LevelAgreed: A.LevelAgreed(2),
        A.WorkaroundOnly: A.WorkaroundOnly("x"),
        A.RepairFailed: A.RepairFailed("x"),
        A.CustomerSaid: A.CustomerSaid(satisfied=True),
        A.Complained: COMPLAINT,
        A.Judged: A.Judged("c1", proven=True, reason="x"),
        A.Excused: EXCUSE,
        A.Charged: A.Charged("thanks", "x"),
    }
    assert Life(provisional=True).take(system(10, said[act])).refused is R.NOT_BY_A_PERSON
