"""Where the recordings of real devices lie: beside the checkout, never in it."""

import os
from pathlib import Path

import pytest


def recordings() -> Path:
    """Return the folder of recordings (`snmp/`, `serial/`); skips the test, saying so, where there is none."""
    given = os.environ.get("ROUNDSMAN_RECORDINGS")
    folder = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "recordings"
    if not folder.is_dir():
        pytest.skip(f"no recordings of real devices at {folder} (set ROUNDSMAN_RECORDINGS)")
    return folder
