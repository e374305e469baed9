"""What the agent loads: the cost of each library in a process of its own, and that the heavy ones stay out."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable

from bench.figures import Budget, Figure, Spread
from bench.processes import ROOT
from bench.site import host_section, site
from bench.sizes import Sizes

HEAVY = ("pysnmp", "jinja2", "starlette", "uvicorn", "pymodbus", "rich", "psycopg", "sqlalchemy", "pydantic", "desk")
"""None of these belongs into an agent that watches its host; `collectors.snmp` and `collectors.line` neither."""
UNUSED = ("collectors.snmp", "collectors.line", "serial")
AGENT = "roundsman.commands.agent"
LIBRARIES = ("yaml", "prometheus_client", "apscheduler.schedulers.asyncio", "httpx", "uvicorn", "pysnmp.hlapi.asyncio")
COUNTED = """
import sys, time
sys.modules.update(rich=None, pygments=None)
def unique():
    with open("/proc/self/smaps_rollup") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private"))
before, began = unique(), time.process_time()
import {module}
print(time.process_time() - began, unique() - before)
"""


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Ask a running agent what it has loaded; import each library by itself."""
    tell("what a running agent has loaded")
    loaded = _loaded(sizes)
    heavy = [name for name in (*HEAVY, *UNUSED) if name in loaded]
    note = f"loaded: {', '.join(heavy)}" if heavy else "none is loaded"
    figures = [
        Figure("heavy modules in a running host-only agent", "modules", Spread.of([len(heavy)]), (), Budget(0), note)
    ]
    for module in (*LIBRARIES, AGENT):
        tell(f"import {module}")
        found = [_import(module) for _ in range(sizes.runs)]
        where = "in the agent" if module in loaded else "not in the agent"
        if module == AGENT:
            where = "all the agent's, before its site file"
        figures += [
            Figure(f"import {module} ({where}): CPU", "ms", Spread.of(cpu * 1e3 for cpu, _ in found)),
            Figure(f"import {module} ({where}): USS", "MiB", Spread.of(kib / 1024 for _, kib in found)),
        ]
    return figures


def _loaded(sizes: Sizes) -> set[str]:
    """Return the names of all modules of an agent that has had its first reading."""
    with site(host_section(sizes.interval)) as place, place.agent() as agent:
        agent.until(lambda: agent.said(b"first reading"))
        os.kill(agent.pid, signal.SIGUSR1)
        agent.until(lambda: place.modules.exists() and place.modules.read_text().endswith("\n"))
        return set(json.loads(place.modules.read_text()))


def _import(module: str) -> tuple[float, float]:
    """Return the CPU seconds and the KiB of unique memory of one import in a fresh interpreter."""
    words = [sys.executable, "-c", COUNTED.format(module=module)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    cpu, kib = done.stdout.split()
    return float(cpu), float(kib)
