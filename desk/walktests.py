"""What people do to walk-tests, in the caller's transaction: each act is kept, and audited. A refusal is an answer.

A walk-test is its window: it ends when that does, by its time alone, and what stands then opens its ticket as after
any window (`desk.release`). Signing and cancelling end the window now and freeze the list as the record.
"""

from collections import Counter
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from desk.ledger import Ledger
from desk.period_store import guards_after, keep_window, rereckon
from desk.periods import Author, regions_of
from desk.store import Db, Site, audit, one, site_of
from desk.tickets import command
from desk.walktest_store import (
    Body,
    Line,
    Walk,
    close,
    devices_of,
    digest_of,
    keep_body,
    keep_marks,
    keep_new,
    lines,
    lines_of,
    report_of,
    running,
    walk_numbered,
)
from desk.walktest_view import walk_now
from model import walktest as rules
from model.period import Scope, Step, Window, Work, ended, guarding
from model.protocol import SendReadings
from model.service.words import Trust
from model.walktest import Mark, Result, Signature, WalkNo
from model.walktest_words import WalkRefused

ASKED_LIVES = 15.0  # seconds that a request for readings is of use


def ask(db: Db, site: str, now: float, *, rules: bool) -> None:
    """Have a site asked for its readings, and for its rules."""
    command(db, site, SendReadings(0, rules), now, ASKED_LIVES)


@dataclass(frozen=True)
class Opening:
    """What somebody asks for: a walk-test of a site, or of one device of it ("" for all), from now to `end`."""

    site: str
    device: str
    end: float
    purpose: str


def open_walk(ledger: Ledger, asked: Opening, author: Author) -> Walk | WalkRefused:
    """Open a walk-test of a site, or of one device of it, from now on."""
    db, now, device, end, purpose = ledger.db, ledger.now, asked.device, asked.end, asked.purpose
    site = site_of(db, asked.site)
    if site is None:
        return WalkRefused(WalkNo.NO_SITE, asked.site)
    refused = _opening_refused(ledger, site, device, end)
    if refused is not None:
        return refused
    scope = Scope(devices=(f"{site.id}/{device}",)) if device else Scope(sites=(site.id,))
    window = Window(0, now, end, scope, purpose or "walk-test", author.who, Work.WALKTEST, site.timezone)
    if guard := _guarded(db, window, now):
        return guard
    window = keep_window(db, window)
    rereckon(db, now)
    body = Body(author.who, device, purpose, site.timezone)
    walk = Walk(window.id, site.id, now, end, 0.0, body, window)
    keep_new(db, walk)
    ask(db, site.id, now, rules=True)
    _told(ledger, author, "walktest_opened", walk, {"until": end, "device": device})
    return walk


def mark_items(ledger: Ledger, number: int, keys: tuple[str, ...], mark: Mark, author: Author) -> Walk | WalkRefused:
    """Say of items what they came to; all of them, or none."""
    walk = _going_on(ledger, number)
    if isinstance(walk, WalkRefused):
        return walk
    found = lines_of(ledger.db, walk, keys)
    for key in keys:
        if key not in found:
            return WalkRefused(WalkNo.NO_ITEM, key)
        if no := rules.mark_refused(found[key].seen, mark):
            return WalkRefused(no, name_of(found[key]))
    for key, line in found.items():
        keep_marks(ledger.db, number, key, rules.after_mark(line.marks, mark))
    told: dict[str, object] = {"result": mark.result, "reason": mark.note, "items": list(found)}
    _told(ledger, author, "walktest_marked", walk, told)
    return walk


def extend_walk(ledger: Ledger, number: int, end: float, reason: str, author: Author) -> Walk | WalkRefused:
    """Let a walk-test end later."""
    walk = _going_on(ledger, number)
    if isinstance(walk, WalkRefused):
        return walk
    if no := rules.extension_refused(walk.end, end, ledger.now):
        return WalkRefused(no, end=walk.end, zone=walk.body.zone)
    longer = replace(walk.window, start=walk.end, end=end)  # the time that comes to it
    if guard := _guarded(ledger.db, longer, ledger.now):
        return guard
    step = Step(ledger.now, author.who, "extended", end, reason)
    keep_window(ledger.db, replace(walk.window, end=end, steps=(*walk.window.steps, step)))
    rereckon(ledger.db, ledger.now)
    keep_body(ledger.db, number, replace(walk.body, steps=(*walk.body.steps, step)))
    _told(ledger, author, "walktest_extended", walk, {"until": end, "reason": reason})
    return _again(ledger, number)


def cancel_walk(ledger: Ledger, number: int, reason: str, author: Author) -> Walk | WalkRefused:
    """End a walk-test without a signature; what was seen and said by then is kept."""
    walk = _going_on(ledger, number)
    if isinstance(walk, WalkRefused):
        return walk
    if not reason.strip():
        return WalkRefused(WalkNo.NO_REASON)
    step = Step(ledger.now, author.who, "cancelled", reason=reason)
    return _close(ledger, walk, replace(walk.body, cancelled=step), author)


def sign_walk(ledger: Ledger, number: int, witness: str, note: str, author: Author) -> Walk | WalkRefused:
    """Sign a walk-test: it is over then, and its record stands for ever."""
    walk = _going_on(ledger, number)
    if isinstance(walk, WalkRefused):
        return walk
    listed = lines(ledger.db, walk)
    if not listed:
        return WalkRefused(WalkNo.NOTHING_THERE)
    signature = Signature(ledger.now, author.who, witness, note)
    results = [rules.result_of(line.marks) for line in listed]
    if no := rules.signature_refused(signature, results):
        return WalkRefused(no, number=Counter(results)[Result.OPEN])
    return _close(ledger, walk, replace(walk.body, signed=signature), author)


def name_of(line: Line) -> str:
    """Return an item as a refusal names it."""
    item = line.item
    return " ".join(part for part in (item.device_name, item.label or item.fault) if part)


def _opening_refused(ledger: Ledger, site: Site, device: str, end: float) -> WalkRefused | None:
    db, now = ledger.db, ledger.now
    if no := rules.length_refused(end - now):
        return WalkRefused(no)
    if ledger.trust is Trust.UNSYNCHRONISED:
        return WalkRefused(WalkNo.CLOCK)
    if one(db, "SELECT 1 FROM agents WHERE site = ? AND retired IS NULL", site.id) is None:
        return WalkRefused(WalkNo.NOTHING_THERE)
    last = report_of(db, site.id)
    if device and last is not None and device not in devices_of(last[1]):
        return WalkRefused(WalkNo.NO_DEVICE, device)
    for walk in running(db, now, site.id):
        return WalkRefused(WalkNo.RUNS_ALREADY, number=walk.number, end=walk.end, zone=site.timezone)
    return None


def _guarded(db: Db, window: Window, now: float) -> WalkRefused | None:
    """Refuse a walk-test in a guarded place: it trips alarms on purpose, so it counts as work that can wait."""
    regions = regions_of(db)
    routine = replace(window, kind=Work.ROUTINE)
    guard = guarding(routine, guards_after(db, now), lambda site: regions.get(site, ""))
    return WalkRefused(WalkNo.GUARDED, guard.name, guard.id, guard.end, window.zone) if guard else None


def _going_on(ledger: Ledger, number: int) -> Walk | WalkRefused:
    walk = walk_numbered(ledger.db, number)
    if walk is None:
        return WalkRefused(WalkNo.NO_SUCH)
    no = rules.closed_refused(walk.state(ledger.now))
    return WalkRefused(no) if no else walk


def _close(ledger: Ledger, walk: Walk, body: Body, author: Author) -> Walk:
    """End the window now and freeze the list as the record."""
    db, now = ledger.db, ledger.now
    what = "walktest_signed" if body.signed else "walktest_cancelled"
    reason = body.cancelled.reason if body.cancelled else body.signed.note if body.signed else ""
    shut = ended(walk.window, Step(now, author.who, "", reason=reason))
    if isinstance(shut, Window):  # else its time was over before
        keep_window(db, shut)
        rereckon(db, now)
    keep_body(db, walk.number, body)
    record = msgspec.json.encode(walk_now(db, _again(ledger, walk.number), now))
    close(db, walk.number, body, record, now)
    _told(ledger, author, what, walk, {"reason": reason, "digest": digest_of(record)})
    return _again(ledger, walk.number)


def _again(ledger: Ledger, number: int) -> Walk:
    walk = walk_numbered(ledger.db, number)
    if walk is None:
        raise LookupError(f"walk-test {number} was there a moment ago")
    return walk


def _told(ledger: Ledger, author: Author, what: str, walk: Walk, detail: dict[str, object]) -> None:
    told = {"walktest": walk.number, **detail}
    told["reason"] = f"T{walk.number} {told.get('reason') or walk.body.purpose}".strip()
    audit(ledger.db, at=ledger.now, who=author.who, source=author.source, what=what, site=walk.site, detail=told)
