"""The client of people's programs for maintenance windows and guard periods; errors as in `connectors.tickets`."""

from typing import TypeVar

import msgspec

from connectors.desk import DeskError
from connectors.tickets import TicketsClient
from model.period_protocol import (
    DeclareGuard,
    EndPeriod,
    ExtendWindow,
    GuardList,
    GuardNow,
    GuardReport,
    PlanWindow,
    SetRoster,
    WindowList,
    WindowNow,
)

T = TypeVar("T")


class PeriodsClient(TicketsClient):
    """Speaks to one desk of windows and guard periods; use it as a context."""

    def windows(self) -> WindowList:
        """Return the windows: in force, planned, over."""
        return self._read("/windows", WindowList)

    def window(self, number: int) -> WindowNow:
        """Return one window with what it holds or held back."""
        return self._read(f"/windows/{number}", WindowNow)

    def plan(self, asked: PlanWindow, *, key: str = "") -> WindowNow:
        """Plan work."""
        return self._write("/windows", asked, WindowNow, key)

    def extend(self, number: int, asked: ExtendWindow, *, key: str = "") -> WindowNow:
        """Let a window end later."""
        return self._write(f"/windows/{number}/extend", asked, WindowNow, key)

    def end(self, number: int, asked: EndPeriod, *, key: str = "") -> WindowNow:
        """End a window now."""
        return self._write(f"/windows/{number}/end", asked, WindowNow, key)

    def approve(self, number: int, asked: EndPeriod, *, key: str = "") -> WindowNow:
        """Approve urgent work."""
        return self._write(f"/windows/{number}/approve", asked, WindowNow, key)

    def guards(self) -> GuardList:
        """Return the guard periods: in force, planned, over."""
        return self._read("/guards", GuardList)

    def guard(self, number: int) -> GuardNow:
        """Return one guard period."""
        return self._read(f"/guards/{number}", GuardNow)

    def declare(self, asked: DeclareGuard, *, key: str = "") -> GuardNow:
        """Declare a guard period with its roster."""
        return self._write("/guards", asked, GuardNow, key)

    def roster(self, number: int, asked: SetRoster, *, key: str = "") -> GuardNow:
        """Give a guard period another roster from now on."""
        return self._write(f"/guards/{number}/roster", asked, GuardNow, key)

    def end_guard(self, number: int, asked: EndPeriod, *, key: str = "") -> GuardNow:
        """End a guard period now."""
        return self._write(f"/guards/{number}/end", asked, GuardNow, key)

    def report(self, number: int) -> GuardReport:
        """Return what a guard period came to, as things stand now."""
        return self._read(f"/guards/{number}/report", GuardReport)

    def _read(self, path: str, kind: type[T]) -> T:
        return _decoded(self._ask("GET", path), kind)

    def _write(self, path: str, body: msgspec.Struct, kind: type[T], key: str) -> T:
        return _decoded(self._ask("POST", path, body, key=key), kind)


def _decoded(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DeskError(f"the desk's answer cannot be read: {error}") from error
