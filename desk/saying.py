"""What a page's form says, as an act: its fields, times in the site's zone, and whose word it is.

A time that the page filled in and nobody changed means now: the page may have stood for an hour.
"""

import msgspec

from desk.moments import MomentError, moment
from model.service import entry as acts
from model.service.entry import Acts
from model.service.record import Record
from model.service.words import Side

LONGEST = 500  # characters of a text
TIMES = frozenset({"said", "due", "opened", "onset"})
SHOWN = "shown"  # the field with the time as the page filled it in
Said = (
    acts.Acknowledged
    | acts.Reached
    | acts.Confirmed
    | acts.TakenBack
    | acts.Started
    | acts.Handled
    | acts.ConditionSaid
    | acts.LevelSet
    | acts.LevelAgreed
    | acts.Paused
    | acts.Resumed
    | acts.WorkaroundOnly
    | acts.Repaired
    | acts.RepairFailed
    | acts.Entitled
    | acts.Linked
    | acts.Dated
    | acts.MergedInto
    | acts.Closed
    | acts.CustomerSaid
    | acts.Complained
    | acts.Judged
    | acts.Excused
    | acts.AskedFor
    | acts.Delivered
    | acts.Charged
)  # what people say by a page; the rest is the agents' and the desk's


class NotSaidError(Exception):
    """A form that says nothing that can be written down; the word names why."""


def said_by(form: dict[str, str], record: Record, zone: str, now: float) -> tuple[Acts, Side]:
    """Return the act of a form and the side that speaks. Raises NotSaidError, `time` or `form`."""
    fields = {name: text.strip() for name, text in form.items()}
    shown = fields.pop(SHOWN, "")
    side = fields.pop("side", "") or Side.SERVICE.value
    if side not in {Side.SERVICE, Side.CUSTOMER}:
        raise NotSaidError("form")
    if fields.get("said") == shown:
        fields.pop("said", None)
    values: dict[str, object] = {"what": fields.pop("act", "")}
    for name, text in fields.items():
        if len(text) > LONGEST or not text.isprintable():
            raise NotSaidError("form")
        if name in TIMES:
            if text:
                values[name] = _time(text, zone, now, record.start if name == "said" else 0.0)
        elif text or name in {"reason", "text"}:
            values[name] = text
    values.pop("outcomes", None)  # a closing's clocks are the desk's to say
    try:
        return msgspec.convert(values, type=Said, strict=False), Side(side)
    except (msgspec.ValidationError, ValueError):
        raise NotSaidError("form") from None


def _time(text: str, zone: str, now: float, since: float) -> float:
    try:
        return moment(text, zone, now, since)
    except MomentError:
        raise NotSaidError("time") from None
