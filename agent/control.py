"""The control socket: how commands on this machine ask the running agent; nobody else touches its files or ports.

One line of JSON asks, one line answers. The socket's mode is 0660: who is in the agent's group may use it.
"""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

LONGEST = 1_000_000  # bytes of a request; an answer may be 64 times as long
log = logging.getLogger("roundsman.control")


class Ask(msgspec.Struct, frozen=True):
    """What is asked: `do` is one of the agent's doings, `args` its words."""

    do: str
    args: dict[str, Any] = {}


class Answer(msgspec.Struct, frozen=True):
    """The result, or an error in words."""

    ok: bool
    result: Any = None
    error: str = ""


class ControlError(Exception):
    """The agent could not be asked, or would not do it; the text says why and what to do."""


Doing = Callable[[dict[str, Any]], Awaitable[Any]]


async def serve(path: Path, doings: dict[str, Doing]) -> asyncio.Server:
    """Answer on a socket; a socket left by an agent that died is replaced. Raises OSError when it cannot be made."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(60):
                line = await reader.readline()
                writer.write(msgspec.json.encode(await _done(line, doings)) + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError) as error:
            log.info("a control request ended early: %s", error)
        finally:
            writer.close()

    listening = _bound(path)
    return await asyncio.start_unix_server(answer, sock=listening, limit=LONGEST)


def _bound(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_socket():
        raise OSError(errno.EEXIST, "this is no socket, and it is not replaced by one", str(path))
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)
    try:
        listening.bind(str(path))
    finally:
        os.umask(before)
    return listening


async def _done(line: bytes, doings: dict[str, Doing]) -> Answer:
    try:
        ask = msgspec.json.decode(line, type=Ask)
    except msgspec.DecodeError as error:
        return Answer(ok=False, error=f"not a request: {error}")
    doing = doings.get(ask.do)
    if doing is None:
        return Answer(ok=False, error=f"this agent cannot {ask.do!r}; it can: {', '.join(sorted(doings))}")
    try:
        return Answer(ok=True, result=await doing(ask.args))
    except ControlError as error:
        return Answer(ok=False, error=str(error))
    except KeyError as error:
        return Answer(ok=False, error=f"{ask.do} needs {error}")
    except (TypeError, ValueError) as error:
        return Answer(ok=False, error=f"{ask.do}: {error}")
    except Exception as error:  # the asker gets an answer whatever happened, and the log the rest
        log.exception("%s failed", ask.do)
        return Answer(ok=False, error=f"{ask.do} failed: {error}; the agent's log says more")


async def ask(path: Path, do: str, **args: Any) -> Any:
    """Ask the running agent; raises ControlError in words a person can act on."""
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=64 * LONGEST)
    except FileNotFoundError:
        raise ControlError(
            f"no agent runs here ({path} does not exist). Start it: roundsman agent --site FILE"
        ) from None
    except ConnectionRefusedError:
        raise ControlError(f"the agent of {path} has stopped. Start it: roundsman agent --site FILE") from None
    except PermissionError:
        raise ControlError(f"you may not use {path}: become root or join the agent's group") from None
    try:
        writer.write(msgspec.json.encode(Ask(do, args)) + b"\n")
        line = await reader.readline()
    except (OSError, ValueError) as error:
        raise ControlError(f"the agent did not answer: {error}") from error
    finally:
        writer.close()
    if not line:
        raise ControlError("the agent closed the connection without an answer")
    reply = msgspec.json.decode(line, type=Answer)
    if not reply.ok:
        raise ControlError(reply.error)
    return reply.result
