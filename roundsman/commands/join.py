"""`roundsman join`: redeem a one-time join line; the token goes into the site file's token file."""

import argparse
import asyncio
import contextlib
import os
import re
from pathlib import Path

from agent.control import ControlError, ask
from agent.journal import Journal
from agent.service import AlreadyRunningError, locked
from config.site import Site, load_site
from connectors.desk import DeskClient, DeskError
from model.protocol import EnrolReply, EnrolRequest
from roundsman.asking import site_argument, site_file
from roundsman.output import CommandError
from runtime.version import VERSION
from runtime.writer import StoreError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("line", help="what `roundsman desk enrol SITE` printed, in quotes")
    site_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Redeem the line and keep the token, mode 0600."""
    os.umask(0o077)
    path, url = join(site_file(args), args.line)
    print(f"Joined the desk {url}. The token is in {path}. Now start the agent, or restart it.")
    return 0


def join(site_path: Path, line: str) -> tuple[Path, str]:
    """Redeem a join line for a site file's agent; returns the token's file and the desk's address."""
    site = load_site(site_path)
    match = re.fullmatch(r"roundsman-join:(https?://[^#\s]+)#(\S+)", line.strip())
    if match is None:
        raise CommandError("This is no join line. It begins with roundsman-join: and `roundsman desk enrol` prints it.")
    if site.desk is None:
        raise CommandError(f"The site file names no desk. Add:\ndesk: {{url: {match[1]}, token_file: desk.token}}")
    if site.desk.url != match[1].rstrip("/"):
        raise CommandError(f"The line is for the desk {match[1]}, the site file names {site.desk.url}.")
    reply = asyncio.run(_redeem(_identity(site), match[1], match[2]))
    if reply.site != site.id:
        raise CommandError(f"The line is for site {reply.site!r}; this site file is of {site.id!r}. Enrol again.")
    path = site.folder / site.desk.token_file
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(reply.token + "\n")
    fresh.replace(path)
    return path, site.desk.url


def _identity(site: Site) -> str:
    """Return the agent's UUID: of the one that runs, else of its journal, which is made here when there is none."""
    if site.agent.control.exists():
        with contextlib.suppress(ControlError):
            return str(asyncio.run(ask(site.agent.control, "status"))["agent"])
    try:
        lock = locked(site.agent.state)
    except AlreadyRunningError as error:
        raise CommandError(f"The agent runs but does not answer at {site.agent.control}: {error}") from error
    try:
        journal = Journal(site.agent.state, site.id)
        agent = journal.position().agent
        journal.close()
    except StoreError as error:
        raise CommandError(str(error)) from error
    finally:
        os.close(lock)
    return agent


async def _redeem(agent: str, url: str, code: str) -> EnrolReply:
    try:
        async with DeskClient(url, "") as client:
            return await client.enrol(EnrolRequest(code, agent, VERSION))
    except DeskError as error:
        raise CommandError(f"The desk did not take the line: {error}") from error
