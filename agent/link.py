"""The link to the desk beside the outbox: heartbeats out, commands in."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from agent.own_metrics import OwnMetrics
from connectors.desk import DeskClient, DeskError
from model.protocol import Command, Heartbeat, HeartbeatReply

PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between tries for commands, doubling
log = logging.getLogger("roundsman.link")


async def heartbeat(client: DeskClient, beat: Heartbeat, metrics: OwnMetrics) -> HeartbeatReply | None:
    """Give one sign of life and note whether the desk answered; its failure is a reading, not an error."""
    try:
        reply = await client.heartbeat(beat)
    except DeskError as error:
        metrics.desk_up.set(0)
        log.info("no heartbeat: %s", error)
        return None
    metrics.desk_up.set(1)
    return reply


async def obey(
    client: DeskClient, cursor: Callable[[], Awaitable[int]], do: Callable[[Command], Awaitable[None]]
) -> None:
    """Wait for the desk's commands and do them, one after another, until cancelled.

    `cursor` is the last command whose effect is kept; `do` returns when this one's is: none is lost or done twice.
    """
    tries = 0
    while True:
        try:
            reply = await client.commands(await cursor())
            for command in reply.commands:
                await do(command)
            tries = 0
        except DeskError as error:
            wait = min(LONGEST_PAUSE, PAUSE * 2.0 ** min(tries, 10))
            tries += 1
            log.info("no commands from the desk: %s", error)
            await asyncio.sleep(error.retry_after or wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
