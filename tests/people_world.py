"""A desk that people sign in at: one of each role, browsers of their own, tokens."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.desk_world import Hands, World, a_desk

PASSWORD = "correct horse battery staple"
FIRST = "Chen Wei"
ROLES = ("viewer", "operator", "engineer", "manager", "administrator")
BOUND = "bound"  # an operator of S1 alone


class Browser:
    """A browser of its own at the desk, with its cookies."""

    def __init__(self, world: World, https: bool = False) -> None:
        self.world = world
        transport = httpx.ASGITransport(world.client._transport.app)  # type: ignore[attr-defined]
        address = "https://127.0.0.1" if https else "http://127.0.0.1"
        self.client = httpx.AsyncClient(transport=transport, base_url=address)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.client.get(path, **more)

    async def token_of(self, path: str) -> str:
        """The word that the forms of a page carry."""
        return re.findall(r'name="csrf" value="([0-9a-f]{64})"', (await self.get(path)).text)[0]

    async def post(self, path: str, page: str = "/account", **fields: str) -> httpx.Response:
        """Send a form as a page of the desk has it."""
        return await self.client.post(path, data={"csrf": await self.token_of(page), **fields})

    async def sign_in(self, name: str, password: str = PASSWORD, after: str = "/") -> httpx.Response:
        return await self.post("/login", "/login", name=name, password=password, next=after)

    async def set_password(self, link: str, password: str = PASSWORD, again: str | None = None) -> httpx.Response:
        path = httpx.URL(link).path
        return await self.post(path, path, password=password, again=password if again is None else again)

    @property
    def session(self) -> str:
        (found,) = (value for name, value in self.client.cookies.items() if "session" in name)
        return found


class People:
    """The desk, and what this machine's commands ask of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client = world.client
        self.clock = world.clock
        world.desk.secret = "this machine's own secret"

    async def command(self, method: str, path: str, /, **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.world.desk.secret}"}
        said = None if method == "GET" else body
        return await self.client.request(method, f"/api/v1/{path}", json=said, headers=headers)

    async def add(self, name: str, role: str, **bounds: list[str]) -> str:
        answer = await self.command("POST", "users", name=name, role=role, **bounds)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["link"])

    async def browser(self, name: str = "", role: str = "", **bounds: list[str]) -> Browser:
        """A browser in which somebody new set their password, or one in which nobody is signed in."""
        made = Browser(self.world)
        if name:
            answer = await made.set_password(await self.add(name, role, **bounds))
            assert answer.status_code == 303, answer.text
        return made

    async def token(self, role: str, days: float = 30.0, **bounds: list[str]) -> dict[str, str]:
        answer = await self.command("POST", "tokens", name=f"a program ({role})", role=role, days=days, **bounds)
        assert answer.status_code == 201, answer.text
        return {"Authorization": f"Bearer {answer.json()['token']}"}

    async def audit(self, what: str) -> list[dict[str, Any]]:
        return await self.world.rows("SELECT * FROM audit WHERE what = ? ORDER BY id", what)


@asynccontextmanager
async def a_desk_with_people(folder: Path, clock: Hands | None = None, **settings: Any) -> AsyncIterator[People]:
    """A desk with its first administrator, who has a password."""
    async with a_desk(folder, clock, **settings) as world:
        people = People(world)
        await people.browser(FIRST, "administrator")
        yield people
