"""Ranges of points' histories as sites sent them last; they are asked for again, so a lost one costs nothing."""

STATEMENTS = """
CREATE TABLE histories (
    site TEXT NOT NULL, device TEXT NOT NULL, point TEXT NOT NULL, span TEXT NOT NULL, asked REAL NOT NULL,
    command INTEGER NOT NULL, received REAL, report BLOB, PRIMARY KEY (site, device, point, span)
) STRICT;
CREATE INDEX histories_by_time ON histories (asked);
"""
