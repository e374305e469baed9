"""The link to the desk beside the outbox: heartbeats out, commands in."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

import msgspec

from agent.own_metrics import OwnMetrics
from connectors.desk import DeskClient, DeskError
from model.protocol import AnyCommand, Command, Heartbeat, HeartbeatReply

PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between tries for commands, doubling
SHORTEST = 0.2  # seconds between two questions for commands
log = logging.getLogger("roundsman.link")
_DECODER: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


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
    client: DeskClient, cursor: Callable[[], Awaitable[int]], do: Callable[[Command | AnyCommand], Awaitable[None]]
) -> None:
    """Wait for the desk's commands and do them, one after another, until cancelled.

    `cursor` is the last command whose effect is kept; `do` returns when this one's is: none is lost or done twice.
    """
    tries = 0
    while True:
        try:
            done, asked = await cursor(), time.monotonic()
            reply = await client.commands(done)
            for raw in reply.commands:
                known = msgspec.json.decode(raw, type=AnyCommand)
                if known.id > done:
                    await do(_command(raw, known))
            tries = 0
            if time.monotonic() - asked < SHORTEST:  # a desk that never holds the question must not keep us busy
                await asyncio.sleep(SHORTEST)
        except DeskError as error:
            wait = min(LONGEST_PAUSE, PAUSE * 2.0 ** min(tries, 10))
            tries += 1
            log.info("no commands from the desk: %s", error)
            await asyncio.sleep(error.retry_after or wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter


def _command(raw: msgspec.Raw, known: AnyCommand) -> Command | AnyCommand:
    """Return a command; one of a newer desk, or one that is damaged, as what is known of it: it is passed over."""
    try:
        return _DECODER.decode(raw)
    except msgspec.ValidationError as error:
        log.warning("passing over command %d %s, which this agent does not know: %s", known.id, known.type, error)
        return known
