"""The kinds of port that a line may have, and what opens each."""

from collectors.line.ports.factory import exchange_on, open_port

__all__ = ["exchange_on", "open_port"]
