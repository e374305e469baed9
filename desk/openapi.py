"""The desk's API as an OpenAPI 3.1 document: made from the operations and the types of their messages."""

import functools
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from desk.operation import Handler, Operation, Query
from desk.web import reply
from model.protocol import ErrorReply
from model.ticket_protocol import KEY, LONGEST_KEY, OURS, SAYABLE, TIMES, Sayable
from runtime.version import VERSION

WHERE = "#/components/schemas/{name}"
MOMENT = {
    "description": "Unix seconds, ISO 8601, or 14:05, the last time it was so (a limit: the next). Without an offset:"
    " the site's time.",
    "type": ["number", "string"],
}
_ABOUT = (
    "Times in answers are Unix seconds. Errors are a word for programs and a sentence for people, in the language of"
    " Accept-Language (en, zh). Unknown fields of an answer are to be ignored. Beyond loopback the desk"
    " answers with TLS alone."
)


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the OpenAPI document of operations."""
    operations = tuple(operations)
    types = _types(operations)
    schemas, components = msgspec.json.schema_components(types, ref_template=WHERE)
    schema_of = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        path, parameters = _path(each)
        paths.setdefault(path, {})[each.method.lower()] = _operation(each, parameters, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Roundsman desk",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": _as_said(components),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def answering(operations: Iterable[Operation]) -> Handler:
    """Return the handler that gives the document of operations; it is made when it is first asked for."""
    made = functools.cache(lambda: document(operations))

    async def openapi(_request: Request) -> Response:
        """Give the OpenAPI document."""
        return reply(made())

    return openapi


def _types(operations: tuple[Operation, ...]) -> list[Any]:
    """Return every type that an operation takes or gives, once."""
    found: dict[str, Any] = {}
    for each in operations:
        for kind in (each.takes, each.gives, each.refusal if each.refuses else None, ErrorReply, Sayable):
            if kind is not None:
                found.setdefault(repr(kind), kind)
    return list(found.values())


def _path(operation: Operation) -> tuple[str, list[dict[str, Any]]]:
    """Return a path as OpenAPI writes it, with its parameters."""
    parts: list[str] = []
    parameters: list[dict[str, Any]] = []
    for part in operation.path.split("/"):
        if not part.startswith("{"):
            parts.append(part)
            continue
        name, _, kind = part[1:-1].partition(":")
        schema = {"type": "integer", "minimum": 1} if kind else {"type": "string"}
        parts.append(f"{{{name}}}")
        parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
    return "/".join(parts), parameters


def _operation(each: Operation, parameters: list[dict[str, Any]], schema_of: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation_id(each),
        "summary": each.says,
        "tags": [each.group],
        "parameters": [*parameters, *map(_query, each.query), *([_KEY] if each.once else [])],
        "responses": _responses(each, schema_of),
    }
    if each.open_to:
        told |= {"security": [{"token": []}], "description": f"For {each.open_to}."}
    if each.takes is not None:
        schema = schema_of[repr(each.takes)]
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return told


def operation_id(each: Operation) -> str:
    """Return an operation's name: method and path in one word."""
    words = [part.strip("{}").partition(":")[0] for part in each.path.split("/")[3:]]
    return "_".join([each.method.lower(), *(word.replace("-", "_").replace(".", "_") for word in words)])


def _responses(each: Operation, schema_of: dict[str, Any]) -> dict[str, Any]:
    status = "204" if each.gives is None else str(each.gives_status)
    found: dict[str, Any] = {status: {"description": HTTPStatus(int(status)).phrase}}
    if each.gives is not None:
        found[status]["content"] = {"application/json": {"schema": schema_of[repr(each.gives)]}}
    for code, words in each.refuses:
        schema = schema_of[repr(each.refusal)]
        found[str(code)] = {"description": f"`error`: {words}", "content": {"application/json": {"schema": schema}}}
    error = {"application/json": {"schema": schema_of[repr(ErrorReply)]}}
    return found | {"503": {"description": "Nothing was taken: try again after Retry-After seconds", "content": error}}


def _query(each: Query) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": each.kind} if isinstance(each.kind, str) else {"enum": list(each.kind)}
    if each.default is not None:
        schema["default"] = each.default
    return {"name": each.name, "in": "query", "description": each.says, "schema": schema}


_KEY = {
    "name": KEY,
    "in": "header",
    "description": "Asked again with the same key, a request is done once and answered alike; kept for 30 days.",
    "schema": {"type": "string", "maxLength": LONGEST_KEY},
}


def _as_said(components: dict[str, Any]) -> dict[str, Any]:
    """Return the components with the acts as people may say them: times in any form, without what the desk fills in.

    An answer keeps the acts as they are written down; `Said` before their names tells the others apart.
    """
    said: dict[str, Any] = {}
    for tag, kind in SAYABLE.items():
        name = kind.__name__
        own = dict(components[name])
        properties = {key: value for key, value in own["properties"].items() if key not in OURS.get(tag, ())}
        for key in TIMES & properties.keys():
            optional = key not in own.get("required", [])
            properties[key] = {**MOMENT, "type": [*MOMENT["type"], "null"], "default": None} if optional else MOMENT
        said[f"Say{name}"] = own | {"title": f"Say{name}", "properties": properties, "additionalProperties": False}
    acts = {
        "anyOf": [{"$ref": WHERE.format(name=name)} for name in said],
        "discriminator": {
            "propertyName": "what",
            "mapping": {tag: WHERE.format(name=f"Say{kind.__name__}") for tag, kind in SAYABLE.items()},
        },
    }
    asked = dict(components["Say"])
    asked["properties"] = asked["properties"] | {"act": {"$ref": WHERE.format(name="SaidAct")}}
    return dict(sorted((components | said | {"SaidAct": acts, "Say": asked}).items()))
