"""Cards whose tables move, lie or never end cost a bounded number of points and requests."""

import tracemalloc

import pytest

from collectors.snmp.exchange import (
    CLEAN_POLLS,
    LONGEST_VALUE,
    MISSES,
    MOST_KEPT,
    MOST_REFUSALS,
    MOST_ROWS,
    SETTLED_POLLS,
    Manners,
    get,
)
from collectors.snmp.meaning import Meaning
from collectors.snmp.plan import MOST_GONE, SYS_UPTIME, Item, Plan, Recognition
from collectors.snmp.poll import REDISCOVER_SECONDS, Card
from collectors.snmp.target import Target
from model.point import Point, point_id
from model.quantity import Quantity
from tests.snmp_card import A_UPS, UPS, PaperCard, Polled, converse
from wire import ber
from wire.snmp import GEN_ERR, GET, TOO_BIG, V2C, Pdu, Value, VarBind

SENSORS = "1.3.6.1.2.1.99.1.1.1"


def sensors(first: int, count: int) -> dict[str, Value]:
    """Objects of so many thermometers, from entPhysicalIndex `first` on."""
    cells = {1: 8, 2: 9, 3: 0, 4: 25, 5: 1}
    return {f"{SENSORS}.{column}.{first + at}": cell for column, cell in cells.items() for at in range(count)}


def test_a_card_that_numbers_its_sensors_anew_with_each_start_does_not_grow(caplog: pytest.LogCaptureFixture) -> None:
    polled = Polled(A_UPS)
    points, requests = [], []
    for start in range(10):
        polled.paper.objects = A_UPS | {SYS_UPTIME: 1000 - start} | sensors(1000 * start + 1, 50)
        points.append(len(polled.once().readings))
        polled.once()
        requests.append(len(polled.paper.asked))
    assert points[4:] == [points[3]] * 6
    assert requests[4:] == [requests[3]] * 6
    assert points[3] - points[0] == 3 * 50
    assert "ups-1: 50 points that the card has no longer are forgotten, 150 are kept" in caplog.text


def test_a_row_that_is_no_physical_index_is_skipped_and_the_others_are_read() -> None:
    polled = Polled(A_UPS | sensors(1, 2))
    for row in ("1." * 100 + "1", "3.4", "0", "2147483648"):
        polled.paper.objects |= {f"{SENSORS}.{column}.{row}": cell for column, cell in ((1, 8), (4, 25), (5, 1))}
    batch = polled.once()
    assert batch.error == ""
    assert [r.point.id for r in batch.readings if "sensor=" in r.point.id] == [
        f"equipment.temperature[sensor={row}]" for row in (1, 2)
    ]


class EndlessCard(PaperCard):
    """A card whose tables have no end."""

    def look(self, kind: int, name: str) -> VarBind:
        if kind == GET:
            return VarBind(name, ber.INTEGER, 5)
        *parts, last = name.split(".")
        return VarBind(".".join((*parts, str(int(last) + 1))) if len(parts) > 11 else f"{name}.1.1", ber.INTEGER, 5)


def test_a_card_with_endless_tables_gives_so_many_rows_in_all_and_says_what_was_cut() -> None:
    polled = Polled(A_UPS)
    polled.card = Card(Target(device="d", address="192.0.2.1", community=b"public", definition="rfc1628-ups"))
    polled.paper = EndlessCard(A_UPS)
    batch = polled.once()
    assert 1000 < len(batch.readings) < MOST_ROWS + 200
    assert batch.error.startswith(f"more than {MOST_ROWS} rows or 2 MB of tables; not read to their end: {UPS}.")
    assert len(polled.once().readings) == len(batch.readings)


class HugeCard(EndlessCard):
    """A card whose tables have no end, and whose every text is as long as a datagram."""

    def look(self, kind: int, name: str) -> VarBind:
        bind = super().look(kind, name)
        return bind if kind == GET and name.startswith("1.3.6.1.2.1.1.") else VarBind(bind.oid, 4, bytes(60_000))


def test_a_card_whose_rows_are_as_long_as_datagrams_fills_no_memory_and_says_what_was_cut() -> None:
    Polled(A_UPS).once()  # definitions are read once
    polled = Polled({})
    polled.card = Card(Target(device="d", address="192.0.2.1", community=b"public", definition="rfc1628-ups"))
    polled.paper = HugeCard({})
    tracemalloc.start()
    batch = polled.once()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
    assert batch.error.startswith(f"more than {MOST_ROWS} rows or 2 MB of tables; not read to their end: {UPS}.")


def test_what_a_reply_holds_beyond_what_was_asked_is_not_kept() -> None:
    class Talkative(PaperCard):
        def _reply(self, asked: Pdu, status: int, at: int, binds: tuple[VarBind, ...]) -> Pdu:
            return super()._reply(asked, status, at, binds + tuple(VarBind(f"1.3.{n}", 4, b"x") for n in range(1000)))

    found = converse(get([SYS_UPTIME], Manners(V2C, 0)), Talkative({SYS_UPTIME: 5}))
    assert found == {SYS_UPTIME: 5}


def test_values_are_kept_until_so_many_octets_and_the_rest_is_told() -> None:
    names = [f"1.3.6.1.4.1.9.{number}.0" for number in range(MOST_KEPT // LONGEST_VALUE + 100)]
    manners = Manners(V2C, 0)
    found = converse(get(names, manners), PaperCard(dict.fromkeys(names, bytes(1000))))
    assert set(map(len, map(as_octets, found.values()))) == {LONGEST_VALUE}
    assert MOST_KEPT <= len(found) * LONGEST_VALUE <= MOST_KEPT + 20 * LONGEST_VALUE
    assert manners.cut == [names[len(found)]]


def as_octets(value: Value) -> bytes:
    assert isinstance(value, bytes)
    return value


def fan(subrack: int) -> Item:
    index = (("subrack", str(subrack)), ("fan", "1"))
    name = point_id(Quantity.FAN_SPEED, index)
    return Item(Point("d", name, Quantity.FAN_SPEED, "", index), f"1.3.6.1.4.1.9.{subrack}", Meaning())


def test_a_fan_of_a_shelf_that_is_gone_stays_as_unavailable_but_not_without_end() -> None:
    what = Recognition("d", "1.3", "", ("entity-sensor",), {})
    plan = Plan(what, [fan(1)], [])
    for _ in range(20):
        plan, _ = Plan(what, [], []).keeping(plan)
    assert [item.point.id for item in plan.items] == [fan(1).point.id]
    again, _ = Plan(what, [fan(1)], []).keeping(plan)
    assert again.items == (fan(1),)
    many = Plan(what, [fan(subrack) for subrack in range(MOST_GONE + 5)], [])
    kept, gone = Plan(what, [], []).keeping(many)
    assert (len(kept.items), len(gone)) == (MOST_GONE, 5)


def grown(paper: PaperCard, octets: int, *, polls: int = 6 * CLEAN_POLLS) -> tuple[Polled, list[int]]:
    """Poll a card whose replies have so many octets for twenty names; return its engine's side, and requests a poll."""
    polled, requests = Polled({}), []
    polled.paper = paper
    for _ in range(polls):
        polled.card.manners.largest = octets * polled.card.manners.names // 20
        assert polled.once().reachable
        requests.append(len(paper.asked))
    return polled, requests


def test_a_card_that_bears_more_names_is_asked_in_fewer_requests() -> None:
    polled, requests = grown(PaperCard(A_UPS | sensors(1, 100)), 400)
    assert (requests[1], requests[-1]) == (11, 4)
    assert polled.card.manners.names == 64
    polled.clock.now += REDISCOVER_SECONDS
    polled.once()
    assert polled.card.manners.names == 64  # what was learned outlives the hourly discovery


def test_replies_stay_within_one_frame() -> None:
    polled, _ = grown(PaperCard(A_UPS | sensors(1, 100)), 700)
    assert polled.card.manners.names == 40
    polled, _ = grown(PaperCard(A_UPS | sensors(1, 100)), 1200)
    assert polled.card.manners.names == 20


@pytest.mark.parametrize(("weakness", "tries"), [("most_names", 1), ("chokes_at", MISSES), ("leaves_out", 1)])
def test_a_card_that_does_not_bear_more_loses_no_value_and_is_tried_no_further(weakness: str, tries: int) -> None:
    paper = PaperCard(A_UPS | sensors(1, 100))
    setattr(paper, weakness, 30)
    polled, requests = grown(paper, 400)
    assert {reading.value for reading in polled.once().readings if "sensor=" in reading.point.id} == {25.0}
    assert polled.card.manners.names == 20
    assert len({count for count in requests[1:] if count != requests[1]}) <= 1
    assert sum(count != requests[1] for count in requests[1:]) == tries


def test_one_lost_datagram_while_more_is_tried_does_not_cap_the_size() -> None:
    paper = PaperCard(A_UPS | sensors(1, 100))
    polled, _ = grown(paper, 400, polls=CLEAN_POLLS + 1)
    assert polled.card.manners.names == 40
    paper.silent = 1
    assert polled.once().reachable
    assert polled.card.manners.names == 20
    for _ in range(3 * CLEAN_POLLS):
        polled.card.manners.largest = 20 * polled.card.manners.names
        assert polled.once().reachable
    assert polled.card.manners.names == 64


def test_what_was_too_much_is_tried_again_after_long() -> None:
    manners = Manners(V2C, retries=2, ceiling=20, largest=100)
    for _ in range(SETTLED_POLLS - 1):
        manners.went_well(20)
    assert manners.names == 20
    manners.went_well(20)
    assert manners.names == 40


def test_a_walk_that_was_shrunk_is_remembered_and_regrows_a_step_each_discovery() -> None:
    paper = PaperCard(A_UPS | sensors(1, 100))
    paper.most_names = 4
    polled = Polled({})
    polled.paper = paper
    assert polled.once().reachable
    assert polled.card.manners.repetitions == 2
    paper.most_names = 1000
    polled.clock.now += REDISCOVER_SECONDS
    polled.once()
    assert polled.card.manners.repetitions == 4


def test_silence_at_a_size_that_was_proved_is_the_networks_and_not_the_sizes() -> None:
    polled, _ = grown(PaperCard(A_UPS | sensors(1, 100)), 400)
    polled.paper.silent = 2
    assert not polled.once().reachable
    assert (polled.card.manners.names, polled.card.manners.ceiling) == (20, 64)


@pytest.mark.parametrize("fits", [1, 5, 8, 10, 15, 19])
def test_a_card_that_leaves_out_what_does_not_fit_loses_no_value(fits: int) -> None:
    whole, polled = Polled(A_UPS).values(), Polled(A_UPS)
    polled.paper.leaves_out = fits
    assert polled.values() == whole
    first = len(polled.paper.asked)
    assert polled.values() == whole
    assert len(polled.paper.asked) <= 10 < first < 2000


def test_a_card_that_leaves_out_what_it_does_not_have_costs_little_more_and_is_asked_for_as_much() -> None:
    whole, polled = Polled(A_UPS), Polled(A_UPS)
    values = whole.values()
    polled.paper.omits = True
    assert polled.values() == values
    assert len(polled.paper.asked) <= len(whole.paper.asked) + 60
    assert polled.card.manners.names == 20
    del polled.paper.objects[f"{UPS}.2.5.0"]
    assert polled.values() == values | {"battery.voltage": None}
    assert len(polled.paper.asked) == 1


@pytest.mark.parametrize(("error", "name"), [(GEN_ERR, "genErr"), (TOO_BIG, "tooBig"), (13, "error 13")])
def test_a_card_that_refuses_everything_says_so_and_is_not_discovered(error: int, name: str) -> None:
    polled = Polled(A_UPS)
    polled.paper.refuses = error
    batch = polled.once()
    assert (batch.readings, batch.error) == ((), f"it answers every request with {name}")
    assert len(polled.paper.asked) == MOST_REFUSALS
    polled.paper.refuses = 0
    known = polled.values()
    polled.paper.refuses = error
    batch = polled.once()
    assert {reading.point.id for reading in batch.readings} == set(known)
    assert {reading.value for reading in batch.readings} == {None}
    assert batch.error == f"it answers every request with {name}"


def test_a_card_that_answers_with_nothing_says_so() -> None:
    polled = Polled(A_UPS)
    polled.paper.leaves_out = 0
    assert polled.once().error == "it answers every request with nothing"
    assert len(polled.paper.asked) == MOST_REFUSALS
