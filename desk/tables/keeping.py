"""Restores of the desk's file: what was put back, and until when what falls due waits for the agents to replay."""

STATEMENTS = """
CREATE TABLE restores (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, made REAL NOT NULL, source TEXT NOT NULL,
    before TEXT NOT NULL, replayed REAL
) STRICT;
CREATE INDEX restores_open ON restores (id) WHERE replayed IS NULL;
"""
