"""kill -9 and start again: a pending delay goes on from its onset, a shelf from its hour."""

import json
import time
from pathlib import Path
from typing import Any

from tests.crash.books import check
from tests.crash.processes import until
from tests.crash.world import World, condition

DELAY = 4.0
DELAYED = f"delays: {{on: [{DELAY}s, {DELAY}s, {DELAY}s, {DELAY}s], off: 0s}}\n"
SHELF = 12.0


def alarm(world: World) -> dict[str, Any]:
    """The first shelf's alarm as it is on the disk."""
    found = world.journal("SELECT alarm FROM alarms WHERE condition = ?", condition(0))
    return json.loads(found[0][0]) if found else {}


def told(world: World) -> list[dict[str, Any]]:
    """What the outbox tells of it, oldest first."""
    bodies = [json.loads(body) for (body,) in world.journal("SELECT body FROM outbox ORDER BY seq")]
    return [body for body in bodies if body["type"] == "change" and body["alarm"]["condition"] == condition(0)]


def test_a_pending_delay_goes_on_from_its_onset_after_a_kill(tmp_path: Path) -> None:
    with World(tmp_path, cold=True, extra=DELAYED) as world:
        world.start()
        world.switch(0, stopped=True)
        until("the alarm is pending", lambda: alarm(world).get("state") == "pending")
        before = alarm(world)
        world.kill_agent()
        assert [change["kind"] for change in told(world)] == ["pending"]
        world.start()
        back = time.clock_gettime(time.CLOCK_BOOTTIME)
        until("the alarm is raised", lambda: alarm(world).get("state") == "unacknowledged")
        after = alarm(world)
        assert (after["episode"], after["onset"]) == (before["episode"], before["onset"])
        raised = told(world)[-1]
        assert [change["kind"] for change in told(world)] == ["pending", "raised"]
        # by the next look after the delay, wherever the restart fell; begun anew it would be later than that
        due = before["onset"] + DELAY
        assert due <= raised["boot"] < max(due, back) + 2
        until("the desk has it", world.settled)
        assert world.ticket(0) == (1, "open")
        assert check(world) == []


def test_a_pending_fault_that_went_while_the_agent_was_dead_is_momentary(tmp_path: Path) -> None:
    with World(tmp_path, cold=True, extra=DELAYED) as world:
        world.start()
        world.switch(0, stopped=True)
        until("the alarm is pending", lambda: alarm(world).get("state") == "pending")
        world.kill_agent()
        world.switch(0, stopped=False)
        world.start()
        until("all is known", world.settled)
        assert [change["kind"] for change in told(world)] == ["pending", "momentary"]
        assert alarm(world)["momentary"] == 1
        assert world.ticket(0) is None


def test_a_shelf_survives_a_kill_and_ends_at_its_time(tmp_path: Path) -> None:
    with World(tmp_path, cold=True) as world:
        world.start()
        world.switch(0, stopped=True)
        until("the fault has its ticket", world.settled)
        world.command("shelve", condition(0), f"{SHELF}s", "--by", "crash-1", "--site", str(world.site_file))
        before = alarm(world)
        assert before["state"] == "shelved"
        world.kill_agent()
        world.start()
        until("the agent polls", lambda: world.polled() >= 1)
        assert alarm(world)["shelved_until"] == before["shelved_until"]
        assert alarm(world)["state"] == "shelved"
        until("the shelf ends", lambda: alarm(world).get("state") == "unacknowledged")
        kinds = [change["kind"] for change in told(world)]
        assert kinds == ["raised", "shelved", "raised"]
        assert before["shelved_until"] <= told(world)[-1]["boot"] < before["shelved_until"] + 2
        until("the desk has it", world.settled)
        assert [state for _, state in [world.ticket(0) or (0, "")]] == ["open"]


def test_an_acknowledgement_survives_a_kill_of_both(tmp_path: Path) -> None:
    with World(tmp_path, cold=True) as world:
        world.start()
        world.switch(0, stopped=True)
        until("the fault has its ticket", world.settled)
        world.kill_agent()
        assert world.acknowledge(1, "crash-1")
        world.kill_desk()
        world.start()
        until("the agent knows", world.settled)
        assert (alarm(world)["state"], alarm(world)["acknowledged_by"]) == ("acknowledged", "crash-1")
        assert check(world) == []
