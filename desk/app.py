"""The desk as a web application, and `serve`, which runs it until it is told to stop."""

import asyncio
import contextlib
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response

from desk import api, history, intake, pages
from desk.core import LOG, Desk
from desk.courier import Courier
from desk.gate import guarded
from desk.guard import Guard
from desk.keeping import held
from desk.listening import AddressError, Front
from desk.local import Local, write_local
from desk.passwords import Passwords
from desk.settings import Contracts, DeskSettings, shipped
from desk.sweep import Sweep
from desk.timekeeping import Timekeeping
from desk.users import anybody
from desk.walktest_rounds import Walking
from desk.web import ProblemError, as_problem, problem_reply
from model.protocol import PREFIX
from runtime.notify import notify, watchdog_seconds
from runtime.writer import StoreError

__all__ = ["AddressError", "create_app", "serve"]


def create_app(desk: Desk) -> Starlette:
    """Return the application that answers for a desk."""
    application = Starlette(
        routes=guarded([*intake.ROUTES, *history.ROUTES, *api.ROUTES, *pages.ROUTES]),
        middleware=[Middleware(Guard), Middleware(GZipMiddleware, minimum_size=1000)],
        exception_handlers={
            ProblemError: _problem,
            StoreError: _problem,
            OverflowError: _problem,
            HTTPException: _problem,
        },
    )
    application.state.desk = desk
    application.state.passwords = Passwords()
    return application


async def serve(
    settings: DeskSettings,
    contracts: Contracts = shipped,
    *,
    stop: asyncio.Event | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Run a desk until `stop` is set, or until SIGTERM or SIGINT when no `stop` is given.

    `on_ready` gets its address once it answers. Raises AddressError when it may not or cannot listen there, StoreError
    when its file cannot be opened.
    """
    front = Front(settings)
    with held(settings.state), contextlib.closing(front.listen()) as listening:
        desk = Desk(settings, contracts)
        try:
            await desk.open()
            await _run(desk, front, listening, stop or _told_by_signals(), on_ready)
        finally:
            desk.close()


async def _problem(request: Request, problem: Exception) -> Response:
    """Answer programs in JSON and people with a page."""
    if isinstance(problem, HTTPException):
        word = problem.detail.lower().replace(" ", "_")
        problem = ProblemError(problem.status_code, word, f"{problem.detail}: {request.method} {request.url.path}.")
    problem = as_problem(problem)
    if request.url.path.startswith((PREFIX, "/healthz", "/metrics")):
        return problem_reply(request, problem)
    return await pages.problem_page(request, problem)


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to `serve` and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self.listens.set()


async def _run(
    desk: Desk, front: Front, listening: socket.socket, stop: asyncio.Event, on_ready: Callable[[str], None] | None
) -> None:
    desk.certificates = front.held
    desk.url, near = front.addresses(listening)
    desk.secret = secrets.token_urlsafe(32)
    config = uvicorn.Config(
        create_app(desk),
        http=front.protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        proxy_headers=False,  # where somebody signs in from is not theirs to say
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=64 * 1024,
    )
    config.load()
    config.ssl = front.context
    server = _Server(config)
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_answer(server, listening, ended))
        tasks.create_task(Sweep(desk).run(ended))
        tasks.create_task(Timekeeping(desk).run(ended))
        tasks.create_task(Courier(desk).run(ended))
        tasks.create_task(Walking(desk).run(ended))
        tasks.create_task(_watchdog(desk, ended))
        tasks.create_task(front.keep(desk, ended))
        async with _until_ended(desk, server, ended):
            await server.listens.wait()
            roster, own = [
                str(path.absolute()) if path else "" for path in (desk.settings.roster, desk.settings.contracts)
            ]
            write_local(desk.settings.state, Local(near, desk.secret, roster, own, front.chain))
            LOG.info("desk answers at %s", desk.url)
            if not await desk.store.read(anybody):
                LOG.info("nobody signs in yet: who is on this machine may do all; see `roundsman desk user add`")
            notify("READY=1", f"STATUS=answers at {desk.url}")
            if on_ready:
                on_ready(desk.url)
            await _first(stop, ended)


@contextlib.asynccontextmanager
async def _until_ended(desk: Desk, server: _Server, ended: asyncio.Event) -> AsyncIterator[None]:
    try:
        yield
    finally:
        notify("STOPPING=1")
        server.should_exit = True
        desk.hub.close()
        ended.set()


async def _answer(server: _Server, listening: socket.socket, ended: asyncio.Event) -> None:
    try:
        await server.serve(sockets=[listening])
    finally:
        ended.set()


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()


async def _watchdog(desk: Desk, ended: asyncio.Event) -> None:
    """Tell systemd that the desk lives, each time a write has gone through loop, queue and commit."""
    limit = watchdog_seconds()
    if limit is None:
        return
    while not ended.is_set():
        try:
            async with asyncio.timeout(limit / 2):
                await desk.store.write(lambda db: db.execute("SELECT 1").fetchone())
            notify("WATCHDOG=1")
        except (StoreError, TimeoutError) as error:
            LOG.warning("no progress, the watchdog is not fed: %s", error or "the writer does not answer")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), limit / 3)


def _told_by_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    return stop
