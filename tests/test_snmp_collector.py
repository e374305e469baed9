"""Conversations with one card and its polls, without a network: the card here answers real encoded requests."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.snmp.exchange import Manners, NoAnswer, following, get, walk
from collectors.snmp.plan import SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME
from collectors.snmp.poll import REDISCOVER_SECONDS, Card
from collectors.snmp.target import Target
from model.point import Quality
from tests.snmp_card import A_UPS, UPS, PaperCard, Polled, converse
from wire import ber
from wire.snmp import V1, V2C, Absent, Value, VarBind

ON_BATTERY, FAN_FAILURE = f"{UPS}.6.3.2", f"{UPS}.6.3.16"


def numbered(count: int) -> dict[str, Value]:
    return {f"1.3.6.1.4.1.9.{number}.0": number for number in range(1, count + 1)}


# -- get --------------------------------------------------------------------------------------------------------------


def test_a_get_asks_for_twenty_names_at_a_time() -> None:
    card = PaperCard(numbered(45))
    assert converse(get(numbered(45), Manners(V2C, 2)), card) == numbered(45)
    assert [len(asked.varbinds) for asked in card.asked] == [20, 20, 5]


def test_too_big_halves_the_request_and_those_after_it() -> None:
    card = PaperCard(numbered(40))
    card.most_names = 6
    manners = Manners(V2C, 2)
    assert converse(get(numbered(40), manners), card) == numbered(40)
    assert manners.names == 5
    assert max(len(asked.varbinds) for asked in card.asked[4:] if len(asked.varbinds) != 20) <= 10


def test_one_lost_datagram_is_asked_again_and_halves_nothing() -> None:
    card = PaperCard(numbered(20))
    card.silent = 1
    manners = Manners(V2C, 2)
    assert converse(get(numbered(20), manners), card) == numbered(20)
    assert [len(asked.varbinds) for asked in card.asked] == [20, 20]
    assert manners.names == 20


def test_a_card_that_chokes_on_twenty_names_is_asked_for_ten() -> None:
    card = PaperCard(numbered(20))
    card.chokes_at = 10
    manners = Manners(V2C, 2)
    assert converse(get(numbered(20), manners), card) == numbered(20)
    assert [len(asked.varbinds) for asked in card.asked] == [20, 20, 10, 10]
    assert manners.names == 10


def test_a_card_that_keeps_silent_is_given_up_after_its_retries() -> None:
    card = PaperCard(numbered(20))
    card.silent = 1000
    with pytest.raises(NoAnswer):
        converse(get(numbered(20), Manners(V2C, 2)), card)
    assert len(card.asked) == 3


def test_in_version_1_a_bad_name_is_dropped_and_the_others_are_asked_for_again() -> None:
    card = PaperCard(numbered(5), speaks=V1)
    names = [*numbered(5), "1.3.6.1.4.1.9.77.0", "1.3.6.1.4.1.9.78.0"]
    assert converse(get(names, Manners(V1, 2)), card) == numbered(5)
    assert [len(asked.varbinds) for asked in card.asked] == [7, 6, 5]


def test_what_is_absent_is_told_apart_from_what_is_zero() -> None:
    card = PaperCard({"1.3.6.1.4.1.9.1.0": 0})
    found = converse(get(["1.3.6.1.4.1.9.1.0", "1.3.6.1.4.1.9.2.0"], Manners(V2C, 2)), card)
    assert found == {"1.3.6.1.4.1.9.1.0": 0, "1.3.6.1.4.1.9.2.0": Absent.NO_SUCH_INSTANCE}


@pytest.mark.parametrize("speaks", [V1, V2C])
def test_what_follows_a_name_is_found_and_the_end_of_the_mib_follows_nothing(speaks: int) -> None:
    card = PaperCard(numbered(3), speaks=speaks)
    found = converse(following(["1.3.6.1.4.1.9", "1.3.6.1.4.1.9.99"], Manners(speaks, 2)), card)
    assert {oid: bind.oid for oid, bind in found.items()} == {"1.3.6.1.4.1.9": "1.3.6.1.4.1.9.1.0"}


# -- walk -------------------------------------------------------------------------------------------------------------

TABLE = {f"1.3.6.1.4.1.9.1.{row}": row for row in range(1, 33)}
ROWS = {str(row): row for row in range(1, 33)}


@pytest.mark.parametrize("beyond", [{}, {"1.3.6.1.4.1.9.2.1": 5}], ids=["the end of the MIB", "another table"])
@pytest.mark.parametrize("speaks", [V1, V2C])
def test_a_walk_reads_its_table_and_stops_before(beyond: dict[str, Value], speaks: int) -> None:
    card = PaperCard(TABLE | beyond, speaks=speaks)
    assert converse(walk("1.3.6.1.4.1.9.1", Manners(speaks, 2)), card) == ROWS


def test_a_walk_in_version_2c_takes_ten_rows_at_a_time() -> None:
    card = PaperCard(TABLE)
    converse(walk("1.3.6.1.4.1.9.1", Manners(V2C, 2)), card)
    assert [asked.error_index for asked in card.asked] == [10, 10, 10, 10]


def test_a_walk_takes_fewer_rows_after_too_big_and_after_two_silences() -> None:
    card = PaperCard(TABLE)
    card.most_names = 6
    manners = Manners(V2C, 2)
    assert converse(walk("1.3.6.1.4.1.9.1", manners), card) == ROWS
    assert manners.repetitions == 5
    card = PaperCard(TABLE)
    card.chokes_at = 6
    manners = Manners(V2C, 2)
    assert converse(walk("1.3.6.1.4.1.9.1", manners), card) == ROWS
    assert manners.repetitions == 5


def test_a_card_that_goes_round_in_circles_ends_the_walk() -> None:
    class Circling(PaperCard):
        def look(self, kind: int, name: str) -> VarBind:
            return VarBind("1.3.6.1.4.1.9.1.5", ber.INTEGER, 5)

    card = Circling({})
    assert converse(walk("1.3.6.1.4.1.9.1", Manners(V2C, 2)), card) == {"5": 5}
    assert len(card.asked) == 1


# -- a poll -----------------------------------------------------------------------------------------------------------


def test_a_poll_gives_every_point_of_the_card_in_our_units() -> None:
    values = Polled(A_UPS).values()
    assert {name: value for name, value in values.items() if "alarm=" not in name} == {
        "device.uptime": 3600.0,
        "battery.status": "normal",
        "battery.runtime": 2400.0,
        "battery.voltage": 218.4,
        "battery.current": -0.1,  # in this column -1 is a value
        "battery.temperature": None,  # and this is "not available"
        "input.frequency[phase=1]": 49.9,
        "input.voltage[phase=1]": 0.0,  # zero is a value
        "alarm.count": 0.0,
    }


def test_what_the_card_says_of_itself_is_kept_without_what_could_steer_a_terminal() -> None:
    polled = Polled(A_UPS)
    polled.once()
    assert polled.card.plan is not None
    recognition = polled.card.plan.recognition
    assert recognition.description == "A card [31m of some maker"
    assert recognition.identity == {"maker": "Maker"}
    assert recognition.definitions == ("rfc1628-ups",)


def test_only_the_first_poll_discovers_and_the_next_asks_for_what_is_there() -> None:
    polled = Polled(A_UPS)
    polled.once()
    polled.once()
    assert [len(asked.varbinds) for asked in polled.paper.asked] == [9]


def test_an_alarm_that_stands_in_the_table_is_active_and_the_others_are_clear() -> None:
    polled = Polled(A_UPS)
    polled.once()
    polled.paper.objects |= {f"{UPS}.6.1.0": 2, f"{UPS}.6.2.1.2.7": ON_BATTERY, f"{UPS}.6.2.1.2.9": FAN_FAILURE}
    values = polled.values()
    assert values["alarm.status[alarm=onBattery]"] == "active"
    assert values["fan.status[alarm=fanFailure]"] == "fault"
    assert values["alarm.status[alarm=lowBattery]"] == "clear"
    assert values["alarm.status[alarm=other]"] == "clear"


def test_an_alarm_that_no_standard_knows_is_another_alarm() -> None:
    polled = Polled(A_UPS | {f"{UPS}.6.1.0": 1, f"{UPS}.6.2.1.2.7": "1.3.6.1.4.1.318.9"})
    assert polled.values()["alarm.status[alarm=other]"] == "active"


def test_a_card_that_counts_alarms_but_does_not_show_them_leaves_the_others_unavailable() -> None:
    readings = Polled(A_UPS | {f"{UPS}.6.1.0": 2, f"{UPS}.6.2.1.2.7": ON_BATTERY}).readings()
    assert readings["alarm.status[alarm=onBattery]"].value == "active"
    assert readings["alarm.status[alarm=lowBattery]"].quality is Quality.UNAVAILABLE


def test_a_card_that_falls_silent_makes_every_known_point_unavailable_and_says_why() -> None:
    polled = Polled(A_UPS)
    known = set(polled.readings())
    polled.paper.silent = 1000
    batch = polled.once()
    assert not batch.reachable
    assert batch.error == "no answer from 192.0.2.1:161 in 2 x 2 s"
    assert {reading.point.id for reading in batch.readings} == known
    assert {reading.quality for reading in batch.readings} == {Quality.UNAVAILABLE}
    assert len(polled.paper.asked) == 2


def test_a_silent_card_is_next_asked_one_small_thing_once() -> None:
    polled = Polled(A_UPS)
    polled.once()
    polled.paper.silent = 3
    polled.once()
    assert not polled.once().reachable
    assert [len(asked.varbinds) for asked in polled.paper.asked] == [1]
    assert polled.once().reachable
    assert polled.card.unanswered == 0


def test_a_card_that_ignores_version_2c_is_asked_in_version_1() -> None:
    polled = Polled(A_UPS, speaks=V1)
    polled.paper.silent = 2  # the two tries in version 2c
    assert polled.values()["battery.voltage"] == 218.4
    assert polled.card.manners.version == V1


def test_a_lost_burst_at_first_contact_leaves_no_card_in_version_1() -> None:
    polled = Polled(A_UPS)
    polled.paper.silent = 2  # the two tries in version 2c
    assert polled.once().reachable
    assert polled.card.manners.version == V2C


def test_a_card_found_in_version_1_is_tried_in_2c_at_each_discovery() -> None:
    polled = Polled(A_UPS, speaks=V1)
    polled.once()
    polled.clock.now += REDISCOVER_SECONDS
    assert polled.once().reachable
    assert polled.card.manners.version == V1
    polled.paper.speaks = V2C
    polled.once()
    assert polled.card.manners.version == V1
    polled.clock.now += REDISCOVER_SECONDS
    assert polled.once().reachable
    assert polled.card.manners.version == V2C


def test_a_card_written_down_as_version_1_is_never_asked_in_2c() -> None:
    polled = Polled(A_UPS)
    polled.card = Card(Target(device="ups-1", address="192.0.2.1", community=b"public", version="1"))
    polled.once()
    polled.clock.now += REDISCOVER_SECONDS
    polled.once()
    assert polled.card.manners.version == V1


def test_silence_at_first_contact_tells_that_version_1_was_tried_too_and_writes_ipv6_in_brackets() -> None:
    polled = Polled({})
    polled.card = Card(Target(device="ups-1", address="2001:db8::1", community=b"public"))
    polled.paper.silent = 1000
    assert polled.once().error == "no answer from [2001:db8::1]:161 in 3 x 2 s, nor in version 1"


def test_an_object_that_is_gone_is_unavailable_and_not_zero() -> None:
    polled = Polled(A_UPS)
    polled.once()
    del polled.paper.objects[f"{UPS}.2.5.0"]
    assert polled.readings()["battery.voltage"].quality is Quality.UNAVAILABLE


def test_a_card_that_starts_anew_is_discovered_anew_and_what_it_lost_stays_as_unavailable() -> None:
    polled = Polled(A_UPS)
    polled.once()
    polled.paper.objects |= {SYS_UPTIME: 500, f"{UPS}.2.4.0": 97}
    del polled.paper.objects[f"{UPS}.2.5.0"]
    readings = polled.readings()
    assert readings["device.uptime"].value == 5.0
    assert readings["battery.charge"].value == 97.0
    assert readings["battery.voltage"].quality is Quality.UNAVAILABLE


def test_every_hour_a_card_is_discovered_anew() -> None:
    polled = Polled(A_UPS)
    polled.once()
    polled.paper.objects[f"{UPS}.2.4.0"] = 97
    assert "battery.charge" not in polled.values()
    before = {reading.point.id: reading.point for reading in polled.once().readings}
    polled.clock.now += REDISCOVER_SECONDS
    after = {reading.point.id: reading.point for reading in polled.once().readings}
    assert after.keys() - before.keys() == {"battery.charge"}
    assert all(after[name] is point for name, point in before.items())


def test_an_uptime_that_wraps_after_497_days_is_no_restart() -> None:
    polled = Polled(A_UPS | {SYS_UPTIME: 2**32 - 1000})
    polled.once()
    polled.paper.objects[SYS_UPTIME] = 500
    assert polled.values()["device.uptime"] == (2**32 + 500) / 100


def test_a_device_that_nothing_matches_is_reachable_and_reported_with_its_sys_object_id() -> None:
    batch = Polled({SYS_DESCR: b"thing", SYS_OBJECT_ID: "1.3.6.1.4.1.99999.1", SYS_UPTIME: 100}).once()
    assert batch.reachable
    assert batch.error == (
        "not recognised: no definition serves sysObjectID 1.3.6.1.4.1.99999.1; it has no maker's objects"
    )
    assert [reading.point.id for reading in batch.readings] == ["device.uptime"]


def test_a_definition_that_the_card_has_nothing_of_is_said() -> None:
    polled = Polled(A_UPS)
    polled.card = Card(Target(device="ups-1", address="192.0.2.1", community=b"public", definition="subrack"))
    assert polled.once().error == "the card has nothing of the definition subrack, or SNMP has none of that name"


ANY_VALUE = (
    st.integers(-(2**63), 2**64)
    | st.floats()
    | st.binary(max_size=30)
    | st.sampled_from(["0.0", "1.3.6.1.2.1.33", ON_BATTERY, None, *Absent])
    | st.integers(0, 20)
)
SENSOR_ROWS = [f"1.3.6.1.2.1.99.1.1.1.{column}.{index}" for column in range(1, 6) for index in ("1", "2", "3.4")]
ENTITY_ROWS = [f"1.3.6.1.2.1.47.1.1.1.1.{column}.{index}" for column in range(2, 8) for index in (1, 2, 3)]
ANY_OBJECT = st.sampled_from([*A_UPS, *SENSOR_ROWS, *ENTITY_ROWS, f"{UPS}.6.2.1.2.1", f"{UPS}.4.4.1.2.4294967295.7"])


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(ANY_OBJECT, ANY_VALUE), st.sampled_from([V1, V2C]), st.integers(1, 40), st.integers(0, 9))
def test_whatever_a_card_answers_a_poll_ends_in_a_batch_of_finite_values(
    objects: dict[str, Value], speaks: int, most_names: int, silent: int
) -> None:
    """Invariant: a poll ends, in a batch, and every value in it is a finite number, a state of its point, or None."""
    polled = Polled(objects, speaks=speaks)
    for _ in range(2):
        polled.paper.most_names, polled.paper.silent = most_names, silent
        for reading in polled.once().readings:
            names = {state.name for state in reading.point.states}
            assert reading.value is None or reading.value in names or math.isfinite(float(reading.value))
            assert "/" not in reading.point.id
