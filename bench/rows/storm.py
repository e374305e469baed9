"""A storm: every site of a province loses its mains, five alarms each, and the desk's books must be exact."""

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import storm_books, storm_peers
from bench.figures import Budget, Figure, Peer, Spread
from bench.peers import NOT_INSTALLED, peer
from bench.processes import BenchError, Child
from bench.sizes import Sizes
from bench.storm_client import Parcel, Sent, Way, acked, post, storm
from bench.storm_peers import Running
from bench.storm_sites import ALARMS, Member, enrolled
from model.protocol import PREFIX

Tell = Callable[[str], None]
FIVE = len(ALARMS)


@dataclass(frozen=True)
class Field:
    """Where storms take place: a desk's state folder as it was before any of them, and the sites."""

    folder: Path
    members: list[Member]
    tell: Tell

    @contextmanager
    def fresh(self, name: str) -> Iterator[tuple[Path, Path]]:
        """Give a copy of the desk's state and a folder for logs; both are gone afterwards."""
        with TemporaryDirectory(prefix=f"roundsman-storm-{name}-", dir=self.folder) as made:
            shutil.copytree(self.folder / "desk", Path(made) / "desk")
            yield Path(made) / "desk", Path(made)

    def parcels(self, port: int) -> list[Parcel]:
        """Return what the sites send to a desk at a port."""
        path = f"{PREFIX}/events"
        return [Parcel(m.site, post(path, port, m.body, m.token), acked(m.events)) for m in self.members]

    def check(self, file: Path, when: str) -> None:
        """Raise a BenchError where the books are not exact."""
        wrong = storm_books.wrong(file, self.members)
        if wrong:
            raise BenchError(f"{when}: the books are wrong: {'; '.join(wrong[:5])}")
        self.tell(f"{when}: the books are exact")


@dataclass(frozen=True)
class Drained:
    """One storm, taken whole: what was sent and the CPU seconds that it cost."""

    sent: Sent
    cpu: float

    @property
    def p99(self) -> float:
        """Milliseconds within which 99 of 100 requests were answered."""
        return self.sent.part(0.99) * 1e3


def measure(sizes: Sizes, tell: Tell) -> list[Figure]:
    """All sites at once by plain HTTP, beside the bare intake and Alertmanager; by TLS; over a minute; with a kill."""
    with TemporaryDirectory(prefix="roundsman-storm-") as name:
        tell(f"enrolling {sizes.storm} sites")
        field = Field(Path(name), enrolled(Path(name) / "desk", sizes.storm), tell)
        figures = [*_plain(field, sizes), *_by_tls(field), _spread(field, sizes)]
        return [*figures, _killed(field)]


def _plain(field: Field, sizes: Sizes) -> list[Figure]:
    ours, receipts, whole, theirs = [], [], [], []
    for _ in range(sizes.runs):  # one after another, so that a neighbour disturbs all alike
        ours.append(_desk(field))
        receipts.append(_bare(field, keep=False))
        whole.append(_bare(field, keep=True))
        theirs += _alertmanager(field)
    what = f"{len(field.members)} sites at once, {FIVE} alarms each, a connection a site"
    beside = (
        ("bare intake, receipts alone", receipts),
        ("bare intake, the events kept too", whole),
        ("Alertmanager, nothing on disk", theirs),
    )
    return [
        Figure(
            f"{what}: until all are in tickets",
            "s",
            _of(ours, lambda run: run.sent.seconds),
            tuple(_beside(name, runs, lambda run: run.sent.seconds) for name, runs in beside),
            Budget(2.0, of_ratio=True),
        ),
        Figure(
            "the same: a request, 99 of 100",
            "ms",
            _of(ours, lambda run: run.p99),
            tuple(_beside(name, runs, lambda run: run.p99) for name, runs in beside),
        ),
        Figure(
            "the same: CPU of the process for a site",
            "ms",
            _of(ours, lambda run: run.cpu * 1e3 / len(field.members)),
            tuple(_beside(name, runs, lambda run: run.cpu * 1e3 / len(field.members)) for name, runs in beside),
        ),
    ]


def _by_tls(field: Field) -> list[Figure]:
    """A proxy before the desk, which listens on loopback only; each site makes its own handshake."""
    ours, bare = _desk(field, tls=True), _bare(field, keep=False, tls=True)
    what = "by TLS, a handshake a site"
    if ours is None or bare is None:
        field.tell(f"{storm_peers.PROXY} is not installed: no TLS")
        return []
    return [
        Figure(
            f"{what}: until all are in tickets",
            "s",
            _of([ours], lambda run: run.sent.seconds),
            (_beside("bare intake, receipts alone", [bare], lambda run: run.sent.seconds),),
            Budget(2.0, of_ratio=True),
        ),
        Figure(
            f"{what}: a request, 99 of 100",
            "ms",
            _of([ours], lambda run: run.p99),
            (_beside("bare intake, receipts alone", [bare], lambda run: run.p99),),
        ),
    ]


def _spread(field: Field, sizes: Sizes) -> Figure:
    """Sites fail at random moments within the time; a request counts from its site's moment."""
    found = _desk(field, spread=sizes.storm_seconds)
    what = f"the same storm spread over {sizes.storm_seconds:g} s: a request, 99 of 100"
    return Figure(what, "ms", _of([found] if found else [], lambda run: run.p99))


def _killed(field: Field) -> Figure:
    """SIGKILL for the desk when half of the sites are answered; it starts again and the sites send again."""
    with field.fresh("kill") as (state, logs), storm_peers.desk(state, logs) as desk:
        half, lost = len(field.members) // 2, list[str]()
        names: list[str] = []
        killer = threading.Thread(target=lambda: lost.extend(_kill(desk, tuple(names), field)))

        def on_answer(count: int) -> None:
            if count == half:
                names.extend(sent.answered)
                killer.start()

        sent = Sent()
        storm(field.parcels(desk.port), Way(desk.port), on_answer, sent)
        killer.join()
        if lost:
            raise BenchError(f"killed: {'; '.join(lost[:5])}")
        field.check(desk.file, "after a kill -9 in the middle")
    field.tell(f"{sent.tries - len(field.members)} requests were sent again")
    what = "kill -9 of the desk in the middle: until all are in tickets, its new start included"
    return Figure(what, "s", Spread.of([sent.seconds]))


def _kill(desk: Running, answered: Sequence[str], field: Field) -> list[str]:
    """Kill the desk, look at a copy of its file for what it had answered, and start it again."""
    desk.kill()
    copy = desk.folder / "killed"
    copy.mkdir()
    for part in desk.state.glob("desk.sqlite*"):
        shutil.copy(part, copy)
    desk.again()
    return storm_books.missing(copy / "desk.sqlite", answered, field.members)


def _desk(field: Field, *, tls: bool = False, spread: float = 0.0) -> Drained | None:
    with field.fresh("desk") as (state, logs), storm_peers.desk(state, logs) as desk:
        drained = _drained(field, desk.port, desk.child, logs, tls=tls, spread=spread)
        if drained is not None:
            field.check(desk.file, "by TLS" if tls else f"over {spread:g} s" if spread else "at once")
        return drained


def _bare(field: Field, *, keep: bool, tls: bool = False) -> Drained | None:
    with field.fresh("bare") as (state, logs), storm_peers.bare(state, logs, keep=keep) as (child, port):
        return _drained(field, port, child, logs, tls=tls)


def _drained(field: Field, port: int, child: Child, logs: Path, *, tls: bool, spread: float = 0.0) -> Drained | None:
    """Send the storm to a port, or to a proxy before it; None without a proxy."""
    parcels = field.parcels(port)
    if not tls:
        before = child.cpu()
        sent = storm(parcels, Way(port, spread=spread))
        return Drained(sent, child.cpu() - before)
    with storm_peers.proxied(port, logs) as proxy:
        if proxy is None:
            return None
        before = child.cpu()
        sent = storm(parcels, Way(proxy[0], proxy[1], spread=spread))
        return Drained(sent, child.cpu() - before)


def _alertmanager(field: Field) -> list[Drained]:
    with TemporaryDirectory(prefix="roundsman-alerts-") as name, storm_peers.alertmanager(Path(name)) as found:
        if found is None:
            return []
        child, port = found
        before = child.cpu()
        sent = storm(storm_peers.alerts(field.members, port), Way(port))
        drained = Drained(sent, child.cpu() - before)
        known = storm_peers.alerts_known(port)
        field.tell(f"Alertmanager has {known} alerts of {FIVE * len(field.members)}")
        return [drained]


def _of(runs: Sequence[Drained | None], value: Callable[[Drained], float]) -> Spread:
    return Spread.of(value(run) for run in runs if run is not None)


def _beside(name: str, runs: Sequence[Drained | None], value: Callable[[Drained], float]) -> Peer:
    return peer(name, [value(run) for run in runs if run is not None], NOT_INSTALLED)
