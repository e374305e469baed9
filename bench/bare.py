"""The least that an intake with group commit does: the desk's own stack and writer, and a receipt for each event.

    python -m bench.bare FOLDER PORT [--bytes]

It knows the tokens of the desk's file in FOLDER, takes the envelope apart, hashes each event and answers after the
commit of its receipts: no episodes, no tickets, no word about what an event means. With `--bytes` it keeps each event
too.
"""

import asyncio
import contextlib
import hashlib
import math
import sqlite3
import sys
from pathlib import Path

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desk.store import ROOM
from model.protocol import PREFIX, EventsReply, EventsRequest
from runtime.writer import Writer

TABLE = """CREATE TABLE receipts (
    agent TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, received REAL NOT NULL,
    body BLOB, PRIMARY KEY (agent, epoch, seq)
) STRICT, WITHOUT ROWID"""
_BATCH = msgspec.json.Decoder(EventsRequest)
FILE = "bare.sqlite"


class Bare:
    """Takes batches of events and keeps their receipts."""

    def __init__(self, folder: Path, *, keep: bool) -> None:
        with contextlib.closing(sqlite3.connect(folder / "desk.sqlite")) as desk:
            self._agents = dict(desk.execute("SELECT token, id FROM agents WHERE retired IS NULL"))
        self._writer = Writer(folder / FILE, (TABLE,), room=ROOM)
        self._keep = keep

    async def events(self, request: Request) -> Response:
        """Take a batch: answered after the commit."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        agent = self._agents.get(hashlib.sha256(token.encode()).hexdigest())
        batch = _BATCH.decode(await request.body())
        if scheme != "Bearer" or agent != batch.agent:
            return Response(status_code=401)
        rows = [
            (agent, batch.epoch, each.seq, hashlib.sha256(each.body).digest(), batch.wall, self._kept(each.body))
            for each in batch.events
            if math.isfinite(each.age)
        ]

        def take(db: sqlite3.Connection) -> int:
            db.executemany("INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
            return rows[-1][2]

        taken = await asyncio.wrap_future(self._writer.put(take))
        return Response(msgspec.json.encode(EventsReply("bare", taken)), media_type="application/json")

    def _kept(self, body: msgspec.Raw) -> bytes | None:
        return bytes(body) if self._keep else None


def main() -> int:
    """Serve until told to stop."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    bare = Bare(folder, keep="--bytes" in sys.argv)
    app = Starlette(routes=[Route(f"{PREFIX}/events", bare.events, methods=["POST"])])
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="off", backlog=1024)
    return 0


if __name__ == "__main__":
    sys.exit(main())
