"""`roundsman decode`: frames of a serial line, as hexadecimal or text, into JSON with every field named."""

import argparse
import json
import sys
from collections.abc import Iterator

from roundsman.lines.decoding import decoder

LONGEST_LINE = 1_048_576
"""Bytes of a line that are taken at once; a longer one is taken in parts."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("protocol", choices=("modbus", "ydt1363"), help="what the frames are")
    parser.add_argument(
        "frame", nargs="*", help="a frame or more, as hexadecimal or text; none: standard input, one line a frame"
    )
    parser.add_argument(
        "--tcp", action="store_true", help="Modbus TCP frames; else they are told from RTU by themselves"
    )
    parser.epilog = (
        "Hexadecimal may have blanks, colons, commas or 0x in it; YD/T 1363 may be its own text (~2001...), with or "
        "without its end. A line may hold a request and its response, and noise. A response on a line of its own is "
        "read by the request on the line before. Ends with 1 when a line was no frame; error says what is wrong."
    )


def run(args: argparse.Namespace) -> int:
    """Print one JSON object a frame; returns 1 when a line was no frame."""
    decode, status = decoder(args.protocol, tcp=args.tcp), 0
    for line in args.frame or lines():
        for fields in decode(line) if line.strip() else ():
            print(json.dumps(fields, ensure_ascii=False), flush=True)
            status |= "error" in fields
    return status


def lines() -> Iterator[str]:
    """Give the lines of standard input; each byte is one character, so that raw captures come through."""
    while line := sys.stdin.buffer.readline(LONGEST_LINE):
        yield line.rstrip(b"\n").decode("latin-1")
