"""Writes docs/api.md from the desk's operations: `python -m tests.api_doc`."""

from itertools import groupby
from pathlib import Path
from typing import Any

from desk.api import OPERATIONS
from desk.api_words import NO_SUCH, WORDS_ARE_WRONG
from desk.openapi import document
from desk.operation import Operation, Query
from model.refusal_words import REFUSALS
from model.service.words import Refusal
from model.ticket_protocol import SAYABLE
from roundsman.tickets.verbs import OPTIONS, VERBS, Verb

PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
HEAD = """# The API

JSON over HTTP, version 1. This page is made from the desk's operations and messages by `python -m tests.api_doc`; a
desk that runs gives the same as OpenAPI 3.1 at `/api/v1/openapi.json`. `connectors/tickets.py` is the client.

    curl -H 'Idempotency-Key: 6f1c' http://127.0.0.1:8061/api/v1/tickets/7/acts \\
        -d '{"by": "Li", "act": {"what": "reached", "milestone": "arrive", "said": "14:05"}}'

- **Who.** `by` is a person's name, `side` is `service` (who maintains) or `customer`. While the desk knows no people,
  `by` is believed, on its own machine alone. As soon as it has a user a program needs a token, of a person or its own
  (docs/people.md): `Authorization: Bearer TOKEN`. Then `by` is whose it is, whatever is sent. Without one:
  401 `sign_in`; a call that needs a higher role: 403 `role`; what is of another's site: 404.
- **When.** `said` is when it happened; without it: now. A time is Unix seconds, ISO 8601, or `14:05`, the last time
  that it was so; as a limit (`due`) the next. Without an offset it is the site's local time. A time to the minute, in
  the minute of the opening, is the opening.
- **The answer** is the ticket as it is then, with every clock: start, limit, end, where it stands (docs/service.md).
  Times in answers are Unix seconds. Fields that you do not know are to be ignored.
- **A refusal** is `{"error": WORD, "message": SENTENCE, "known": [...]}`: 409 when it conflicts with what stands, 422
  when the words themselves are wrong, 404 when there is no such ticket. `Accept-Language: zh` gives Chinese. Nothing
  was written down. What cannot be read at all is 400; a field that an act does not have is refused.
- **Once.** With `Idempotency-Key` a request is done once: asked again it gets the same answer (`Idempotency-Replayed:
  true`), a refusal too. The same key with another request is 409 `key_reused`. Keys are kept for 30 days.
- **503** with `Retry-After`: nothing was taken; ask again, with the same key.
- **Pages.** Lists by number give `before`, entries `after`: what to ask with for the next page; null on the last.
  A list by the least time left has no next page; `more` says that it was cut.

"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, "## Operations\n"]
    for group, each in groupby(OPERATIONS, key=lambda operation: operation.group):
        parts.append(f"\n### {group.capitalize()}\n\n")
        parts.append("".join(_operation(operation) for operation in each))
    parts.append("\n## What may be said of a ticket\n\n`what` names the act; a field in brackets may be left out.\n\n")
    parts.append(_acts())
    parts.append("\n## Refusals\n\n| word | status | sentence | 说明 |\n|---|---|---|---|\n")
    parts.extend(
        f"| `{word}` | {_status(word)} | {text['en']} | {text['zh']} |\n"
        for word, text in ({str(each): REFUSALS[each] for each in Refusal} | NO_SUCH).items()
    )
    return "".join(parts)


def _operation(each: Operation) -> str:
    lines = [f"#### `{each.method} {each.path}`\n{each.says}"]
    if each.open_to:
        lines[0] += f". For {each.open_to}"
    lines[0] += "."
    body = f"takes {_name(each.takes)}, " if each.takes is not None else ""
    gives = "no body" if each.gives is None else _name(each.gives)
    once = ", takes an Idempotency-Key" if each.once else ""
    lines.append(f"It {body}gives {gives} ({204 if each.gives is None else each.gives_status}){once}.")
    if each.refuses:
        lines.append("Errors: " + "; ".join(f"{status} {words}" for status, words in each.refuses) + ".")
    lines.extend(_query(query) for query in each.query)
    return "\n".join(lines) + "\n\n"


def _query(each: Query) -> str:
    kind = each.kind if isinstance(each.kind, str) else ", ".join(f"`{word}`" for word in each.kind)
    default = f"; `{each.default}` unless said" if each.default is not None else ""
    return f"- `{each.name}` ({kind}): {each.says}{default}"


def _name(kind: Any) -> str:
    return f"`{kind.__name__}`" if isinstance(kind, type) else "an object"


def _acts() -> str:
    """Return the table of acts: fields, and the verb of `roundsman ticket` that says each."""
    schemas = document(OPERATIONS)["components"]["schemas"]
    rows = ["| `what` | fields | it says | `roundsman ticket N` |\n|---|---|---|---|\n"]
    for tag, kind in sorted(SAYABLE.items()):
        schema = schemas[f"Say{kind.__name__}"]
        needed = schema["required"]
        fields = [name if name in needed else f"[{name}]" for name in schema["properties"] if name != "what"]
        rows.append(f"| `{tag}` | {', '.join(fields) or '-'} | {_says(tag)} | {_verbs(tag)} |\n")
    return "".join(rows)


def _verbs(tag: str) -> str:
    """Return how the command line says an act."""
    if tag == "asked_for":
        return "`document DOCUMENT --asked`"
    if tag == "reached":
        return ", ".join(f"`{name}`" for name, verb in VERBS.items() if verb.what == tag) + " `--at TIME`"
    name, verb = _verb(tag)
    words = " ".join([name, *(word.name.upper() for word in verb.words)])
    needed = [f" --{option} {OPTIONS[option]['metavar']}" for option in verb.options if OPTIONS[option].get("required")]
    return f"`{words}{''.join(needed)}`"


def _says(tag: str) -> str:
    """Return what an act is for, as the command line's help has it."""
    if tag == "reached":
        return "a milestone is reached"
    return "the customer asks for a document" if tag == "asked_for" else _verb(tag)[1].says


def _verb(tag: str) -> tuple[str, Verb]:
    return next((name, verb) for name, verb in VERBS.items() if verb.what == tag)


def _status(word: str) -> int:
    if word in NO_SUCH or word in WORDS_ARE_WRONG:
        return 422
    return 404 if word == Refusal.NO_TICKET else 409


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
