"""Everything that people may say of a ticket by API: the ticket as it is then, or a refusal by name."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from desk.ledger import open_ticket, terms_for
from desk.live import BOARD
from desk.store import Db, sites
from model.refusal_words import REFUSALS
from model.service.entry import Act, Opened
from model.service.words import Refusal, Trust
from model.ticket_protocol import SAYABLE
from tests.api_world import ApiWorld, an_api

Ticket = dict[str, Any]
START = 1_800_000_000.0  # 16:00:00 in Shanghai


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ApiWorld]:
    async with an_api(tmp_path) as made:
        yield made


def stands(ticket: Ticket) -> dict[str, str]:
    return {clock["clock"]: clock["stand"] for clock in ticket["clocks"]}


# act, its fields, acts that must come before it, what the ticket then says
Case = tuple[str, dict[str, Any], list[tuple[str, dict[str, Any]]], Callable[[Ticket], Any], Any]
TAKEN: list[Case] = [
    ("acknowledged", {"seen": 2}, [], lambda t: (t["acknowledged_by"], stands(t)["respond/2"]), ("Li", "late")),
    ("reached", {"milestone": "restore"}, [], lambda t: (t["marks"]["restore"]["when"], stands(t)["restore/2"]),
     (START + 3600, "kept")),
    ("confirmed", {"milestone": "restore"}, [], lambda t: t["marks"]["restore"]["sides"], ["service", "customer"]),
    ("taken_back", {"milestone": "restore", "reason": "still dark"}, [("reached", {"milestone": "restore"})],
     lambda t: (t["state"], t["marks"]), ("open", {})),
    ("started", {"start": "report", "said": START - 600}, [], lambda t: t["starts"], {"report": START - 600}),
    ("handled", {"handling": "remote"}, [], lambda t: t["handling"], "remote"),
    ("condition", {"condition": "supplier_needed"}, [], lambda t: (t["conditions"], "parts/2" in stands(t)),
     (["supplier_needed"], True)),
    ("level", {"level": 1, "reason": "the hospital"}, [], lambda t: (t["level"], stands(t)["depart/1"]),
     (1, "running")),
    ("level_agreed", {"level": 2}, [], lambda t: t["agreed"], {"service": 2}),
    ("paused", {"waiting": "supplier", "reason": "a board", "said": "16:30"}, [],
     lambda t: (t["paused"], t["pauses"][0]["begin"], stands(t)["restore/2"]), (True, START + 1800, "paused")),
    ("resumed", {"said": "16:45"}, [("paused", {"waiting": "carrier", "reason": "x", "said": "16:30"})],
     lambda t: (t["paused"], t["clocks"][1]["due"]), (False, START + 8 * 3600 + 900)),
    ("workaround", {"reason": "no part", "due": "2027-01-20T12:00", "accepted_by": "Wang"}, [],
     lambda t: (t["workaround"], [c["due"] for c in t["clocks"] if c["limit"] == "difficult"]),
     (True, [START + 5 * 86_400 - 4 * 3600])),
    ("repaired", {"part": "fan"}, [], lambda t: t["repair"]["part"], "fan"),
    ("repair_failed", {"reason": "hot again"}, [("repaired", {"part": "fan"})],
     lambda t: (t["repair"], t["failed_repairs"]), (None, 1)),
    ("entitled", {"cover": "not_covered", "reason": "not on the list"}, [], lambda t: (t["cover"], t["clocks"]),
     ("not_covered", [])),
    ("linked", {"tie": "related", "number": 2}, [], lambda t: t["links"], [{"tie": "related", "number": 2}]),
    ("merged", {"number": 2, "reason": "the same"}, [], lambda t: (t["state"], t["merged_into"]), ("closed", 2)),
    ("closed", {"note": "done"}, [("reached", {"milestone": "restore"}), ("reached", {"milestone": "resolve"})],
     lambda t: (t["state"], stands(t)["restore/2"]), ("closed", "kept")),
    ("customer", {"satisfied": True, "signed_by": "Wang"}, [], lambda t: t["verdicts"][0]["signed_by"], "Wang"),
    ("complained", {"id": "c1", "event": "complaint", "text": "late"}, [], lambda t: t["complaints"][0]["id"], "c1"),
    ("judged", {"id": "c1", "proven": True, "reason": "it was"},
     [("complained", {"id": "c1", "event": "complaint", "text": "late"})], lambda t: t["points"], -2.0),
    ("excused", {"what_for": "restore/2", "excuse": "power_cut", "accepted_by": "Wang"}, [],
     lambda t: t["excuses"][0]["excuse"], "power_cut"),
    ("asked_for", {"document": "analysis", "said": "16:10"}, [],
     lambda t: [(d["document"], d["due"]) for d in t["documents"]], [("analysis", START + 600 + 5 * 86_400)]),
    ("delivered", {"document": "analysis"}, [("asked_for", {"document": "analysis"})],
     lambda t: [(d["delivered"], d["late"]) for d in t["documents"]], [(START + 3600, False)]),
    ("charged", {"event": "thanks", "note": "a letter"}, [], lambda t: t["points"], 1.0),
]  # fmt: skip


@pytest.mark.parametrize("case", TAKEN, ids=[each[0] for each in TAKEN])
async def test_an_act_is_written_down_and_answered_with_the_ticket_as_it_is_then(world: ApiWorld, case: Case) -> None:
    what, fields, before, shows, expected = case
    given = {"level": 0, "fault": "something.odd"} if what == "level_agreed" else {}
    number = await world.opened(**given)
    await world.opened(device="other")
    if what == "level_agreed":
        fields = {"level": (await world.ticket(number))["level"]}
        expected = {"service": fields["level"]}
    world.clock.on(3600)
    if what == "confirmed":
        await world.said(number, "reached", milestone="restore")
    for earlier, earlier_fields in before:
        await world.said(number, earlier, **earlier_fields)
    side = "customer" if what == "confirmed" else "service"
    ticket = await world.said(number, what, side, **fields)
    assert shows(ticket) == expected
    assert await world.ticket(number) == ticket
    last = (await world.client.get(f"/api/v1/tickets/{number}/entries")).json()["entries"]
    mine = [entry for entry in last if entry["who"] == "Li"][-1]
    assert (mine["act"]["what"], mine["side"], mine["source"]) == (what, side, "127.0.0.1")
    await world.books_agree(number)


async def test_the_time_of_an_opening_that_nobody_knew_is_said_by_a_person(world: ApiWorld) -> None:
    def open_unsure(db: Db) -> int:
        ledger = replace(world.desk.ledger(db), trust=Trust.UNSYNCHRONISED)
        site = next(each for each in sites(db) if each.id == "S1")
        act = Opened(number=0, site="S1", condition="S1/a/said/b", device="a", fault="mains.lost", level=2,
                     terms=terms_for(ledger, site), onset=START)  # fmt: skip
        return open_ticket(ledger, site, act, "Li", "test")

    number = await world.desk.store.write(open_unsure)
    assert (await world.ticket(number))["unsure"]
    ticket = await world.said(number, "dated", opened="15:50", onset="15:40")
    assert (ticket["unsure"], ticket["opened"], ticket["onset"]) == (False, START - 600, START - 1200)


def test_each_act_of_people_is_tried_and_no_other_may_be_said() -> None:
    assert {each[0] for each in TAKEN} | {"dated"} == set(SAYABLE)
    every = {str(act.__struct_config__.tag) for act in Act.__subclasses__()}
    assert every - set(SAYABLE) == {"opened", "alarm", "took_in", "fired", "retimed"}


@pytest.mark.parametrize("what", ["opened", "alarm", "took_in", "fired", "", "nonsense", None, 3])
async def test_what_people_may_not_say_is_refused_with_what_they_may(world: ApiWorld, what: Any) -> None:
    number = await world.opened()
    answer = await world.say(number, what)
    assert (answer.status_code, answer.json()["error"]) == (400, "no_such_act")
    assert "acknowledged, asked_for" in answer.json()["message"]
    assert (await world.ticket(number))["entries"] == 1


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("reached", {"milestone": "restore", "said": START - 3600}, 422, "before_opening"),
    ("reached", {"milestone": "restore", "said": "2027-01-16T16:00"}, 422, "in_the_future"),
    ("confirmed", {"milestone": "restore"}, 409, "not_reached"),
    ("taken_back", {"milestone": "restore", "reason": "x"}, 409, "not_reached"),
    ("acknowledged", {"seen": 3}, 409, "worse"),
    ("started", {"start": "open"}, 409, "already"),
    ("condition", {"condition": "rain"}, 422, "no_such_condition"),
    ("level", {"level": 1}, 422, "no_reason"),
    ("level", {"level": 9, "reason": "x"}, 422, "no_such_level"),
    ("level", {"level": 2, "reason": "x"}, 409, "unchanged"),
    ("level_agreed", {"level": 2}, 409, "not_provisional"),
    ("paused", {"waiting": "other", "reason": " "}, 422, "no_reason"),
    ("resumed", {}, 409, "not_paused"),
    ("workaround", {"reason": "x", "due": START, "accepted_by": "W"}, 422, "in_the_past"),
    ("workaround", {"reason": "x", "due": START + 9e6}, 422, "no_accepter"),
    ("repair_failed", {"reason": "x"}, 409, "no_repair"),
    ("linked", {"tie": "related", "number": 1}, 422, "itself"),
    ("linked", {"tie": "related", "number": 77}, 404, "no_ticket"),
    ("merged", {"number": 77, "reason": "x"}, 404, "no_ticket"),
    ("merged", {"number": 1, "reason": "x"}, 422, "itself"),
    ("dated", {"opened": START, "onset": START}, 409, "sure"),
    ("closed", {}, 409, "not_confirmed"),
    ("complained", {"id": "c", "event": "rain", "text": "x"}, 422, "no_such_event"),
    ("complained", {"id": " ", "event": "complaint", "text": "x"}, 422, "no_id"),
    ("complained", {"id": "c", "event": "complaint", "text": " "}, 422, "no_text"),
    ("charged", {"event": "thanks", "note": "\u3000"}, 422, "no_text"),
    ("charged", {"event": "thanks"}, 422, "no_text"),
    ("judged", {"id": "c", "proven": True, "reason": "x"}, 422, "no_such_complaint"),
    ("excused", {"what_for": "restore/2", "excuse": "rain", "accepted_by": "W"}, 422, "no_such_excuse"),
    ("excused", {"what_for": "restore/2", "excuse": "power_cut"}, 422, "no_accepter"),
    ("excused", {"what_for": "restore/9", "excuse": "power_cut", "accepted_by": "W"}, 422, "no_such_limit"),
    ("delivered", {"document": "poem"}, 422, "no_such_document"),
    ("asked_for", {"document": "poem"}, 422, "no_such_document"),
    ("charged", {"event": "rain", "note": "x"}, 422, "no_such_event"),
]


async def test_a_time_a_little_ahead_is_now_and_one_beyond_is_refused_with_the_desks_time(world: ApiWorld) -> None:
    number = await world.opened(said=START + 30, reported=START + 60)
    ticket = await world.ticket(number)
    assert (ticket["onset"], ticket["starts"]) == (START, {"report": START})
    answer = await world.say(number, "reached", milestone="depart", said=START + 61)
    assert answer.json()["error"] == "in_the_future"
    assert answer.json()["message"].endswith("By the desk it is 2027-01-15 16:00:00 now.")
    answer = await world.say(number, "reached", milestone="depart", said=START + 61, lang="zh")
    assert answer.json()["message"].endswith("值班台现在是 2027-01-15 16:00:00。")
    body = {"by": "Li", "site": "S1", "fault": "x", "said": START + 61}
    refused = await world.client.post("/api/v1/tickets", json=body)
    assert refused.json()["message"].endswith("By the desk it is 2027-01-15 16:00:00 now.")
    marks = (await world.said(number, "reached", milestone="depart", said=START + 60))["marks"]
    assert marks["depart"]["when"] == START
    await world.books_agree(number)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("case", REFUSED, ids=[f"{each[0]} {each[3]}" for each in REFUSED])
async def test_a_refusal_has_a_name_and_a_sentence_and_changes_nothing(
    world: ApiWorld, lang: str, case: tuple[str, dict[str, Any], int, str]
) -> None:
    what, fields, status, word = case
    number = await world.opened()
    world.clock.on(3600)
    before = await world.ticket(number)
    answer = await world.say(number, what, lang=lang, **fields)
    told = answer.json()
    assert (answer.status_code, told["error"]) == (status, word)
    if word in set(Refusal):
        assert told["message"].startswith(REFUSALS[Refusal(word)][lang])
    assert any("\u4e00" <= sign <= "\u9fff" for sign in told["message"]) is (lang == "zh")
    assert await world.ticket(number) == before


def test_every_refusal_has_a_sentence_in_both_languages_that_ends() -> None:
    assert set(REFUSALS) == set(Refusal)
    for text in REFUSALS.values():
        assert text["en"].endswith(".")
        assert text["zh"].endswith("。")


async def test_a_refused_word_is_answered_with_those_that_would_be_taken(world: ApiWorld) -> None:
    number = await world.opened()
    answer = await world.say(number, "excused", what_for="restore/2", excuse="rain", accepted_by="Wang")
    assert answer.json()["known"] == ["power_cut", "force_majeure"]
    assert answer.json()["message"].endswith("There is: power_cut, force_majeure.")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"what": "reached"}, "missing required field `milestone`"),
        ({"what": "reached", "milestone": "depart", "sayd": 1}, "has no field 'sayd'; it has milestone, said, note"),
        ({"what": "reached", "milestone": "nowhere"}, "milestone is one of accept, respond"),
        ({"what": "reached", "milestone": "depart", "note": 5}, "Expected `str`"),
        ({"what": "reached", "milestone": "depart", "note": "x" * 2001}, "at most 2000 characters"),
        (
            {"what": "reached", "milestone": "depart", "note": "a\x00b"},
            "note has a character that cannot be seen (U+0000) at place 2",
        ),
        (
            {"what": "reached", "milestone": "depart", "note": "a\u202eb"},
            "note has a character that cannot be seen (U+202E) at place 2",
        ),
        ({"what": "closed", "outcomes": []}, "has no field 'outcomes'"),
        ({"what": "level", "level": 10**30, "reason": "x"}, "too large"),
    ],
)
async def test_what_cannot_be_read_says_which_field_and_what_would_be_right(
    world: ApiWorld, fields: dict[str, Any], says: str
) -> None:
    number = await world.opened()
    answer = await world.say(number, fields["what"], **{name: fields[name] for name in fields if name != "what"})
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")
    assert says in answer.json()["message"]


async def test_a_character_that_cannot_be_seen_is_named_with_its_place(world: ApiWorld) -> None:
    number = await world.opened()
    for lang, says in (
        ("en", "note has a character that cannot be seen (U+200B) at place 7: take it out."),
        ("zh", "note：第7个字符不可见（U+200B），请删除。"),
    ):
        answer = await world.say(number, "reached", milestone="depart", note="  module\u200b 3", lang=lang)
        assert (answer.json()["error"], answer.json()["message"]) == ("malformed", says)
    answer = await world.say(number, "reached", milestone="depart", by="Li\ufeff Na")
    assert answer.json()["message"] == "The name has a character that cannot be seen (U+FEFF) at place 3: take it out."
    body = {"by": "Li", "site": "S1", "fault": "door\u200dopen"}
    answer = await world.client.post("/api/v1/tickets", json=body)
    assert answer.json()["message"].startswith("fault has a character that cannot be seen (U+200D) at place 5")


async def test_a_text_is_one_line_with_plain_spaces(world: ApiWorld) -> None:
    number = await world.opened()
    ticket = await world.said(
        number, "complained", id="c1", event="complaint", text="\u3000late\u3000again\r\nno call "
    )
    assert ticket["complaints"][0]["text"] == "late again no call"


@pytest.mark.parametrize("said", ["soon", "25:00", "", True, [1], 1e300, 1405, 1_800_000_000_000])
async def test_a_time_that_is_none_is_refused(world: ApiWorld, said: Any) -> None:
    number = await world.opened()
    answer = await world.say(number, "reached", milestone="depart", said=said)
    assert answer.status_code == 400
    assert (await world.ticket(number))["entries"] == 1


async def test_only_the_two_sides_speak_and_only_by_a_persons_name(world: ApiWorld) -> None:
    number = await world.opened()
    assert (await world.say(number, "closed", side="system")).json()["error"] == "side"
    assert (await world.say(number, "closed", side="nobody")).json()["error"] == "malformed"
    assert (await world.say(number, "closed", by="desk")).json()["error"] == "who"
    assert (await world.say(number, "closed", by="\uff24\uff25\uff33\uff2b")).json()["error"] == "who"
    assert (await world.say(99, "closed")).json()["error"] == "no_ticket"


async def test_a_merge_is_written_in_both_tickets_or_in_neither(world: ApiWorld) -> None:
    one, two = await world.opened(), await world.opened(device="other", level=3)
    world.clock.on(60)
    await world.said(one, "merged", number=two, reason="one fault")
    other = await world.ticket(two)
    assert (other["took_in"], other["level"], other["start"]) == ([one], 2, START)
    await world.books_agree(two)
    again = await world.say(two, "merged", number=one, reason="back")
    assert (again.status_code, again.json()["error"]) == (409, "closed")
    assert (await world.ticket(two))["state"] == "open"


async def test_after_closing_papers_are_taken_and_clocks_stay(world: ApiWorld) -> None:
    number = await world.opened()
    for milestone in ("restore", "resolve"):
        await world.said(number, "reached", milestone=milestone)
    closed = await world.said(number, "closed")
    world.clock.on(40 * 86_400)
    assert (await world.say(number, "level", level=1, reason="x")).json()["error"] == "closed"
    ticket = await world.said(number, "customer", "customer", satisfied=False)
    assert [{**c, "left": None} for c in ticket["clocks"]] == [{**c, "left": None} for c in closed["clocks"]]


async def test_a_closed_ticket_is_taken_by_nobody(world: ApiWorld) -> None:
    number = await world.opened()
    for milestone in ("restore", "resolve"):
        await world.said(number, "reached", milestone=milestone)
    await world.said(number, "closed")
    answer = await world.client.post(f"/api/v1/tickets/{number}/acknowledge", json={"by": "Wu"})
    assert (answer.status_code, answer.json()["error"]) == (409, "closed")


async def test_pages_hear_of_what_was_said_but_not_of_what_was_refused(world: ApiWorld) -> None:
    number = await world.opened()
    with world.desk.hub.listen(BOARD) as news:
        await world.say(number, "resumed")
        assert not news.is_set()
        await world.said(number, "acknowledged")
        assert news.is_set()


async def test_a_person_opens_one_ticket_for_a_fault_that_no_alarm_told(world: ApiWorld) -> None:
    number = await world.opened("door.open", level=0, device="door", said="15:30", reported="15:45", side="customer")
    ticket = await world.ticket(number)
    assert (ticket["opened"], ticket["onset"], ticket["starts"]) == (START, START - 1800, {"report": START - 900})
    assert (ticket["title"]["en"], ticket["provisional"]) == ("Door open", True)
    body = {"by": "Wang", "site": "S1", "fault": "door.open", "device": "door"}
    again = await world.client.post("/api/v1/tickets", json=body)
    assert (again.status_code, again.json()["error"], again.json()["ticket"]) == (409, "open_already", number)
    await world.books_agree(number)


async def test_a_fault_stands_at_least_since_it_was_reported(world: ApiWorld) -> None:
    ticket = await world.ticket(await world.opened(reported="15:45"))
    assert (ticket["onset"], ticket["starts"]) == (START - 900, {"report": START - 900})


async def test_a_ticket_is_opened_at_a_level_as_the_contract_calls_it(world: ApiWorld) -> None:
    await world.site("C", "coded")
    for number, level in enumerate((2, "2", "b", " B ")):
        ticket = await world.ticket(await world.opened(site="C", level=level, device=f"d{number}"))
        assert (ticket["level"], ticket["level_code"]) == (2, "B")
    answer = await world.client.post("/api/v1/tickets", json={"by": "Li", "site": "C", "fault": "x", "level": "D"})
    assert (answer.status_code, answer.json()["known"]) == (422, ["A", "B", "C"])


async def test_spaces_around_a_name_make_no_other_condition(world: ApiWorld) -> None:
    number = await world.opened("door.open", device="door 1")
    body = {"by": "Wang", "site": "S1", "fault": " door.open\u3000", "device": "door\u30001 "}
    again = await world.client.post("/api/v1/tickets", json=body)
    assert (again.json()["error"], again.json()["ticket"]) == ("open_already", number)


@pytest.mark.parametrize(
    ("fields", "status", "word"),
    [
        ({"site": "S9"}, 404, "no_site"),
        ({"level": 9}, 422, "no_such_level"),
        ({"said": "2027-02-01"}, 422, "in_the_future"),
        ({"said": "soon"}, 400, "time"),
        ({"said": 1405}, 400, "time"),
        ({"fault": "  "}, 400, "malformed"),
        ({"device": "a/b"}, 400, "malformed"),
        ({"side": "system"}, 400, "side"),
        ({"by": ""}, 400, "who"),
    ],
)
async def test_a_ticket_that_cannot_be_opened_is_not(
    world: ApiWorld, fields: dict[str, Any], status: int, word: str
) -> None:
    body = {"by": "Li", "site": "S1", "fault": "mains.lost", **fields}
    answer = await world.client.post("/api/v1/tickets", json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, word)
    assert (await world.client.get("/api/v1/tickets?state=all")).json()["tickets"] == []


async def test_a_fault_whose_ticket_was_merged_is_the_other_tickets(world: ApiWorld) -> None:
    one, two = await world.opened(), await world.opened(device="other")
    await world.said(one, "merged", number=two, reason="one fault")
    answer = await world.client.post("/api/v1/tickets", json={"by": "Li", "site": "S1", "fault": "mains.lost"})
    assert (answer.json()["error"], answer.json()["ticket"]) == ("open_already", two)


async def test_the_same_fault_within_the_contracts_year_is_a_recurrence_with_the_failed_repair(world: ApiWorld) -> None:
    number = await world.opened(device="fan")
    await world.said(number, "repaired", part="fan")
    for milestone in ("restore", "resolve"):
        await world.said(number, "reached", milestone=milestone)
    await world.said(number, "closed")
    world.clock.on(30 * 86_400)
    again = await world.ticket(await world.opened(device="fan"))
    assert [(bond["tie"], bond["number"]) for bond in again["links"]] == [("recurrence", number)]
    assert again["failed_repairs"] == 1
