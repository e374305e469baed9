"""Who waits for news: long polls of agents and the event streams of pages. A topic is a word such as `board`."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Hub:
    """Wakes everyone who listens to a topic; news that comes twice before it is seen wakes once."""

    def __init__(self) -> None:
        self._listening: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.closing = False
        self.news = 0  # how often there was news of the board

    @property
    def listeners(self) -> int:
        """How many wait now."""
        return sum(len(events) for events in self._listening.values())

    def following(self, *kinds: str) -> int:
        """How many wait for topics that begin so: pages, say, but no agents."""
        return sum(len(events) for topic, events in self._listening.items() if topic.startswith(kinds))

    def announce(self, *topics: str) -> None:
        """Say that there is news; call it on the loop, after the commit."""
        self.news += BOARD in topics
        for topic in topics:
            for event in self._listening.get(topic, ()):
                event.set()

    @contextmanager
    def listen(self, topic: str) -> Iterator[asyncio.Event]:
        """Give an event that is set at each news of the topic, and when the desk closes."""
        event = asyncio.Event()
        if self.closing:
            event.set()
        self._listening[topic].add(event)
        try:
            yield event
        finally:
            self._listening[topic].discard(event)
            if not self._listening[topic]:
                del self._listening[topic]

    def close(self) -> None:
        """Let everyone go home: the desk stops."""
        self.closing = True
        self.announce(*tuple(self._listening))


def commands_of(site: str) -> str:
    """Return the topic of a site's commands."""
    return f"commands {site}"


def readings_of(site: str) -> str:
    """Return the topic of a site's readings and trends."""
    return f"readings {site}"


BOARD = "board"


async def news(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event at most `seconds`; says whether it came."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
