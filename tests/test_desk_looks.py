"""A page that many look at is made once for all, is never older than the news, and has each reader's own in it."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import pytest
from markupsafe import Markup

from desk.live import BOARD, Hub
from desk.looks import CSRF, FRESH, WHO, Look, Looks
from tests.desk_world import World, a_desk, change


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        yield made


class Counted:
    """Makes pages that say how many were made before, and waits in the middle for as long as it is told to."""

    def __init__(self) -> None:
        self.made = 0
        self.go = asyncio.Event()
        self.go.set()
        self.began = asyncio.Event()

    async def __call__(self) -> str:
        self.made += 1
        number = self.made
        self.began.set()
        await self.go.wait()
        if number == 13:
            raise ValueError("no page")
        return str(number)


async def test_many_who_ask_at_once_get_one_page() -> None:
    looks, make = Looks(Hub(), monotonic), Counted()
    seen = await asyncio.gather(*(looks.look("board", make) for _ in range(50)))
    assert {each.text for each in seen} == {"1"}
    assert (await looks.look("board in Chinese", make)).text == "2"


async def test_a_page_grows_old_by_the_desks_clock() -> None:
    now = [0.0]
    looks, make = Looks(Hub(), lambda: now[0]), Counted()
    assert (await looks.look("board", make)).text == "1"
    now[0] = FRESH
    assert (await looks.look("board", make)).text == "1"
    now[0] = FRESH + 0.001
    assert (await looks.look("board", make)).text == "2"


async def test_news_makes_another_page_and_what_was_begun_before_it_is_not_taken_for_it() -> None:
    hub = Hub()
    looks, make = Looks(hub, monotonic), Counted()
    make.go.clear()
    early = asyncio.create_task(looks.look("board", make))
    await make.began.wait()
    hub.announce(BOARD)
    late = asyncio.create_task(looks.look("board", make))
    await asyncio.sleep(0)
    make.go.set()
    assert (await early).text == "1"
    assert (await late).text == "2"
    assert (await looks.look("board", make)).text == "2"


async def test_a_storm_of_news_is_a_few_pages() -> None:
    hub = Hub()
    looks, make = Looks(hub, monotonic), Counted()
    for _ in range(5):
        hub.announce(BOARD)
        asked = [asyncio.create_task(looks.look("board", make)) for _ in range(20)]
        await asyncio.sleep(0)
    seen = await asyncio.gather(*asked)
    assert all(each.news == 5 for each in seen)
    assert make.made <= 2


async def test_a_page_that_cannot_be_made_is_made_again_for_the_next() -> None:
    looks, make = Looks(Hub(), monotonic), Counted()
    make.made = 12
    with pytest.raises(ValueError, match="no page"):
        await looks.look("board", make)
    assert (await looks.look("board", make)).text == "14"


async def test_a_reader_who_goes_away_takes_nothing_from_the_others() -> None:
    looks, make = Looks(Hub(), monotonic), Counted()
    make.go.clear()
    gone = asyncio.create_task(looks.look("board", make))
    stays = asyncio.create_task(looks.look("board", make))
    await make.began.wait()
    gone.cancel()
    await asyncio.sleep(0)
    make.go.set()
    assert (await stays).text == "1"
    assert gone.cancelled()


def test_each_reader_has_their_own_name_and_token_and_nobody_elses() -> None:
    look = Look(f"<p>{WHO}</p><form>{CSRF}</form>", 0.0, 0)
    plain, compressed = look.for_reader("<b>Li</b>", '<input value="li">')
    assert plain == b'<p>&lt;b&gt;Li&lt;/b&gt;</p><form><input value="li"></form>'
    assert gzip.decompress(compressed) == plain
    assert b"li" not in look.for_reader("Wang", Markup(""))[0]


async def test_the_board_tells_of_a_ticket_at_once_compressed_or_not(world: World) -> None:
    agent = await world.agent()
    before = (await world.client.get("/")).text
    assert 'href="/tickets/1"' not in before
    await agent.send(change())
    answer = await world.client.get("/", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert 'href="/tickets/1"' in answer.text
    plain = await world.client.get("/", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert 'href="/tickets/1"' in plain.text
    assert (await world.client.get("/?lang=zh")).text != plain.text
