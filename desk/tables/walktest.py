"""Walk-tests: the list of each, what the desk saw of it, what people said, and the record that was signed.

A walk-test has its window's number. What is signed or cancelled is never changed again: the file itself refuses it.
"""

STATEMENTS = """
CREATE TABLE walktests (
    number INTEGER PRIMARY KEY REFERENCES windows (id), site TEXT NOT NULL, opened REAL NOT NULL, closed REAL,
    looked REAL NOT NULL DEFAULT 0.0, body BLOB NOT NULL, record BLOB
) STRICT;
CREATE INDEX walktests_by_site ON walktests (site, number);
CREATE INDEX walktests_open ON walktests (number) WHERE closed IS NULL;
CREATE TABLE walktest_items (
    walktest INTEGER NOT NULL REFERENCES walktests (number), place INTEGER NOT NULL, key TEXT NOT NULL,
    device TEXT NOT NULL, body BLOB NOT NULL, seen BLOB, marks BLOB, PRIMARY KEY (walktest, key)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER walktests_stand BEFORE UPDATE ON walktests WHEN OLD.closed IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a walk-test that is signed or cancelled is never changed'); END;
CREATE TRIGGER walktests_keep BEFORE DELETE ON walktests
    BEGIN SELECT RAISE(ABORT, 'walk-tests are kept'); END;
CREATE TRIGGER walktest_items_stand BEFORE UPDATE ON walktest_items
    WHEN (SELECT closed FROM walktests WHERE number = OLD.walktest) IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a walk-test that is signed or cancelled is never changed'); END;
CREATE TRIGGER walktest_items_keep BEFORE DELETE ON walktest_items
    BEGIN SELECT RAISE(ABORT, 'walk-tests are kept'); END;
CREATE TRIGGER walktest_items_whole BEFORE INSERT ON walktest_items
    WHEN (SELECT closed FROM walktests WHERE number = NEW.walktest) IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a walk-test that is signed or cancelled is never changed'); END;
"""
