"""Something that runs for as long as a test needs it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any


@contextlib.asynccontextmanager
async def under_way(*running: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these until the end of the block; an error of theirs that came before is raised there."""
    tasks = [asyncio.create_task(each) for each in running]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
