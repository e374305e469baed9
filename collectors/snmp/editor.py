"""The JSON schema of device definitions, for editors: made from the structs that read them.

`roundsman devices schema` prints it; config/devices/snmp.schema.json is a copy that a test compares.  An editor that
speaks YAML takes it from the first line of a file:  # yaml-language-server: $schema=snmp.schema.json
"""

from typing import Any

from collectors.snmp.definition import Definition
from config.editor import ANY_TEXT, schema_of

OID = r"^[0-2](\.[0-9]+)+$"
_OIDS = {"oid", "entry", "count", "sys_object_id", "has", "avoid", "identity"}


def schema() -> dict[str, Any]:
    """Return the schema of a definition."""
    return schema_of(Definition, "Roundsman device definition", _widen)


def _widen(name: str, kind: dict[str, Any]) -> None:
    """Let a text be written as YAML's number or truth, as people do, and say what an OID looks like."""
    each = kind.get("items") or kind.get("additionalProperties") or kind
    if name in _OIDS and isinstance(each, dict) and each.get("type") == "string":
        each["pattern"] = OID
    elif isinstance(kind.get("items"), dict) and kind["items"] == {"type": "string"}:
        kind["items"] = ANY_TEXT
    elif kind.get("additionalProperties") == {"type": "string"}:
        kind["additionalProperties"] = ANY_TEXT
    elif name in {"clear", "active", "zero", "nonzero", "name"} and kind.get("type") == "string":
        kind.update(ANY_TEXT)
