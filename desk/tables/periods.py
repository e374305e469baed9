"""Guard periods and maintenance windows."""

STATEMENTS = ""
