"""The power room's physics: what a viewer of the demo sees must be what a real plant would show."""

from itertools import pairwise

import pytest

from simulator.noise import wobble
from simulator.plant import Plant


def after_outage(seconds: float) -> Plant:
    plant = Plant()
    plant.set_mains(10.0, on=False)
    plant.advance(10.0 + seconds)
    return plant


def test_with_mains_the_plant_floats_at_53_5_volts_and_the_modules_share_the_load():
    room = Plant().snapshot(30.0)
    assert room.bus_volts == pytest.approx(53.5, abs=0.1)
    assert room.battery_charge == 1.0
    assert 0.0 < room.battery_amps < 1.0
    assert sum(module.amps for module in room.modules) == pytest.approx(room.load_amps + room.battery_amps, rel=0.01)
    assert all(228.0 < volts < 233.0 for volts in room.mains_volts)
    assert 49.9 < room.mains_hertz < 50.1


def test_without_mains_the_battery_carries_the_load_at_once():
    plant = Plant()
    plant.set_mains(10.0, on=False)
    room = plant.snapshot(10.0)
    assert room.battery_amps == pytest.approx(-room.load_amps)
    assert room.mains_volts == (0.0, 0.0, 0.0)
    assert room.mains_hertz == 0.0
    assert not any(module.on for module in room.modules)
    assert room.ups.on_battery


def test_in_a_minute_without_mains_voltage_charge_and_runtime_fall_and_the_room_warms():
    plant = Plant()
    plant.set_mains(10.0, on=False)
    rooms = [plant.snapshot(10.0 + second) for second in range(0, 61, 10)]
    volts = [room.bus_volts for room in rooms]
    assert volts == sorted(volts, reverse=True)
    assert 48.5 < volts[-1] < 50.0
    assert rooms[-1].battery_charge == pytest.approx(0.79, abs=0.02)
    assert rooms[-1].ups.runtime_minutes == pytest.approx(20.0, abs=0.5)
    assert rooms[-1].ups.seconds_on_battery == pytest.approx(60.0)
    assert rooms[-1].room_celsius > rooms[0].room_celsius + 1.0


def test_when_mains_returns_the_battery_recharges_within_its_current_limit():
    plant = after_outage(60.0)
    plant.set_mains(70.0, on=True)
    first, later, full = plant.snapshot(70.5), plant.snapshot(120.0), plant.snapshot(900.0)
    assert first.battery_amps == pytest.approx(30.0, abs=0.1)
    assert 0.0 < later.battery_amps < 30.0
    assert later.battery_charge > first.battery_charge
    assert full.battery_charge > 0.99
    assert full.ups.charge == 1.0
    assert full.room_celsius == pytest.approx(24.0, abs=0.1)
    assert max(room.bus_volts for room in (first, later, full)) < 53.6


def test_an_empty_battery_drops_the_load_and_takes_it_back_with_mains():
    plant = after_outage(400.0)
    empty = plant.snapshot(410.0)
    assert empty.load_amps == 0.0
    assert not empty.ups.output_on
    plant.set_mains(420.0, on=True)
    assert plant.snapshot(420.0).load_amps > 40.0
    assert plant.snapshot(421.0).ups.output_on


def test_each_outage_counts_once_at_the_ups():
    plant = after_outage(5.0)
    plant.set_mains(15.0, on=True)
    plant.set_mains(20.0, on=False)
    assert plant.snapshot(30.0).ups.input_failures == 2


def test_the_blocks_voltages_add_up_to_the_strings():
    room = after_outage(30.0).snapshot(40.0)
    assert len(room.block_volts) == 24
    assert sum(room.block_volts) == pytest.approx(room.bus_volts, abs=0.15)


def test_a_failed_module_gives_nothing_and_the_others_carry_its_share():
    plant = Plant()
    plant.faulty_modules.add(1)
    room = plant.snapshot(10.0)
    assert [module.faulty for module in room.modules] == [False, True, False]
    assert room.modules[1].amps == 0.0
    assert room.modules[0].amps == pytest.approx(room.load_amps / 2, rel=0.05)


def test_a_subrack_warms_as_its_fans_stop_and_passes_45_degrees_with_three_stopped():
    plant = Plant()
    settled = []
    for fan in range(4):
        settled.append(plant.snapshot(plant.time + 200.0).subracks[0].celsius)
        plant.subrack(1).stopped.add(fan)
    settled.append(plant.snapshot(plant.time + 200.0).subracks[0].celsius)
    assert settled == sorted(settled)
    assert settled[2] < 45.0 < settled[3]
    assert plant.snapshot(plant.time).subracks[1].celsius < 35.0


def test_a_stopped_fan_does_not_turn_and_the_others_turn_faster():
    plant = Plant()
    plant.subrack(2).stopped.add(0)
    fans = plant.snapshot(1.0).subracks[1].fans
    assert fans[0].rpm == 0.0
    assert all(fan.rpm > 4400.0 for fan in fans[1:])


def test_an_imposed_temperature_is_reached_in_its_time_and_held_exactly():
    plant = Plant()
    plant.impose_temperature(0.0, 1, 45.0, over=10.0)
    assert 32.0 < plant.snapshot(5.0).subracks[0].celsius < 45.0
    assert plant.snapshot(10.0).subracks[0].celsius == 45.0
    assert plant.snapshot(500.0).subracks[0].celsius == 45.0


def test_there_is_no_third_subrack():
    with pytest.raises(ValueError, match="there are subracks 1 and 2, not 3"):
        Plant().subrack(3)


def test_the_same_seed_and_times_give_the_same_room_and_another_seed_another():
    first, second, other = Plant(seed=7), Plant(seed=7), Plant(seed=8)
    assert first.snapshot(33.0) == second.snapshot(33.0)
    assert first.snapshot(34.0) != other.snapshot(34.0)


def test_values_move_smoothly_and_stay_within_bounds():
    values = [wobble(1, "phase0", step / 10) for step in range(2000)]
    assert all(-1.0 <= value <= 1.0 for value in values)
    assert max(abs(a - b) for a, b in pairwise(values)) <= 2.0 / 40 + 1e-9
    assert max(values) - min(values) > 1.0


def test_neighbouring_names_do_not_move_together():
    pairs = [(wobble(1, "fan0/1", 4.0 * n), wobble(1, "fan0/2", 4.0 * n)) for n in range(400)]
    assert abs(sum(a * b for a, b in pairs)) / len(pairs) < 0.1
