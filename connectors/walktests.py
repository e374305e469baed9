"""A client of our desk's walk-tests, for people's programs and commands."""

from urllib.parse import quote

from connectors.periods import PeriodsClient
from model.walktest_protocol import CancelWalk, ExtendWalk, MarkItems, OpenWalk, SignWalk, WalkList, WalkNow


class WalktestsClient(PeriodsClient):
    """Speaks to one desk of walk-tests; use it as a context."""

    def walktests(self, site: str = "") -> WalkList:
        """Return the walk-tests of a site, or of all, the newest first."""
        return self._read(f"/walktests?site={quote(site, safe='')}", WalkList)

    def walktest(self, site: str, number: int) -> WalkNow:
        """Return one walk-test with its list."""
        return self._read(f"{_of(site)}/{number}", WalkNow)

    def open_walktest(self, site: str, asked: OpenWalk, *, key: str = "") -> WalkNow:
        """Open a walk-test."""
        return self._write(_of(site), asked, WalkNow, key)

    def mark(self, site: str, number: int, asked: MarkItems, *, key: str = "") -> WalkNow:
        """Say of items what they came to."""
        return self._write(f"{_of(site)}/{number}/mark", asked, WalkNow, key)

    def extend_walktest(self, site: str, number: int, asked: ExtendWalk, *, key: str = "") -> WalkNow:
        """Let a walk-test end later."""
        return self._write(f"{_of(site)}/{number}/extend", asked, WalkNow, key)

    def sign(self, site: str, number: int, asked: SignWalk, *, key: str = "") -> WalkNow:
        """Sign a walk-test."""
        return self._write(f"{_of(site)}/{number}/sign", asked, WalkNow, key)

    def cancel_walktest(self, site: str, number: int, asked: CancelWalk, *, key: str = "") -> WalkNow:
        """End a walk-test without a signature."""
        return self._write(f"{_of(site)}/{number}/cancel", asked, WalkNow, key)


def _of(site: str) -> str:
    return f"/sites/{quote(site, safe='')}/walktests"
