"""Clients of ticket desks and pagers."""

import sys
from importlib.util import find_spec

# httpx loads a command line of its own where click is there (1.5 MB), and httpcore looks for sniffio anew with every
# request where it is not. A module that is None here is one that cannot be imported.
for _unwanted in ("httpx._main", *(["sniffio"] if find_spec("sniffio") is None else [])):
    sys.modules.setdefault(_unwanted, None)  # type: ignore[arg-type]  # the import system's own word for it
