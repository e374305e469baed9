"""The one reader of every YAML file here: site file, fault rules, contracts, device definitions, scenarios.

    node = read(path)                 # or read_text(text, name): the tree with lines, scalars still text
    site = convert(node, SiteFile)    # into a frozen msgspec struct by its type hints; every problem at once
    ConfigError.problems              # str(error) is one line a problem: "site.yaml:12: lines[0].baud: ..."

`convert` and its types (`Seconds`, `Address`, `Located` ...) are described in `config.convert` and `config.scalars`.
What YAML offers beyond maps, lists and values is refused by name: anchors, aliases, merge keys, tags, two documents.
So are the traps: duplicate keys, tabs, a value that runs on in the next line, a comment stuck to its `#`.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from config.advice import printable
from config.convert import Located, convert
from config.node import ConfigError, Listing, Node, Place, Problem, Scalar, Table

__all__ = [
    "ConfigError",
    "Listing",
    "Located",
    "Node",
    "Place",
    "Problem",
    "Scalar",
    "Table",
    "convert",
    "read",
    "read_text",
]

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029\ufffe\uffff]")
_TAB = re.compile(r"^ *\t\s*[^\s#]")
_STUCK_COMMENT = re.compile(r"[ \t]+#[^\s#]")

# What libyaml says, in a user's words. The first that is found in its message is used.
_SYNTAX = (
    (
        "mapping values are not allowed",
        'a ": " stands where none can be; put the value in quotes, or correct the indentation',
    ),
    ("block sequence entries are not allowed", 'a list begins on the line after its key, each line with "- "'),
    ("cannot start any token", 'a value cannot begin with this sign; put it in quotes: "..."'),
    ("could not find expected ':'", 'this line is no "key: value"; a colon and a space are missing'),
    ("while scanning a quoted scalar", "the quotes that open here are never closed"),
    ("expected ',' or ']'", "the bracket [ that opens here is not closed"),
    ("expected ',' or '}'", "the brace { that opens here is not closed"),
    ("did not find expected node content", "a bracket stands here without a value; put text with brackets in quotes"),
    ("expected '-' indicator", 'a list goes on here without its "- "; or correct the indentation'),
    ("did not find expected key", "a key is expected here; correct the indentation or the quotes before it"),
)
_OPENED = ("quoted scalar", "',' or ']'", "',' or '}'")


def read(path: Path | str) -> Node:
    """Read a YAML file of at most 1 MB in UTF-8. Raises ConfigError; line 0 when the file itself cannot be read."""
    path, name = Path(path), str(path)
    try:
        if path.exists() and not path.is_file():
            raise ConfigError([Problem(name, 0, 0, "", "is not a file")])
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            [Problem(name, 0, 0, "", f"cannot be read: {(error.strerror or str(error)).lower()}")]
        ) from None
    if len(content) > MAX_BYTES:
        raise ConfigError([Problem(name, 0, 0, "", "is larger than 1 MB; no configuration is that long")])
    return read_text(_decode(content, name), name)


def read_text(text: str, name: str) -> Node:
    """Read YAML text; `name` stands for the file in messages. Raises ConfigError with every problem of form."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    problems = [
        Problem(name, number, match.end(), "", message)
        for number, line in enumerate(text.split("\n"), 1)
        for pattern, message in (
            (_CONTROL, "a control character stands here; remove it"),
            (_TAB, "the line is indented with a tab; use spaces"),
        )
        if (match := pattern.search(line))
    ]
    if problems:
        raise ConfigError(problems)
    builder = _Builder(text, name)
    try:
        node = builder.document()
    except yaml.MarkedYAMLError as error:
        builder.problems.append(_syntax_problem(error, name))
        raise ConfigError(builder.problems) from None
    except yaml.YAMLError as error:
        raise ConfigError([Problem(name, 0, 0, "", f"is not YAML: {error}")]) from None
    if node is None or builder.problems:
        raise ConfigError(builder.problems or [Problem(name, 0, 0, "", "is empty")])
    return node


def _decode(content: bytes, name: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError([Problem(name, 0, 0, "", "is UTF-16; save it as UTF-8")])
    if content.startswith(b"\xef\xbb\xbf"):
        raise ConfigError([Problem(name, 1, 1, "", "begins with a byte order mark; save it as UTF-8 without BOM")])
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8 (it may be GBK)"
        raise ConfigError([Problem(name, line, 0, "", message)]) from None


def _syntax_problem(error: yaml.MarkedYAMLError, name: str) -> Problem:
    said = f"{error.context or ''} {error.problem or ''}"
    opened = error.context_mark if any(word in said for word in _OPENED) else None
    mark = opened or error.problem_mark or error.context_mark
    if "could not find expected ':'" in said:
        mark = error.context_mark or mark
    message = next((ours for theirs, ours in _SYNTAX if theirs in said), said.strip())
    return Problem(name, mark.line + 1 if mark else 0, mark.column + 1 if mark else 0, "", message)


class _Builder:
    """Builds nodes from the parser's events: nothing is expanded, nothing is resolved, depth is bounded."""

    def __init__(self, text: str, name: str) -> None:
        self.lines = [*text.split("\n"), ""]  # the parser may see one more line, an empty one
        self.name = name
        self.problems: list[Problem] = []
        self.events = iter(yaml.parse(text, Loader=_LOADER))

    def document(self) -> Node | None:
        """Return the only document, or None for a file without one."""
        root: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self.complain(event, "", 'a second document begins here ("---"); one file holds one')
                    return root
                root = self.node(next(self.events), "", 0)
        return root

    def complain(self, event: Any, path: str, message: str) -> None:
        """Note a problem where the event begins."""
        self.problems.append(Problem(self.name, event.start_mark.line + 1, event.start_mark.column + 1, path, message))

    def node(self, event: Any, path: str, depth: int) -> Node:
        """Return the node that begins with this event."""
        place = Place(self.name, event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.AliasEvent):
            self.complain(
                event, path, f"aliases (*{event.anchor}) are not read here; write the value out, or put it in quotes"
            )
            return Scalar(place, path, "*")
        if event.anchor is not None:
            self.complain(
                event, path, f"anchors (&{event.anchor}) are not read here; write the value out, or put it in quotes"
            )
        if event.tag is not None:
            self.complain(event, path, f"tags ({event.tag}) are not read here; put the value in quotes")
        if depth > MAX_DEPTH:
            self.complain(event, path[:60] + "...", f"is nested deeper than {MAX_DEPTH} levels")
            raise ConfigError(self.problems)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.listing(place, path, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return self.table(place, path, depth)
        return self.scalar(event, place, path)

    def scalar(self, event: Any, place: Place, path: str) -> Scalar:
        """Return a value, after a look at what its writer may have meant otherwise."""
        plain = not event.style
        end = event.end_mark
        if plain and end.line != event.start_mark.line:
            self.complain(
                event, path, "the value runs on in the next line; correct the indentation, or put it in quotes"
            )
        elif plain and _STUCK_COMMENT.match(self.lines[end.line], end.column):
            self.complain(
                event, path, 'what follows "#" is a comment; put the value in quotes, or a space after the "#"'
            )
        return Scalar(place, path, event.value, plain)

    def listing(self, place: Place, path: str, depth: int) -> Listing:
        """Return a list, up to its end."""
        items: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, f"{path}[{len(items)}]", depth + 1))
        return Listing(place, path, tuple(items))

    def table(self, place: Place, path: str, depth: int) -> Table:
        """Return a map, up to its end; a key that stands twice keeps its first value and is a problem."""
        fields: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, path, depth + 1)
            shown = key.text if isinstance(key, Scalar) else "?"
            inside = f"{path}.{printable(shown)}" if path else printable(shown)
            if not isinstance(key, Scalar):
                self.complain(event, path, "a key is one word, not a list or a map; put text with { or [ in quotes")
            elif key.text == "<<" and key.plain:
                self.complain(event, path, 'merge keys ("<<") are not read here; write the keys out')
            elif key.empty:
                self.complain(event, path, "a key is missing before the colon")
            elif key.text in fields:
                self.complain(event, inside, f"the key stands twice; the first is in line {keys[key.text].line}")
            value = self.node(next(self.events), inside, depth + 1)
            fields.setdefault(shown, value)
            keys.setdefault(shown, key.place)
        return Table(place, path, fields, keys)
