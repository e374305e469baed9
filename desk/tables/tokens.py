"""An agent's tokens: the next one, which is good beside the one in use until the agent speaks with it."""

STATEMENTS = """
ALTER TABLE agents ADD COLUMN next_token TEXT NOT NULL DEFAULT '';
ALTER TABLE agents ADD COLUMN token_at REAL NOT NULL DEFAULT 0.0;
UPDATE agents SET token_at = enrolled;
CREATE UNIQUE INDEX agents_next_token ON agents (next_token) WHERE next_token <> '';
"""
