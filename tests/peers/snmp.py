"""SNMP agents that we did not write, on loopback: net-snmp's snmpd, and snmpsim serving recordings of real devices.

    with snmpd(folder, objects={"1.3.6.1.2.1.33.1.2.4.0": ("integer", "97")}) as agent: ...
    with snmpsim(folder, ["cyberpower"]) as agent: ...   # the recording's name is the community

Each is ready when it is yielded: it has answered a GET, whose octets stand here so that no codec of ours takes part.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.recordings import recordings

START_SECONDS = 60.0


@dataclass(frozen=True)
class Agent:
    """A running agent: where it listens, the community it knows, its process."""

    host: str
    port: int
    community: str
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """Return a UDP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def snmpd(
    folder: Path,
    *,
    objects: Mapping[str, tuple[str, str]] | None = None,
    lines: Iterable[str] = (),
    port: int = 0,
    host: str = "127.0.0.1",
) -> Iterator[Agent]:
    """Run net-snmp's agent at `host` (127.0.0.1 or ::1), with more lines of snmpd.conf.

    `objects` are OID -> (type, value), as its `override` takes them.

    Its own MIB (system, interfaces, host resources) is there too. Community "public".
    """
    if shutil.which("snmpd") is None:
        pytest.skip("net-snmp's snmpd is not installed")
    port = port or free_port()
    version_6 = ":" in host
    config = [f"agentaddress udp6:[{host}]:{port}" if version_6 else f"agentaddress udp:{host}:{port}"]
    config += [f"rocommunity6 public {host}" if version_6 else f"rocommunity public {host}", *lines]
    config += [f"override {oid} {kind} {value}" for oid, (kind, value) in (objects or {}).items()]
    (folder / "snmpd.conf").write_text("\n".join(config) + "\n")
    command = ["snmpd", "-f", "-Lf", str(folder / "snmpd.log"), "-C", "-c", str(folder / "snmpd.conf"), "-r"]
    environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(folder), "MIBS": ""}
    with _running(command, environment, folder / "snmpd.out") as process:
        yield _when_ready(Agent(host, port, "public", process), folder)


@contextlib.contextmanager
def snmpsim(folder: Path, names: Iterable[str], *, source: Path | None = None, port: int = 0) -> Iterator[Agent]:
    """Serve recordings; the community is the recording's name, and the Agent's is that of the first.

    `source` is the folder of `*.snmprec` files: the recordings of real devices unless given.
    """
    responder = os.environ.get("ROUNDSMAN_SNMPSIM", str(Path(sys.executable).with_name("snmpsim-command-responder")))
    python = Path(responder).with_name("python")
    if subprocess.run([python, "-c", "import snmpsim, pysmi"], check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip(f"snmpsim does not run at {responder} (set ROUNDSMAN_SNMPSIM to its snmpsim-command-responder)")
    served = folder / "served"
    served.mkdir()
    wanted, origin = list(names), source or recordings() / "snmp" / "snmpsim"
    for name in wanted:
        shutil.copyfile(origin / f"{name}.snmprec", served / f"{name}.snmprec")  # it follows no link
    port = port or free_port()
    command = [responder, f"--data-dir={served}", f"--cache-dir={folder / 'cache'}", "--max-var-binds=64"]
    command += [f"--agent-udpv4-endpoint=127.0.0.1:{port}", "--log-level=error"]
    if os.geteuid() == 0:  # it refuses to run as root unless told; another user may be unable to read this interpreter
        command += ["--process-user=root", "--process-group=root"]
    with _running(command, dict(os.environ), folder / "snmpsim.out") as process:
        yield _when_ready(Agent("127.0.0.1", port, wanted[0], process), folder)


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str], output: Path) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _when_ready(agent: Agent, folder: Path) -> Agent:
    """Return the agent once it has answered a GET of sysObjectID.0, however it answers."""
    asked = _get_sys_object_id(agent.community)
    deadline = time.monotonic() + START_SECONDS
    family = socket.AF_INET6 if ":" in agent.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.connect((agent.host, agent.port))
        asking.settimeout(0.2)
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                asking.send(asked)
                asking.recv(4096)
                return agent
            with contextlib.suppress(subprocess.TimeoutExpired):  # also the pause between two tries
                agent.process.wait(0.02)
                break
    logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in folder.glob("*.[ol][uo][tg]"))
    raise AssertionError(f"{agent} did not answer within {START_SECONDS:.0f} s:\n{logs}")


def _get_sys_object_id(community: str) -> bytes:
    """Return a version 2c GET of 1.3.6.1.2.1.1.2.0, typed from RFC 3416."""
    pdu = bytes.fromhex("a019 0201 07 0201 00 0201 00 300e 300c 0608 2b06010201010200 0500")
    body = bytes.fromhex("0201 01") + bytes((0x04, len(community))) + community.encode() + pdu
    return bytes((0x30, len(body))) + body
