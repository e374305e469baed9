"""The one installed name; the application's folders lie beside it in app/."""

import sys
from pathlib import Path


def main() -> int:
    """Start the command line; returns the process's exit status."""
    app = Path(__file__).parent / "app"
    if app.is_dir():
        sys.path.insert(0, str(app))
    try:
        from roundsman.cli import run  # noqa: PLC0415 - the path above comes first

        return run()
    except KeyboardInterrupt:  # while it is being loaded; later, each command has its own end
        return 130
