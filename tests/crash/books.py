"""The books: what must be true of the agent's file and the desk's, whatever was killed when.

`check` looks at two worlds at rest and returns what is wrong, in sentences; `sound` looks at two files in the middle of
everything, where less must be true, but never what it says. Each file is read in one look: two would show what stood
before a commit beside what stands after it. It reads tables and JSON; it uses no code of what it tests.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.crash.card import SHELVES
from tests.crash.world import World, condition, looking

Json = dict[str, Any]


@dataclass
class Journal:
    """The agent's file, read whole."""

    meta: dict[str, str]
    alarms: dict[str, Json]
    changes: list[Json]
    seqs: list[tuple[str, int]]

    def raised(self) -> list[Json]:
        """Return the Changes that announced an episode."""
        return [change for change in self.changes if change["kind"] == "raised"]


@dataclass
class DeskFile:
    """The desk's file, read whole."""

    tickets: list[tuple[Any, ...]]
    links: list[tuple[int, str]]
    episodes: dict[str, tuple[Any, ...]]
    audit: list[tuple[Any, ...]]
    cursors: dict[str, int]
    receipts: Counter[str]
    quarantine: list[tuple[Any, ...]]
    commands: dict[int, Json]
    told: Counter[str]
    entries: dict[int, tuple[int, list[int]]]


@dataclass
class Truth:
    """What the harness itself did: faults that it held from one settling to the next, tickets that it took."""

    held: Counter[str] = field(default_factory=Counter)
    taken: dict[int, str] = field(default_factory=dict)


def read_journal(world: World) -> Journal:
    """Read the agent's file. Rows stay for seven days, those of earlier epochs too: every Change ever committed."""
    with looking(world.agent_file) as ask:
        began = "(SELECT min(o.wall) FROM outbox o WHERE o.epoch = outbox.epoch)"
        rows = ask(f"SELECT epoch, seq, body FROM outbox ORDER BY {began}, seq")
        meta, alarms = dict(ask("SELECT key, value FROM meta")), ask("SELECT condition, alarm FROM alarms")
    bodies = [json.loads(body) for *_, body in rows]
    return Journal(
        meta,
        {name: json.loads(alarm) for name, alarm in alarms},
        [body for body in bodies if body["type"] == "change"],
        [(epoch, seq) for epoch, seq, _ in rows],
    )


def read_desk(world: World) -> DeskFile:
    """Read the desk's file."""
    with looking(world.desk_file) as ask:
        return DeskFile(
            ask("SELECT number, condition, state, episode, acknowledged, acknowledged_by FROM tickets"),
            [(number, episode) for number, episode in ask("SELECT ticket, episode FROM ticket_episodes")],
            {row[0]: row for row in ask("SELECT id, condition, revision, active, state, opened FROM episodes")},
            _audit(ask),
            dict(ask("SELECT epoch, seq FROM cursors")),
            Counter(epoch for (epoch,) in ask("SELECT epoch FROM receipts")),
            ask("SELECT epoch, seq, reason FROM quarantine"),
            {number: json.loads(body) for number, body in ask("SELECT id, body FROM commands")},
            Counter(reason for (reason,) in ask("SELECT reason FROM connector_outbox")),
            _entries(ask),
        )


def _audit(ask: Callable[[str], list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """Return what was written down as (what, who, ticket, episode, by a person): the audit, and what entries did."""
    rows = [(what, who, ticket, episode, False) for what, who, ticket, episode in ask(
        "SELECT what, who, ticket, episode FROM audit ORDER BY id"
    )]  # fmt: skip
    episodes: dict[int, str] = {}
    for did, what, who, ticket, body in ask("SELECT did, what, who, ticket, body FROM entries ORDER BY id"):
        if alarm := json.loads(body).get("alarm"):
            episodes[ticket] = alarm["episode"]
        rows += [(word, who, ticket, episodes[ticket], what == "acknowledged") for word in did.split()]
    return rows


def _entries(ask: Callable[[str], list[tuple[Any, ...]]]) -> dict[int, tuple[int, list[int]]]:
    """Return by ticket how many entries its row says, and the places of those that are there."""
    there = defaultdict(list)
    for ticket, seq in ask("SELECT ticket, seq FROM entries ORDER BY ticket, seq"):
        there[ticket].append(seq)
    return {number: (count, there[number]) for number, count in ask("SELECT number, entries FROM tickets")}


def sound(world: World) -> list[str]:
    """Return what is wrong in the middle: the agent believes what the desk does not have, or tells what it has not."""
    journal = read_journal(world)  # the agent's word first: the desk's may only have grown since
    wrong, acked = _atomic(journal), int(journal.meta["acked"])
    if (there := world.cursor(journal.meta["epoch"])) < acked:
        wrong.append(f"an event taken for sent is not at the desk: it has {there}, the agent believes {acked}")
    return wrong + _doubled(world)


def check(world: World, truth: Truth | None = None, *, epochs: int = 1) -> list[str]:
    """Return what is wrong at rest, and that it is not at rest, where the rest may be of the moment.

    `epochs` above 1: the agent lost its file, so only what stands can be compared.
    """
    wrong = [] if world.settled() else ["agent and desk are not at rest"]
    journal, desk = read_journal(world), read_desk(world)
    wrong += sound(world) + _standing(world, journal, desk) + _links(desk) + _refused(desk, epochs)
    if epochs == 1:
        wrong += _exactly_once(journal, desk) + _sequence(journal, desk)
        wrong += _taken(journal, desk, truth or Truth()) + _held(journal, truth or Truth())
    return wrong


def _doubled(world: World) -> list[str]:
    not_closed = Counter(name for (name,) in world.books("SELECT condition FROM tickets WHERE state <> 'closed'"))
    return [f"{name} has {count} tickets that are not closed" for name, count in not_closed.items() if count > 1]


def _standing(world: World, journal: Journal, desk: DeskFile) -> list[str]:
    """Fault, alarm and ticket agree, shelf by shelf."""
    wrong = []
    states = {name: state for _, name, state, *_ in desk.tickets if state != "closed"}
    for shelf, stopped in enumerate(world.stopped()):
        name = condition(shelf)
        alarm = journal.alarms.get(name, {})
        if bool(alarm.get("active")) != stopped:
            wrong.append(f"{name}: the fault is {stopped}, the alarm says {bool(alarm.get('active'))}")
        if (states.get(name) == "open") != stopped:
            wrong.append(f"{name}: the fault is {stopped}, its ticket is {states.get(name, 'missing')}")
        episode = desk.episodes.get(alarm.get("episode", ""))
        if alarm.get("revision") and (episode is None or episode[2] != alarm["revision"]):
            wrong.append(f"{name}: the agent's revision is {alarm['revision']}, the desk's {episode and episode[2]}")
    other = set(journal.alarms) - {condition(shelf) for shelf in range(SHELVES)}
    return wrong + [f"an alarm that nobody caused: {name}" for name in other if journal.alarms[name].get("active")]


def _atomic(journal: Journal) -> list[str]:
    """Alarm and outbox are of one transaction: the last Change of a condition has its alarm's revision."""
    last = {change["alarm"]["condition"]: change["alarm"] for change in journal.changes}
    return [
        f"{name}: the alarm is at {_place(alarm)}, the outbox tells of {_place(last.get(name, {}))}"
        for name, alarm in journal.alarms.items()
        if alarm.get("revision") and _place(alarm) != _place(last.get(name, {}))
    ]


def _place(alarm: Json) -> str:
    return f"{alarm.get('episode', 'no episode')[:8]} revision {alarm.get('revision', 0)}"


def _links(desk: DeskFile) -> list[str]:
    tickets = {number: name for number, name, *_ in desk.tickets}
    holders = defaultdict(list)
    for number, episode in desk.links:
        holders[episode].append(number)
    wrong = [
        f"ticket {number} says {count} entries and has {there}"
        for number, (count, there) in desk.entries.items()
        if there != list(range(1, count + 1)) or not there
    ]
    wrong += [f"episode {episode} is in tickets {held}" for episode, held in holders.items() if len(held) > 1]
    return wrong + [
        f"ticket {held[0]} holds an episode of another condition"
        for episode, held in holders.items()
        if desk.episodes[episode][1] != tickets[held[0]]
    ]


def _refused(desk: DeskFile, epochs: int) -> list[str]:
    wrong = [f"event {seq} stands in quarantine: {reason}" for _, seq, reason in desk.quarantine]
    happened = Counter(what for what, *_ in desk.audit)
    if happened["conflict"] > epochs - 1:
        wrong.append(f"{happened['conflict']} events came again with another content")
    if happened["gap"]:
        wrong.append("the desk went on over a gap")
    if len(desk.cursors) > epochs:
        wrong.append(f"the desk knows {len(desk.cursors)} epochs of one file")
    return wrong


def _exactly_once(journal: Journal, desk: DeskFile) -> list[str]:
    """Every episode that was raised is in one ticket, and each raising opened or reopened a ticket once."""
    held = {episode for _, episode in desk.links}
    raised = Counter(change["alarm"]["episode"] for change in journal.raised())
    wrong = [f"episode {episode} was raised and has no ticket" for episode in raised if episode not in held]
    wrong += [f"a ticket holds episode {episode}, which was not raised" for episode in held if episode not in raised]
    happened = Counter(what for what, *_ in desk.audit)
    steps = happened["opened"] + happened["reopened"]
    if steps != sum(raised.values()):
        wrong.append(f"{sum(raised.values())} raised, {steps} tickets opened or reopened")
    if desk.told["opened"] + desk.told["reopened"] != steps:
        wrong.append(f"connectors heard of {desk.told['opened'] + desk.told['reopened']} of {steps} openings")
    if happened["opened"] != len(desk.tickets):
        wrong.append(f"{happened['opened']} openings in the audit, {len(desk.tickets)} tickets")
    running: dict[str, str] = {}
    for change in journal.changes:
        name, episode = change["alarm"]["condition"], change["alarm"]["episode"]
        if running.get(name, episode) != episode:
            wrong.append(f"{name}: episode {episode} began while {running[name]} ran")
        running.pop(name, "")
        if change["alarm"].get("active"):
            running[name] = episode
    return wrong


def _sequence(journal: Journal, desk: DeskFile) -> list[str]:
    epoch, last = journal.meta["epoch"], int(journal.meta["seq"])
    wrong = []
    if journal.seqs != [(epoch, seq) for seq in range(1, last + 1)]:
        wrong.append(f"the outbox is not 1 to {last} of one epoch")
    revisions: defaultdict[str, list[int]] = defaultdict(list)
    for change in journal.changes:
        revisions[change["alarm"]["episode"]].append(change["alarm"]["revision"])
    for episode, told in revisions.items():
        if told != list(range(1, len(told) + 1)):
            wrong.append(f"the outbox tells of episode {episode} by revisions {told}: one was lost or came twice")
    if desk.receipts != {epoch: last}:
        wrong.append(f"the desk has {dict(desk.receipts)} receipts of {last} events of {epoch}")
    return wrong


def _taken(journal: Journal, desk: DeskFile, truth: Truth) -> list[str]:
    """A taking at the desk is one command, and one step of the agent's alarm while that episode stands."""
    by_people = [  # not the agent's own word of it, when a restored desk hears it again
        (ticket, who, episode) for what, who, ticket, episode, person in desk.audit if what == "acknowledged" and person
    ]
    wrong = []
    given = Counter((each["episode"], each["by"]) for each in desk.commands.values() if each["type"] == "acknowledge")
    if given != Counter((episode, who) for _, who, episode in by_people):
        wrong.append(f"{len(by_people)} tickets were taken, {sum(given.values())} commands given")
    known = {who for _, who, _ in by_people}
    wrong += [f"ticket {ticket} was taken by {who}, and the desk forgot it" for ticket, who in _late(truth, known)]
    acknowledged = [change for change in journal.changes if change["kind"] == "acknowledged"]
    done = Counter((change["alarm"]["episode"], change.get("actor")) for change in acknowledged)
    wrong += [f"{episode} was acknowledged {times} times" for (episode, _), times in done.items() if times > 1]
    last = {alarm.get("episode"): alarm for alarm in journal.alarms.values()}
    for episode, who in given:
        if episode in last and not done[episode, who] and last[episode].get("state") in {"unacknowledged", "returned"}:
            wrong.append(f"episode {episode} was taken by {who}; its alarm does not know")
    return wrong


def _late(truth: Truth, known: set[str]) -> list[tuple[int, str]]:
    return [(ticket, who) for ticket, who in truth.taken.items() if who not in known]


def _held(journal: Journal, truth: Truth) -> list[str]:
    """A fault that stood at a settling and not at the one before began an episode of its own in between."""
    raised = Counter(change["alarm"]["condition"] for change in journal.raised())
    return [
        f"{name}: {times} faults were held, {raised[name]} episodes raised"
        for name, times in truth.held.items()
        if raised[name] < times
    ]
