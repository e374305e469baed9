"""`roundsman join`: redeem a one-time join line; the token goes into the site file's token file."""

import argparse
import asyncio
import contextlib
import os
import re
from pathlib import Path

from agent.control import ControlError, ask
from agent.credentials import keep_joined, request_for
from agent.journal import Journal
from agent.service import AlreadyRunningError, locked
from config.site import Site, load_site
from connectors.desk import DeskClient, DeskError
from model.protocol import EnrolReply, EnrolRequest
from roundsman.asking import site_argument, site_file
from roundsman.output import CommandError
from runtime.trust import fingerprint, first_certificate, trusting, unbelieved
from runtime.version import VERSION
from runtime.writer import StoreError

_LINE = re.compile(r"roundsman-join:(https?://[^#\s]+)#([^.\s]+)(?:\.([0-9a-f]{64}))?")


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
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise CommandError("This is no join line. It begins with roundsman-join: and `roundsman desk enrol` prints it.")
    url, code, print_ = match[1].rstrip("/"), match[2], match[3] or ""
    if site.desk is None:
        raise CommandError(f"The site file names no desk. Add:\ndesk: {{url: {url}, token_file: desk.token}}")
    if site.desk.url != url and not (print_ and site.desk.url.startswith("https:")):  # the CA knows all its names
        raise CommandError(f"The line is for the desk {url}, the site file names {site.desk.url}.")
    agent = _identity(site)
    reply, ca, own = asyncio.run(_redeem(site, agent, code, print_))
    if reply.site != site.id:
        raise CommandError(f"The line is for site {reply.site!r}; this site file is of {site.id!r}. Enrol again.")
    keep_joined(site, ca, own + reply.certificate.encode("ascii") if reply.certificate else b"")
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


async def _redeem(site: Site, agent: str, code: str, print_: str) -> tuple[EnrolReply, str, bytes]:
    """Return the desk's answer, the CA that it proved to be of ("": of none of its own), and the key made for it."""
    url = site.desk.url if site.desk else ""
    try:
        ca = await _compared(url, print_) if print_ else ""
        verify = trusting(ca) if url.startswith("https:") else True
        own, csr = request_for(site.id, agent) if url.startswith("https:") else (b"", "")
        async with DeskClient(url, "", verify=verify) as client:
            return await client.enrol(EnrolRequest(code, agent, VERSION, csr)), ca, own
    except DeskError as error:
        raise CommandError(f"The desk did not take the line: {error}") from error


async def _compared(url: str, print_: str) -> str:
    """Fetch the desk's CA and return it when it is the one whose fingerprint the line carries."""
    async with DeskClient(url, "", verify=unbelieved()) as client:
        told = (await client.ca()).ca
    try:
        found = fingerprint(told)
    except ValueError:
        found = "none"
    if found != print_:
        raise CommandError(
            f"This is not the desk that made the line, or somebody stands between: nothing was sent.\n"
            f"  CA of the line: {print_}\n  CA that came:   {found}\n"
            "Ask the desk for a new line; if it is the same again, look at what is between."
        )
    return first_certificate(told)
