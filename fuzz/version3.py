"""Version 3 under the fuzzer: the envelope, what is inside it, and what a session believes.

From any octets comes an envelope or `MalformedError`; what is inside opens, or is `MalformedError` or
`DecryptionError`; a session gives a PDU, asks again, or refuses by name. It never believes a datagram without the
digest of its user's keys, which is asked of the keys themselves, apart.
"""

from pyasn1.codec.ber import decoder
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from collectors.snmp.session import Session
from fuzz.oracle import REFUSALS, Disagreement
from wire import ber, snmp, snmp3
from wire.ber import MalformedError
from wire.refusal import DecryptionError, RefusedError
from wire.snmp import Pdu, VarBind
from wire.user import User
from wire.usm import Secure

USERS = (
    User(name="nobody"),
    User(name="prover", auth="sha256", auth_pass="authentication"),
    User(name="hider", auth="sha1", auth_pass="authentication", privacy="aes128", privacy_pass="encryption"),
    User(name="weak", auth="md5", auth_pass="authentication", privacy="des", privacy_pass="encryption"),
)
ENGINE = b"\x80\x00\x7e\xd9\x04fuzz"
SECURE = tuple(Secure(user, ENGINE) for user in USERS)
BOOTS, TIME, MSG_ID = 3, 1000, 0x0100_0007
BINDS = (VarBind("1.3.6.1.2.1.1.3.0", snmp.TIME_TICKS, 77), VarBind("1.3.6.1.2.1.1.5.0", ber.OCTET_STRING, b"card"))
REPLY = snmp.encode_pdu(Pdu(snmp.RESPONSE, MSG_ID, 0, 0, BINDS))
STATS = tuple(VarBind(f"{snmp3.USM_STATS}.{number}.0", snmp.COUNTER32, 1) for number in range(1, 7))


def seeds() -> list[bytes]:
    """Return an answer to each user, and each report."""
    answers = [_written(REPLY, at) for at in range(len(USERS))]
    reports = [_written(_report(stat), at) for stat in STATS for at in (0, 2)]
    return [*answers, *reports]


def check(octets: bytes) -> str:
    """Take one input as a datagram, then with the digest it lacks, or as what is inside one. Returns what it was.

    It is one user's, always the same one for the same input.
    """
    at = sum(octets) % len(USERS)
    try:
        outside = snmp3.read(octets)
    except MalformedError:
        _hears(_written(octets, at), at)
        return "refused"
    assert 0 < outside.body_at <= outside.body_end == len(octets)
    assert outside.digest_at + outside.digest_octets <= len(octets)
    _opens(octets, outside, SECURE[at])
    _hears(octets, at)
    if outside.digest_octets == SECURE[at].digest_octets:
        _hears(_proved(octets, outside, SECURE[at]), at)
    return "envelopes"


def compare(octets: bytes) -> None:
    """Read an envelope with pysnmp's definitions too; where both read it, it says the same. Raises Disagreement."""
    try:
        outside = snmp3.read(octets)
        theirs, rest = decoder.decode(octets, asn1Spec=SNMPv3Message())
        parameters, more = decoder.decode(bytes(theirs[2]), asn1Spec=UsmSecurityParameters())
    except (MalformedError, *REFUSALS):
        return
    if rest or more:
        raise Disagreement(f"{octets.hex()}: pysnmp finds octets after the message or its parameters")
    head = theirs[1]
    told = (int(head[0]), bytes(head[2])[0] & snmp3.LEVEL, int(head[3]))
    secured = (bytes(parameters[0]), int(parameters[1]), int(parameters[2]), bytes(parameters[3]), bytes(parameters[5]))
    ours = (outside.msg_id, outside.level, outside.model)
    if told != ours or secured != (outside.engine_id, outside.boots, outside.time, outside.user, outside.salt):
        raise Disagreement(f"{octets.hex()}: ours {outside}, pysnmp {told} {secured}")


def _report(stat: VarBind) -> bytes:
    return snmp.encode_pdu(Pdu(snmp.REPORT, 0, 0, 0, (stat,)))


def _written(pdu: bytes, at: int, *, level: int | None = None) -> bytes:
    user, secure = USERS[at], SECURE[at]
    return snmp3.write(
        pdu,
        msg_id=MSG_ID,
        level=user.level if level is None else level,
        engine_id=ENGINE,
        boots=BOOTS,
        time=TIME,
        user=user.name.encode(),
        secure=secure,
        number=5,
        flags=0,
    )


def _opens(octets: bytes, outside: snmp3.Envelope, secure: Secure) -> None:
    try:
        snmp3.open_scoped(octets, outside, secure)
    except (MalformedError, DecryptionError):
        return


def _proved(octets: bytes, outside: snmp3.Envelope, secure: Secure) -> bytes:
    """Return the datagram under the right digest."""
    at, end = outside.digest_at, outside.digest_at + outside.digest_octets
    return octets[:at] + secure.digest(octets[:at] + bytes(end - at) + octets[end:]) + octets[end:]


def _hears(octets: bytes, at: int) -> None:
    """Let a session that has met its card hear it."""
    user, session = USERS[at], Session(USERS[at])
    session.ask(snmp.request(snmp.GET, ()), MSG_ID, 0.0)
    met = _written(_report(STATS[3]), at, level=0)
    assert not isinstance(session.hear(met, snmp3.read(met), MSG_ID, 0.0), Pdu)
    try:
        outside = snmp3.read(octets)
        heard = session.hear(octets, outside, MSG_ID, 0.0)
    except (MalformedError, RefusedError):
        return
    if isinstance(heard, Pdu):
        assert outside.level == user.level
        if user.level:
            assert SECURE[at].proves(octets, outside.digest_at, outside.digest_octets)
