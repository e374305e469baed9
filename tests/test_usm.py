"""Keys, digests and encryption of version 3: the standards' own examples, and pysnmp's beside ours."""

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pyasn1.type.univ import OctetString
from pysnmp.proto.error import StatusInformation
from pysnmp.proto.mpmod.rfc3412 import ScopedPDU, SNMPv3Message
from pysnmp.proto.secmod.rfc3414 import service
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from wire import snmp, snmp3
from wire.ber import MalformedError
from wire.refusal import DecryptionError
from wire.user import AUTH_NO_PRIV, AUTH_PRIV, NO_AUTH_NO_PRIV, User, weakness_text
from wire.usm import Secure, key_of, localise, privacy_key

HmacMd5, HmacSha, HmacSha2 = service.hmacmd5.HmacMd5, service.hmacsha.HmacSha, service.hmacsha2.HmacSha2
ENGINE = bytes.fromhex("000000000000000000000002")  # of the examples in RFC 3414 A.3
THEIR_AUTH: dict[str, Any] = {
    "md5": HmacMd5(),
    "sha1": HmacSha(),
    "sha224": HmacSha2(HmacSha2.SHA224_SERVICE_ID),
    "sha256": HmacSha2(HmacSha2.SHA256_SERVICE_ID),
    "sha384": HmacSha2(HmacSha2.SAH384_SERVICE_ID),
    "sha512": HmacSha2(HmacSha2.SHA512_SERVICE_ID),
}
THEIR_AUTH_ID: dict[str, Any] = {
    "md5": HmacMd5.SERVICE_ID,
    "sha1": HmacSha.SERVICE_ID,
    "sha224": HmacSha2.SHA224_SERVICE_ID,
    "sha256": HmacSha2.SHA256_SERVICE_ID,
    "sha384": HmacSha2.SAH384_SERVICE_ID,
    "sha512": HmacSha2.SHA512_SERVICE_ID,
}
THEIR_PRIVACY: dict[str, Any] = {
    "des": service.des.Des(),
    "aes128": service.aes.Aes(),
    "aes192": service.aes192.AesBlumenthal192(),
    "aes256": service.aes256.AesBlumenthal256(),
    "aes192c": service.aes192.Aes192(),
    "aes256c": service.aes256.Aes256(),
}
PAIRS = [(auth, privacy) for auth in THEIR_AUTH for privacy in THEIR_PRIVACY]


def user(auth: Any, privacy: Any = None) -> User:
    return User(
        name="roundsman",
        auth=auth,
        auth_pass="maplesyrup",
        privacy=privacy,
        privacy_pass="syrup of maples" if privacy else "",
    )


@pytest.mark.parametrize(
    ("auth", "key", "localised"),
    [
        ("md5", "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b"),
        ("sha1", "9fb5cc0381497b3793528939ff788d5d79145211", "6695febc9288e36282235fc7151f128497b38f3f"),
    ],
)
def test_the_examples_of_rfc_3414_a_3_come_out(auth: Any, key: str, localised: str) -> None:
    assert key_of(auth, "maplesyrup").hex() == key
    assert localise(auth, bytes.fromhex(key), ENGINE).hex() == localised


@pytest.mark.parametrize(
    ("auth", "key"),
    [
        ("md5", "526f5eed9fcce26f8964c2930787d82b 79eff44a90650ee0a3a40abfac5acc12"),
        ("sha1", "6695febc9288e36282235fc7151f128497b38f3f 9b8b6d78936ba6e7d19dfd9c"),
    ],
)
def test_the_examples_of_the_reeder_draft_come_out(auth: Any, key: str) -> None:
    assert privacy_key(auth, "aes256c", "maplesyrup", ENGINE) == bytes.fromhex(key)


def test_the_protocols_tested_are_all_there_are() -> None:
    annotations = User.__annotations__
    assert set(get_args(get_args(annotations["auth"])[0])) == set(THEIR_AUTH)
    assert set(get_args(get_args(annotations["privacy"])[0])) == set(THEIR_PRIVACY)


@pytest.mark.parametrize(("auth", "privacy"), PAIRS)
def test_pysnmp_makes_the_same_privacy_key(auth: Any, privacy: Any) -> None:
    theirs, oid = THEIR_PRIVACY[privacy], THEIR_AUTH_ID[auth]
    key = theirs.localize_key(oid, theirs.hash_passphrase(oid, b"syrup of maples"), OctetString(ENGINE))
    assert privacy_key(auth, privacy, "syrup of maples", ENGINE) == key.asOctets()


@pytest.mark.parametrize(("auth", "privacy"), PAIRS)
def test_pysnmp_finds_our_digest_right_and_decrypts_what_we_encrypted(auth: Any, privacy: Any) -> None:
    asked = snmp.request(snmp.GET, ("1.3.6.1.2.1.1.3.0",) * 20)
    wire = snmp3.write(
        asked.stamped(0x1234_5678),
        msg_id=0x1234_5678,
        level=AUTH_PRIV,
        engine_id=ENGINE,
        boots=7,
        time=123_456,
        user=b"roundsman",
        context=b"room 2",
        secure=Secure(user(auth, privacy), ENGINE),
        number=99,
    )
    message, rest = decoder.decode(wire, asn1Spec=SNMPv3Message())
    assert not rest
    assert int(message["msgGlobalData"]["msgID"]) == 0x1234_5678
    assert bytes(message["msgGlobalData"]["msgFlags"]) == b"\x07"
    parameters, _ = decoder.decode(bytes(message["msgSecurityParameters"]), asn1Spec=UsmSecurityParameters())
    theirs = THEIR_AUTH[auth]
    key = theirs.localize_key(theirs.hash_passphrase(b"maplesyrup"), OctetString(ENGINE))
    digest = parameters["msgAuthenticationParameters"]
    theirs.authenticate_incoming_message(key, digest, wire)
    with pytest.raises(StatusInformation):
        theirs.authenticate_incoming_message(key, digest, wire[:-1] + bytes((wire[-1] ^ 1,)))
    theirs, oid = THEIR_PRIVACY[privacy], THEIR_AUTH_ID[auth]
    key = theirs.localize_key(oid, theirs.hash_passphrase(oid, b"syrup of maples"), OctetString(ENGINE))
    how = (
        parameters["msgAuthoritativeEngineBoots"],
        parameters["msgAuthoritativeEngineTime"],
        parameters["msgPrivacyParameters"],
    )
    scoped = theirs.decrypt_data(key, how, message["msgData"]["encryptedPDU"])
    inside, _ = decoder.decode(bytes(scoped), asn1Spec=ScopedPDU())
    assert bytes(inside["contextEngineId"]) == ENGINE
    assert bytes(inside["contextName"]) == b"room 2"
    pdu = inside["data"].getComponent()
    assert int(pdu["request-id"]) == 0x1234_5678
    assert len(pdu["variable-bindings"]) == 20


@pytest.mark.parametrize(("auth", "privacy"), PAIRS)
def test_what_pysnmp_encrypted_is_decrypted(auth: Any, privacy: Any) -> None:
    theirs, oid = THEIR_PRIVACY[privacy], THEIR_AUTH_ID[auth]
    key = theirs.localize_key(oid, theirs.hash_passphrase(oid, b"syrup of maples"), OctetString(ENGINE))
    plain = b"sixteen octets.." * 3
    octets, salt = theirs.encrypt_data(key, (3, 1000, None), plain)
    assert Secure(user(auth, privacy), ENGINE).decrypt(bytes(octets), bytes(salt), 3, 1000)[: len(plain)] == plain


def sealed(secure: Secure, level: int = AUTH_PRIV) -> bytes:
    pdu = snmp.request(snmp.GET, ("1.3.6.1.2.1.1.3.0",)).stamped(0x0100_0000)
    return snmp3.write(
        pdu, msg_id=7, level=level, engine_id=ENGINE, boots=1, time=2, user=b"roundsman", secure=secure, number=5
    )


@pytest.mark.parametrize("auth", THEIR_AUTH)
def test_any_bit_changed_makes_the_digest_wrong_or_the_message_none(auth: Any) -> None:
    secure = Secure(user(auth, "aes128"), ENGINE)
    wire = sealed(secure)
    outside = snmp3.read(wire)
    assert secure.proves(wire, outside.digest_at, outside.digest_octets)
    for bit in range(8 * len(wire)):
        changed = bytearray(wire)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            outside = snmp3.read(bytes(changed))
        except MalformedError:
            continue
        assert not secure.proves(bytes(changed), outside.digest_at, outside.digest_octets)


def test_a_digest_cut_short_proves_nothing() -> None:
    secure = Secure(user("sha1"), ENGINE)
    wire = sealed(secure, AUTH_NO_PRIV)
    outside = snmp3.read(wire)
    assert not secure.proves(wire, outside.digest_at, 0)
    assert not secure.proves(wire, outside.digest_at, 1)


def test_another_pass_phrase_engine_or_protocol_proves_nothing() -> None:
    wire = sealed(Secure(user("sha256", "aes128"), ENGINE))
    outside = snmp3.read(wire)
    another = User(name="roundsman", auth="sha256", auth_pass="maple syrup")
    for secure in (Secure(another, ENGINE), Secure(user("sha256"), b"another"), Secure(user("sha224"), ENGINE)):
        assert not secure.proves(wire, outside.digest_at, outside.digest_octets)


@pytest.mark.parametrize("privacy", THEIR_PRIVACY)
def test_what_another_key_decrypts_is_refused_as_decryption(privacy: Any) -> None:
    wire = sealed(Secure(user("sha1", privacy), ENGINE))
    other = User(name="roundsman", auth="sha1", auth_pass="maplesyrup", privacy=privacy, privacy_pass="not the same")
    with pytest.raises(DecryptionError):
        snmp3.open_scoped(wire, snmp3.read(wire), Secure(other, ENGINE))


@pytest.mark.parametrize(
    ("octets", "salt"),
    [(b"12345678", b""), (b"12345678", b"1234567"), (b"12345678", b"123456789"), (b"1234567", b"12345678")],
)
def test_a_salt_or_a_length_that_des_cannot_have_is_refused(octets: bytes, salt: bytes) -> None:
    with pytest.raises(DecryptionError):
        Secure(user("sha1", "des"), ENGINE).decrypt(octets, salt, 1, 1)


def test_a_salt_never_comes_twice() -> None:
    secure = Secure(user("sha1", "aes128"), ENGINE)
    assert len({secure.encrypt(b"x", 1, 1, number)[1] for number in range(1000)}) == 1000


WIRES = [sealed(Secure(user("sha1", "aes128"), ENGINE)), sealed(Secure(user("sha1"), ENGINE), NO_AUTH_NO_PRIV)]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(WIRES), st.integers(0, 200), st.binary(max_size=60), st.integers(0, 60))
def test_any_octets_either_read_as_a_message_or_raise_malformed(wire: bytes, at: int, junk: bytes, cut: int) -> None:
    """Invariant: read and open_scoped give values, MalformedError or DecryptionError, never another error."""
    mangled = wire[:at] + junk + wire[at + cut :]
    try:
        outside = snmp3.read(mangled)
        assert 0 <= outside.digest_at <= outside.body_at <= outside.body_end == len(mangled)
        snmp3.open_scoped(mangled, outside, Secure(user("sha1", "aes128"), ENGINE))
    except (MalformedError, DecryptionError):
        assert mangled != wire


def test_a_message_with_a_wrong_digest_costs_no_privacy_key() -> None:
    key_of.cache_clear()
    secure = Secure(user("sha256", "aes256c"), ENGINE)
    assert not secure.proves(bytes(100), 50, secure.digest_octets)
    assert key_of.cache_info().misses == 1
    secure.encrypt(b"", 1, 1, 1)
    assert key_of.cache_info().misses == 2


def test_a_pass_phrase_is_hashed_once_for_many_engines() -> None:
    key_of.cache_clear()
    for number in range(50):
        Secure(user("sha256", "aes256"), ENGINE + bytes((number,))).encrypt(b"", 1, 1, 1)
    assert key_of.cache_info().misses == 2  # one for each pass phrase


def test_no_secret_shows() -> None:
    whole = user("sha1", "aes128")
    assert repr(whole) == "User('roundsman', auth=sha1, privacy=aes128)"
    assert "syrup" not in f"{whole} {whole!r} {Secure(whole, ENGINE)!r}"


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"name": ""}, "1 to 32 octets"),
        ({"name": "用" * 11}, "1 to 32 octets"),
        ({"name": "u", "privacy": "aes128", "privacy_pass": "long enough"}, "privacy needs authentication"),
        ({"name": "u", "auth": "sha1", "auth_pass": "short"}, "authentication key is shorter than 8"),
        (
            {"name": "u", "auth": "sha1", "auth_pass": "long enough", "privacy": "aes128"},
            "privacy key is shorter than 8",
        ),
    ],
)
def test_a_user_that_cannot_be_is_refused(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        User(**keys)


def test_weak_protocols_are_named_with_what_is_better() -> None:
    assert user("md5", "des").weaknesses == ("md5", "des")
    assert user("sha1", "aes128").weaknesses == ()
    assert weakness_text("md5") == "md5 can be broken; use sha256 or better where the card has it"
    assert weakness_text("des") == "des can be broken; use aes128 or better where the card has it"
