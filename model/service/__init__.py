"""The life of a ticket under its contract: a fold over what was written down of it, and what time asks for."""
