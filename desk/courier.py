"""The courier: looks what people must be told, and carries it. See `desk.notices` and `desk.messages`.

It may be killed at any moment: what was being sent is sent again, with the same bytes and name, unless it is over by
then. A message is written down before it is handed over, so nothing goes out of a store that takes no writes; one that
was taken is not sent again because that could not be written down. A server that hangs delays nobody else's message.
While nothing is to be told it only reads.
"""

import asyncio
import contextlib
import logging

import msgspec

from config.roster import RosterFile
from connectors import mail, webhook
from connectors.unsent import UnsentError
from desk.core import LOG, Desk
from desk.messages import Outgoing, arrived, due, forget_gone, forget_messages, gather, lost, set_out
from desk.notices import call
from desk.store import Db, one
from model.roster import LEVEL_OF_NO_REST, Person, Way
from runtime.writer import StoreError

EVERY = 1.0  # seconds between looks
FORGET_EVERY = 3600.0
AT_THE_END = 3.0  # seconds that a desk which stops waits for mail servers
_AT_ONCE = 6  # messages on their way at once
_ANYTHING = """SELECT EXISTS (SELECT 1 FROM occasions WHERE again <= ?)
    OR EXISTS (SELECT 1 FROM notices WHERE state = 'waiting' AND after <= ?)
    OR EXISTS (SELECT 1 FROM messages WHERE state = 'sending' AND next <= ?) AS anything,
    EXISTS (SELECT 1 FROM restores WHERE replayed IS NULL) AS forgot"""


class Courier:
    """Carries one desk's messages."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._way: dict[int, asyncio.Task[None]] = {}
        self._taken: set[int] = set()  # messages that arrived, which is not written down yet
        self._forget_due = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Look around until the desk stops; what fails is logged and tried again."""
        self._say_roster()
        with contextlib.suppress(StoreError):
            await self._forget_gone()
        while not stop.is_set():
            try:
                await self.look()
            except StoreError as error:
                LOG.warning("courier: %s", error)
            except Exception:  # whatever it was: people must be told at the next look
                LOG.exception("courier: a look failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY)
        await self.end()

    async def look(self) -> None:
        """Make what is due into messages, and set out with those whose time has come."""
        desk = self.desk
        if await asyncio.to_thread(desk.people.look):
            self._say_roster()
            await self._forget_gone()
        now = desk.timekeeper.now()
        await self._forget(now)
        row = await desk.store.read(lambda db: one(db, _ANYTHING, now, now, now))
        if row is None or not row["anything"] or row["forgot"]:
            return  # `forgot`: a desk that was restored calls nobody before its agents have told what it forgot
        file = desk.people.file
        if file is None and desk.people.path is not None:
            return  # there is to be a roster: what happens meanwhile waits until its file can be used
        await desk.store.write(lambda db: self._prepare(db, file))
        if file is None:
            return
        for out in await desk.store.read(lambda db: due(db, now, _AT_ONCE + len(self._way))):
            if out.id not in self._way and len(self._way) < _AT_ONCE:
                self._way[out.id] = asyncio.create_task(self._carry(out, file))

    async def settle(self) -> None:
        """Wait until nothing is on its way any more."""
        while self._way:
            await asyncio.wait(self._way.values())

    async def end(self) -> None:
        """Wait a little for what is on its way, and leave the rest to the next start."""
        if self._way:
            _, slow = await asyncio.wait(self._way.values(), timeout=AT_THE_END)
            for each in slow:
                each.cancel()

    def _prepare(self, db: Db, file: RosterFile | None) -> None:
        ledger = self.desk.ledger(db)
        call(ledger, file.roster if file else None)
        if file is not None:
            gather(ledger, file.roster, file.link or self.desk.url)

    async def _carry(self, out: Outgoing, file: RosterFile) -> None:
        """Send one message and write down what became of it; a store that fails leaves it to be sent again."""
        desk = self.desk
        try:
            if out.id not in self._taken:
                begun = desk.timekeeper.now()
                if not await desk.store.write(lambda db: set_out(db, file.roster, out, begun)):
                    return
                await _sent(out, file, desk.store.incarnation, begun)
                self._taken.add(out.id)
            now = desk.timekeeper.now()
            await desk.store.write(lambda db: arrived(db, out, now))
            self._taken.discard(out.id)
            desk.meters.messages.labels("sent").inc()
        except UnsentError as error:
            await self._lost(out, error)
        except StoreError as error:
            LOG.warning("courier: %s", error)
        except Exception as error:
            LOG.exception("courier: message %d", out.id)
            await self._lost(out, UnsentError(f"{type(error).__name__}: {error}"))
        finally:
            self._way.pop(out.id, None)

    async def _lost(self, out: Outgoing, why: UnsentError) -> None:
        now = self.desk.timekeeper.now()
        try:
            over = await self.desk.store.write(lambda db: lost(db, out, why, now))
        except StoreError as error:
            LOG.warning("courier: %s", error)
        else:
            self.desk.meters.messages.labels("given_up" if over else "failed").inc()
            level = logging.ERROR if over else logging.WARNING
            LOG.log(level, "%s was not told by %s: %s", out.person, out.channel, why)

    async def _forget(self, now: float) -> None:
        if self.desk.clock().boot >= self._forget_due:
            before = now - self.desk.settings.told_for
            await self.desk.store.write(lambda db: forget_messages(db, before))
            self._forget_due = self.desk.clock().boot + FORGET_EVERY

    async def _forget_gone(self) -> None:
        """Whoever left the roster is no trouble any more."""
        if (file := self.desk.people.file) is not None:
            await self.desk.store.write(lambda db: forget_gone(db, file.roster))

    def _say_roster(self) -> None:
        people = self.desk.people
        if people.problem:
            LOG.error("the roster cannot be used, the one before stays: %s", people.problem)
        elif people.file is not None:
            LOG.info("roster read: %s", people.path)
            for warning in people.file.warnings:
                LOG.warning("%s", warning)


async def _sent(out: Outgoing, file: RosterFile, incarnation: str, now: float) -> None:
    """Send a message by its channel. Raises UnsentError."""
    person = file.roster.people.get(out.person)
    channel = next((each for each in person.channels if str(each) == out.channel), None) if person else None
    if person is None or channel is None:
        raise UnsentError("is not on the roster any more by this channel", permanent=True)
    if channel.way is Way.MAIL:
        await _mailed(out, file, person, channel.to, incarnation)
    else:
        await _posted(out, file, channel.to, now)


async def _mailed(out: Outgoing, file: RosterFile, person: Person, to: str, incarnation: str) -> None:
    server = file.mail
    if server is None:
        raise UnsentError("the roster names no mail server")
    letter = out.letter
    content = mail.compose(
        mail.Mail(
            name=out.name,
            sender=server.sender,
            to=to,
            to_name=person.name,
            subject=letter.subject,
            text=letter.text,
            made=out.made,
            thread=f"ticket-{letter.tickets[0].number}.{incarnation}" if letter.count == 1 else "",
            urgent=letter.level == LEVEL_OF_NO_REST,
        )
    )
    password = server.password.value if server.password else ""
    where = mail.Server(server.host, server.port, server.security, server.user, password, server.ca)
    await mail.send(where, server.sender, to, content)


async def _posted(out: Outgoing, file: RosterFile, name: str, now: float) -> None:
    hook = file.webhooks.get(name)
    if hook is None:
        raise UnsentError(f"the roster has no webhook {name}", permanent=True)
    body = msgspec.json.encode(
        {"id": out.name, "person": out.person, "made": out.made, **msgspec.to_builtins(out.letter)}
    )
    await webhook.post(hook.url, hook.secret.value, out.name, now, body, ca=hook.ca)
