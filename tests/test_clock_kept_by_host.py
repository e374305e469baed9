"""A virtual machine whose host keeps the clock: the kernel knows of no time server, and no person is needed."""

import asyncio
from pathlib import Path

import pytest

from desk.core import Desk
from desk.settings import DeskSettings, shipped
from desk.timekeeper import keep
from desk.timekeeping import Timekeeping
from model.alarm import Now
from model.clock import HOLD, Anchor, Note
from model.service.words import Trust

START = 1_800_000_000.0


@pytest.mark.parametrize("kept_by_host", [True, False])
def test_after_a_reboot_the_clock_is_believed_after_a_minute_where_the_host_keeps_it(
    tmp_path: Path, kept_by_host: bool
) -> None:
    boot = [20.0]

    def clock() -> Now:
        return Now(boot[0], START + 600 + boot[0])

    async def looks() -> list[Trust]:
        settings = DeskSettings(state=tmp_path, clock_kept_by_host=kept_by_host)
        first = Desk(settings, shipped, clock)
        await first.store.write(lambda db: keep(db, Anchor(START, 5000.0, "another"), Note.SURE))
        first.close()
        desk = Desk(settings, shipped, clock)
        timekeeping, seen = Timekeeping(desk), []
        for _ in range(int(HOLD) + 5):
            boot[0] += 1.0
            await timekeeping.look()
            seen.append(desk.timekeeper.trust)
        desk.close()
        return seen

    seen = asyncio.run(looks())
    assert set(seen[: int(HOLD) - 2]) == {Trust.UNSYNCHRONISED}
    assert seen[-1] is (Trust.SURE if kept_by_host else Trust.UNSYNCHRONISED)
