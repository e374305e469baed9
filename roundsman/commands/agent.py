"""`roundsman agent`: watch a site, as a service."""

import argparse
import asyncio
import logging
import os
import sys

from agent.service import Agent, AlreadyRunningError
from config.site import Site, load_site
from roundsman.asking import site_argument, site_file
from roundsman.output import CommandError
from runtime.trust import CertificateError
from runtime.writer import StoreError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    site_argument(parser)
    parser.add_argument("--quiet", action="store_true", help="log warnings and errors alone")


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; SIGHUP reads the site file again."""
    level = "WARNING" if args.quiet else os.environ.get("ROUNDSMAN_LOG", "INFO").upper()
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True)
    for noisy in ("httpx", "httpcore", "apscheduler"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    os.umask(0o077)  # the journal tells what stands where; only its owner reads it
    site = load_site(site_file(args))
    try:
        asyncio.run(_watch(site))
    except (AlreadyRunningError, StoreError, CertificateError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"The agent cannot start: {error}") from error
    return 0


async def _watch(site: Site) -> None:
    await Agent(site).run()
