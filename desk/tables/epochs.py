"""In which boot of the agent's machine, and when in it (s), the snapshot was made that began an epoch."""

STATEMENTS = """
ALTER TABLE cursors ADD COLUMN boot_id TEXT NOT NULL DEFAULT '';
ALTER TABLE cursors ADD COLUMN boot REAL NOT NULL DEFAULT 0.0;
"""
