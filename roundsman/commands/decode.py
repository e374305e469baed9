"""`roundsman decode`: frames of a serial line, as hexadecimal or text, into JSON with every field named."""

import argparse
import json
import sys
from collections.abc import Iterator

from roundsman.lines.decoding import decoder

HEX = "Blanks, colons, commas, dashes, brackets and 0x may stand between the digits."
TEXT = r"The text is ~2001..., with or without its end, or with \r written out; hexadecimal text may have blanks in it."
LONGEST_LINE = 1_048_576
"""Bytes of a line that are taken at once; a longer one is taken in parts."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    protocols = parser.add_subparsers(dest="protocol", metavar="PROTOCOL", required=True)
    modbus = protocols.add_parser("modbus", help="Modbus RTU or TCP, as hexadecimal", epilog=HEX)
    modbus.add_argument("--tcp", action="store_true", help="the frames are Modbus TCP (else they tell it themselves)")
    ydt = protocols.add_parser("ydt1363", help="YD/T 1363, as text or hexadecimal", epilog=TEXT)
    ydt.set_defaults(tcp=False)
    for each in (modbus, ydt):
        each.add_argument("frame", nargs="*", help="frames, each an argument; none: standard input, one a line")
    parser.epilog = (
        "A line may hold a request and its response, and noise. A response on a line of its own is read by the request "
        "on the line before. Ends with 1 when a line was no frame; error says what is wrong."
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
    """Give the lines of standard input; each byte is one character, so that raw captures come through.

    A raw capture of YD/T 1363 is one line, because its frames end with CR alone: the parts of it end with one too.
    """
    rest = b""
    while part := sys.stdin.buffer.readline(LONGEST_LINE):
        line, rest = rest + part, b""
        if end := 0 if line.endswith(b"\n") else line.rfind(b"\r") + 1:
            line, rest = line[:end], line[end:]
        yield line.rstrip(b"\n").decode("latin-1")
    if rest:
        yield rest.decode("latin-1")
