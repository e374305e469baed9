"""Tickets as records: the entries that are only appended, the row that follows from them, what has fired.

A ticket's row is what its entries add up to (`model.service.row`); only the entries are the truth, and `record` may be
made again from them (`desk.ledger.check_books`).
"""

STATEMENTS = """
ALTER TABLE tickets ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN fault TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN start REAL NOT NULL DEFAULT 0.0;
ALTER TABLE tickets ADD COLUMN onset REAL NOT NULL DEFAULT 0.0;
ALTER TABLE tickets ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN workaround INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN cover TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE tickets ADD COLUMN handling TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN merged_into INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN responded REAL;
ALTER TABLE tickets ADD COLUMN departed REAL;
ALTER TABLE tickets ADD COLUMN arrived REAL;
ALTER TABLE tickets ADD COLUMN restored REAL;
ALTER TABLE tickets ADD COLUMN milestone_resolved REAL;
ALTER TABLE tickets ADD COLUMN waits_for_word INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN late INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN due REAL;
ALTER TABLE tickets ADD COLUMN due_clock TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN again REAL;
ALTER TABLE tickets ADD COLUMN entries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN record BLOB NOT NULL DEFAULT x'';
CREATE INDEX tickets_again ON tickets (again) WHERE again IS NOT NULL;
CREATE INDEX tickets_of_fault ON tickets (site, device, fault) WHERE state = 'closed';
CREATE INDEX tickets_merged ON tickets (site, condition) WHERE merged_into <> 0;
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, ticket INTEGER NOT NULL REFERENCES tickets (number), seq INTEGER NOT NULL,
    at REAL NOT NULL, who TEXT NOT NULL, source TEXT NOT NULL, side TEXT NOT NULL, trust TEXT NOT NULL,
    what TEXT NOT NULL, did TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (ticket, seq)
) STRICT;
CREATE TRIGGER entries_keep BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries only grow'); END;
CREATE TRIGGER entries_stand BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TABLE fired (
    ticket INTEGER NOT NULL REFERENCES tickets (number), clock TEXT NOT NULL, step TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (ticket, clock, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE listed (
    site TEXT NOT NULL, device TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (site, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE momentary (condition TEXT PRIMARY KEY, tally BLOB NOT NULL) STRICT, WITHOUT ROWID;
DROP INDEX audit_by_episode;
CREATE INDEX audit_of_episode ON audit (site, episode) WHERE episode <> '';
"""
