"""Walk-tests as they stand at a moment; one that is signed or cancelled as its record says, and nothing else."""

from collections import Counter

import msgspec
from msgspec.structs import replace

from desk.period_store import held_by, untils
from desk.store import Db, Row, site_of
from desk.walktest_store import Line, Walk, digest_of, lines, walks
from model.period_protocol import HeldNow
from model.walktest import Result, result_of
from model.walktest_protocol import ItemNow, WalkList, WalkNow

_RECORD = msgspec.json.Decoder(WalkNow)


def walk_now(db: Db, walk: Walk, now: float) -> WalkNow:
    """Return a walk-test with its items and what it holds back."""
    if walk.record is not None:
        held = _held(db, walk)  # what became of them is known only later
        return replace(_RECORD.decode(walk.record), digest=digest_of(walk.record), held=held)
    items = tuple(item_now(line) for line in lines(db, walk))
    return replace(_without_items(db, walk, now, items), items=items, held=_held(db, walk))


def walks_now(db: Db, now: float, site: str = "") -> WalkList:
    """Return walk-tests without their items, the newest first; of one site, or all."""
    return WalkList(now, tuple(_short(db, walk, now) for walk in walks(db, site)))


def item_now(line: Line) -> ItemNow:
    """Return an item as it stands."""
    return ItemNow(**msgspec.structs.asdict(line.item), seen=line.seen, result=result_of(line.marks), marks=line.marks)


def _short(db: Db, walk: Walk, now: float) -> WalkNow:
    if walk.record is not None:
        return replace(_RECORD.decode(walk.record), digest=digest_of(walk.record), items=(), held=())
    return _without_items(db, walk, now, tuple(item_now(line) for line in lines(db, walk)))


def _without_items(db: Db, walk: Walk, now: float, items: tuple[ItemNow, ...]) -> WalkNow:
    site, body = site_of(db, walk.site), walk.body
    found = Counter(item.result for item in items)
    return WalkNow(
        number=walk.number,
        site=walk.site,
        site_name=site.name if site else walk.site,
        device=body.device,
        by=body.by,
        purpose=body.purpose,
        opened=walk.opened,
        end=walk.end,
        zone=body.zone,
        state=walk.state(now),
        counts={result.value: found[result] for result in Result},
        signature=body.signed,
        cancelled=body.cancelled,
        steps=body.steps,
    )


def _held(db: Db, walk: Walk) -> tuple[HeldNow, ...]:
    rows = held_by(db, walk.number)
    return tuple(map(_held_now, rows, untils(db, rows)))


def _held_now(row: Row, until: float) -> HeldNow:
    return HeldNow(row["site"], row["device"], row["fault"], row["since"], until, row["released"], row["ticket"])
