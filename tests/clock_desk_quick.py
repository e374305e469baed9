"""The desk as `roundsman desk` runs it, but that it looks around five times a second: for tests that wait for that."""

import asyncio
import logging
import sys
from pathlib import Path

from desk.app import serve
from desk.settings import DeskSettings

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    state, port = sys.argv[1:]
    asyncio.run(serve(DeskSettings(state=Path(state), port=int(port), sweep=0.2)))
