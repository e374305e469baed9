"""What a person asks for of a walk-test, by program or by form: words in, what became of it out."""

from msgspec.structs import replace

from desk.ledger import Ledger
from desk.period_acts import LONGEST_TEXT, WordsError
from desk.periods import Author
from desk.store import site_of
from desk.walktest_store import Walk, walk_numbered
from desk.walktests import Opening, cancel_walk, extend_walk, mark_items, open_walk, sign_walk
from desk.web import good_name
from model.period_protocol import When
from model.period_text import TextError, until
from model.walktest import MOST_ITEMS, Mark, WalkNo
from model.walktest_protocol import CancelWalk, ExtendWalk, MarkItems, OpenWalk, SignWalk
from model.walktest_words import WalkRefused

Became = Walk | WalkRefused


def at_site(ledger: Ledger, site: str, number: int) -> WalkRefused | None:
    """Refuse a walk-test that is another site's, as if it were not there."""
    walk = walk_numbered(ledger.db, number)
    return None if walk and walk.site == site else WalkRefused(WalkNo.NO_SUCH)


def opening(ledger: Ledger, site: str, asked: OpenWalk, source: str) -> Became:
    """Open a walk-test of a site as somebody asks. Raises ProblemError for words that cannot be read."""
    known = site_of(ledger.db, site)
    zone = known.timezone if known else "UTC"
    end = _time(asked.end, ledger.now, zone)
    wanted = Opening(site, asked.device.strip().removeprefix(f"{site}/"), end, _text(asked.purpose))
    return _in_zone(open_walk(ledger, wanted, Author(good_name(asked.by), source)), zone)


def mark(ledger: Ledger, number: int, asked: MarkItems, source: str) -> Became:
    """Say of items what they came to."""
    author = Author(good_name(asked.by), source)
    if not 0 < len(asked.items) <= MOST_ITEMS:
        raise WordsError("words", {"en": "Name the items.", "zh": "请指定项目。"})
    said = Mark(ledger.now, author.who, asked.result, _text(asked.note))
    return mark_items(ledger, number, asked.items, said, author)


def extend(ledger: Ledger, number: int, asked: ExtendWalk, source: str) -> Became:
    """Let a walk-test end later."""
    author = Author(good_name(asked.by), source)
    walk = walk_numbered(ledger.db, number)
    zone = walk.body.zone if walk else "UTC"
    end = _time(asked.end, ledger.now, zone)
    return _in_zone(extend_walk(ledger, number, end, _text(asked.reason), author), zone)


def cancel(ledger: Ledger, number: int, asked: CancelWalk, source: str) -> Became:
    """End a walk-test without a signature."""
    return cancel_walk(ledger, number, _text(asked.reason), Author(good_name(asked.by), source))


def sign(ledger: Ledger, number: int, asked: SignWalk, source: str) -> Became:
    """Sign a walk-test."""
    author = Author(good_name(asked.by), source)
    witness = good_name(asked.witness) if asked.witness.strip() else ""
    return sign_walk(ledger, number, witness, _text(asked.note), author)


def _in_zone(became: Became, zone: str) -> Became:
    return replace(became, zone=zone) if isinstance(became, WalkRefused) else became


def _time(said: When, since: float, zone: str) -> float:
    """Return a time in Unix seconds; text may say how long after `since`."""
    if isinstance(said, int | float):
        return float(said)
    try:
        return until(said, since, zone or "UTC")
    except TextError as error:
        raise WordsError("words", error.said) from error


def _text(said: str) -> str:
    text = said.strip()
    if len(text) > LONGEST_TEXT:
        most = LONGEST_TEXT
        raise WordsError("words", {"en": f"A text has at most {most} characters.", "zh": f"文字最多 {most} 字。"})
    return text
