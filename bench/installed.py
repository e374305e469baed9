"""`roundsman` as it is where only requirements.lock is installed.

    python -m bench.installed FILE agent --site site.yaml

httpx loads rich and pygments when they are there, and developers' tools bring them: here they are hidden, or the agent
would look 3 MB heavier than at any site. On SIGUSR1 the names of all loaded modules are written to FILE.
"""

import json
import signal
import sys
from pathlib import Path
from typing import Any

DEVELOPERS_ONLY = ("rich", "pygments")


def main() -> int:
    """Run the command line."""
    file = Path(sys.argv[1])
    hidden: Any = dict.fromkeys(DEVELOPERS_ONLY)  # None: an import of it fails, as where it is missing
    sys.modules.update(hidden)
    signal.signal(signal.SIGUSR1, lambda *_: _tell(file))
    sys.argv = ["roundsman", *sys.argv[2:]]
    from bench import definitions
    from roundsman import main as roundsman

    definitions.add()

    return roundsman()


def _tell(file: Path) -> None:
    loaded = sorted(name for name, module in sys.modules.items() if module is not None)
    file.write_text(json.dumps(loaded) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
