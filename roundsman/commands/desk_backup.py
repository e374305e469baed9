"""`roundsman desk backup`: the desk's file and what it needs, into one checked file, while the desk runs."""

import argparse
import signal
import threading
from pathlib import Path

from config.scalars import seconds as duration
from roundsman.keeping import STATE, say
from roundsman.output import CommandError, language


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="the file to make, or a folder: then it is named by the time"
    )
    parser.add_argument("--state", type=Path, default=STATE, metavar="DIR", help=f"the desk's state folder ({STATE})")
    parser.add_argument("--keep", type=int, default=0, metavar="N", help="in a folder, the newest N stay (all)")
    parser.add_argument("--every", default="", metavar="TIME", help="go on, once each TIME (6h); into a folder")
    parser.add_argument("--check", action="store_true", help="make none: read FILE whole and compare its check sums")
    parser.add_argument("--lang", choices=("en", "zh"), default=language(), help="the language (the terminal's)")


def run(args: argparse.Namespace) -> int:
    """Make a backup, one after another, or check one."""
    from desk.keeping import KeepingError, check  # noqa: PLC0415 - not for --help

    try:
        if args.check:
            print(say(args, "good", path=args.file, **_told(check(args.file))))
            return 0
        if args.every:
            return _every(args)
        _once(args)
    except KeepingError as error:
        raise CommandError(str(error)) from error
    return 0


def _once(args: argparse.Namespace) -> None:
    from desk.keeping_backup import back_up  # noqa: PLC0415 - not for --help

    path, manifest = back_up(args.state, args.file, keep=args.keep)
    print(say(args, "made", path=path, **_told(manifest)), flush=True)
    print(say(args, "secret"), flush=True)


def _every(args: argparse.Namespace) -> int:
    """Make backups until SIGTERM or SIGINT; one that fails is said, and the next is tried all the same."""
    from desk.keeping import KeepingError  # noqa: PLC0415 - not for --help

    try:
        seconds = duration(args.every)
    except ValueError as error:
        raise CommandError(f"--every: {error}") from error
    if seconds < 1 or not args.file.is_dir():
        raise CommandError("--every needs a folder for its backups, and a time of at least a second")
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    status = 0
    while True:
        try:
            _once(args)
            status = 0
        except KeepingError as error:
            print(error, flush=True)
            status = 1
        if stop.wait(seconds):
            return status


def _told(manifest: object) -> dict[str, object]:
    from desk.keeping import Manifest  # noqa: PLC0415 - not for --help

    assert isinstance(manifest, Manifest)  # noqa: S101 - for the reader
    size = sum(member.size for member in manifest.members)
    return {"tickets": manifest.tickets, "files": len(manifest.members), "size": f"{size / 1e6:.1f}"}
