"""The desk as this machine's own commands see it: over loopback, with a secret only its owner reads.

There is one writer of the desk's file, the desk: a command asks it. When a desk starts it writes `local.json` (mode
0600) with its address and secret into its state folder.
"""

import os
import ssl
from pathlib import Path
from typing import Any

import httpx
import msgspec

from runtime.trust import trusting_server_alone

FILE = "local.json"


class LocalError(Exception):
    """The desk could not be asked, or refused: a sentence for the person at the command line."""


class Local(msgspec.Struct, frozen=True):
    """Where the desk of a state folder answers, and its secret; the roster and contracts that it was started with.

    `chain` is the file with its certificate, "" without TLS.
    """

    url: str
    secret: str
    roster: str = ""
    contracts: str = ""
    chain: str = ""

    def verify(self) -> ssl.SSLContext | bool:
        """Return what a client on this machine knows the desk by. Raises LocalError."""
        try:
            return trusting_server_alone(Path(self.chain)) if self.chain else True
        except (OSError, ValueError) as error:
            raise LocalError(f"the desk's certificate cannot be read ({error}): start the desk again") from error


def write_local(state: Path, local: Local) -> None:
    """Write the desk's address and secret for this machine's commands, readable by the owner alone."""
    path = state / FILE
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(local))
    fresh.replace(path)


def read_local(state: Path) -> Local:
    """Return where the desk of a state folder answers."""
    try:
        return msgspec.json.decode((state / FILE).read_bytes(), type=Local)
    except FileNotFoundError:
        raise LocalError(f"no desk runs in {state}: start it with `roundsman desk`") from None
    except PermissionError:
        raise LocalError(f"you may not read {state / FILE}: run this as the desk's user") from None
    except msgspec.MsgspecError as error:
        raise LocalError(f"{state / FILE} is damaged ({error}): start the desk again") from error


def ask(state: Path, method: str, path: str, body: object = None) -> Any:
    """Ask the running desk and return its answer's JSON. Raises LocalError with what to do."""
    local = read_local(state)
    content = None if body is None else msgspec.json.encode(body)
    headers = {"Authorization": f"Bearer {local.secret}", "Content-Type": "application/json"}
    try:
        with httpx.Client(timeout=15.0, trust_env=False, verify=local.verify()) as client:
            answer = client.request(method, f"{local.url}{path}", content=content, headers=headers)
    except httpx.HTTPError as error:
        raise LocalError(f"the desk at {local.url} does not answer ({error}): is `roundsman desk` running?") from error
    if answer.is_error:
        raise LocalError(_sentence(answer))
    return msgspec.json.decode(answer.content) if answer.content else None


def tickets(state: Path, *, every: bool = False) -> list[dict[str, Any]]:
    """Return the desk's open tickets as its API gives them; `every` adds resolved and closed ones."""
    listed = ask(state, "GET", f"/api/v1/tickets?state={'all' if every else 'open'}")
    found: list[dict[str, Any]] = listed["tickets"]
    return found


def acknowledge(state: Path, number: int, by: str) -> dict[str, Any]:
    """Take a ticket for a person and return it."""
    taken: dict[str, Any] = ask(state, "POST", f"/api/v1/tickets/{number}/acknowledge", {"by": by})
    return taken


def _sentence(answer: httpx.Response) -> str:
    try:
        body = answer.json()
        return str(body["message"])
    except (ValueError, KeyError, TypeError):
        return f"the desk answered {answer.status_code}"
