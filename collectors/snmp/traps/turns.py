"""What waits for the thread: each source has its turn, so that one with much to say costs another one turn at most."""

import threading
from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Items by source, `most` together. One side puts, another takes, in whatever threads they are."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting = 0
        self._lines: OrderedDict[str, deque[T]] = OrderedDict()
        self._changed = threading.Condition()
        self._ended = False

    def put(self, source: str, item: T) -> bool:
        """Add an item of a source; False when as many wait as may."""
        with self._changed:
            if self._waiting >= self._most:
                return False
            self._waiting += 1
            self._lines.setdefault(source, deque()).append(item)
            self._changed.notify()
            return True

    def end(self) -> None:
        """Forget what waits, and let whoever takes go."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def take(self) -> T | None:
        """Wait for the next item, of the source whose turn is the longest ago; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._waiting)
            if self._ended:
                return None
            source, line = next(iter(self._lines.items()))
            self._waiting -= 1
            item = line.popleft()
            if line:
                self._lines.move_to_end(source)
            else:
                del self._lines[source]
            return item
