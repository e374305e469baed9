"""The real desk on a real port: it answers, follows the news, feeds systemd and stops when it is told to."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from desk import local
from desk.app import AddressError, serve
from desk.enrol import enrol
from desk.settings import DeskSettings
from tests.desk_world import change, contracts


@asynccontextmanager
async def running(state: Path, **settings: Any) -> AsyncIterator[tuple[httpx.AsyncClient, asyncio.Event]]:
    stop = asyncio.Event()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    told = DeskSettings(state=state, port=0, contract="practice", region="east", **settings)
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(told, contracts, stop=stop, on_ready=ready.set_result))
        async with httpx.AsyncClient(base_url=await ready, trust_env=False, timeout=10) as client:
            yield client, stop
            stop.set()


async def joined(client: httpx.AsyncClient, state: Path, site: str = "S1") -> Callable[..., Any]:
    """Enrol as `roundsman desk enrol` and an agent do, and return what sends events."""
    line = await asyncio.to_thread(enrol, state, site, name="Hall 1")
    url, _, code = line.removeprefix("roundsman-join:").partition("#")
    assert url == str(client.base_url)
    answer = await client.post("/api/v1/enrol", json={"code": code, "agent": "agent-0001", "version": "1"})
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}

    async def send(*bodies: Any) -> httpx.Response:
        events = [{"seq": seq, "age": 0.0, "body": body} for seq, body in enumerate(bodies, start=1)]
        request = {"agent": "agent-0001", "epoch": "one", "oldest": 1, "wall": 0.0, "events": events}
        return await client.post("/api/v1/events", content=msgspec.json.encode(request), headers=headers)

    return send


async def test_the_commands_of_this_machine_enrol_list_and_acknowledge_through_the_running_desk(tmp_path: Path) -> None:
    async with running(tmp_path) as (client, _):
        send = await joined(client, tmp_path)
        assert (await send(change())).json()["acked"] == 1
        (ticket,) = await asyncio.to_thread(local.tickets, tmp_path)
        assert (ticket["site_name"], ticket["acknowledged"]) == ("Hall 1", None)
        taken = await asyncio.to_thread(local.acknowledge, tmp_path, ticket["number"], "Li")
        assert taken["acknowledged_by"] == "Li"
        with pytest.raises(local.LocalError, match="There is no ticket 9"):
            await asyncio.to_thread(local.acknowledge, tmp_path, 9, "Li")


async def test_a_page_hears_of_a_new_ticket_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as (client, _):
        send = await joined(client, tmp_path)
        async with client.stream("GET", "/live?topic=board") as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "retry: 2000"
            await send(change())
            assert [line async for line in _until(lines, "data: 1")][-2:] == ["event: changed", "data: 1"]


async def test_an_unknown_stream_is_refused_and_too_many_are(tmp_path: Path) -> None:
    async with running(tmp_path, streams=1) as (client, _):
        assert (await client.get("/live?topic=secrets")).status_code == 404
        async with client.stream("GET", "/live") as stream:
            lines = stream.aiter_lines()  # kept: one that is let go closes the stream
            await anext(lines)
            assert (await client.get("/live")).status_code == 503


async def test_the_desk_stops_although_pages_and_agents_wait(tmp_path: Path) -> None:
    async with running(tmp_path) as (client, stop):
        await joined(client, tmp_path)
        async with client.stream("GET", "/live") as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            stop.set()
            assert [line async for line in lines if line] == []
    with pytest.raises(local.LocalError, match="does not answer"):
        await asyncio.to_thread(local.tickets, tmp_path)


async def test_a_body_that_comes_too_slowly_is_ended(tmp_path: Path) -> None:
    async with running(tmp_path, body_seconds=0.2) as (client, _):
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(b"POST /api/v1/enrol HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        writer.close()
        await writer.wait_closed()


async def test_a_connection_that_is_cut_before_the_answer_neither_loses_nor_doubles_the_event(tmp_path: Path) -> None:
    async with running(tmp_path) as (client, _):
        send = await joined(client, tmp_path)
        asked = await send(change())
        content = asked.request.content.replace(b'"seq":1', b'"seq":2').replace(b"e1", b"e2").replace(b"/ups/", b"/b/")
        head = f"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(content)}\r\n"
        head += f"Authorization: {asked.request.headers['authorization']}\r\n\r\n"
        async with client.stream("GET", "/live?topic=board") as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
            writer.write(head.encode() + content)
            writer.close()
            await writer.wait_closed()
            assert [line async for line in _until(lines, "data: 1")]
        known = {"Authorization": asked.request.headers["authorization"]}
        again = await client.post("/api/v1/events", content=content, headers=known)
        assert (again.json()["acked"], again.json()["refused"]) == (2, [])
        conditions = [ticket["condition"] for ticket in await asyncio.to_thread(local.tickets, tmp_path)]
        assert sorted(conditions) == ["S1/b/-/mains.lost", "S1/ups/-/mains.lost"]


async def test_systemd_hears_ready_then_progress_then_stopping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(path))
        channel.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        loop = asyncio.get_running_loop()
        heard: list[str] = []
        async with running(tmp_path / "state"):
            while len(set(heard)) < 2 or heard.count("WATCHDOG=1") < 3:
                heard.append((await loop.sock_recv(channel, 1000)).decode().splitlines()[0])
        heard.append((await loop.sock_recv(channel, 1000)).decode())
        assert {"READY=1", "WATCHDOG=1"} == set(heard[:-1])
        while heard[-1] == "WATCHDOG=1":
            heard.append((await loop.sock_recv(channel, 1000)).decode())
        assert heard[-1] == "STOPPING=1"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "desk.example"])
async def test_the_desk_refuses_to_listen_beyond_loopback(tmp_path: Path, host: str) -> None:
    with pytest.raises(AddressError, match="without a certificate the desk listens on loopback only"):
        await serve(DeskSettings(state=tmp_path, host=host, port=0), contracts)


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AddressError, match=f"cannot listen on 127.0.0.1 port {port}: Address already in use"):
            await serve(DeskSettings(state=tmp_path, port=port), contracts)


async def test_promtool_has_nothing_to_say_about_the_desks_metrics(tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool (package prometheus) is not installed")
    async with running(tmp_path) as (client, _):
        send = await joined(client, tmp_path)
        await send(change(), ["bad"])
        page = await client.get("/metrics")
    command = ["promtool", "check", "metrics"]
    checked = await asyncio.to_thread(subprocess.run, command, input=page.content, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


async def _until(lines: AsyncIterator[str], last: str) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        if line == last:
            return


async def test_agents_that_wait_take_no_pages_place(tmp_path: Path) -> None:
    async with running(tmp_path, streams=1) as (client, _):
        line = await asyncio.to_thread(enrol, tmp_path, "S1", name="Hall 1")
        code = line.partition("#")[2]
        answer = await client.post("/api/v1/enrol", json={"code": code, "agent": "agent-0001", "version": "1"})
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        polling = asyncio.create_task(client.get("/api/v1/commands?wait=30", headers=headers, timeout=40))
        while "roundsman_desk_listeners 1.0" not in (await client.get("/metrics")).text:
            assert not polling.done()
        async with client.stream("GET", "/live") as stream:
            assert stream.status_code == 200
            assert await anext(stream.aiter_lines()) == "retry: 2000"
        polling.cancel()
