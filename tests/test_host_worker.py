"""A job that hangs costs its own outcome, one thread, and nothing else."""

import asyncio
import threading

import pytest

from collectors.host.worker import HangingError, Worker


class Gate:
    """A job that blocks until it is let go; counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def __call__(self) -> str:
        self.begun += 1
        self.entered.set()
        assert self.let_go.wait(20)
        return "back"


async def come_back(gate: Gate, worker: Worker[str]) -> None:
    """Let the job go and wait until the worker has seen that it came back."""
    gate.let_go.set()
    for thread in threading.enumerate():
        if thread.name == "host collector":
            await asyncio.to_thread(thread.join, 20)
    assert not worker.hanging


async def test_each_job_gives_what_it_returned_or_raised() -> None:
    failure = OSError(5, "Input/output error")

    def fails() -> str:
        raise failure

    outcomes = await Worker[str](20).run({"a": lambda: "one", "b": fails, "c": lambda: "three"})
    assert outcomes == {"a": "one", "b": failure, "c": "three"}


async def test_no_jobs_give_no_outcomes() -> None:
    assert await Worker[str](20).run({}) == {}


async def test_the_jobs_after_one_that_hangs_still_run() -> None:
    worker, gate = Worker[str](0.3), Gate()
    outcomes = await worker.run({"before": lambda: "one", "hangs": gate, "after": lambda: "three"})
    assert outcomes["before"] == "one"
    assert isinstance(outcomes["hangs"], HangingError)
    assert outcomes["after"] == "three"
    await come_back(gate, worker)


async def test_a_job_that_hangs_is_not_run_again_until_it_has_come_back() -> None:
    worker, gate = Worker[str](0.3), Gate()
    await worker.run({"hangs": gate})
    for _ in range(3):
        outcomes = await worker.run({"hangs": gate, "well": lambda: "yes"})
        assert isinstance(outcomes["hangs"], HangingError)
        assert outcomes["well"] == "yes"
    assert gate.begun == 1
    await come_back(gate, worker)
    assert await worker.run({"hangs": gate}) == {"hangs": "back"}
    assert gate.begun == 2


async def test_two_jobs_that_hang_cost_two_threads_however_often_they_are_asked() -> None:
    worker, first, second = Worker[str](0.2), Gate(), Gate()
    for _ in range(4):
        await worker.run({"first": first, "second": second})
    waiting = [thread for thread in threading.enumerate() if thread.name == "host collector"]
    assert len(waiting) == 2
    assert worker.hanging == {"first", "second"}
    first.let_go.set()
    await come_back(second, worker)


async def test_the_thread_of_a_job_that_hangs_never_holds_up_the_end_of_the_program() -> None:
    worker, gate = Worker[str](0.1), Gate()
    await worker.run({"hangs": gate})
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "host collector")
    await come_back(gate, worker)


async def test_a_caller_that_gives_up_leaves_the_job_to_itself() -> None:
    worker, gate = Worker[str](20), Gate()
    asking = asyncio.create_task(worker.run({"slow": gate}))
    await asyncio.to_thread(gate.entered.wait, 20)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert isinstance((await worker.run({"slow": gate}))["slow"], HangingError)
    assert gate.begun == 1
    await come_back(gate, worker)


async def test_the_loop_goes_on_while_a_job_hangs() -> None:
    worker, gate = Worker[str](0.3), Gate()
    asking = asyncio.create_task(worker.run({"hangs": gate}))
    turns = 0
    while not asking.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 10
    await come_back(gate, worker)
