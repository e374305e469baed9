"""`desk revoke SITE` and `desk rotate SITE`: to the desk that runs."""

from pathlib import Path

from desk.local import ask


def revoke(state: Path, site: str, by: str) -> str:
    """End a site's agent's tokens and join lines; returns the agent. Raises LocalError when it has none."""
    return str(ask(state, "POST", "/api/v1/local/revoke", {"site": site, "by": by})["agent"])


def rotate(state: Path, site: str, by: str) -> str:
    """Have a site's agent take another token; returns the agent. Raises LocalError when it has none."""
    return str(ask(state, "POST", "/api/v1/local/rotate", {"site": site, "by": by})["agent"])
