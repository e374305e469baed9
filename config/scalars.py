"""What the text of one value may mean: numbers, yes and no, durations, addresses.

A reader takes text and gives a value; it raises ValueError with what is wrong and, after a semicolon, what would be
right. The file, line and path are added by `config.convert`. A type with a reader of its own is
`Annotated[float, Form(duration)]`.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from config.advice import show

_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_HEX = re.compile(r"0[xX][0-9a-fA-F]+")
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|h|d)")
_INTERFACE = re.compile(r"[A-Za-z0-9_.@-]{1,15}", re.ASCII)  # IFNAMSIZ of Linux, without its last octet
_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Form(msgspec.Struct, frozen=True):
    """How a type is written: its reader, and an example for messages."""

    read: Callable[[str], Any]
    example: str = ""


class Address(msgspec.Struct, frozen=True):
    """A host and a port to listen on or to ask."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def whole(text: str) -> int:
    """Read a whole number, decimal or 0x hexadecimal. A leading zero is refused: it may be meant as octal."""
    if _HEX.fullmatch(text):
        return int(text, 16)
    if _WHOLE.fullmatch(text) and len(text) <= 20:
        return int(text)
    if re.fullmatch(r"0[0-9]+", text):
        raise ValueError(f"{show(text)} begins with a zero; write {text.lstrip('0') or '0'}")
    if re.fullmatch(r"[0-9]{1,3}([_,][0-9]{3})+", text):
        raise ValueError(f"{show(text)} is not a whole number; write {re.sub('[_,]', '', text)}")
    raise ValueError(f"{show(text)} is not a whole number")


def decimal(text: str) -> float:
    """Read a number, with a point and an exponent if need be; never infinite, never not-a-number."""
    if _DECIMAL.fullmatch(text) and len(text) <= 40:
        number = float(text)
        if abs(number) < 1e300:
            return number
    if re.fullmatch(r"[0-9]+,[0-9]+", text):
        raise ValueError(f"{show(text)} is not a number; write {text.replace(',', '.')}")
    raise ValueError(f"{show(text)} is not a number")


def truth(text: str) -> bool:
    """Read yes or no."""
    if text in _WORDS:
        return _WORDS[text]
    raise ValueError(f"{show(text)} is neither yes nor no; write true or false")


def seconds(text: str) -> float:
    """Read a duration such as 500ms, 15s, 2min, 1h or 7d into seconds."""
    match = _DURATION.fullmatch(text)
    if match and len(text) <= 20:
        return round(float(match[1]) * _DURATION_UNITS[match[2]], 3)
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        raise ValueError(f"{show(text)} has no unit; write {text}s")
    if minutes := re.fullmatch(r"([0-9]+)m", text):
        raise ValueError(f"{show(text)} could be read in two ways; write {minutes[1]}min")
    raise ValueError(f"{show(text)} is not a duration; write for example 15s, 2min or 1h")


def octets(text: str) -> int:
    """Read an amount of storage such as 500MB or 2GB into bytes, by powers of 1024."""
    match = re.fullmatch(r"([0-9]{1,6}) ?(MB|GB|MiB|GiB)", text)
    if match is None:
        raise ValueError(f"{show(text)} is no amount of storage; write for example 500MB or 2GB")
    return int(match[1]) << (30 if match[2].startswith("G") else 20)


def host(text: str) -> str:
    """Read an IPv4 or IPv6 address or a host name, without a port."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    scope = bare.partition("%")[2]
    if scope and not _INTERFACE.fullmatch(scope):
        raise ValueError(f"{show(text)} names no network interface; write for example fe80::1%eth0")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        labels = bare.rstrip(".").split(".")
        if len(bare) <= 253 and all(_HOST_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit():
            return bare
    raise ValueError(f"{show(text)} is not an address; write for example 192.0.2.10 or ups-1.example.org")


def address(text: str) -> Address:
    """Read host:port; an IPv6 host stands in brackets."""
    before, colon, after = text.rpartition(":")
    if not colon or (":" in before and not before.startswith("[")):
        raise ValueError(f'{show(text)} has no port; write for example 127.0.0.1:9961 or "[::1]:9961"')
    port = whole(after)
    if not 0 < port < 65536:
        raise ValueError(f"{port} is not a port; write one from 1 to 65535")
    return Address(host(before), port)


Seconds = Annotated[float, Form(seconds, "15s")]
Host = Annotated[str, Form(host, "192.0.2.10")]
HostPort = Annotated[Address, Form(address, "127.0.0.1:9961")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535, examples=[161])]
