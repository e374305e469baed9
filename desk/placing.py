"""Where a desk keeps what it keeps: in its state folder's file, or in a database. Never in both, never by mistake.

A desk that is started without its database would find no file, make an empty one and be another desk; one that has both
would leave one behind. So a folder whose desk is in a database says so (`store.json`, without the address: it may hold
a password).
"""

from pathlib import Path

from runtime.writer import StoreError

DATABASE = "desk.sqlite"
MARK = "store.json"
SAID = '{"store": "postgresql"}\n'
ELSEWHERE = "this desk keeps its data in a PostgreSQL database"


def is_elsewhere(state: Path) -> bool:
    """Say whether the desk of a state folder keeps its data in a database."""
    return (state / MARK).exists()


def place(state: Path, *, database: bool) -> None:
    """Raise StoreError when the desk of a folder is in the other place."""
    if database:
        if (state / DATABASE).exists():
            raise StoreError(
                f"there is a desk's file in {state} too: copy it with `roundsman desk copy`, or move it away",
                permanent=True,
            )
    elif is_elsewhere(state):
        raise StoreError(
            f"{ELSEWHERE}: start it with --store, or remove {state / MARK} to begin with an empty file", permanent=True
        )


def mark(state: Path) -> None:
    """Say that the desk of a folder is in a database from now on."""
    (state / MARK).write_text(SAID, encoding="ascii")
