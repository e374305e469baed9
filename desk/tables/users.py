"""People who sign in: accounts, one-time links, sessions, browsers, tokens of programs, sign-ins that failed.

Of links, sessions, browsers and tokens only hashes are kept: each is 256 random bits. `regions` and `sites` are JSON
lists, both empty for no bounds. Accounts and tokens are never deleted: the audit names them.
"""

STATEMENTS = """
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, folded TEXT NOT NULL UNIQUE, role TEXT NOT NULL,
    regions TEXT NOT NULL, sites TEXT NOT NULL, password TEXT NOT NULL DEFAULT '', made REAL NOT NULL,
    made_by TEXT NOT NULL, disabled REAL, signed_in REAL
) STRICT;
CREATE TABLE links (
    hash TEXT PRIMARY KEY, account INTEGER NOT NULL UNIQUE REFERENCES users (id), expires REAL NOT NULL
) STRICT;
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY, account INTEGER NOT NULL REFERENCES users (id), made REAL NOT NULL, seen REAL NOT NULL,
    source TEXT NOT NULL, browser TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_account ON sessions (account);
CREATE TABLE browsers (
    hash TEXT PRIMARY KEY, account INTEGER NOT NULL REFERENCES users (id), seen REAL NOT NULL
) STRICT;
CREATE INDEX browsers_by_account ON browsers (account);
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    account INTEGER REFERENCES users (id), role TEXT NOT NULL, regions TEXT NOT NULL, sites TEXT NOT NULL,
    made REAL NOT NULL, made_by TEXT NOT NULL, expires REAL NOT NULL, revoked REAL, used REAL
) STRICT;
CREATE INDEX tokens_by_account ON tokens (account) WHERE account IS NOT NULL;
CREATE TABLE sign_ins_failed (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, account TEXT NOT NULL, source TEXT NOT NULL,
    browser TEXT NOT NULL
) STRICT;
CREATE INDEX sign_ins_failed_by_time ON sign_ins_failed (at);
"""
