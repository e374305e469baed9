"""The JSON schema of Modbus definitions, for editors: made from the structs that read them.

`roundsman devices schema --protocol modbus` prints it; config/devices/modbus.schema.json is a copy that a test
compares. An editor that speaks YAML takes it from the first line of a file:

    # yaml-language-server: $schema=modbus.schema.json
"""

from typing import Any

from collectors.line.modbus_definition import ModbusDefinition
from config.editor import ANY_TEXT, schema_of

WHOLE = r"^(0[xX][0-9a-fA-F]+|[+-]?[0-9]+)$"


def schema() -> dict[str, Any]:
    """Return the schema of a definition."""
    return schema_of(ModbusDefinition, "Roundsman definition of a Modbus device", _widen)


def _widen(name: str, kind: dict[str, Any]) -> None:
    """Let a text be written as YAML's number or truth, as people do, and codes of states as hexadecimal numbers."""
    if kind.get("additionalProperties") == {"type": "string"}:
        kind["additionalProperties"] = ANY_TEXT
    elif name in {"clear", "active", "zero", "nonzero", "name"} and kind.get("type") == "string":
        kind.update(ANY_TEXT)
    elif name in {"equals", "is", "is_not", "names"} and "items" in kind:
        kind["items"] = kind["items"] if kind["items"].get("type") == "number" else ANY_TEXT
    elif name == "timeout":
        kind.clear()
        kind.update({"type": ["string", "null"], "description": "as 1s or 500ms"})
    names = kind.get("propertyNames")
    if isinstance(names, dict) and "type" not in names and name != "sentinels":
        names["pattern"] = WHOLE
