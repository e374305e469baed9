"""How tries to sign in are counted: by whole networks of IPv6, and after a clock that was set back."""

import sqlite3

import pytest

from desk.schema import MIGRATIONS
from desk.store import Db
from desk.throttle import failed, wait_for
from desk.web import is_loopback
from runtime.writer import migrate

NOW = 1_800_000_000.0


@pytest.fixture
def db() -> Db:
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.row_factory = sqlite3.Row
    migrate(made, MIGRATIONS)
    return made


def test_whoever_has_a_network_of_ipv6_is_one_address(db: Db) -> None:
    for n in range(40):
        failed(db, f"name {n}", f"2001:db8:1:2::{n:x}", "", NOW)
    assert wait_for(db, "another name", "2001:db8:1:2:ffff::1", "", NOW) > 0
    assert wait_for(db, "another name", "2001:db8:1:3::1", "", NOW) == 0


def test_an_address_of_ipv4_is_the_same_however_it_is_written(db: Db) -> None:
    for n in range(40):
        failed(db, f"name {n}", "::ffff:192.0.2.7", "", NOW)
    assert wait_for(db, "another name", "192.0.2.7", "", NOW) > 0
    assert wait_for(db, "another name", "::ffff:192.0.2.8", "", NOW) == 0
    assert is_loopback("::ffff:127.0.0.1")
    assert not is_loopback("::ffff:192.0.2.7")


def test_a_clock_that_was_set_back_keeps_nobody_out(db: Db) -> None:
    for _ in range(8):
        failed(db, "li", "192.0.2.7", "", NOW)
    assert wait_for(db, "li", "192.0.2.7", "", NOW) > 0
    assert wait_for(db, "li", "192.0.2.7", "", NOW - 86_400.0) == 0
    failed(db, "li", "192.0.2.7", "", NOW - 86_400.0)
    assert wait_for(db, "li", "192.0.2.7", "", NOW) == 0, "and what it wrote is gone"


def test_tries_at_one_time_count_in_whatever_order_they_are_written(db: Db) -> None:
    for n in range(8):
        failed(db, "li", "192.0.2.7", "", NOW - n * 0.1)
    assert wait_for(db, "li", "192.0.2.7", "", NOW - 1.0) > 0
