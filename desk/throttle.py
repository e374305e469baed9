"""How often somebody may try to sign in: guessing is slow, and no stranger can keep the real user out for long.

After a few failures each try waits for the last, longer each time, to a limit. Failures count for the account from this
address, for the account from anywhere, and for the address. A browser in which the account was signed in before has a
count of its own (OWASP: device cookies), so that a stranger who guesses on does not slow its owner down. An address of
IPv6 counts as its /64: whoever has one has all of them.
"""

import ipaddress
from typing import NamedTuple

from desk.store import Db, every

REMEMBERED = 900.0  # seconds that a failure counts
AHEAD = 10.0  # seconds: one that is later was written before the clock was set back, and keeps nobody out


class Limit(NamedTuple):
    """How many failures are free, and how many seconds a try waits at most after more."""

    free: int
    longest: float


PAIR, ACCOUNT, ADDRESS, KNOWN = Limit(5, 60.0), Limit(20, 30.0), Limit(30, 30.0), Limit(5, 60.0)


def wait_for(db: Db, account: str, source: str, browser: str, now: float) -> float:
    """Return how many seconds a try must wait now, 0 for none. `browser` is known as the account's, "" for none."""
    source = _network(source)
    rows = every(
        db,
        "SELECT at, account, source, browser FROM sign_ins_failed WHERE at BETWEEN ? AND ?"
        " AND (account = ? OR source = ?)",
        now - REMEMBERED,
        now + AHEAD,
        account,
        source,
    )
    if browser:
        own = [row["at"] for row in rows if row["browser"] == browser and row["account"] == account]
        return _wait(own, KNOWN, now)
    strangers = [row for row in rows if not row["browser"]]
    same = [row["at"] for row in strangers if row["account"] == account]
    here = [row["at"] for row in strangers if row["source"] == source]
    both = [row["at"] for row in strangers if row["account"] == account and row["source"] == source]
    return max(_wait(both, PAIR, now), _wait(same, ACCOUNT, now), _wait(here, ADDRESS, now))


def failed(db: Db, account: str, source: str, browser: str, now: float) -> None:
    """Count a failure."""
    db.execute("DELETE FROM sign_ins_failed WHERE at NOT BETWEEN ? AND ?", (now - REMEMBERED, now + AHEAD))
    db.execute(
        "INSERT INTO sign_ins_failed (at, account, source, browser) VALUES (?, ?, ?, ?)",
        (now, account[:100], _network(source), browser),
    )


def succeeded(db: Db, account: str, source: str, browser: str) -> None:
    """Forget the failures of an account from where it was signed in."""
    db.execute(
        "DELETE FROM sign_ins_failed WHERE account = ? AND browser = ? AND (source = ? OR browser <> '')",
        (account[:100], browser, _network(source)),
    )


def _wait(times: list[float], limit: Limit, now: float) -> float:
    over = len(times) - limit.free
    if over < 0:
        return 0.0
    pause: float = min(2.0 ** min(over, 10), limit.longest)
    return max(0.0, max(times) + pause - now)


def _network(source: str) -> str:
    """Return what an address counts as."""
    try:
        address = ipaddress.IPv6Address(source.partition("%")[0])
    except ValueError:
        return source
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return source if address.is_loopback else str(ipaddress.IPv6Network((address, 64), strict=False))
