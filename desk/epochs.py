"""Which epoch of an agent counts, when the first request of one may be the last to arrive.

An epoch begins with a snapshot, which ends what stands and is not in it. One of an epoch that the desk never heard of
is late when it was made before the newest that was taken, in the same boot of the machine, or in a boot of its that
another has followed: it ends nothing. Nobody answers the refusal of what is late; an agent that lives begins yet
another epoch, which is taken: of a machine whose memory was put back, or of two that share one name.
"""

from desk.record import Told
from desk.store import Db, one
from model.change import Snapshot


def comes_late(db: Db, told: Told, snapshot: Snapshot) -> bool:
    """Tell whether the snapshot of an unknown epoch was made before the newest; its epoch is over then."""
    newest = one(
        db,
        "SELECT boot_id, boot, begun FROM cursors WHERE agent = ? AND over = 0 AND boot_id <> ''"
        " ORDER BY begun DESC LIMIT 1",
        told.agent,
    )
    if newest is None:
        return False
    if newest["boot_id"] == snapshot.boot_id:
        late = snapshot.boot < newest["boot"]
    else:
        late = (
            one(db, "SELECT 1 FROM cursors WHERE agent = ? AND boot_id = ?", told.agent, snapshot.boot_id) is not None
        )
    refused = "SELECT 1 FROM cursors WHERE agent = ? AND over = 1 AND seq = 0 AND begun >= ?"
    if not late or one(db, refused, told.agent, newest["begun"]):
        return False
    db.execute(
        "INSERT INTO cursors (agent, epoch, seq, begun, over) VALUES (?, ?, 0, ?, 1)",
        (told.agent, told.epoch, told.received),
    )
    return True


def begin(db: Db, told: Told, snapshot: Snapshot) -> None:
    """Keep when the snapshot that begins an epoch was made, beside the epoch's cursor."""
    db.execute(
        "INSERT INTO cursors (agent, epoch, seq, begun, boot_id, boot) VALUES (?, ?, 0, ?, ?, ?)"
        " ON CONFLICT (agent, epoch) DO UPDATE SET boot_id = excluded.boot_id, boot = excluded.boot",
        (told.agent, told.epoch, told.received, snapshot.boot_id, snapshot.boot),
    )
