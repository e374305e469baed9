"""The JSON schema of device definitions, for editors: made from the structs that read them.

`roundsman devices schema` prints it; config/devices/snmp.schema.json is a copy that a test compares.  An editor that
speaks YAML takes it from the first line of a file:  # yaml-language-server: $schema=snmp.schema.json
"""

from typing import Any

import msgspec

from collectors.snmp.definition import Definition

OID = r"^[0-2](\.[0-9]+)+$"
_OIDS = {"oid", "entry", "count", "sys_object_id", "has", "avoid", "identity"}
_ANY_TEXT = {"type": ["string", "number", "boolean"]}


def schema() -> dict[str, Any]:
    """Return the schema: every key, its kind, its words and what it is for; a key that is not known is marked."""
    made = msgspec.json.schema(Definition)
    for struct in made["$defs"].values():
        if "properties" not in struct:
            continue
        struct["additionalProperties"] = False
        struct["description"] = " ".join(struct.get("description", "").split())
        for name, kind in struct["properties"].items():
            _widen(name, kind)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Roundsman device definition", **made}


def _widen(name: str, kind: dict[str, Any]) -> None:
    """Let a text be written as YAML's number or truth, as people do, and say what an OID looks like."""
    each = kind.get("items") or kind.get("additionalProperties") or kind
    if name in _OIDS and isinstance(each, dict) and each.get("type") == "string":
        each["pattern"] = OID
    elif isinstance(kind.get("items"), dict) and kind["items"] == {"type": "string"}:
        kind["items"] = _ANY_TEXT
    elif kind.get("additionalProperties") == {"type": "string"}:
        kind["additionalProperties"] = _ANY_TEXT
    elif name in {"clear", "active", "zero", "nonzero", "name"} and kind.get("type") == "string":
        kind.update(_ANY_TEXT)
