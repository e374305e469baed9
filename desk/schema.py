"""The desk's tables, in plain SQL. Times are the desk's Unix seconds; JSON is kept as it was encoded.

Migration N makes version N of the file (`runtime.writer.migrate`); a released migration is never changed. Tickets of a
version-2 file get their entries when the desk opens it (`desk.carried`).
"""

from desk.tables import (
    clock,
    epochs,
    histories,
    incidents,
    keeping,
    notices,
    periods,
    requests,
    tickets,
    tokens,
    users,
    walktest,
)

MIGRATIONS: tuple[str, ...] = (
    """
CREATE TABLE desk (one INTEGER PRIMARY KEY CHECK (one = 1), incarnation TEXT NOT NULL, made REAL NOT NULL) STRICT;
CREATE TABLE sites (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, contract TEXT NOT NULL, region TEXT NOT NULL, timezone TEXT NOT NULL
) STRICT;
CREATE TABLE agents (
    id TEXT PRIMARY KEY, site TEXT NOT NULL REFERENCES sites (id), token TEXT NOT NULL UNIQUE, enrolled REAL NOT NULL,
    retired REAL, version TEXT NOT NULL, heartbeat REAL, skew REAL, interval REAL NOT NULL DEFAULT 30.0,
    epoch TEXT NOT NULL DEFAULT '', last_seq INTEGER NOT NULL DEFAULT 0, depth INTEGER NOT NULL DEFAULT 0,
    oldest_age REAL NOT NULL DEFAULT 0.0, contract TEXT NOT NULL DEFAULT '', digest TEXT NOT NULL DEFAULT '',
    devices INTEGER NOT NULL DEFAULT 0, unreachable INTEGER NOT NULL DEFAULT 0, metrics TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE codes (
    hash TEXT PRIMARY KEY, site TEXT NOT NULL REFERENCES sites (id), expires REAL NOT NULL, agent TEXT
) STRICT;
CREATE TABLE cursors (
    agent TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, begun REAL NOT NULL, PRIMARY KEY (agent, epoch)
) STRICT;
CREATE TABLE receipts (
    agent TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, received REAL NOT NULL,
    PRIMARY KEY (agent, epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_by_time ON receipts (received);
CREATE TABLE episodes (
    id TEXT PRIMARY KEY, condition TEXT NOT NULL, site TEXT NOT NULL, agent TEXT NOT NULL, revision INTEGER NOT NULL,
    active INTEGER NOT NULL, state TEXT NOT NULL, opened INTEGER NOT NULL, explained_by TEXT NOT NULL,
    onset REAL NOT NULL, changed REAL NOT NULL, change BLOB NOT NULL, ended_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX episodes_standing ON episodes (site) WHERE active = 1;
CREATE INDEX episodes_explained ON episodes (explained_by) WHERE active = 1 AND explained_by <> '';
CREATE INDEX episodes_by_condition ON episodes (condition, changed);
CREATE INDEX episodes_by_change ON episodes (changed);
CREATE TABLE tickets (
    number INTEGER PRIMARY KEY AUTOINCREMENT, condition TEXT NOT NULL, site TEXT NOT NULL, state TEXT NOT NULL,
    level INTEGER NOT NULL, provisional INTEGER NOT NULL, "case" TEXT NOT NULL, opened REAL NOT NULL,
    episode TEXT NOT NULL, acknowledged REAL, acknowledged_by TEXT NOT NULL, resolved REAL, closed REAL,
    explained_by TEXT NOT NULL, shelved INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_ticket_a_condition ON tickets (site, condition) WHERE state <> 'closed';
CREATE INDEX tickets_by_state ON tickets (state, resolved);
CREATE TABLE ticket_episodes (
    ticket INTEGER NOT NULL REFERENCES tickets (number), episode TEXT NOT NULL REFERENCES episodes (id),
    joined REAL NOT NULL, PRIMARY KEY (ticket, episode)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, who TEXT NOT NULL, source TEXT NOT NULL, what TEXT NOT NULL,
    site TEXT NOT NULL, ticket INTEGER, episode TEXT NOT NULL, detail BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_ticket ON audit (ticket) WHERE ticket IS NOT NULL;
CREATE TRIGGER audit_keeps BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END;
CREATE TRIGGER audit_stands BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END;
CREATE TABLE commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, at REAL NOT NULL, expires REAL NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX commands_by_site ON commands (site, id);
CREATE TABLE snapshots (
    site TEXT PRIMARY KEY, received REAL NOT NULL, command INTEGER NOT NULL, report BLOB NOT NULL
) STRICT;
CREATE TABLE trends (
    site TEXT NOT NULL, device TEXT NOT NULL, point TEXT NOT NULL, received REAL NOT NULL, command INTEGER NOT NULL,
    report BLOB NOT NULL, PRIMARY KEY (site, device, point)
) STRICT;
CREATE TABLE quarantine (
    agent TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, site TEXT NOT NULL, received REAL NOT NULL,
    reason TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (agent, epoch, seq)
) STRICT;
CREATE TABLE connector_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, ticket INTEGER NOT NULL, reason TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
""",
    """
ALTER TABLE cursors ADD COLUMN over INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tickets_by_site ON tickets (site, state);
CREATE INDEX audit_by_episode ON audit (episode) WHERE episode <> '';
CREATE INDEX connector_outbox_by_time ON connector_outbox (at);
""",
    "".join(
        each.STATEMENTS
        for each in (
            tickets,
            notices,
            periods,
            incidents,
            clock,
            requests,
            epochs,
            keeping,
            users,
            walktest,
            tokens,
            histories,
        )
    ),
)
