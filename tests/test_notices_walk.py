"""Days of faults, clears, worse levels, people who take tickets, servers that refuse and couriers that die."""

import random
from collections import Counter
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from desk.courier import Courier
from model.change import Change
from model.roster import quiet_until
from model.service.entry import Acknowledged, LevelSet
from tests.desk_world import change, cleared
from tests.rosters import SHANGHAI
from tests.told_world import Office, an_office

STEPS = 60


async def _something(office: Office, dice: random.Random, standing: dict[str, Change]) -> None:
    """One thing happens: a fault, its end, a person's word, a receiver in trouble, a courier that dies."""
    what = dice.choice(("fault", "fault", "clear", "take", "level", "trouble", "die", "nothing"))
    numbers = [row["number"] for row in await office.rows("SELECT number FROM tickets WHERE state = 'open'")]
    if what == "fault":
        device = f"d{dice.randrange(6)}"
        if device not in standing:
            said = change(device=device, episode=f"{device}-{dice.random()}")
            standing[device] = said
            await office.speaker.send(said)
    elif what == "clear" and standing:
        device = dice.choice(sorted(standing))
        await office.speaker.send(cleared(standing.pop(device)))
    elif what == "take" and numbers:
        await office.world.desk.write_act(dice.choice(numbers), "zhang", "test", Acknowledged())
    elif what == "level" and numbers:
        await office.world.desk.write_act(dice.choice(numbers), "boss", "test", LevelSet(dice.choice((1, 2)), "said"))
    elif what == "trouble":
        office.receiver.answers = [dice.choice((204, 503, 500, 404))]
    elif what == "die":  # what it had made and not sent is there for the next
        await office.world.desk.store.write(lambda db: office.courier._prepare(db, office.world.desk.people.file))
        office.courier = Courier(office.world.desk)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nobody_is_told_twice_nor_woken_and_nothing_is_forgotten(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    async with an_office(tmp_path, "2026-11-20 18:00") as office:
        standing: dict[str, Change] = {}
        for _ in range(STEPS):
            await _something(office, dice, standing)
            await office.on(dice.choice((5.0, 40.0, 600.0, 3600.0, 4 * 3600.0)))
        office.receiver.answers = [204]
        for _ in range(4):
            await office.on(5 * 3600.0)
        await _check(office)


async def _check(office: Office) -> None:
    mails = office.post.mails
    assert len(mails) > 10
    assert max(Counter(mail["headers"]["Message-ID"] for mail in mails).values()) == 1
    roster = office.world.desk.people.file
    assert roster is not None
    messages = await office.rows("SELECT * FROM messages")
    for message in messages:  # nobody is woken but for level 1
        made = message["made"]
        assert message["level"] == 1 or quiet_until(roster.roster, message["person"], made, 2) is None, (
            datetime.fromtimestamp(made, SHANGHAI)
        )
    sent = [message for message in messages if message["channel"].startswith("mail:") and message["state"] == "sent"]
    assert len(sent) == len(mails)
    dates = Counter(int(parsedate_to_datetime(mail["headers"]["Date"]).timestamp()) for mail in mails)
    assert dates == Counter(int(message["made"]) for message in sent)
    # whatever an open ticket asked for was told to somebody, or waits for somebody, or is said to be told to nobody
    lost = await office.rows(
        "SELECT o.* FROM occasions o JOIN tickets t ON t.number = o.ticket WHERE t.state = 'open' AND o.nobody = ''"
        " AND o.what <> 'over' AND o.again IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.ticket = o.ticket AND n.clock = o.clock"
        " AND n.step = o.step AND n.state IN ('sent', 'waiting', 'taken', 'dropped'))"
    )
    assert lost == []
    # whoever was told of what is over by now heard that, or it was tried
    unaware = await office.rows(
        "SELECT n.* FROM notices n JOIN tickets t ON t.number = n.ticket WHERE t.state <> 'open' AND n.state = 'sent'"
        " AND n.what <> 'over' AND NOT EXISTS (SELECT 1 FROM notices o WHERE o.ticket = n.ticket AND o.id > n.id"
        " AND o.person = n.person AND o.channel = n.channel AND o.what = 'over' AND o.state IN ('sent', 'failed'))"
    )
    assert unaware == []
    sql = "SELECT * FROM notices WHERE state IN ('waiting', 'taken') AND after < ?"
    assert await office.rows(sql, office.world.clock().wall - 86_400.0) == []
