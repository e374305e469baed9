"""What the desk last knew of the time."""

STATEMENTS = ""
