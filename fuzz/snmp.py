"""The SNMP codec, fed messages that are mangled as BER.

One invariant: from any octets comes a message, or `MalformedError`; nothing else leaves, and what was read writes and
reads as itself, by the layout of a reply before too. Every so many inputs pysnmp's decoder reads the same ones
(`fuzz/oracle.py`).
"""

import random
from collections import Counter
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["wire", "collectors.snmp.session"]):
    from collectors.snmp import session  # noqa: F401 - imported here to be covered
    from wire import snmp, usm  # noqa: F401 - the same

from fuzz import oracle, version3
from fuzz.mangle import mangled
from fuzz.seeds import seeds
from wire.ber import MalformedError

LONGEST = 4096
SEEDS = [*seeds(), *version3.seeds()]


class Target:
    """What is fed; it counts."""

    def __init__(self, runs: int, every: int) -> None:
        self.count: Counter[str] = Counter()
        self._runs = runs
        self._every = every

    def __call__(self, octets: bytes) -> None:
        """Take one input; raises what is a finding."""
        self.count["runs"] += 1
        if snmp.version_of(octets) == snmp.V3 or self.count["runs"] % 8 == 0:
            self.count[version3.check(octets)] += 1
            if self.count["runs"] % max(1, self._every) == 0:
                version3.compare(octets)
        try:
            message = snmp.decode(octets)
        except MalformedError:
            kind = "no message"
        else:
            kind = "messages"
            check(octets, message)
        self.count[kind] += 1
        if self._every and self.count[kind] % self._every == 0:
            self.count["oracle"] += 1
            self.count[oracle.compare(octets)] += 1
        if self.count["runs"] == self._runs:
            self.tell()

    def tell(self) -> None:
        """Say what was done; libFuzzer ends the process without coming back."""
        count = self.count
        read = (
            f"{count['messages']} read as messages of version 1 or 2c, {count['envelopes']} as envelopes of version 3"
        )
        print(f"{count['runs']} runs: {read}", flush=True)
        if count["oracle"]:
            kinds = ", ".join(f"{name} {count[name]}" for name in ("both", "ours", "theirs", "neither"))
            print(f"{count['oracle']} of them read by pysnmp too; accepted by: {kinds}", flush=True)


def check(octets: bytes, message: snmp.Message) -> None:
    """See that a message that was read is read again as itself: written anew, by its layout, and one octet changed.

    Messages are compared as text: a NaN equals itself.
    """
    assert repr(snmp.decode(snmp.encode(message))) == repr(message)
    assert repr(snmp.decode(octets)) == repr(message)  # by the layout that has just been learnt
    draw = random.Random(octets)
    at = draw.randrange(len(octets))
    other = octets[:at] + bytes((draw.randrange(256),)) + octets[at + 1 :]
    by_layout = read(other)
    snmp.layouts.clear()
    assert by_layout == read(other)


def read(octets: bytes) -> str:
    """Return what is read, as text; nothing of what is refused."""
    try:
        return repr(snmp.decode(octets))
    except MalformedError:
        return ""


def mutate(octets: bytes, most: int, seed: int) -> bytes:
    """Mangle as BER, or one time in four as libFuzzer does by itself."""
    draw = random.Random(seed)
    if draw.random() < 0.25:
        return bytes(atheris.Mutate(octets, most))
    return mangled(octets, SEEDS, draw)[:most]


def seeds_of(_: str) -> list[bytes]:
    """Return the valid messages to begin with."""
    return SEEDS


def target_of(_: str, runs: int, every: int) -> Target:
    """Return what is fed."""
    return Target(runs, every)


def mutator_of(_: str) -> Callable[[bytes, int, int], bytes]:
    """Return what mangles."""
    return mutate
