"""One device through its polls: what to ask now, whom to spare, and the batch that comes of it.

A device that answers gets more tries for a question that stayed silent, and many more where noise is heard in place of
the answer: that says nothing of the device, and the line is free again at once. A device that does not is down: it is
asked its first question alone, after 5 s, then ever more seldom up to once a minute. A question that a living device
refuses or leaves unanswered is spared in the same way, and the others go on.

Nothing else is asked of a device while a late answer of it may be under way (`patience`).
"""

import logging
import time
from collections.abc import Callable
from functools import partial

from collectors.line.backoff import Backoff
from collectors.line.definition import Definition, ModbusDefinition
from collectors.line.exchange import Exchange, Outcome
from collectors.line.inputs import definition_of
from collectors.line.modbus_slave import ModbusSlave
from collectors.line.patience import Patience
from collectors.line.question import Answer, PartedError, Question, RefusedError, Slave, Values
from collectors.line.stats import LineStats, SlaveStats
from collectors.line.timing import Timing
from collectors.line.ydt_slave import YdtSlave
from config.schema import Line, LineDevice
from model.point import Batch, Point, Reading, unavailable
from wire.modbus import Refusal

logger = logging.getLogger(__name__)

TRIES = 3
"""Times that a living device is asked one thing before its silence counts: a garbled frame is no dead device."""

SPOILT_TRIES, SPOILT_PROBES, SPOILT_SECONDS = 12, 4, 4.0
"""Times that one thing is asked whose answers noise has spoilt, fewer of a device that is down, and for how long.

Noise that spoils every third exchange spoils twelve in a row once in 500,000 times; a device that makes the noise
itself costs these seconds once, and is down."""

SILENT_IN_A_ROW = 2
"""Questions without an answer, one after the other, that end a poll."""

PATIENT_PROBE = 4
"""The first and then each so manieth probe of a device that is down waits the longest: one that was always slow is
found by it, 5 s after the start. With a probe a minute, three of 0.5 s and one of 2 s take 1.5 % of the line."""

LONGEST_ERROR = 300
"""Characters of the reasons that a batch gives."""


def boot_time() -> float:
    """Return seconds of CLOCK_BOOTTIME, the time of every reading."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def slave_of(line: Line, device: LineDevice, definition: Definition) -> Slave:
    """Return the device as its protocol sees it."""
    if isinstance(definition, ModbusDefinition):
        return ModbusSlave(device.id, definition, device.address, Timing.of(line).largest_hole)
    return YdtSlave(device.id, definition, device.address, shared=line.shared, read_flags=line.read_flags)


class PolledDevice:
    """One device on a line, with its memory of what answered and what did not."""

    def __init__(self, line: Line, device: LineDevice, stats: LineStats, definition: Definition | None = None) -> None:
        definition = definition or definition_of(device)
        self.id = device.id
        self.every = device.every or line.every
        self.due = 0.0
        self.down = Backoff()
        self._where = f"address {device.address} on {line.port}"
        self._slave = slave_of(line, device, definition)
        self._patience = Patience(max(line.timeout, definition.timeout or 0.0))
        self._timing = Timing.of(line)
        self._spared: dict[str, Backoff] = {}
        self._proven: set[str] = set()
        self._said: dict[str, str] = {}
        self._held: dict[str, tuple[Values, float]] = {}
        self._line = stats
        self._stats = stats.slaves.setdefault(device.id, SlaveStats(device.id))
        self._error = "not asked yet"
        if not self._has_questions():
            self._error = f"has only states and alarms ({self._where}); read_flags: true has them read on a shared pair"

    def poll(self, exchange: Exchange, *, patient: bool = False) -> Batch:
        """Ask everything that is worth asking; return a batch with every point known. Raises PortError.

        `patient`: wait the longest for a device that never answered yet; else that is left to its first probe.
        """
        return self.ask(exchange, patient=patient)()

    def ask(self, exchange: Exchange, *, patient: bool = False) -> Callable[[], Batch]:
        """Do what of a poll needs the line; return what makes its batch, to be called before the next poll."""
        started = time.monotonic()
        probing = self.down.failures > 0
        # A device that was never heard is asked one thing: before another, its late answer would have to be waited for.
        patience, in_a_row = (SILENT_IN_A_ROW, 0) if patient or self._stats.up else (1, 0)
        patient = patient or self._is_patient()
        readings: dict[Point, Reading] = {}
        later: list[tuple[Question, Answer, float]] = []
        silent: list[str] = []
        asked: set[str] = set()
        self._slave.begin(started, whole=probing or not self._stats.up)
        # An answer may bring counts, and with them questions that were not planned before: they follow at once.
        while in_a_row < patience and (question := self._next(asked, time.monotonic())):
            asked.add(question.key)
            tries = TRIES if self._stats.up and not in_a_row else 1
            most = 1 if in_a_row else SPOILT_PROBES if probing else SPOILT_TRIES
            answer = self._ask(exchange, question, tries=tries, most=most, patiently=patient and not in_a_row)
            if answer is None:
                in_a_row += 1
                silent.append(question.key)
                continue
            patience, in_a_row = SILENT_IN_A_ROW, 0
            later.append((question, answer, boot_time()))
            if isinstance(answer, Refusal) or not self._slave.is_fixed:  # what is to be asked next may hang on it
                self._take(later, readings)
        self._stats.polls += 1
        self._stats.probes += probing
        self._stats.poll_seconds = time.monotonic() - started
        if len(silent) == len(asked):
            self.down.failed(time.monotonic())
            return partial(self.absent, self._error, time.monotonic() - started)
        self.down.succeeded()
        return partial(self._finish, later, readings, silent, time.monotonic() - started)

    def _take(self, later: list[tuple[Question, Answer, float]], readings: dict[Point, Reading]) -> None:
        """Take answers apart, and empty their list."""
        for question, answer, at in later:
            values = self._taken(question, answer)
            self._held[question.key] = (values, at)
            readings |= _read(values, at)
        later.clear()

    def _finish(
        self,
        later: list[tuple[Question, Answer, float]],
        readings: dict[Point, Reading],
        silent: list[str],
        seconds: float,
    ) -> Batch:
        self._take(later, readings)
        self._spare(silent, time.monotonic())
        for key, told_by in self._slave.unchanged().items():  # the device has just said that these are as they were
            readings |= _read(self._held[key][0], self._held[told_by][1])
        return self._present(readings, seconds)

    def absent(self, error: str, seconds: float = 0.0) -> Batch:
        """Return the batch of a device that did not answer or cannot be asked: everything unavailable, and why."""
        now = boot_time()
        self._stats.up = False
        readings = tuple(unavailable(point, now) for point in self._slave.points())
        return Batch(self.id, now, readings, reachable=False, error=error, seconds=seconds)

    def failed(self) -> None:
        """Note that the program cannot read it: it is down, for reasons of ours."""
        self._error = "error in the program; the log has it"
        self.down.failed(time.monotonic())

    def resting(self) -> Batch:
        """Return the batch of a device that is down and is not asked this time."""
        return self.absent(self._error)

    def _present(self, readings: dict[Point, Reading], seconds: float) -> Batch:
        now = boot_time()
        self._stats.up = True
        every = tuple(readings.get(point) or unavailable(point, now) for point in self._slave.points())
        # A device that answers and yet gives nothing, or not everything, says why.
        error = "; ".join(self._said.values())[:LONGEST_ERROR]
        return Batch(self.id, now, every, error=error, seconds=seconds)

    def _next(self, asked: set[str], now: float) -> Question | None:
        """Return the next question worth asking; to see whether anybody is there, one that was answered before."""
        left = [question for question in self._slave.plan() if question.key not in asked]
        if not self._spared and not self.down.failures:
            return left[0] if left else None
        left.sort(key=lambda question: question.key in self._spared)  # its late answer is in nobody's way at the end
        if self.down.failures and not asked:
            # Not every class is served: each patient probe asks another one.
            start = (self.down.failures + PATIENT_PROBE - 1) // PATIENT_PROBE % max(1, len(left))
            left = left[start:] + left[:start]
            left.sort(key=lambda question: question.key not in self._proven)
        awake = (q for q in left if q.key not in self._spared or self._spared[q.key].due(now))
        return next(awake, left[0] if left and not asked else None)

    def _spare(self, silent: list[str], now: float) -> None:
        """Ask what stayed silent less often; what was answered before is asked in the next poll once more."""
        for key in silent:
            if key in self._proven:
                self._proven.discard(key)
            else:
                self._spared.setdefault(key, Backoff()).failed(now)

    def _is_patient(self) -> bool:
        """Tell whether this poll may wait the longest for an answer: of a device that is down, not every one may."""
        return bool(self._stats.up) if not self.down.failures else self.down.failures % PATIENT_PROBE == 1

    def _has_questions(self) -> bool:
        self._slave.begin(time.monotonic(), whole=True)
        return bool(self._slave.plan())

    def _ask(self, exchange: Exchange, question: Question, *, tries: int, most: int, patiently: bool) -> Answer | None:
        """Ask until so many tries stayed silent, the last one `patiently`, or noise spoilt as many as `most`.

        Returns the answer, or None.

        To wait with open ears costs no more than the silence that would be due before the next question.
        """
        if question.key in self._spared:
            tries, patiently = 1, False
        if quiet := self._patience.quiet_before(question.key, time.monotonic()):
            exchange.settle(quiet)
        began: float | None = None
        until, silences, spoilt = time.monotonic() + SPOILT_SECONDS, 0, 0
        while silences < tries:
            patience = self._patience
            # One that is heard is not slow: noise has spoilt what it said, or what it was asked.
            longest = patiently and silences == tries - 1 and not spoilt
            outcome = exchange.ask(question, patience.longest if longest else patience.first)
            self._count(question, outcome)
            now = time.monotonic()
            if outcome.answer is not None:
                # It may be an earlier try's answer, late, with the others' under way still. Noise says nothing of that,
                # but that a try was spoilt by it makes no slave look slow.
                since = began if silences else None
                patience.took(outcome.waited) if since is None else patience.took_again(outcome.waited, now - since)
                if began is not None:
                    patience.answered(question.key, now, now - began, silences + spoilt)
                self._stats.first_byte_seconds = patience.slowest
                self._stats.timeout_seconds = patience.first
                return outcome.answer
            if not outcome.mismatches:
                began = now - outcome.seconds if began is None else began
                self._patience.silent(question.key, now - outcome.seconds)
            if not outcome.heard:
                silences += 1
                continue
            spoilt += 1
            if spoilt >= most or now > until:
                break
        return None

    def _taken(self, question: Question, answer: Answer) -> Values:
        try:
            values = self._slave.take(question, answer)
        except PartedError as error:
            self._stats.refusals += 1
            logger.info("%s (%s): %s", self.id, self._where, error)
            return {}
        except RefusedError as error:
            self._stats.refusals += 1
            if error.permanent:
                self._spared.setdefault(question.key, Backoff()).put_off(time.monotonic())
            if self._said.get(question.key) != str(error):
                self._said[question.key] = str(error)
                logger.warning("%s (%s): %s", self.id, self._where, error)
            return {}
        self._proven.add(question.key)
        self._spared.pop(question.key, None)
        self._said.pop(question.key, None)
        return values

    def _count(self, question: Question, outcome: Outcome) -> None:
        line, own = self._line, self._stats
        line.busy_seconds += outcome.seconds
        line.noise_bytes += outcome.noise
        line.echoes += outcome.echo
        own.checksum_errors += outcome.mismatches
        if outcome.answer is not None:
            own.answers += 1
            own.resyncs += outcome.noise > 0
            line.wire_seconds += self._timing.exchange(len(question.frame) + outcome.characters)
        else:
            own.timeouts += 1
            self._error = f"does not answer ({self._where})"
            if outcome.heard:
                self._error = f"answers with bytes that make no frame ({self._where}); check the line and its settings"


def _read(values: Values, now: float) -> dict[Point, Reading]:
    """Return values as readings of this time; what the device does not have is unavailable."""
    return {p: unavailable(p, now) if v is None else Reading(p, v, now) for p, v in values.items()}
