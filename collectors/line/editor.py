"""The JSON schema of Modbus definitions, for editors: made from the structs that read them.

`roundsman devices schema --protocol modbus` prints it; config/devices/modbus.schema.json is a copy that a test
compares. An editor that speaks YAML takes it from the first line of a file:

    # yaml-language-server: $schema=modbus.schema.json
"""

from typing import Any

import msgspec

from collectors.line.modbus_definition import ModbusDefinition

WHOLE = r"^(0[xX][0-9a-fA-F]+|[+-]?[0-9]+)$"
_ANY_TEXT = {"type": ["string", "number", "boolean"]}


def schema() -> dict[str, Any]:
    """Return the schema: every key, its kind, its words and what it is for; a key that is not known is marked."""
    made = msgspec.json.schema(ModbusDefinition)
    for struct in made["$defs"].values():
        if "properties" not in struct:
            continue
        struct["additionalProperties"] = False
        struct["description"] = " ".join(struct.get("description", "").split())
        for name, kind in struct["properties"].items():
            _widen(name, kind)
    title = "Roundsman definition of a Modbus device"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **made}


def _widen(name: str, kind: dict[str, Any]) -> None:
    """Let a text be written as YAML's number or truth, as people do, and codes of states as hexadecimal numbers."""
    if kind.get("additionalProperties") == {"type": "string"}:
        kind["additionalProperties"] = _ANY_TEXT
    elif name in {"clear", "active", "zero", "nonzero", "name"} and kind.get("type") == "string":
        kind.update(_ANY_TEXT)
    elif name in {"equals", "is", "is_not", "names"} and "items" in kind:
        kind["items"] = kind["items"] if kind["items"].get("type") == "number" else _ANY_TEXT
    elif name == "timeout":
        kind.clear()
        kind.update({"type": ["string", "null"], "description": "as 1s or 500ms"})
    names = kind.get("propertyNames")
    if isinstance(names, dict) and "type" not in names and name != "sentinels":
        names["pattern"] = WHOLE
