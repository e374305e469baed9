"""How a walk-test is written: an item's name, what the desk saw, what was said; the record as CSV (RFC 4180)."""

import csv
import io

from desk.guard_csv import plain
from desk.shown import Shown, clean
from model.walktest import Moved, Raised, Result
from model.walktest_protocol import ItemNow, WalkNow

COLUMNS = ("item", "kind", "device", "name", "asks", "seen", "result", "note", "who", "at")


def item_name(shown: Shown, item: ItemNow) -> str:
    """Return what an item is called, without its device."""
    fault = shown.title(item.title, item.fault)
    return " · ".join(part for part in (fault, item.label or (item.key if not fault else "")) if part)


def device_name(shown: Shown, item: ItemNow) -> str:
    """Return what an item's device is called; the site itself is one."""
    return shown.say("site") if item.device == "-" else item.device_name or item.device


def seen_text(shown: Shown, item: ItemNow, day: str = "") -> str:
    """Return what the desk saw of an item, "" for nothing yet; times of `day` (2026-10-01) are without it."""
    seen = item.seen
    if isinstance(seen, Moved):
        first = shown.value(seen.first, item.unit, item.quantity)
        if seen.moved is None:
            return ""
        after = shown.value(seen.value, item.unit, item.quantity)
        return f"{first} → {after}, {_clock(shown, seen.moved, day)}"
    return _raised_text(shown, seen, day, shown.title(item.title)) if isinstance(seen, Raised) else ""


def _raised_text(shown: Shown, seen: Raised, day: str, name: str) -> str:
    if seen.raised is None:
        return shown.say("walk.before") if seen.before else ""
    parts = [shown.say("walk.raised", time=_clock(shown, seen.raised, day))]
    if (case := shown.title(seen.case)) and case != name:
        parts.insert(0, case)
    if seen.cleared is not None:
        parts.append(shown.say("walk.cleared", time=_clock(shown, seen.cleared, day)))
    elif seen.stands:
        parts.append(shown.say("walk.stands" if seen.announced else "walk.pending"))
    if seen.explained:
        by = _parent(seen.explained_by) if seen.explained_by else shown.say("walk.another")
        parts.append(shown.say("walk.explained", by=by))
    if seen.times > 1:
        parts.append(shown.say("walk.times", n=seen.times))
    return (", " if shown.lang == "en" else "，").join(parts)


def _parent(condition: str) -> str:
    """Return a condition as device and fault."""
    _, device, *_, fault = condition.split("/")
    return f"{device} {fault}"


def _clock(shown: Shown, at: float, day: str) -> str:
    moment = shown.moment(at)
    return moment.removeprefix(f"{day} ") if day else moment


def said_text(shown: Shown, item: ItemNow) -> str:
    """Return what was said of an item last: who, when and why; "" for nothing."""
    if not item.marks:
        return ""
    last = item.marks[-1]
    return " · ".join(part for part in (last.note, last.who, shown.moment(last.at)[11:]) if part)


def passable(item: ItemNow) -> bool:
    """Say whether the desk saw what an item needs to be ticked without a note."""
    seen = item.seen
    if isinstance(seen, Moved):
        return seen.moved is not None
    return isinstance(seen, Raised) and bool(seen.times and seen.announced and not seen.stands)


def moved_at(item: ItemNow) -> float:
    """Return when the desk last saw something of an item, 0 for never."""
    seen = item.seen
    if isinstance(seen, Moved):
        return seen.moved or 0.0
    return (seen.cleared or seen.raised or 0.0) if isinstance(seen, Raised) else 0.0


def csv_of(walk: WalkNow, shown: Shown) -> bytes:
    """Return a walk-test's list as CSV, with who signed it below."""
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow([shown.say(f"walk.column.{column}") for column in COLUMNS])
    for number, item in enumerate(walk.items, 1):
        rows.writerow([plain(clean(cell)) for cell in _cells(number, item, shown)])
    rows.writerow([])
    for word, text in facts(walk, shown):
        rows.writerow([word, plain(clean(text))])
    return out.getvalue().encode("utf-8-sig")


def facts(walk: WalkNow, shown: Shown) -> list[tuple[str, str]]:
    """Return what stands around a walk-test's list: site, times, who signed, the record's digest."""
    found = [
        (shown.say("walk.title"), f"T{walk.number} {walk.purpose}".strip()),
        (shown.say("site"), f"{walk.site_name} ({walk.site})" + (f" / {walk.device}" if walk.device else "")),
        (shown.say("walk.opened"), " · ".join(filter(None, (shown.moment(walk.opened), walk.zone, walk.by)))),
        (shown.say("walk.end"), shown.moment(walk.end)),
        (shown.say("walk.state"), shown.say(f"walk.{walk.state}")),
        (shown.say("walk.counts"), counts_text(walk, shown)),
    ]
    if walk.signature:
        found += [
            (shown.say("walk.engineer"), walk.signature.engineer),
            (shown.say("walk.witness"), walk.signature.witness),
            (shown.say("walk.signed_at"), shown.moment(walk.signature.at)),
            (shown.say("walk.note"), walk.signature.note),
        ]
    if walk.cancelled:
        found.append((shown.say("walk.cancelled"), f"{walk.cancelled.who}: {walk.cancelled.reason}"))
    return [*found, ("SHA-256", walk.digest)] if walk.digest else found


def counts_text(walk: WalkNow, shown: Shown) -> str:
    """Return how many items came to what."""
    return ", ".join(f"{shown.say(f'walk.result.{result}')} {walk.counts.get(result, 0)}" for result in Result)


def _cells(number: int, item: ItemNow, shown: Shown) -> tuple[str, ...]:
    last = item.marks[-1] if item.marks else None
    return (
        str(number),
        shown.say(f"walk.sort.{item.sort}"),
        device_name(shown, item),
        item_name(shown, item),
        " ".join(item.asks),
        seen_text(shown, item),
        shown.say(f"walk.result.{item.result}"),
        last.note if last else "",
        last.who if last else "",
        shown.moment(last.at) if last else "",
    )
