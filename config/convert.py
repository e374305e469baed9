"""From a tree of nodes into frozen msgspec structs, by their type hints, with every problem at once.

Understood hints: str, int, float, bool, StrEnum, Literal, `T | None`, unions (told apart by the node's kind, then tried
in order), tagged unions of structs, list, tuple, dict, nested structs, `Node` and `Scalar` (kept as they stand),
`Located[T]` (the value and its place), and `Annotated[T, ...]` with `Form` (a reader of its own: `Seconds`, `Host`,
`HostPort`) and `msgspec.Meta`: ge, gt, le, lt, pattern (of the whole text; `description` says it in words), min_length,
max_length, examples.

A key the struct does not have is refused, with the nearest one. A struct's `__post_init__` may raise ValueError: its
text becomes a problem of that map. A struct's hints must be importable at run time.
"""

import functools
import re
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from config.advice import either, nearest, printable, show
from config.node import ConfigError, Listing, Node, Place, Problem, Scalar, Table
from config.scalars import Form, decimal, truth, whole

T = TypeVar("T")
_SCALARS: dict[Any, Form] = {
    int: Form(whole, "5"),
    float: Form(decimal, "1.5"),
    bool: Form(truth),
    str: Form(str),
}
_SECRETS = frozenset({"community", "token", "password", "passphrase", "secret", "auth", "priv", "auth_key", "priv_key"})
_MISSING: Any = object()


class Located(msgspec.Struct, Generic[T], frozen=True):
    """A value that remembers where it was written."""

    value: T
    place: Place


def convert(node: Node, kind: type[T]) -> T:
    """Return the node as that type; raises ConfigError with every problem."""
    conversion = Conversion()
    value = conversion.value(node, kind)
    if conversion.problems:
        raise ConfigError(conversion.problems)
    return value  # type: ignore[no-any-return]


class Conversion:
    """One conversion that goes on after a problem, so that checks between parts can add theirs.

    A list or dict lacks what could not be converted; a struct has its default there, or else nothing (None or empty).
    `node_of` finds the map that a struct was made of. Once `problems` is not empty the value is good for checks only.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._sources: dict[int, tuple[Any, Table]] = {}

    def value(self, node: Node, kind: Any) -> Any:
        """Return the node as that type, or a marker of failure after noting problems."""
        value = self._convert(node, kind, None)
        return None if value is _MISSING else value

    def node_of(self, struct: msgspec.Struct) -> Table:
        """Return the map this very struct was made of."""
        return self._sources[id(struct)][1]

    def complain(self, struct: msgspec.Struct, key: str, message: str) -> None:
        """Note a problem at that key of the struct, or at the struct when the key is not written."""
        self.problems.append(self.node_of(struct).at(key).problem(message))

    def fail(self, node: Node, message: str) -> Any:
        """Note a problem and return the mark of failure."""
        self.problems.append(node.problem(message))
        return _MISSING

    def _convert(self, node: Node, kind: Any, example: Any) -> Any:
        notes: tuple[Any, ...] = ()
        while get_origin(kind) is Annotated:
            notes += kind.__metadata__
            kind = kind.__origin__
        metas = [note for note in notes if isinstance(note, msgspec.Meta)]
        form = next((note for note in notes if isinstance(note, Form)), None) or _SCALARS.get(kind)
        if form is not None:
            written = next((meta.examples[0] for meta in reversed(metas) if meta.examples), example or form.example)
            value = self._scalar(node, form, written)
        else:
            value = self._shape(node, kind, example)
        for meta in metas:
            if value is not _MISSING and (message := _limits(value, meta, node)):
                return self.fail(node, message)
        return value

    def _scalar(self, node: Node, form: Form, example: Any) -> Any:
        hint = f"; write for example {example}" if example not in (None, "") else ""
        if not isinstance(node, Scalar):
            return self.fail(node, f"is {node.kind}; a single value is meant{hint}")
        if node.empty:
            return self.fail(node, f"is empty{hint or '; write a value'}, or leave the key out")
        try:
            return form.read(node.text)
        except ValueError as error:
            message = str(error)
            return self.fail(node, message if ";" in message else message + hint)

    def _shape(self, node: Node, kind: Any, example: Any) -> Any:
        origin, arguments = get_origin(kind), get_args(kind)
        if kind is Scalar:
            return node if isinstance(node, Scalar) else self.fail(node, f"is {node.kind}; a single value is meant")
        if origin is Located:
            value = self._convert(node, arguments[0], example)
            return value if value is _MISSING else Located(value, node.place)
        if origin in (Union, UnionType):
            return self._union(node, [each for each in arguments if each is not NoneType], example)
        if origin is Literal:
            return self._choice(node, {str(each): each for each in arguments})
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self._choice(node, {str(each.value): each for each in kind})
        if origin in (list, tuple) or kind in (list, tuple):
            return self._list(node, origin or kind, arguments)
        if origin is dict or kind is dict:
            return self._dict(node, *(arguments or (str, Node)))
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._struct(node, kind)
        raise TypeError(f"no reader for {kind!r}")

    def _wrong_kind(self, node: Node, meant: str) -> Any:
        hint = {
            "a list": ': lines that begin with "- ", or [a, b]',
            "a map": ': lines of "key: value", or {key: value}',
        }[meant]
        if isinstance(node, Scalar) and node.empty:
            return self.fail(node, f"is empty; {meant} is meant{hint}")
        found = show(node.text) if isinstance(node, Scalar) else node.kind
        if isinstance(node, Scalar) and "\uff1a" in node.text:
            hint = '; the colon is full-width, write ": "'
        elif isinstance(node, Scalar) and node.plain and re.fullmatch(r"[\w.-]+:\S+", node.text):
            hint = "; write a space after the colon"
        return self.fail(node, f"is {found}; {meant} is meant{hint}")

    def _choice(self, node: Node, choices: dict[str, Any]) -> Any:
        if not isinstance(node, Scalar):
            return self.fail(node, f"is {node.kind}; write {either(choices)}")
        if node.text in choices:
            return choices[node.text]
        if node.empty:
            return self.fail(node, f"is empty; write {either(choices)}")
        return self.fail(node, f"{show(node.text)} is not one of its values; {nearest(node.text, choices)}")

    def _union(self, node: Node, kinds: list[Any], example: Any) -> Any:
        if Table in kinds:  # the hint is Node: kept as it stands
            return node
        if len(kinds) == 1:
            return self._convert(node, kinds[0], example)
        structs = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
        if isinstance(node, Table) and len(structs) > 1:
            return self._tagged(node, structs)
        fitting = [kind for kind in kinds if _fits(node, kind)] or kinds[:1]
        before = len(self.problems)
        for kind in fitting:
            del self.problems[before:]
            value = self._convert(node, kind, example)
            if value is not _MISSING and len(self.problems) == before:
                return value
        return _MISSING

    def _tagged(self, node: Table, structs: list[Any]) -> Any:
        tags = {str(each.__struct_config__.tag): each for each in structs}
        field = structs[0].__struct_config__.tag_field
        if field not in node.fields:
            return self.fail(node, f'the key "{field}" is missing; it is {either(tags)}')
        kind = self._choice(node.fields[field], tags)
        return kind if kind is _MISSING else self._struct(node, kind, field)

    def _list(self, node: Node, kind: Any, arguments: tuple[Any, ...]) -> Any:
        if not isinstance(node, Listing):
            return self._wrong_kind(node, "a list")
        if kind is tuple and arguments and arguments[-1] is not Ellipsis:
            if len(node.items) != len(arguments):
                return self.fail(node, f"has {len(node.items)} items; {len(arguments)} are meant")
            pairs = list(zip(node.items, arguments, strict=True))
        else:
            pairs = [(item, arguments[0] if arguments else Node) for item in node.items]
        values = [self._convert(item, each, None) for item, each in pairs]
        return kind(value for value in values if value is not _MISSING)

    def _dict(self, node: Node, key_kind: Any, value_kind: Any) -> Any:
        if not isinstance(node, Table):
            return self._wrong_kind(node, "a map")
        found = {}
        for text, item in node.fields.items():
            key = self._convert(Scalar(node.keys[text], item.path, text), key_kind, None)
            value = self._convert(item, value_kind, None)
            if key is not _MISSING and value is not _MISSING:
                found[key] = value
        return found

    def _struct(self, node: Node, kind: Any, tag: str = "") -> Any:
        if not isinstance(node, Table):
            return self._wrong_kind(node, "a map")
        fields = _fields(kind)
        self._unknown(node, [*fields, tag] if tag else list(fields))
        values: dict[str, Any] = {}
        complete = True
        for key, field in fields.items():
            if key in node.fields:
                plain_default = field.default if isinstance(field.default, (int, str)) and field.default else None
                value = self._convert(node.fields[key], field.type, plain_default)
                if value is not _MISSING:
                    values[field.name] = value
                    continue
            elif field.required and key.removesuffix("_file") not in node.fields:
                self.fail(node, f'the key "{key}" is missing{_for_example(key, field.type)}')
            if field.required:
                complete = False
                origin = get_origin(field.type)
                values[field.name] = origin() if origin in (list, tuple, dict) else None
        if not complete and hasattr(kind, "__post_init__"):
            return _MISSING
        try:
            struct = kind(**values)
        except ValueError as error:
            return self.fail(node, str(error))
        self._sources[id(struct)] = (struct, node)
        return struct

    def _unknown(self, node: Table, known: list[str]) -> None:
        for key, place in node.keys.items():
            if key in known:
                continue
            where = Scalar(place, node.fields[key].path, key)
            if key in _SECRETS or f"{key}_file" in known:
                name = f"{key}_file"
                right = name if name in known else next((each for each in known if each.endswith("_file")), name)
                self.fail(where, f"a secret never stands here; write it to a file and name that file with {right}")
            else:
                self.fail(where, f"unknown key; {nearest(key, known)}")


@functools.cache
def _fields(kind: Any) -> dict[str, msgspec.structs.FieldInfo]:
    """Return a struct's fields by the key they are written with."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _fits(node: Node, kind: Any) -> bool:
    """Tell whether a node of this kind could be that type at all."""
    while get_origin(kind) is Annotated or get_origin(kind) is Located:
        kind = kind.__origin__ if get_origin(kind) is Annotated else get_args(kind)[0]
    origin = get_origin(kind) or kind
    if origin in (list, tuple):
        return isinstance(node, Listing)
    if origin is dict or (isinstance(origin, type) and issubclass(origin, msgspec.Struct)):
        return isinstance(node, Table)
    return isinstance(node, Scalar)


def _limits(value: Any, meta: msgspec.Meta, node: Node) -> str:
    """Return what is wrong with a value by its Meta, or nothing."""
    example = f", for example {meta.examples[0]}" if meta.examples else ""
    if meta.pattern is not None and not re.fullmatch(meta.pattern, value):
        return f"{show(value)} does not fit; write {meta.description or meta.pattern}{example}"
    if isinstance(value, (int, float)):
        least, most = (meta.ge, meta.le) if meta.gt is None else (meta.gt, meta.le)
        below = least is not None and (value < least or (meta.gt is not None and value == least))
        above = (most is not None and value > most) or (meta.lt is not None and value >= meta.lt)
        if below or above:
            written = printable(node.text) if isinstance(node, Scalar) else f"{value:g}"
            return f"{written} is out of range; write {meta.description or _range(meta)}"
    elif meta.min_length is not None and len(value) < meta.min_length:
        return f"is too short; at least {meta.min_length} {'signs' if isinstance(value, str) else 'items'} are meant"
    elif meta.max_length is not None and len(value) > meta.max_length:
        return f"is too long; at most {meta.max_length} {'signs' if isinstance(value, str) else 'items'} are meant"
    return ""


def _range(meta: msgspec.Meta) -> str:
    words = [
        f"more than {meta.gt:g}" if meta.gt is not None else "",
        f"{meta.ge:g} or more" if meta.ge is not None and meta.le is None else "",
        f"from {meta.ge:g} to {meta.le:g}" if meta.ge is not None and meta.le is not None else "",
        f"at most {meta.le:g}" if meta.le is not None and meta.ge is None else "",
        f"less than {meta.lt:g}" if meta.lt is not None else "",
    ]
    return " and ".join(word for word in words if word)


def _for_example(key: str, kind: Any) -> str:
    notes = getattr(kind, "__metadata__", ())
    for note in reversed(notes):
        if isinstance(note, msgspec.Meta) and note.examples:
            return f"; write for example {key}: {note.examples[0]}"
        if isinstance(note, Form) and note.example:
            return f"; write for example {key}: {note.example}"
    return ""
