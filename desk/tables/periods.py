"""Maintenance windows, guard periods, and the tickets that a window holds back.

A window ends by its time alone (`model.period`); `held` says what has to be looked at when nothing holds it any more,
and stays as the window's record: since when the desk knew, and on which ticket the fault stood at the end. `until` is
worked out anew whenever a person changes a window or a guard period: what that may move is marked with when it was
(`stale`), and worked out a part at a time, or when somebody asks.
"""

STATEMENTS = """
CREATE TABLE windows (
    id INTEGER PRIMARY KEY AUTOINCREMENT, starts REAL NOT NULL, ends REAL NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX windows_by_end ON windows (ends);
CREATE TABLE guards (
    id INTEGER PRIMARY KEY AUTOINCREMENT, starts REAL NOT NULL, ends REAL NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX guards_by_end ON guards (ends);
CREATE TABLE held (
    site TEXT NOT NULL, device TEXT NOT NULL, fault TEXT NOT NULL, planned INTEGER NOT NULL REFERENCES windows (id),
    since REAL NOT NULL, until REAL NOT NULL, released REAL, ticket INTEGER, stale REAL,
    PRIMARY KEY (planned, site, device, fault)
) STRICT, WITHOUT ROWID;
CREATE INDEX held_waiting ON held (until) WHERE released IS NULL;
CREATE INDEX held_stale ON held (stale) WHERE released IS NULL AND stale IS NOT NULL;
CREATE INDEX held_at ON held (site) WHERE released IS NULL;
"""
