"""What a ticket's page offers to say: the steps that come next, everything else, and what a form says."""

import html
import re

import msgspec
import pytest

from desk.glance import glance
from desk.kept import Line
from desk.offers import GROUPS, Offer
from desk.saying import NotSaidError, said_by
from desk.sheet import Sheet, sheet
from desk.shown import Shown
from desk.told import history
from desk.words import WORDS
from model.contract import Handling, Milestone
from model.contract import Start as From
from model.service import entry as acts
from model.service.entry import Entry, terms_of
from model.service.outcome import Stand
from model.service.step import step
from model.service.words import Cover, Refusal, Side, Tie, Waiting
from model.ticket_protocol import SAYABLE
from tests.service_world import BOTH, CONTRACT, DAY, HOUR, T0, Life, calendars, closed, limit, restored, shipped

A, M = acts, Milestone


def seen(life: Life, after: float = 60.0) -> Sheet:
    return sheet(life.now, CONTRACT, calendars, T0 + after)


def next_ids(life: Life, after: float = 60.0) -> list[str]:
    return [offer.id for offer in seen(life, after).next]


def everything(life: Life, after: float = 60.0) -> dict[str, Offer]:
    of = seen(life, after)
    return {offer.id: offer for offer in (*of.next, *(offer for _, group in of.more for offer in group))}


def test_a_fresh_ticket_is_first_to_be_taken() -> None:
    assert next_ids(Life(1)) == ["acknowledged", "reached.respond", "handled.remote"]


def test_what_was_taken_is_on_its_way() -> None:
    life = Life(1)
    life.do(60, A.Acknowledged())
    assert next_ids(life)[0] == "reached.depart"
    life.do(120, A.Reached(M.DEPART))
    assert next_ids(life)[:2] == ["reached.arrive", "reached.restore"]
    life.do(180, A.Reached(M.ARRIVE))
    assert next_ids(life) == ["reached.restore", "reached.resolve"]


def test_a_paused_ticket_is_first_to_go_on() -> None:
    life = Life(2)
    life.do(60, A.Acknowledged())
    life.do(70, A.Paused(Waiting.CARRIER, "fibre cut"))
    assert next_ids(life, 80)[0] == "resumed"
    assert "paused" not in everything(life, 80)


def test_acceptance_by_both_sides_is_asked_for_where_limits_count_from_it() -> None:
    contract = shipped("telecom-transmission")
    life = Life(2, terms=terms_of(contract))

    def following(after: float) -> list[str]:
        return [offer.id for offer in sheet(life.now, contract, calendars, T0 + after).next]

    assert following(10) == ["acknowledged", "reached.accept", "handled.remote"]
    (clock,) = sheet(life.now, contract, calendars, T0 + 10).clocks
    assert (clock.outcome.start, clock.unsaid) == (T0, True)
    life.do(60, A.Acknowledged())
    life.do(120, A.Reached(M.ACCEPT))
    assert following(130) == ["reached.restore", "confirmed.accept.customer", "handled.remote"]
    life.do(180, A.Confirmed(M.ACCEPT), Side.CUSTOMER)
    (clock,) = sheet(life.now, contract, calendars, T0 + 190).clocks
    assert (clock.outcome.start, clock.unsaid) == (T0 + 120, False)


def test_good_readings_ask_for_the_words_that_are_missing_then_for_closing() -> None:
    life = restored(terms=BOTH)
    words = ["restore.service", "resolve.service", "restore.customer", "resolve.customer"]
    for word in words:
        assert next_ids(life, 2 * HOUR)[0] == f"confirmed.{word}"
        milestone, side = word.split(".")
        life.do(2 * HOUR, A.Confirmed(M(milestone)), Side(side))
    assert next_ids(life, 2 * HOUR) == ["closed"]


def test_a_customers_word_is_asked_for_only_where_the_contract_wants_it() -> None:
    assert not [each for each in everything(restored(), 2 * HOUR) if each.endswith(".customer")]


def test_a_closed_ticket_takes_papers_alone() -> None:
    life = closed()
    offered = everything(life, 3 * HOUR)
    assert next_ids(life, 3 * HOUR)[0] == "delivered.form"
    assert {offer.act for offer in offered.values()} == {"delivered", "customer", "complained", "asked_for", "charged"}


def test_nothing_comes_next_of_a_ticket_that_was_merged() -> None:
    life = Life(2)
    life.do(60, A.MergedInto(9, "one breaker"))
    assert next_ids(life) == []


def test_never_more_than_three_steps_are_large_and_none_stands_twice() -> None:
    for life in (Life(1), Life(2), restored(terms=BOTH), closed()):
        of = seen(life, 3 * HOUR)
        rest = [offer.id for _, group in of.more for offer in group]
        assert 0 < len(of.next) <= 3
        assert len({*rest, *(offer.id for offer in of.next)}) == len(rest) + len(of.next)
        assert {group for group, _ in of.more} <= set(GROUPS)


def filled(offer: Offer, **more: str) -> dict[str, str]:
    """A form as a browser posts it when nothing but what is needed was filled in."""
    fields = {"act": offer.act, **dict(offer.given)}
    for field in offer.fields:
        if field.kind == "pick":
            fields[field.name] = field.options[0][0]
        elif field.kind == "when":
            fields |= {field.name: "2026-09-21T22:30", "shown": "2026-09-21T22:30"}
        elif field.kind == "number":
            fields[field.name] = "9"
        elif field.kind != "tick":
            fields[field.name] = "because" if field.needed else ""
    return fields | more


def rich() -> Life:
    """A ticket of which nearly everything can be said."""
    life = Life(2, provisional=True)
    life.do(700, A.Acknowledged())
    life.do(800, A.Repaired("board"))
    life.do(900, A.Complained("C1", "complaint", "slow"), Side.CUSTOMER)
    life.do(1000, A.AskedFor("analysis"))
    life.do(1100, A.Reached(M.RESTORE))
    return life


@pytest.mark.parametrize("life", [Life(1), rich(), restored(), closed()], ids=["fresh", "rich", "restored", "closed"])
def test_every_form_that_is_offered_says_something_that_is_taken(life: Life) -> None:
    at = T0 + 3 * HOUR
    for offer in everything(life, 3 * HOUR).values():
        act, side = said_by(filled(offer), life.now, "Asia/Shanghai", at)
        refused = step(life.now, Entry(at, "Li", act, "page", side)).refused
        assert refused in {None, Refusal.NOT_CONFIRMED}, (offer.id, refused)  # to close is said, and refused, in words


def test_everything_that_people_may_say_has_a_form() -> None:
    paused, unsure = Life(2), Life(2)
    paused.do(60, A.Paused(Waiting.OTHER, "x"))
    unsure.record = step(None, Entry(T0, "agent", CODED, "x", Side.SYSTEM, acts.Trust.JUMPED)).record
    lives = [Life(1), rich(), restored(terms=BOTH), closed(), paused, unsure]
    offered = {offer.act for life in lives for offer in everything(life, 30 * HOUR).values()}
    assert set(SAYABLE) - offered == {"started"}


def test_a_start_is_asked_for_where_a_limit_counts_from_it() -> None:
    reported = msgspec.structs.replace(CONTRACT, limits=(limit("restore", M.RESTORE, HOUR, after=From.REPORT),))
    of = sheet(Life(1).now, reported, calendars, T0 + 60)
    assert "started.report" in {offer.id for _, group in of.more for offer in group}
    life = Life(1)
    life.do(60, A.Started(From.REPORT, T0 - 30))
    of = sheet(life.now, reported, calendars, T0 + 90)
    assert "started.report" not in {offer.id for _, group in of.more for offer in group}


CODED = acts.Opened(
    number=7, site="S", condition="S/ups1/-/mains.lost", device="ups1", fault="mains.lost", level=2,
    terms=Life(2).now.terms, onset=T0 - 60,
)  # fmt: skip


def test_a_time_that_was_prefilled_and_not_changed_means_now() -> None:
    life = Life(1)
    form = {
        "act": "reached",
        "milestone": "depart",
        "said": "2026-09-21T22:14",
        "shown": "2026-09-21T22:14",
        "note": "",
    }
    assert said_by(form, life.now, "Asia/Shanghai", T0 + 600) == (A.Reached(M.DEPART), Side.SERVICE)


def test_a_time_is_the_sites_own() -> None:
    form = {"act": "reached", "milestone": "depart", "said": "2026-09-21T22:20", "shown": "2026-09-21T22:30"}
    act, _ = said_by(form, Life(1).now, "Asia/Shanghai", T0 + 3000)
    assert act == A.Reached(M.DEPART, T0 + 400)  # T0 is 22:13:20 in Shanghai


def test_a_minute_in_which_the_ticket_opened_is_not_before_it() -> None:
    form = {"act": "reached", "milestone": "depart", "said": "2026-09-21T22:13", "shown": "x"}
    act, _ = said_by(form, Life(1).now, "Asia/Shanghai", T0 + 3000)
    assert act == A.Reached(M.DEPART, T0)


BAD = [
    {"act": "opened", "number": "7"},
    {"act": "fired"},
    {"act": "alarm"},
    {"act": "took_in", "number": "2"},
    {"act": "nothing"},
    {},
    {"act": "reached"},
    {"act": "reached", "milestone": "nowhere"},
    {"act": "linked", "tie": "related", "number": "many"},
    {"act": "acknowledged", "side": "system"},
    {"act": "repair_failed", "reason": "x" * 2001},
    {"act": "repair_failed", "reason": "a\x00b"},
    {"act": "closed", "note": "done", "outcomes": "[]"},  # a closing's clocks are the desk's to say
    {"act": "reached", "milestone": "depart", "nonsense": "x"},
]


@pytest.mark.parametrize("form", BAD)
def test_a_form_that_is_none_of_ours_says_nothing(form: dict[str, str]) -> None:
    with pytest.raises(NotSaidError, match="form"):
        said_by(form, Life(1).now, "", T0 + 60)


def test_the_wide_space_of_a_chinese_keyboard_is_a_space() -> None:
    form = {"act": "repair_failed", "reason": "　已更换　未恢复"}
    assert said_by(form, Life(1).now, "", T0) == (A.RepairFailed("已更换 未恢复"), Side.SERVICE)


def test_a_limit_that_is_agreed_on_by_the_clock_is_the_next_time_that_it_shows_that() -> None:
    form = {"act": "workaround", "reason": "no part", "due": "09:00", "accepted_by": "Wang"}
    act, _ = said_by(form, Life(1).now, "Asia/Shanghai", T0 + 60)  # 22:14
    assert act == A.WorkaroundOnly("no part", T0 - 800 + 11 * HOUR, "Wang")


def test_a_time_that_is_none_is_named() -> None:
    with pytest.raises(NotSaidError, match="time"):
        said_by({"act": "resumed", "said": "soon"}, Life(1).now, "", T0)


def test_the_soonest_limit_that_runs_presses_and_late_ones_when_none_does() -> None:
    life = Life(1)
    assert (line := seen(life).pressing) is not None
    assert (line.outcome.milestone, line.left) == (M.RESPOND, 540.0)
    life.do(700, A.Acknowledged())
    assert (line := seen(life, 2 * HOUR).pressing) is not None
    assert line.outcome.stand is Stand.RUNNING
    assert (line := seen(life, 60 * DAY).pressing) is not None
    assert line.outcome.stand is Stand.LATE


def test_the_stages_say_what_is_done_proposed_passed_next_and_ahead() -> None:
    life = Life(1)
    life.do(60, A.Acknowledged())
    life.do(120, A.Reached(M.ARRIVE))
    assert {each.milestone: each.stand for each in seen(life, 180).stages} == {
        M.RESPOND: "done", M.DEPART: "passed", M.ARRIVE: "done", M.RESTORE: "next", M.RESOLVE: "ahead",
    }  # fmt: skip
    proposed = {each.milestone: each.stand for each in seen(restored(), 2 * HOUR).stages}
    assert (proposed[M.RESTORE], proposed[M.RESOLVE]) == ("proposed", "proposed")


def test_a_stage_that_came_late_says_by_how_much() -> None:
    life = Life(1)
    life.do(HOUR + 60, A.Reached(M.DEPART))
    assert {each.milestone: each.late for each in seen(life, 2 * HOUR).stages}[M.DEPART] == 60.0


def words_of(life: Life, lang: str = "en", after: float = 2 * HOUR) -> list[str]:
    return [text for _, text in glance(Shown(lang, T0 + after, "UTC"), seen(life, after))]


def test_one_glance_says_who_has_it_what_waits_and_what_is_unusual() -> None:
    assert words_of(Life(1)) == ["Nobody has it yet"]
    life = Life(2, failed_repairs=2)
    life.do(60, A.Acknowledged())
    life.do(70, A.Paused(Waiting.CARRIER, "fibre cut"))
    life.do(80, A.WorkaroundOnly("on the spare", T0 + 3 * DAY, "Ms Wu"))
    life.do(90, A.Linked(Tie.RECURRENCE, 3))
    first, *others = words_of(life)
    assert first == "Li has it since 14:14"
    assert others[0].startswith("Waits for the carrier since 14:14: fibre cut")
    assert "agreed with Ms Wu until 24 Sep 14:13 · on the spare" in others[1]
    assert others[2:] == [
        "The same fault as ticket 3, within the contract's time",
        "2 repairs failed one after another: replace it",
    ]
    assert words_of(restored(), "zh") == ["读数自 15:13 恢复正常：待人员确认"]
    assert words_of(closed(), after=3 * HOUR) == ["Closed 16:13"]


EVERY = [
    A.Acknowledged(), A.Reached(M.DEPART, T0 + 10), A.Confirmed(M.RESTORE), A.TakenBack(M.RESTORE, "r"),
    A.Started(From.REPORT), A.Handled(Handling.REMOTE), A.ConditionSaid("supplier_needed"), A.LevelSet(1, "r"),
    A.LevelAgreed(1), A.Paused(Waiting.CARRIER, "r"), A.Resumed(), A.WorkaroundOnly("r", T0 + DAY, "Wu"),
    A.Repaired("fan"), A.RepairFailed("r"), A.Entitled(Cover.IN_WARRANTY, "r"), A.Linked(Tie.CHILD, 4),
    A.Dated(T0, T0), A.MergedInto(4, "r"), A.TookIn(4, T0, T0, 1), A.Closed(), A.CustomerSaid(True, "Wu"),
    A.Complained("C1", "complaint", "t"), A.Judged("C1", True, "r"), A.Excused("restore/2", "power_cut", "Wu"),
    A.AskedFor("analysis"), A.Delivered("form", None, "Wu"), A.Charged("thanks", "n"), CODED,
]  # fmt: skip


@pytest.mark.parametrize("act", EVERY, ids=lambda act: act.__struct_config__.tag)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_act_has_its_words_in_the_history(act: acts.Acts, lang: str) -> None:
    (line,) = history(Shown(lang, T0), CONTRACT, [Line(7, 1, Entry(T0, "Li", act), ())], [])
    tag = str(act.__struct_config__.tag)
    assert f"act.{tag}" in WORDS
    assert tag not in line.title or lang == "en"
    assert not re.search(r"[{}]", line.title)
    assert not any(re.search(r"[{}]|None", each) for each in line.details)
    assert html.escape(line.title)


def test_the_history_has_the_latest_first_and_of_one_moment_the_last() -> None:
    said: list[tuple[float, acts.Acts]] = [(0, CODED), (0, A.Acknowledged()), (5, A.Resumed())]
    lines = [Line(7, n, Entry(T0 + at, "Li", act), ()) for n, (at, act) in enumerate(said)]
    titles = [line.title for line in history(Shown("en", T0), CONTRACT, lines, [])]
    assert titles == ["The clocks run again", "Acknowledged", "Ticket opened"]


def test_what_a_limits_breach_says_is_loud() -> None:
    from model.service.effect import Effect, Kind

    effect = Effect(7, "restore/2", "breach", Kind.BREACH, T0, T0)
    (line,) = history(Shown("en", T0), CONTRACT, [Line(7, 1, Entry(T0, "desk", A.Fired(effect)), ())], [])
    assert (line.loud, line.title) == (True, "Limit not kept: Restored (Level 2)")


def test_every_word_of_a_form_a_clock_and_a_tie_is_in_the_catalogue() -> None:
    lives = [Life(1), rich(), restored(terms=BOTH), closed()]
    for offer in (offer for life in lives for offer in everything(life, 3 * HOUR).values()):
        assert offer.word in WORDS, offer
        assert {field.label for field in offer.fields if field.label} <= WORDS.keys()
        assert all({"en", "zh"} <= text.keys() for field in offer.fields for _, text in field.options)
    sets = {"clock": Stand, "cover": Cover, "tie": Tie, "group": GROUPS, "waiting": Waiting, "milestone": Milestone,
            "limit": Milestone}  # fmt: skip
    assert {f"{kind}.{each}" for kind, words in sets.items() for each in words} <= WORDS.keys()
