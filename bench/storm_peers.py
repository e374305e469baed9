"""What receives a storm: the desk, the bare intake, a TLS proxy before them, and Debian's Alertmanager."""

import json
import shutil
import signal
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.processes import Child, answers, python, scrape
from bench.site import ROUNDSMAN, free_port
from bench.storm_client import Parcel, post
from bench.storm_sites import ALARMS, Member
from tests.certificate import a_certificate

ALERTMANAGER, PROXY = "prometheus-alertmanager", "haproxy"

PROXY_FILE = """\
global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 120s
  timeout server 120s
frontend sites
  bind 127.0.0.1:{port} ssl crt {folder}/proxy.pem ssl-min-ver TLSv1.2
  default_backend desk
backend desk
  http-reuse always
  server desk 127.0.0.1:{desk}
"""

ALERTS_FILE = """\
route: {receiver: nobody, group_by: [site], group_wait: 30s}
receivers: [{name: nobody}]
inhibit_rules:
  - {source_matchers: ['root="yes"'], target_matchers: ['root="no"'], equal: [site]}
"""


class Running:
    """A desk that may be killed and started again."""

    def __init__(self, state: Path, folder: Path) -> None:
        self.state, self.folder, self.port = state, folder, free_port()
        self.file = state / "desk.sqlite"
        self.child = self._start()

    def _start(self) -> Child:
        (self.state / "local.json").unlink(missing_ok=True)
        words = [str(ROUNDSMAN), "desk", "--state", str(self.state), "--listen", f"127.0.0.1:{self.port}"]
        child = Child("desk", words, self.folder)
        child.until((self.state / "local.json").exists)
        return child

    def kill(self) -> None:
        """Kill it at once: SIGKILL."""
        self.child.stop(signal.SIGKILL)

    def again(self) -> None:
        """Start it again with its file as it was left."""
        self.child = self._start()


@contextmanager
def desk(state: Path, folder: Path) -> Iterator[Running]:
    """Run a real desk on its state folder."""
    running = Running(state, folder)
    try:
        yield running
    finally:
        running.child.end()


@contextmanager
def bare(state: Path, folder: Path, *, keep: bool) -> Iterator[tuple[Child, int]]:
    """Run the bare intake beside a desk's file; gives it and its port."""
    port = free_port()
    words = python("bench.bare", str(state), str(port), *(["--bytes"] if keep else []))
    with Child("bare", words, folder) as child:
        child.until(lambda: _listens(port))
        yield child, port


@contextmanager
def proxied(desk_port: int, folder: Path) -> Iterator[tuple[int, ssl.SSLContext] | None]:
    """Run a TLS proxy before a port; gives its port and a context that trusts its certificate alone."""
    program = shutil.which(PROXY) or shutil.which(PROXY, path="/usr/sbin")
    if program is None:
        yield None
        return
    port = free_port()
    certificate, key = (path.read_text(encoding="ascii") for path in a_certificate(folder))
    (folder / "proxy.pem").touch(0o600)
    (folder / "proxy.pem").write_text(certificate + key, encoding="ascii")
    (folder / "proxy.cfg").write_text(PROXY_FILE.format(port=port, folder=folder, desk=desk_port), encoding="ascii")
    with Child("proxy", [program, "-f", str(folder / "proxy.cfg"), "-db"], folder) as child:
        child.until(lambda: _listens(port))
        yield port, ssl.create_default_context(cadata=certificate)


@contextmanager
def alertmanager(folder: Path) -> Iterator[tuple[Child, int] | None]:
    """Run Alertmanager, which inhibits what its site's root explains and tells nobody."""
    if shutil.which(ALERTMANAGER) is None:
        yield None
        return
    port = free_port()
    (folder / "alerts.yml").write_text(ALERTS_FILE, encoding="ascii")
    words = [
        ALERTMANAGER,
        f"--config.file={folder}/alerts.yml",
        f"--storage.path={folder}/alerts",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with Child("alertmanager", words, folder) as child:
        child.until(lambda: answers(port))
        yield child, port


def alerts(members: Sequence[Member], port: int) -> list[Parcel]:
    """Return the same storm as Alertmanager takes it: five alerts of a site in one request."""
    return [
        Parcel(each.site, post("/api/v2/alerts", port, json.dumps(_alerts(each)).encode()), lambda _: True)
        for each in members
    ]


def alerts_known(port: int) -> int:
    """Return how many alerts Alertmanager has."""
    lines = [line for line in scrape(port).splitlines() if line.startswith("alertmanager_alerts{")]
    return int(sum(float(line.rpartition(" ")[2]) for line in lines))


def _alerts(member: Member) -> list[dict[str, object]]:
    return [
        {
            "labels": {"alertname": fault, "site": member.site, "device": device, "region": member.region,
                       "severity": str(meaning), "root": "yes" if place == 0 else "no"},
            "annotations": {"summary": title[0], "device": name, "evidence": f"{proof.label}: {proof.value}"},
        }
        for place, (device, name, fault, title, meaning, _, proof) in enumerate(ALARMS)
    ]  # fmt: skip


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True
