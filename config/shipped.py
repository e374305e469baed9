"""The YAML files that come with the program: in a checkout and in an installed wheel alike."""

import functools
from importlib.resources import files
from importlib.resources.abc import Traversable

from config.node import Node
from config.reader import read_text


@functools.cache
def names(room: str) -> frozenset[str]:
    """Return the names of the files in config/`room`, folders below included: `contracts`, `faults`, `devices`."""
    return frozenset(_places(room))


def read_shipped(room: str, name: str) -> Node:
    """Return the file of that name in config/`room`; messages name it `contracts/demo.yaml`."""
    return read_text(shipped_text(room, name), f"{room}/{name}.yaml")


def shipped_text(room: str, name: str) -> str:
    """Return the text of the file of that name in config/`room`; KeyError when there is none."""
    return _places(room)[name].read_text(encoding="utf-8")


def example_site() -> str:
    """Return the text of the example site file."""
    return (files("config") / "site.example.yaml").read_text(encoding="utf-8")


@functools.cache
def _places(room: str) -> dict[str, Traversable]:
    return {file.name.removesuffix(".yaml"): file for file in _files(files("config") / room)}


def _files(folder: Traversable) -> list[Traversable]:
    if not folder.is_dir():
        return []
    found: list[Traversable] = []
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            found += _files(entry)
        elif entry.name.endswith(".yaml"):
            found.append(entry)
    return found
