"""All that a card has below some names: for drafting a definition, not for polling."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

from collectors.snmp.engine import Engine
from collectors.snmp.exchange import LONGEST_VALUE, Exchange, NoAnswer, RefusesAll, get, walk
from collectors.snmp.library import Library
from collectors.snmp.meaning import is_there
from collectors.snmp.poll import Card, knock
from collectors.snmp.target import Target
from model.point import Batch
from wire.snmp import Value

MOST_OBJECTS = 50_000
Progress = Callable[[int], None]


async def walk_card(
    target: Target,
    objects: Iterable[str],
    roots: Callable[[dict[str, Value]], Iterable[str]],
    progress: Progress,
    most: int = MOST_OBJECTS,
) -> tuple[dict[str, Value], str]:
    """Ask a card for single objects, then for all below what `roots` makes of them; return all, and what went wrong.

    `progress` is told how many objects were read so far.  At most `most` are; that there are more is told.
    """
    found: dict[str, Value] = {}
    taken: Counter[str] = Counter()
    done: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()

    def take(root: str, rows: dict[str, Value]) -> None:
        found.update({f"{root}.{row}": rows[row] for row in list(rows)[taken[root] :]})
        taken[root] = len(rows)
        progress(len(found))

    def whole(card: Card, _: Library, clock: Callable[[], float]) -> Exchange[Batch]:
        error = ""
        try:
            yield from knock(card)
            asked = yield from get(objects, card.manners)
            found.update({oid: value for oid, value in asked.items() if is_there(value)})
            card.manners.rows_left, card.manners.kept_left = most, most * LONGEST_VALUE
            for root in roots(found):
                yield from walk(root, card.manners, partial(take, root))
            if card.manners.cut:
                error = f"it has more than {most} objects, and the rest was not read"
        except NoAnswer:
            error = "it stopped answering" if found else f"no answer from {target.place}"
        except RefusesAll as refused:
            error = f"it answers every request with {refused}"
        return Batch(target.device, clock(), (), reachable=bool(found), error=error)

    engine = Engine(done.set_result, poll=whole)
    running = asyncio.create_task(engine.run([target]))
    await asyncio.wait((done, running), return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return found, done.result().error
