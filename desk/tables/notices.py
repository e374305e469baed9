"""Who is told what: occasions as they come, notices for people, messages as they are sent, substitutes.

An occasion is written with what caused it. It becomes notices, each (ticket, clock, step, person, channel) once, and
notices become messages, whose bytes and name stay the same however often they are sent. `perhaps`: it was
handed over and nobody knows yet whether it arrived.
"""

STATEMENTS = """
CREATE TABLE occasions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, ticket INTEGER NOT NULL, clock TEXT NOT NULL, step TEXT NOT NULL,
    what TEXT NOT NULL, level INTEGER NOT NULL, role TEXT NOT NULL, at REAL NOT NULL, due REAL,
    rung INTEGER NOT NULL DEFAULT -1, again REAL, unreached INTEGER NOT NULL DEFAULT 0, nobody TEXT NOT NULL DEFAULT '',
    UNIQUE (ticket, clock, step)
) STRICT;
CREATE INDEX occasions_due ON occasions (again) WHERE again IS NOT NULL;
CREATE INDEX occasions_of_nobody ON occasions (at) WHERE nobody <> '';
CREATE INDEX occasions_by_time ON occasions (at);
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT, ticket INTEGER NOT NULL, clock TEXT NOT NULL, step TEXT NOT NULL,
    person TEXT NOT NULL, channel TEXT NOT NULL, what TEXT NOT NULL, level INTEGER NOT NULL, at REAL NOT NULL,
    due REAL, after REAL NOT NULL, state TEXT NOT NULL, message INTEGER,
    UNIQUE (ticket, clock, step, person, channel)
) STRICT;
CREATE INDEX notices_waiting ON notices (person, channel, after) WHERE state = 'waiting';
CREATE INDEX notices_of_message ON notices (message) WHERE message IS NOT NULL;
CREATE INDEX notices_by_time ON notices (at);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, person TEXT NOT NULL, channel TEXT NOT NULL,
    made REAL NOT NULL, level INTEGER NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    next REAL NOT NULL, over REAL, why TEXT NOT NULL DEFAULT '', perhaps INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL
) STRICT;
CREATE INDEX messages_due ON messages (next) WHERE state = 'sending';
CREATE INDEX messages_by_time ON messages (made);
CREATE INDEX messages_to ON messages (person, channel, made);
CREATE INDEX messages_under_way ON messages (person, channel) WHERE state = 'sending';
CREATE TABLE reach (
    person TEXT NOT NULL, channel TEXT NOT NULL, last REAL NOT NULL, reached REAL, failing REAL,
    tries INTEGER NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '', PRIMARY KEY (person, channel)
) STRICT, WITHOUT ROWID;
CREATE TABLE swaps (
    id INTEGER PRIMARY KEY AUTOINCREMENT, absent TEXT NOT NULL, stand_in TEXT NOT NULL, "start" REAL NOT NULL,
    "end" REAL NOT NULL, reason TEXT NOT NULL, at REAL NOT NULL, who TEXT NOT NULL, source TEXT NOT NULL,
    withdrawn REAL, withdrawn_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX swaps_by_end ON swaps ("end") WHERE withdrawn IS NULL;
"""
