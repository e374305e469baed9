"""A line that is watched: the setting looked for, every frame shown as it comes, the books at the end."""

import argparse
import math
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from collectors.line.listening import Listening, Speaker, Spoken, Tuner
from collectors.line.port import PortError
from collectors.line.scanner import Scanner
from collectors.line.search import Setting
from collectors.line.ydt_decode import decoded
from config.line_port import DeviceServer
from roundsman.lines.frames import fields
from roundsman.lines.options import settings_of
from roundsman.lines.overhearing import tune
from roundsman.lines.spoken import line_of, summary
from roundsman.output import CommandError, json_lines


def watched(args: argparse.Namespace, port: Path | DeviceServer) -> int:
    """Show what passes; 1 when no frame was heard."""
    scanner = Scanner(port)
    decoded(0x41, None, 0x21, b"")  # has the definitions read now, and not while the first answer waits
    if scanner.gateway:
        raise CommandError(f"{port} is a gateway, which passes on nothing but answers; listen at the line itself.")
    watch = _Watch(args, scanner)
    lost = ""
    try:
        with suppress(KeyboardInterrupt):  # the usual way to end it
            watch.go_on()
    except PortError as error:
        lost = f"{error}."
    finally:
        scanner.close()
    if lost and not watch.has_heard:
        raise CommandError(lost)
    status = watch.end()
    if lost:
        raise CommandError(lost)
    return status


class _Watch:
    """One line being watched, from the first byte to the summary."""

    def __init__(self, args: argparse.Namespace, scanner: Scanner) -> None:
        self._args = args
        self._scanner = scanner
        self._settings = settings_of(args, scanner, every_parity=args.baud == "auto")
        self._began = time.monotonic()
        self._until = self._began + (args.seconds or math.inf)
        self._wall = time.time() - self._began
        self._listening: Listening | None = None
        self._tuner = Tuner(self._settings)

    @property
    def has_heard(self) -> bool:
        """Whether any byte came."""
        return bool(self._tuner.octets or (self._listening and self._listening.octets))

    def go_on(self) -> None:
        """Find the setting, then show every frame until the time is over. Raises PortError, KeyboardInterrupt."""
        setting, heard = self._tuned()
        if setting is None:
            return
        self._listening = listening = Listening(setting, heard[0][1] if heard else time.monotonic())
        for octets, at in heard:
            self._show(listening.feed(octets, at))
        for octets, at in self._scanner.listen(setting):
            self._show(listening.feed(octets, at))
            if at >= self._until:
                return

    def _tuned(self) -> tuple[Setting | None, list[tuple[bytes, float]]]:
        """Return the setting, and what was read at it while it was looked for."""
        if len(self._settings) == 1:
            return self._settings[0], []
        print(f"Looking for the setting: {', '.join(map(str, self._settings[:3]))}, ...", file=sys.stderr)
        tune(self._scanner, self._tuner, self._until - self._began, 0.0)
        if self._tuner.found is not None:
            print(f"Frames are right at {self._tuner.found}.", file=sys.stderr)
        return self._tuner.found, self._tuner.kept

    def _show(self, spoken: Iterable[Spoken]) -> None:
        if self._args.json:
            json_lines(self._row(each) for each in spoken)
            return
        for each in spoken:
            print(line_of(each, self._clock(each.began).strftime("%H:%M:%S.%f")[:-3]), flush=True)

    def _clock(self, at: float) -> datetime:
        return datetime.fromtimestamp(self._wall + at).astimezone()

    def _row(self, each: Spoken) -> dict[str, Any]:
        row: dict[str, Any] = {
            "time": self._clock(each.began).isoformat(timespec="milliseconds"),
            "gap_seconds": _rounded(each.gap),
            "frame": each.octets.hex(),
        }
        if each.heard is None:
            return {"kind": "noise", **row}
        return {"kind": "frame", **row, "answer_seconds": _rounded(each.took), **fields(each.heard)}

    def end(self) -> int:
        """Print the summary; 1 when no frame was heard."""
        now = time.monotonic()
        listening = self._listening
        if listening is None or not listening.frames:
            octets = self._tuner.octets if listening is None else listening.octets
            print(_nothing(octets, now - self._began), file=sys.stderr)
            return 1
        if self._args.json:
            json_lines([_books(listening, now)])
        else:
            print()
            summary(listening, now)
        return 0


def _nothing(octets: int, seconds: float) -> str:
    if octets:
        return (
            f"{octets} bytes were heard in {seconds:.0f} s, and no frame. Another speed or parity, A and B swapped, "
            "noise, or a protocol that is not known here."
        )
    return (
        f"Nothing was heard in {seconds:.0f} s. Either nobody speaks on this line, or this adapter is not on it: check "
        "A, B and the plug."
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def _books(listening: Listening, now: float) -> dict[str, Any]:
    setting = listening.setting
    return {
        "kind": "summary",
        "seconds": _rounded(listening.seconds(now)),
        "baud": setting.baud,
        "parity": setting.parity,
        "stop_bits": setting.stop_bits,
        "frames": listening.frames,
        "check_sum_errors": listening.mismatches,
        "noise_bytes": listening.noise,
        "cycle_seconds": _rounded(listening.cycle),
        "utilisation": _rounded(listening.utilisation(now)),
        "speakers": [_speaker(each) for _, each in sorted(listening.speakers.items())],
    }


def _speaker(each: Speaker) -> dict[str, Any]:
    return {
        "protocol": each.protocol,
        "address": each.unit,
        "requests": each.requests,
        "answers": each.responses,
        "refusals": each.refusals,
        "answer_seconds": {
            "min": _rounded(each.shortest),
            "median": _rounded(each.median),
            "max": _rounded(each.longest),
        },
    }
