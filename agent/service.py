"""The agent: collectors' batches through the watch to the journal, the outbox and /metrics, as one service.

Everything here runs on one loop; what blocks has a thread of its own (journal, metrics server, lines, disk calls).
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from agent import doings
from agent.control import serve
from agent.credentials import Credentials
from agent.engine_metrics import engine_lines, outbox_lines
from agent.exposition import Exposition, alarm_lines, device_lines
from agent.journal import Journal, Standing
from agent.keeper import Keeper
from agent.link import heartbeat, obey
from agent.metrics_server import MetricsServer
from agent.outbox import Outbox
from agent.own_metrics import OwnMetrics
from agent.plan import make_plan
from agent.rounds import Rounds, own_definition, snmp_cards, start_rounds
from agent.schedule import Schedule
from agent.site_clock import SiteClock
from agent.trend_store import Bounds
from agent.trends import Trends
from agent.watch import Watch
from config.node import ConfigError
from config.schema import Device, SnmpDevice
from config.site import Site, load_site
from connectors.desk import DeskError
from model.alarm import Alarm
from model.change import Snapshot
from model.point import Batch
from model.protocol import AnyCommand, Command, Heartbeat
from model.step import rebase
from runtime.collector import spare_the_collector
from runtime.notify import notify, reloading, watchdog_seconds
from runtime.version import VERSION
from runtime.writer import StoreError

TICK = 1.0  # seconds
CLOCK_JUMP = 5.0  # seconds by which the wall clock may leave the monotonic one between two ticks
HEARTBEAT = 10.0  # seconds
log = logging.getLogger("roundsman.agent")


class AlreadyRunningError(Exception):
    """Another agent uses this state folder."""


class Agent:
    """One site's agent. `run` until a signal or `stop`."""

    def __init__(self, site: Site, *, heartbeat_every: float = HEARTBEAT) -> None:
        self.site = site
        self.metrics = OwnMetrics(VERSION)
        self._lock = locked(site.agent.state)
        self.clock = SiteClock()
        self.journal = Journal(site.agent.state, site.id, self.clock)
        plan, self._cards = make_plan(site), snmp_cards(site)
        self.watch = Watch(plan, _taken_up(self.journal, self.clock), self.journal.boot_id, self.clock.started)
        self.trends = Trends(site.agent.state / "trends", self.journal.boot_id, self.clock.started, _bounds(site))
        self.schedule = Schedule(self.metrics)
        self.credentials = Credentials(site, site.desk.token_file) if site.desk else None
        self.client = self.credentials.client(site.desk.url) if self.credentials and site.desk else None
        self.keeper = Keeper(self.journal, self.metrics, self._wake)
        self.outbox = Outbox(self.journal, self.client, self._snapshot, self.keeper.settled) if self.client else None
        if self.outbox is not None:
            self.outbox.keep_time(self.clock, self._beat)
        self._exposition = Exposition()
        self._heartbeat_every = heartbeat_every
        self._ending = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._first_reading: float | None = None
        self._reloading = asyncio.Lock()
        self._reload_asked = asyncio.Event()
        self._last_tick = time.monotonic()
        self.rounds = Rounds()

    # --- life ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Start everything, say READY, and go on until asked to end."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload_soon)
        if self.journal.healed:
            log.error("%s", self.journal.healed)
        address = self.site.agent.metrics
        server = MetricsServer(address.host, address.port, self.metrics.registry, self._device_text)
        control = await serve(self.site.agent.control, doings.table(self))
        self._spawn("keeper", self.keeper.run)
        self.keep(self.watch.start(self.clock()))
        self.metrics.reload_good.set(1)
        self.metrics.reload_time.set_to_current_time()
        self.rounds = start_rounds(self.site, self._cards, self.schedule, self.take)
        self._start_link()
        self.schedule.every(3600.0, "retention", self._forget)
        self.schedule.start()
        self._spawn("tick", self._tick)
        self._spawn("watchdog", self._watchdog)
        self._spawn("reload", self._reloads)
        self.trends.start()
        spare_the_collector()
        notify("READY=1", f"STATUS=Watching {len(list(self.site.devices))} devices")
        log.info("watching %d devices of site %s; metrics on %s", len(list(self.site.devices)), self.site.id, address)
        try:
            await self._ending.wait()
        finally:
            notify("STOPPING=1")
            control.close()
            server.close()
            await self._stop()

    def stop(self) -> None:
        """Ask for an orderly end."""
        self._ending.set()

    async def _stop(self) -> None:
        await self.schedule.stop()
        try:
            async with asyncio.timeout(5):
                await self.keeper.settled()
        except TimeoutError:
            log.warning("the last changes could not be written; what still stands is found again at the next start")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.client is not None:
            await self.client.aclose()
        await asyncio.to_thread(self.trends.stop)
        self.journal.close()
        os.close(self._lock)

    def _reload_soon(self) -> None:
        """Ask for a reload, from a signal."""
        self._reload_asked.set()

    async def _reloads(self) -> None:
        while True:
            await self._reload_asked.wait()
            self._reload_asked.clear()
            await self.reload()

    async def reload(self) -> str:
        """Read the site file again; a bad one leaves the running configuration and says why. Returns what happened."""
        async with self._reloading:
            reloading()
            try:
                site = await asyncio.to_thread(load_site, self.site.file)
                plan = await asyncio.to_thread(make_plan, site)
                cards = await asyncio.to_thread(snmp_cards, site)
            except (ConfigError, OSError) as error:
                return self._kept(str(error))
            if (site.id, site.agent, site.desk) != (self.site.id, self.site.agent, self.site.desk):
                return self._kept("The site's id, its agent or its desk changed: restart the agent for that.")
            await self.schedule.end_engines()
            before = {device.id: _source(device, self._cards.own) for device in self.site.devices}
            self.site, self._cards = site, cards
            renewed = {d.id for d in site.devices if d.id in before and _source(d, cards.own) != before[d.id]}
            self.keep(self.watch.reload(plan, self.clock(), renewed=frozenset(renewed)))
            self._exposition.forget()
            self.rounds = start_rounds(site, cards, self.schedule, self.take)
            self.metrics.reload_good.set(1)
            self.metrics.reload_time.set_to_current_time()
            notify("READY=1")
            return f"Watching {len(list(site.devices))} devices."

    def _kept(self, why: str) -> str:
        self.metrics.reload_good.set(0)
        log.error("the running configuration is kept: %s", why)
        notify("READY=1")
        return f"The running configuration is kept. {why}"

    # --- the line ------------------------------------------------------------------------------------------------

    def take(self, batch: Batch) -> None:
        """Take one batch through the watch, to journal, trends and exposition."""
        began = time.perf_counter()
        moment = self.clock()
        self.keep(self.watch.take(batch, moment))
        for device in self.watch.wanted():  # not now: an engine may be in the midst of a poll of its own
            asyncio.get_running_loop().call_soon(self.rounds.hint, device)
        self.trends.take(batch.readings, moment, certain=self.clock.certain)
        self.metrics.rules.observe(time.perf_counter() - began)
        self.metrics.batches.labels(batch.device).inc()
        if not batch.reachable:
            self.metrics.collect_failures.labels(batch.device).inc()
        if self._first_reading is None and batch.readings:
            self._first_reading = moment.boot
            log.info("first reading")

    async def obey(self, command: Command | AnyCommand) -> None:
        """Do what the desk asks; its cursor is kept with its effect, and so is that of a command that is not known."""
        standing = [] if isinstance(command, AnyCommand) else await doings.obey(self, command)
        self.keeper.keep(standing, cursor=command.id)
        await self.keeper.settled()

    def keep(self, standing: list[Standing]) -> None:
        """Keep what the watch found or a person changed."""
        self.keeper.keep(standing)

    def _snapshot(self, reason: str) -> Snapshot:
        return self.watch.snapshot(self.clock(), reason)

    # --- loops ---------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        if self.outbox is not None:
            self.outbox.wake()

    def _spawn(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._tasks.append(asyncio.create_task(self._kept_up(name, work), name=name))

    async def _kept_up(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Keep a loop of the agent going through an error of the program, which is logged and counted."""
        while True:
            try:
                await work()
            except Exception:
                log.exception("%s failed; going on", name)
                self.metrics.restarts.labels(name).inc()
                await asyncio.sleep(TICK)
            else:
                return

    def _start_link(self) -> None:
        if self.client is None or self.outbox is None:
            log.warning("no desk in the site file: alarms stay here")
            return
        self._spawn("outbox", self.outbox.run)
        if self.credentials is not None and self.credentials.tokens.next:
            self._spawn("token", self.rotate)
        self._spawn("commands", partial(obey, self.client, self._cursor, self.obey))
        self.schedule.every(self._heartbeat_every, "heartbeat", self._beat, soon=True)

    async def rotate(self) -> None:
        """Take another token at the desk; one that was begun is ended."""
        if self.credentials is None or self.client is None:
            return
        place = await asyncio.to_thread(self.journal.position)
        try:
            await self.credentials.rotate(self.client, place.agent)
        except (DeskError, OSError) as error:
            log.warning("the token could not be changed, and stays: %s", error)

    async def _cursor(self) -> int:
        return (await asyncio.to_thread(self.journal.position)).cursor

    async def _tick(self) -> None:
        """Let time pass for the watch, once a second; how late it is says how busy the loop is."""
        due, moment = time.monotonic(), self.clock.machine()
        ahead = moment.wall - moment.boot
        while True:
            due += TICK
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.metrics.loop_lag.set(max(0.0, time.monotonic() - due))
            due = max(due, time.monotonic() - TICK)
            moment = self.clock.machine()
            if abs(moment.wall - moment.boot - ahead) > CLOCK_JUMP:
                self.schedule.clock_jumped()
            ahead = moment.wall - moment.boot
            self.keep(self.watch.tick(self.clock()))
            self._last_tick = time.monotonic()

    async def _watchdog(self) -> None:
        """Tell systemd that we live, when the watch has ticked and the journal's writer has come to a job of ours."""
        limit = watchdog_seconds()
        if limit is None:
            return
        while True:
            with contextlib.suppress(StoreError):  # a full disk is told elsewhere; the writer lives
                await asyncio.wrap_future(self.journal.writer.put(_nothing))
            if time.monotonic() - self._last_tick < limit / 2:
                notify("WATCHDOG=1")
            await asyncio.sleep(limit / 3)

    async def _beat(self) -> None:
        if self.client is None or self.outbox is None:
            return
        place = await asyncio.to_thread(self.journal.position)
        moment = self.clock()
        oldest = self.outbox.stats.oldest_wall
        answers = [answers for _, answers, *_ in self.watch.devices()]
        plan = self.watch.plan
        beat = Heartbeat(
            agent=place.agent,
            epoch=place.epoch,
            version=VERSION,
            last_seq=place.last,
            depth=place.last - place.acked,
            oldest_age=max(0.0, moment.wall - oldest) if oldest is not None and place.last > place.acked else 0.0,
            wall=self.clock.machine().wall,
            contract=plan.contract.name,
            digest=plan.contract.digest,
            devices=len(answers),
            unreachable=answers.count(False),
            interval=self._heartbeat_every,
            metrics=str(self.site.agent.metrics),
        )
        reply = await heartbeat(self.client, beat, self.metrics)
        if reply is not None:
            self.clock.heard(reply.wall)
            await self.outbox.heed(place, reply.acked, reply.incarnation, reply.wall)

    async def _forget(self) -> None:
        certain = self.clock.certain
        await asyncio.wrap_future(self.journal.forget(self.clock(), unsent=self.client is None, certain=certain))

    def _device_text(self) -> Iterator[str]:
        """Give the page's device half, part by part; called from the metrics server's thread, on copies."""
        moment = self.clock()
        watch = self.watch
        devices = [(d.id, up, moment.boot - at, took) for d, up, _, at, took in list(watch.devices())]
        standing = [
            (device, scope, fault, str(alarm.state), alarm.level)
            for alarm in list(watch.alarms.values())
            if alarm.active
            for _, device, scope, fault in [alarm.condition.split("/", 3)]
        ]
        yield device_lines(devices)
        yield alarm_lines(standing)
        if self.outbox is not None:
            yield outbox_lines(self.outbox.stats, moment.wall)
        yield engine_lines(self.rounds)
        yield from self._exposition.families(list(watch.readings()))


def _nothing(_: sqlite3.Connection) -> None:
    """Write nothing: that the writer comes to it is the news."""


def locked(folder: Path) -> int:
    """Take the state folder for this process alone; returns the lock's descriptor."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise AlreadyRunningError(
            f"another agent already uses {folder}; stop it first, or give this one a state folder of its own"
        ) from None
    return lock


def _bounds(site: Site) -> Bounds:
    """Return how much history a site keeps: of averages, those of ten minutes for a quarter of the time."""
    asked = site.agent.trends
    return Bounds((asked.detail, max(asked.detail, asked.averages / 4), asked.averages), asked.budget)


def _taken_up(journal: Journal, clock: SiteClock) -> dict[str, Alarm]:
    """Return the journal's alarms with their times carried into this boot."""
    alarms, saved, boot = journal.alarms()
    if saved is None or boot == journal.boot_id:
        return alarms
    moment = clock.taken_up(saved)
    moved = {condition: rebase(alarm, saved, moment) for condition, alarm in alarms.items()}
    journal.rebase(moved.values(), clock())
    return moved


def _source(device: Device, definitions: str) -> object:
    """Return what decides which points a device has: another means that its old points are gone, not missing.

    `definitions` is a digest of the site's own, which any of its cards may be read by.
    """
    own = definitions if isinstance(device, SnmpDevice) else own_definition(device)
    names = ("address", "port", "protocol", "definition", "inputs", "disks", "interfaces")
    return own, tuple(getattr(device, name, None) for name in names)
