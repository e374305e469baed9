"""A real desk is backed up, goes on with a real agent, is lost and put back: nothing is lost, nothing doubled."""

import shutil
from contextlib import closing
from pathlib import Path

from desk.proof import check_books
from runtime.writer import reader
from tests.crash.processes import until
from tests.crash.world import World, condition


def opened(world: World, shelf: int) -> int:
    """Stop a fan and return the number of the ticket that opens."""
    world.switch(shelf, stopped=True)
    until(f"shelf {shelf} has a ticket", lambda: (found := world.ticket(shelf)) is not None and found[1] == "open")
    found = world.ticket(shelf)
    assert found is not None
    return found[0]


def over(world: World, shelf: int) -> None:
    """Start a fan again and wait until its ticket is resolved."""
    world.switch(shelf, stopped=False)
    until(f"shelf {shelf} is well", lambda: (found := world.ticket(shelf)) is not None and found[1] == "resolved")


def acknowledged(world: World, shelf: int) -> bool:
    """Say whether the agent's alarm of a shelf was taken by a person."""
    rows = world.journal("SELECT alarm FROM alarms WHERE condition = ?", condition(shelf))
    return bool(rows) and b'"acknowledged_by":"Li"' in bytes(rows[0][0])


def even(world: World) -> bool:
    """Say whether the desk has all that the agent has written."""
    meta = world.meta()
    return meta["seq"] == meta["acked"] and world.cursor(meta["epoch"]) == int(meta["seq"])


def test_a_desk_that_is_put_back_gets_again_what_it_forgot_and_gives_no_number_twice(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.start()
        taken, ended = opened(world, 0), opened(world, 1)
        backup = tmp_path / "desk.tar.gz"
        world.command("desk", "backup", str(backup), "--state", str(world.desk_state))
        (before,) = world.books("SELECT incarnation FROM desk")

        assert world.acknowledge(taken, "Li")
        until("the site knows who took it", lambda: acknowledged(world, 0))
        over(world, 1)
        fresh = opened(world, 2)
        opened(world, 3)
        over(world, 3)
        until("the desk has all", lambda: even(world))
        done = int(world.meta()["cursor"])
        world.kill_desk()
        shutil.rmtree(world.desk_state)

        said = world.command("desk", "restore", str(backup), "--state", str(world.desk_state))
        assert "New tickets go on from 1001" in said
        world.start_desk()
        until("the agent knows of the new incarnation", lambda: world.meta()["incarnation"] != before[0])
        until("the desk has all again", lambda: even(world))

        tickets = world.books("SELECT condition, number, state, acknowledged_by FROM tickets ORDER BY condition")
        states = {name: (state, by) for name, _, state, by in tickets}
        assert len(tickets) == len(states) == 4
        assert states == {
            condition(0): ("open", "Li"),
            condition(1): ("resolved", ""),
            condition(2): ("open", ""),
            condition(3): ("resolved", ""),
        }
        numbers = {name: number for name, number, _, _ in tickets}
        assert (numbers[condition(0)], numbers[condition(1)]) == (taken, ended)
        assert min(numbers[condition(2)], numbers[condition(3)]) > 1000
        assert fresh not in numbers.values()
        with closing(reader(world.desk_file)) as db:
            assert check_books(db) == []

        until("nothing waits for the agents any more", lambda: world.books("SELECT 1 FROM restores WHERE replayed > 0"))
        assert int(world.meta()["cursor"]) == done
        assert world.acknowledge(numbers[condition(2)], "Li")
        until("commands go on", lambda: acknowledged(world, 2))
        assert int(world.meta()["cursor"]) > done
