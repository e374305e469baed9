"""What discovery makes of cards that start slowly, change, lie, or say the same thing twice."""

from collections.abc import Callable

import pytest

from agent.watch import Watch
from agent.watched import Plan as WatchPlan
from agent.watched import Watched
from collectors.snmp import rows
from collectors.snmp.library import Library
from collectors.snmp.poll import AGAIN_SECONDS, GUARD_SECONDS, REDISCOVER_SECONDS, Card, poll
from collectors.snmp.recording import Recording
from collectors.snmp.target import Target
from config.rulebook import RuleBook
from config.site import load_site
from model.point import Batch
from runtime.clock import Now
from wire.snmp import Value

Objects = dict[str, tuple[int, Value]]
ACME = "1.3.6.1.4.1.99999"
SYSTEM: Objects = {"1.3.6.1.2.1.1.2.0": (6, ACME), "1.3.6.1.2.1.1.3.0": (67, 100_000)}
HEAD = f"protocol: snmp\nname: Acme\nmaker: Acme\nsource: typed\nmatch: {{sys_object_id: [{ACME}], has: [{ACME}]}}\n"
UPS = "1.3.6.1.2.1.33.1"
RFC_1628 = (
    "protocol: snmp\nname: UPS-MIB\nmaker: any\nsource: RFC 1628\n"
    f"match: {{has: [{UPS}], standard: true}}\n"
    f"objects:\n  - {{oid: {UPS}.2.5.0, name: upsVoltage, label: V, quantity: battery.voltage, scale: 0.1}}\n"
    f"alarms:\n  count: {UPS}.6.1.0\n  column: {UPS}.6.2.1.2\n  known: {{{UPS}.6.3.2: "
    "{name: onBattery, label: On battery, severity: warning}}\n"
)


class Polled:
    """A card that a recording plays, polled again and again at times of the test's own."""

    def __init__(self, objects: Objects, aside: bool = False, **definitions: str) -> None:
        self.objects = SYSTEM | objects
        self.now = 0.0
        texts: dict[str, Callable[[], str]] = {name: (lambda text=text: text) for name, text in definitions.items()}
        self.library = Library(texts)
        self.card = Card(Target(device="d", address="", aside=aside))

    def once(self, after: float = 15.0, **ticks: int) -> Batch:
        self.now += after
        self.objects["1.3.6.1.2.1.1.3.0"] = (67, ticks.get("ticks", int(100_000 + self.now * 100)))
        return Recording(self.objects).play(poll(self.card, self.library, lambda: self.now))

    def values(self, after: float = 15.0, **ticks: int) -> dict[str, float | str | None]:
        return {r.point.id: r.value for r in self.once(after, **ticks).readings if r.point.id != "device.uptime"}


# -- scales and gates -------------------------------------------------------------------------------------------------

SCALED = HEAD + (
    f"objects:\n  - {{oid: {ACME}.1.0, name: v, label: V, quantity: input.voltage, "
    f"scale_from: {{oid: {ACME}.2.0, as: power}}}}\n"
)


@pytest.mark.parametrize("scale", [None, (2, 2147483647), (2, 99), (4, b"n/a")])
def test_a_number_whose_scale_the_card_does_not_tell_is_no_reading(scale: tuple[int, Value] | None) -> None:
    objects: Objects = {f"{ACME}.1.0": (2, 23)}
    if scale:
        objects[f"{ACME}.2.0"] = scale
    assert "input.voltage" not in Polled(objects, acme=SCALED).values()


def test_a_scale_that_changes_counts_at_once_and_between_two_discoveries_nothing_false_is_said() -> None:
    card = Polled({f"{ACME}.1.0": (2, 500), f"{ACME}.2.0": (2, 0)}, acme=SCALED)
    assert card.values() == {"input.voltage": 500.0}
    card.objects |= {f"{ACME}.1.0": (2, 50), f"{ACME}.2.0": (2, 1)}
    assert card.values(after=GUARD_SECONDS / 2) == {"input.voltage": None}
    assert card.values(after=GUARD_SECONDS) == {"input.voltage": 500.0}


GATED = HEAD + (
    f"objects:\n  - {{oid: {ACME}.1.0, name: t, label: T, quantity: ambient.temperature, "
    f"while: {{oid: {ACME}.2.0, is_not: [3]}}}}\n"
)


def test_a_gate_that_is_gone_is_shut_and_one_that_the_card_never_had_is_none() -> None:
    card = Polled({f"{ACME}.1.0": (2, 21), f"{ACME}.2.0": (2, 1)}, acme=GATED)
    assert card.values() == {"ambient.temperature": 21.0}
    del card.objects[f"{ACME}.2.0"]
    assert card.values() == {"ambient.temperature": None}
    assert Polled({f"{ACME}.1.0": (2, 21)}, acme=GATED).values() == {"ambient.temperature": 21.0}


def test_a_table_cut_at_the_budget_loses_rows_never_their_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.snmp.exchange.MOST_ROWS", 60)
    text = HEAD + (
        f"tables:\n  - name: t\n    entry: {ACME}.3.1\n    index: [sensor]\n    columns:\n"
        "      - {column: 1, name: t, label: T, quantity: ambient.temperature, scale_from: {column: 2, as: digits},"
        " when: [{column: 3, is_not: [0]}]}\n"
    )
    rows_: Objects = {}
    for row in range(1, 101):
        rows_ |= {f"{ACME}.3.1.1.{row}": (2, 188), f"{ACME}.3.1.2.{row}": (2, 1), f"{ACME}.3.1.3.{row}": (2, 1)}
    card = Polled(rows_, acme=text)
    card.card.manners = card.card.manners.anew()
    card.card.manners.rows_left = 60
    batch = card.once()
    assert "not read to their end" in batch.error
    values = [r.value for r in batch.readings if r.point.id != "device.uptime"]
    assert set(values) == {18.8}
    assert 10 < len(values) < 100


# -- cards that start, and cards in whose place another is ------------------------------------------------------------

TWO = {
    "acme": HEAD + f"objects:\n  - {{oid: {ACME}.1.0, name: c, label: C, quantity: battery.charge}}\n",
    "rfc": RFC_1628,
}


def test_a_card_that_starts_without_its_objects_keeps_its_points_and_is_looked_at_again_soon() -> None:
    card = Polled({f"{ACME}.1.0": (2, 90), f"{UPS}.2.5.0": (2, 540)}, **TWO)
    before = card.values()
    assert before == {"battery.charge": 90.0, "battery.voltage": 54.0}
    del card.objects[f"{ACME}.1.0"]
    assert card.values(ticks=50) == {"battery.charge": None, "battery.voltage": 54.0}
    card.objects[f"{ACME}.1.0"] = (2, 80)
    assert card.values(ticks=1_600) == {"battery.charge": 80.0, "battery.voltage": 54.0}


def test_what_a_card_says_it_has_is_believed_in_the_end() -> None:
    card = Polled({f"{ACME}.1.0": (2, 90), f"{UPS}.2.5.0": (2, 540)}, **TWO)
    card.values()
    del card.objects[f"{ACME}.1.0"]
    card.now += REDISCOVER_SECONDS
    for seconds in (*AGAIN_SECONDS, AGAIN_SECONDS[-1]):
        values = card.values(after=seconds + 1)
    assert card.card.plan is not None
    assert card.card.plan.recognition.definitions == ("rfc",)
    assert values["battery.voltage"] == 54.0


def test_another_device_at_the_address_ends_what_the_first_one_said() -> None:
    card = Polled({f"{ACME}.1.0": (2, 90), f"{UPS}.2.5.0": (2, 540)}, **TWO)
    card.once()
    card.objects = {**SYSTEM, "1.3.6.1.2.1.1.2.0": (6, "1.3.6.1.4.1.5"), f"{UPS}.2.5.0": (2, 130)}
    batch = card.once(ticks=10)
    assert {r.point.id for r in batch.readings} == {"device.uptime", "battery.voltage"}
    assert batch.gone == ("battery.charge",)


def test_an_object_that_has_another_name_now_is_not_kept_under_its_old_one() -> None:
    text = HEAD + (
        f"tables:\n  - name: t\n    entry: {ACME}.3.1\n    index: ['-']\n    columns:\n"
        "      - {column: 1, name: t, label: T, quantity: ambient.temperature}\n"
    )
    card = Polled({f"{ACME}.3.1.1.1": (2, 20)}, acme=text)
    assert card.values() == {"ambient.temperature": 20.0}
    card.objects[f"{ACME}.3.1.1.0"] = (2, 30)  # a row before it: the plain name is this one's now
    batch = card.once(after=REDISCOVER_SECONDS + 1)
    by_source = [(r.point.source, r.value) for r in batch.readings if r.point.id != "device.uptime"]
    assert sorted(by_source) == [(f"{ACME}.3.1.1.0", 30.0), (f"{ACME}.3.1.1.1", 20.0)]


# -- alarms -----------------------------------------------------------------------------------------------------------

ALARMS = HEAD + (
    f"alarms:\n  count: {ACME}.5.0\n  column: {ACME}.6.1.2\n"
    "  known: {7: {name: fire, label: Fire, severity: critical}}\n"
)


def test_the_makers_alarm_table_sets_the_standards_aside() -> None:
    objects: Objects = {f"{ACME}.5.0": (66, 1), f"{ACME}.6.1.2.1": (2, 99), f"{UPS}.6.1.0": (66, 0)}
    assert Polled(objects, acme=ALARMS, rfc=RFC_1628).values() == {
        "alarm.status[alarm=fire]": "clear",
        "alarm.status[alarm=other]": "active",
    }
    shown = Polled(objects, aside=True, acme=ALARMS, rfc=RFC_1628).once().readings
    aside = {r.point.id for r in shown if not r.point.preferred}
    assert aside == {"alarm.status[alarm=onBattery,source=rfc]", "alarm.status[alarm=other,source=rfc]"}


@pytest.mark.parametrize("count", [None, (2, -1), (66, 2), (4, b"?")])
def test_clear_needs_proof_that_the_table_was_read_whole(count: tuple[int, Value] | None) -> None:
    card = Polled({f"{ACME}.5.0": (66, 1), f"{ACME}.6.1.2.1": (2, 7)}, acme=ALARMS)
    assert card.values()["alarm.status[alarm=fire]"] == "active"
    card.objects[f"{ACME}.6.1.2.1"] = (2, 5)
    del card.objects[f"{ACME}.5.0"]
    if count:
        card.objects[f"{ACME}.5.0"] = count
    assert card.values()["alarm.status[alarm=fire]"] is None


def test_an_alarm_of_a_table_without_a_count_ends_when_the_card_starts_with_it_empty() -> None:
    text = ALARMS.replace(f"  count: {ACME}.5.0\n", "")
    card = Polled({f"{ACME}.5.0": (66, 1), f"{ACME}.6.1.2.1": (2, 7)}, acme=text)
    assert card.values()["alarm.status[alarm=fire]"] == "active"
    del card.objects[f"{ACME}.6.1.2.1"]
    assert card.values(ticks=10)["alarm.status[alarm=fire]"] == "clear"


# -- the same thing twice ---------------------------------------------------------------------------------------------

TWICE = HEAD + (
    "absent: [-1]\n"
    f"objects:\n  - {{oid: {ACME}.1.0, name: fine, label: V, quantity: battery.voltage, scale: 0.1}}\n"
    f"  - {{oid: {ACME}.2.0, name: coarse, label: V, quantity: battery.voltage}}\n"
    "prefer: [[fine, coarse]]\n"
)


def test_the_source_that_counts_stays_while_the_card_has_it() -> None:
    card = Polled({f"{ACME}.1.0": (2, 541), f"{ACME}.2.0": (2, 54)}, acme=TWICE)
    assert card.values() == {"battery.voltage": 54.1}
    card.objects[f"{ACME}.1.0"] = (2, -1)
    assert card.values(after=REDISCOVER_SECONDS + 1) == {"battery.voltage": None}
    card.objects[f"{ACME}.1.0"] = (2, 540)
    assert card.values() == {"battery.voltage": 54.0}


def test_each_place_has_the_source_that_says_something_there() -> None:
    text = HEAD + (
        f"absent: [-1]\ntables:\n  - name: t\n    entry: {ACME}.3.1\n    index: [outlet]\n    columns:\n"
        "      - {column: 1, name: fine, label: A, quantity: outlet.current, scale: 0.1}\n"
        "      - {column: 2, name: coarse, label: A, quantity: outlet.current}\n"
        "prefer: [[fine, coarse]]\n"
    )
    objects: Objects = {f"{ACME}.3.1.1.1": (2, 23), f"{ACME}.3.1.2.1": (2, 2)}
    objects |= {f"{ACME}.3.1.1.2": (2, -1), f"{ACME}.3.1.2.2": (2, 7)}
    assert Polled(objects, acme=text).values() == {"outlet.current[outlet=1]": 2.3, "outlet.current[outlet=2]": 7.0}


def test_bits_of_one_name_in_two_masks_say_whose_they_are_whatever_the_card_has() -> None:
    bits = "bits: {0: {name: fuse, severity: critical}}"
    text = HEAD + (
        f"objects:\n  - {{oid: {ACME}.1.0, name: wordA, label: A, quantity: alarm.status, {bits}}}\n"
        f"  - {{oid: {ACME}.2.0, name: wordB, label: B, quantity: alarm.status, {bits}}}\n"
    )
    both = Polled({f"{ACME}.1.0": (2, 0), f"{ACME}.2.0": (2, 1)}, acme=text).values()
    assert both == {"alarm.status[alarm=fuse,object=wordA]": "clear", "alarm.status[alarm=fuse,object=wordB]": "active"}
    alone = Polled({f"{ACME}.2.0": (2, 1)}, acme=text).values()
    assert alone == {"alarm.status[alarm=fuse,object=wordB]": "active"}


def test_a_mask_that_is_not_available_raises_no_alarm() -> None:
    text = HEAD + (
        f"absent: [-1]\nobjects:\n  - {{oid: {ACME}.1.0, name: w, label: W, quantity: alarm.status, "
        "bits: {0: {name: fuse}}}\n"
    )
    assert Polled({f"{ACME}.1.0": (2, -1)}, acme=text).values() == {"alarm.status[alarm=fuse]": None}


# -- text in an index -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["1.44", "3.97.44.98", "2.97.32", ".".join(["60", *["97"] * 60])])
def test_text_that_an_id_could_be_mistaken_by_stays_numbers(row: str) -> None:
    assert rows.row_index(("channel:text",), row) == (("channel", row),)


# -- what the agent makes of points that are gone ---------------------------------------------------------------------


def test_the_alarm_of_a_sensor_that_is_gone_for_good_ends(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("site") / "site.yaml"
    file.write_text("site: {id: a, name: A, contract: demo}\nhost: {}\ndelays: {on: [0s, 0s, 0s, 0s], off: 0s}\n")
    site = load_site(file)
    book = RuleBook(site)
    assert site.host is not None
    watched = Watched("d", "D", book.rules(site.host), 15.0)
    watch = Watch(WatchPlan("a", book.contract, {"d": watched}), {}, "boot", Now(0.0, 0.0))
    text = HEAD + (
        f"tables:\n  - name: t\n    entry: {ACME}.3.1\n    index: [sensor]\n    columns:\n"
        "      - {column: 1, name: t, label: T, quantity: ambient.temperature}\n"
    )
    card = Polled({f"{ACME}.3.1.1.1": (2, 55)}, acme=text)

    def take(after: float = 15.0) -> set[str]:
        batch = card.once(after)
        moment = Now(card.now, card.now)
        watch.take(batch, moment)
        watch.tick(moment)
        return {condition.rsplit("/", 1)[1] for condition, alarm in watch.alarms.items() if alarm.active}

    take()
    assert "temperature.high" in take()
    del card.objects[f"{ACME}.3.1.1.1"]
    card.objects[f"{ACME}.3.1.1.2"] = (2, 22)
    for _ in range(6):
        standing = take(REDISCOVER_SECONDS + 1)
    assert standing == set()


def test_a_card_that_counts_no_uptime_has_not_restarted() -> None:
    card = Polled({f"{ACME}.1.0": (2, 21)}, acme=GATED)
    readings = [card.once(ticks=0).readings for _ in range(2)]
    assert [[r.point.id for r in each] for each in readings] == [["ambient.temperature"]] * 2


def test_a_card_that_lacks_what_its_definition_probes_for_is_read_by_its_sys_object_id() -> None:
    text = HEAD.replace(f"has: [{ACME}]", f"has: [{ACME}.9]") + (
        f"objects:\n  - {{oid: {ACME}.1.0, name: c, label: C, quantity: battery.charge}}\n"
    )
    assert Polled({f"{ACME}.1.0": (2, 90)}, acme=text).values() == {"battery.charge": 90.0}
    unknown = Polled({f"{ACME}.2.0": (2, 90)}, acme=text).once()
    assert "not recognised" in unknown.error
    on_linux = text.replace(f"sys_object_id: [{ACME}]", "sys_object_id: [1.3.6.1.4.1.8072.3.2.10]")
    card = Polled({f"{ACME}.1.0": (2, 90)}, acme=on_linux)
    card.objects["1.3.6.1.2.1.1.2.0"] = (6, "1.3.6.1.4.1.8072.3.2.10")
    card.once()
    assert card.card.plan is not None
    assert card.card.plan.recognition.definitions == ()


def test_a_standard_that_the_card_has_no_more_sets_no_other_standard_aside() -> None:
    other = RFC_1628.replace(f"has: [{UPS}]", f"has: [{ACME}]").replace(f"{UPS}.2.5.0", f"{ACME}.1.0")
    other = other[: other.index("alarms:")]
    card = Polled({f"{ACME}.1.0": (2, 480), f"{UPS}.2.5.0": (2, 540)}, one=RFC_1628, two=other)
    card.once()
    del card.objects[f"{UPS}.2.5.0"]
    card.now += REDISCOVER_SECONDS
    for seconds in (*AGAIN_SECONDS, AGAIN_SECONDS[-1]):
        values = card.values(after=seconds + 1)
    assert values["battery.voltage"] == 48.0
