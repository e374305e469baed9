"""Requests of programs, so that one asked twice is done once."""

STATEMENTS = ""
