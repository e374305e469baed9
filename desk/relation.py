"""What a Change that was taken has to do with others: its root's ticket, momentary alarms, nuisance alarms."""

from desk.children import explained
from desk.ledger import Ledger
from desk.momentary import passed
from desk.nuisance import count_alarm
from desk.store import Site
from model.change import Change


def relate(ledger: Ledger, site: Site, change: Change, at: float, window: str = "") -> None:
    """Relate a Change that happened `at` (the desk's Unix seconds), in the transaction that takes it.

    `window` is the maintenance window that keeps it from people, "" for none.
    """
    explained(ledger, site.id, change.alarm)
    count_alarm(ledger, site, change, at, held=bool(window))
    passed(ledger, site, change, at)
