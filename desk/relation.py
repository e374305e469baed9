"""What a Change that was taken has to do with others: its root's ticket, momentary alarms, nuisance alarms."""

from desk.children import explained
from desk.ledger import Ledger
from desk.momentary import passed
from desk.nuisance import count_alarm
from desk.store import Site
from model.change import Change


def relate(ledger: Ledger, site: Site, change: Change, at: float) -> None:
    """Relate a Change that happened `at` (the desk's Unix seconds), in the transaction that takes it."""
    explained(ledger, site.id, change.alarm)
    count_alarm(ledger.db, site, change, ledger.now, at)
    passed(ledger, site, change, at)
