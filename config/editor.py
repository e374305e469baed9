"""JSON schemas of YAML files, for editors: made from the structs that read them."""

from collections.abc import Callable
from typing import Any

import msgspec

ANY_TEXT = {"type": ["string", "number", "boolean"]}
"""What people write where a text belongs: YAML's number or truth is one too."""


def schema_of(struct: type[msgspec.Struct], title: str, widen: Callable[[str, dict[str, Any]], None]) -> dict[str, Any]:
    """Return the schema: every key, its kind, its words and what it is for; a key that is not known is marked.

    `widen` gets each key and its kind, to let in what the reader takes beside what the struct holds.
    """
    made = msgspec.json.schema(struct)
    for each in made["$defs"].values():
        if "properties" not in each:
            continue
        each["additionalProperties"] = False
        each["description"] = " ".join(each.get("description", "").split())
        for name, kind in each["properties"].items():
            widen(name, kind)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **made}
