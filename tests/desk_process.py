"""A real desk process for tests of commands and clients: `roundsman desk` on a free port."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desk.enrol import enrol
from desk.local import read_local
from desk.settings import shipped
from tests.peers.house import free_port


@contextmanager
def a_desk_process(state: Path, **sites: str) -> Iterator[str]:
    """Run a desk with sites (name to contract) and give its address."""
    command = [sys.executable, "-m", "roundsman", "desk", "--state", str(state), "--listen", f"127.0.0.1:{free_port()}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as desk:
        assert desk.stderr is not None
        try:
            heard = ""
            for line in desk.stderr:
                heard += line
                if "answers at" in line:
                    break
            else:
                raise AssertionError(heard)
            for site, contract in sites.items():
                region = next(iter(shipped(contract).regions), "")
                enrol(state, site, name=f"Hall {site}", contract=contract, region=region, timezone="Asia/Shanghai")
            yield read_local(state).url
        finally:
            desk.terminate()
            desk.wait(timeout=20)
