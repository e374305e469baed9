"""What the desk last knew of the time."""

STATEMENTS = """
CREATE TABLE clock (
    one INTEGER PRIMARY KEY CHECK (one = 1), wall REAL NOT NULL, boot REAL NOT NULL, boot_id TEXT NOT NULL,
    sure INTEGER NOT NULL, began REAL NOT NULL, lost REAL, note TEXT NOT NULL
) STRICT;
"""
