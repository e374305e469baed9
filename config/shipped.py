"""The YAML files that come with the program: in a checkout and in an installed wheel alike."""

import functools
from importlib.resources import files
from importlib.resources.abc import Traversable

from config.node import Node
from config.reader import read_text


@functools.cache
def names(room: str) -> frozenset[str]:
    """Return the names of the files in config/`room`, folders below included: `contracts`, `faults`, `devices`."""
    return frozenset(file.name.removesuffix(".yaml") for file in _files(files("config") / room))


def read_shipped(room: str, name: str) -> Node:
    """Return the file of that name in config/`room`; messages name it `contracts/demo.yaml`."""
    for file in _files(files("config") / room):
        if file.name == f"{name}.yaml":
            return read_text(file.read_text(encoding="utf-8"), f"{room}/{name}.yaml")
    raise KeyError(name)


def example_site() -> str:
    """Return the text of the example site file."""
    return (files("config") / "site.example.yaml").read_text(encoding="utf-8")


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
