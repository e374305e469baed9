"""A desk with a roster, a mail server and a receiver of webhooks; the clock is in the test's hand."""

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from desk.courier import Courier
from desk.sweep import Sweep
from model.alarm import Now
from model.contract import Contract, EscalationStep, Limit, Milestone, Start, Upgrade
from model.due import Span
from model.rule import Meaning
from tests.desk_world import CONTRACT, Hands, Speaker, World, a_desk, change
from tests.post_office import Post, Receiver, a_mail_server, a_receiver
from tests.rosters import TEXT, moment


def _limit(milestone: Milestone, hours: float, *levels: int) -> Limit:
    span = Span(hours * 3600)
    return Limit(name=milestone, milestone=milestone, span=span, said=f"{hours:g}h", after=Start.OPEN, levels=levels)


TOLD = replace(
    CONTRACT,
    limits=(_limit(Milestone.ARRIVE, 4, 2), _limit(Milestone.RESTORE, 8, 2), _limit(Milestone.RESTORE, 5, 1)),
    upgrade=Upgrade((Milestone.RESTORE,)),
    escalation=(EscalationStep("province", {"en": "The province coordinates", "zh": "省公司协调"}, (1,), seconds=0.0),),
)


class Office:
    """A desk at a time of day, who it tells, and what they got."""

    def __init__(self, world: World, post: Post, receiver: Receiver, speaker: Speaker) -> None:
        self.world = world
        self.post = post
        self.receiver = receiver
        self.speaker = speaker
        self.courier = Courier(world.desk)
        self.sweep = Sweep(world.desk)

    async def fault(self, device: str = "ups", meaning: Meaning = Meaning.DANGER, **more: Any) -> None:
        """A fault of level 2 by the contract's list; `meaning` INTERRUPTION and another fault: of level 1."""
        more.setdefault("fault", "mains.lost")
        answer = await self.speaker.send(change(device=device, meaning=meaning, episode=f"e-{device}", **more))
        assert answer.status_code == 200, answer.text

    async def outage(self, device: str = "node") -> None:
        """A fault of level 1, which the contract does not list."""
        await self.fault(device, Meaning.INTERRUPTION, fault="service.interrupted", title="Service interrupted")

    async def outage_again(self, device: str = "node") -> None:
        """The same fault of level 1 in another episode."""
        said = change(
            device=device, meaning=Meaning.INTERRUPTION, episode=f"e-{device}-again", fault="service.interrupted"
        )
        assert (await self.speaker.send(said)).status_code == 200

    async def carry(self) -> None:
        """Let the courier look until nothing more goes out at this moment."""
        for _ in range(3):
            await self.courier.look()
            await self.courier.settle()

    async def on(self, seconds: float) -> None:
        """Let time pass, with everything that falls due in it."""
        self.world.clock.on(seconds)
        await self.sweep.look()
        await self.carry()

    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return await self.world.rows(sql, *values)

    def told(self, person: str) -> list[str]:
        return [mail["text"] for mail in self.post.to(f"{person}@example.com")]


def roster_file(folder: Path, post: Post, receiver: Receiver, change_text: Callable[[str], str]) -> Path:
    (folder / "pager.secret").write_text("a secret\n", encoding="utf-8")
    (folder / "pager.secret").chmod(0o600)
    text = TEXT.replace("127.0.0.1:25", f"127.0.0.1:{post.port}").replace(":9/in", f":{receiver.port}/in")
    path = folder / "roster.yaml"
    path.write_text(change_text(text), encoding="utf-8")
    return path


@asynccontextmanager
async def an_office(
    folder: Path, at: str, change_text: Callable[[str], str] = str, contract: Contract = TOLD
) -> AsyncIterator[Office]:
    clock = Hands()
    clock.now = Now(5000.0, moment(at))
    with ExitStack() as stack:
        post, receiver = stack.enter_context(a_mail_server(folder)), stack.enter_context(a_receiver())
        roster = roster_file(folder, post, receiver, change_text)
        state = folder / "state"
        async with a_desk(state, clock, roster=roster, grace=1e9) as world:
            world.desk.contracts = lambda name: contract
            world.desk.url = "http://127.0.0.1:8061"
            speaker = await world.agent("S1", name="湛江二号站")
            yield Office(world, post, receiver, speaker)
