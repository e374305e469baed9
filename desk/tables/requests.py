"""Requests of programs that carry a key, with their answers, so that one that comes twice is done once."""

STATEMENTS = """
CREATE TABLE requests (
    key TEXT PRIMARY KEY, at REAL NOT NULL, hash BLOB NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX requests_by_time ON requests (at);
"""
