"""What a Change that was taken has to do with others: its root's ticket, momentary alarms, nuisance alarms."""

from desk.children import explained
from desk.holding import window_of
from desk.ledger import Ledger
from desk.momentary import passed
from desk.nuisance import count_alarm
from desk.store import Site
from model.alarm import Kind
from model.change import Change


def relate(ledger: Ledger, site: Site, change: Change, at: float, window: str = "") -> None:
    """Relate a Change that happened `at` (the desk's Unix seconds), in the transaction that takes it.

    `window` is the maintenance window that keeps it from people, "" for none. What comes and goes in one, or in a
    walk-test, before its delay is the work: it is no nuisance and no momentary alarm.
    """
    explained(ledger, site.id, change.alarm)
    origin = change.origin
    momentary = change.kind is Kind.MOMENTARY
    work = momentary and window_of(ledger, site, origin.device, origin.fault, at) is not None
    count_alarm(ledger, site, change, at, held=bool(window) or work)
    if not work:
        passed(ledger, site, change, at)
