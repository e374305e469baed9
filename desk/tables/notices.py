"""Notices: who is told of what, and whether they were."""

STATEMENTS = ""
