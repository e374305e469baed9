"""The peers, each started as its own documentation says; one that is not installed is None, never a failure."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.exporter import snmp_modules
from bench.figures import Peer, Spread
from bench.processes import Child, answers, python, scrape, series
from bench.site import free_port

NODE_EXPORTER, SNMP_EXPORTER = "prometheus-node-exporter", "prometheus-snmp-exporter"
NOT_INSTALLED = "not installed"

COLLECTD = """\
Interval {interval}
BaseDir "{folder}"
PIDFile "{folder}/collectd.pid"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin cpu
LoadPlugin load
LoadPlugin memory
LoadPlugin swap
LoadPlugin df
LoadPlugin disk
LoadPlugin interface
LoadPlugin uptime
LoadPlugin csv
<Plugin csv>
  DataDir "{folder}/csv"
</Plugin>
"""

PROMETHEUS = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s, scrape_timeout: 1s}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: ups
    metrics_path: /snmp
    params: {{module: [ups], target: ["{target}"]}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
RULES = "groups: [{name: ups, rules: [{alert: UpsOutputLost, expr: upsOutputSource == 2}]}]\n"


class Serving:
    """A peer with a page."""

    def __init__(self, child: Child, port: int) -> None:
        self.child = child
        self.port = port

    def page(self, path: str = "/metrics") -> str:
        """Return one page."""
        return scrape(self.port, path)


@contextmanager
def node_exporter(*, wait: bool = True) -> Iterator[Serving | None]:
    """Run node_exporter with its defaults."""
    with _serving(NODE_EXPORTER, lambda port, _: [f"--web.listen-address=127.0.0.1:{port}"], wait=wait) as found:
        yield found


@contextmanager
def snmp_exporter(*, wait: bool = True) -> Iterator[Serving | None]:
    """Run snmp_exporter with modules that read what our definitions read of the bench's cards."""

    def words(port: int, folder: Path) -> list[str]:
        (folder / "snmp.yml").write_text(snmp_modules(), encoding="ascii")
        return [f"--config.file={folder}/snmp.yml", f"--web.listen-address=127.0.0.1:{port}"]

    with _serving(SNMP_EXPORTER, words, wait=wait) as found:
        yield found


@contextmanager
def prometheus(exporter: Serving, target: str) -> Iterator[Serving | None]:
    """Run Prometheus over snmp_exporter, scraping and evaluating every second, with an alert that has no delay."""

    def words(port: int, folder: Path) -> list[str]:
        config = PROMETHEUS.format(target=target, port=exporter.port)
        (folder / "prometheus.yml").write_text(config, encoding="ascii")
        (folder / "rules.yml").write_text(RULES, encoding="ascii")
        listen = f"--web.listen-address=127.0.0.1:{port}"
        return [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb", listen]

    with _serving("prometheus", words) as found:
        yield found


@contextmanager
def client_gauges(count: int) -> Iterator[Serving]:
    """Run a page of prometheus-client's gauges."""
    port = free_port()
    with (
        TemporaryDirectory(prefix="roundsman-peer-") as name,
        Child("gauges", python("bench.gauges", str(port), str(count)), Path(name)) as child,
    ):
        child.until(lambda: answers(port))
        yield Serving(child, port)


@contextmanager
def collectd(interval: int) -> Iterator[Child | None]:
    """Run collectd with the plugins that read what our host collector reads."""
    program = shutil.which("collectd") or shutil.which("collectd", path="/usr/sbin")
    with TemporaryDirectory(prefix="roundsman-peer-") as name, ExitStack() as stack:
        if program is None:
            yield None
            return
        config = Path(name) / "collectd.conf"
        config.write_text(COLLECTD.format(interval=interval, folder=name), encoding="ascii")
        yield stack.enter_context(Child("collectd", [program, "-f", "-C", str(config)], Path(name)))


@contextmanager
def _serving(program: str, words: Callable[[int, Path], list[str]], *, wait: bool = True) -> Iterator[Serving | None]:
    with TemporaryDirectory(prefix="roundsman-peer-") as name, ExitStack() as stack:
        if shutil.which(program) is None:
            yield None
            return
        port = free_port()
        child = stack.enter_context(Child(program, [program, *words(port, Path(name))], Path(name)))
        if wait:
            child.until(lambda: answers(port))
        yield Serving(child, port)


def cost_of_pages(serving: Serving, scrapes: int, path: str = "/metrics") -> tuple[float, int]:
    """Return the CPU seconds of one page, the mean of several, and its number of series."""
    page = serving.page(path)
    before = serving.child.cpu()
    for _ in range(scrapes):
        serving.page(path)
    return (serving.child.cpu() - before) / scrapes, series(page)


def paced(seconds: float, work: Sequence[Callable[[], object]]) -> float:
    """Do all work spread over these seconds; returns the seconds it took."""
    began = time.monotonic()
    for place, each in enumerate(work):
        time.sleep(max(0.0, began + seconds * place / len(work) - time.monotonic()))
        each()
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    return time.monotonic() - began


def peer(name: str, values: Sequence[float], note: str = NOT_INSTALLED) -> Peer:
    """Return a peer's figure; with no values the note says why."""
    return Peer(name, Spread.of(values)) if values else Peer(name, None, note)
