"""The codec of SNMP versions 1 and 2c: whole, cut, mangled, and against pysnmp and net-snmp, which are not ours."""

import contextlib
import math
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import rfc1905
from pysnmp.proto.api import v1, v2c

from fuzz.seeds import BINDS
from tests.peers.snmp import Agent, snmpd
from wire import ber, snmp
from wire.ber import MalformedError
from wire.snmp import Absent, Message, Pdu, Request, Value, VarBind

SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
REPLY = Message(snmp.V2C, b"public", Pdu(snmp.RESPONSE, 0x0100_0001, 0, 0, BINDS))
WIRE = snmp.encode(REPLY)


def reply_with(value: str, name: str = "0601 2b") -> bytes:
    """Return a reply with one binding whose name and value elements are given in hexadecimal."""
    binding = ber.element(ber.SEQUENCE, bytes.fromhex(name + value))
    return reply_around(ber.element(ber.SEQUENCE, binding))


def reply_around(bindings: bytes) -> bytes:
    pdu = ber.element(snmp.RESPONSE, bytes.fromhex("0201 01 0201 00 0201 00") + bindings)
    return ber.element(ber.SEQUENCE, bytes.fromhex("0201 01 0406 7075626c6963") + pdu)


def value_of(wire: bytes) -> Value:
    (bind,) = snmp.decode(wire).pdu.varbinds
    return bind.value


def test_a_whole_reply_gives_every_type_of_value_and_writes_back_to_itself() -> None:
    assert snmp.decode(WIRE) == REPLY


def test_a_reply_cut_anywhere_is_refused() -> None:
    for size in range(len(WIRE)):
        with pytest.raises(MalformedError):
            snmp.decode(WIRE[:size])


def test_octets_after_the_message_are_refused() -> None:
    with pytest.raises(MalformedError, match="2 octets after the message"):
        snmp.decode(WIRE + b"\0\0")


@pytest.mark.parametrize("replacement", [0x00, 0x01, 0x30, 0x7F, 0x80, 0x84, 0xFF])
def test_a_reply_with_any_one_octet_mangled_is_read_or_refused_and_nothing_else(replacement: int) -> None:
    refused = 0
    for at in range(len(WIRE)):
        try:
            snmp.decode(WIRE[:at] + bytes((replacement,)) + WIRE[at + 1 :])
        except MalformedError:
            refused += 1
    assert refused > 20  # heads are about a third of the octets; values may say anything


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200) | st.builds(lambda at, junk: WIRE[:at] + junk, st.integers(0, len(WIRE)), st.binary()))
def test_any_octets_either_give_a_message_that_writes_and_reads_as_itself_or_raise_malformed(junk: bytes) -> None:
    """Invariant: decode gives a message or MalformedError, never another error or an unbounded wait."""
    with contextlib.suppress(MalformedError):
        message = snmp.decode(junk)
        assert repr(snmp.decode(snmp.encode(message))) == repr(message)  # as text: a NaN equals itself


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("4104 ffffffff", 4_294_967_295),  # Counter32 without its leading zero, as many cards send it
        ("4201 80", 128),
        ("4204 80000000", 2_147_483_648),
        ("4608 ffffffffffffffff", 2**64 - 1),
        ("0204 00000005", 5),
        ("0205 00ffffffff", 4_294_967_295),
        ("0281 01 07", 7),
        ("0284 00000001 07", 7),
        ("0200", None),  # a number of no octets is no zero
        ("4100", None),
        ("0500", None),
        ("8000", Absent.NO_SUCH_OBJECT),
        ("8100", Absent.NO_SUCH_INSTANCE),
        ("8200", Absent.END_OF_MIB_VIEW),
        ("4407 9f7804 41480000", 12.5),
        ("440b 9f7908 4029000000000000", 12.5),
        ("4404 9f760101", b"\x9f\x76\x01\x01"),  # an Opaque of another kind stays octets
        ("4003 0a0000", b"\x0a\x00\x00"),  # an address of three octets is none
        ("4502 abcd", b"\xab\xcd"),
        ("0600", "0.0"),
    ],
)
def test_what_cards_send_is_read_for_what_it_means(value: str, read: Value) -> None:
    assert value_of(reply_with(value)) == read


@pytest.mark.parametrize("value", ["4407 9f7804 7fc00000", "440b 9f7908 7ff8000000000000"])
def test_an_opaque_that_is_not_a_number_stays_not_a_number(value: str) -> None:
    read = value_of(reply_with(value))
    assert isinstance(read, float)
    assert math.isnan(read)


@pytest.mark.parametrize(
    ("wire", "says"),
    [
        (reply_with("020a 00000000000000000001"), "number of 10 octets"),
        (reply_with("4609 010000000000000000"), "number above 64 bits"),
        (reply_with("0204 0001"), "no value that fills"),
        (reply_with("0201 05 00"), "no value that fills"),
        (reply_with("1f81 01 05"), "identifier of several octets"),
        (reply_with("0201 05", name="0401 2b"), "no name"),
        (reply_with("0201 05", name="0602 2b86"), "sub-identifier"),
        (reply_with("", name="060b 2b"), "no name"),
        (reply_around(bytes.fromhex("3005 3103 0201 05")), "no variable binding"),
        (reply_around(bytes.fromhex("3004 3005 0601")), "no variable binding"),
        (reply_around(bytes.fromhex("3002 3000")), "bind"),
        (reply_around(bytes.fromhex("3000 00")), "after the variable bindings"),
        (reply_around(bytes.fromhex("3080 0000")), "length"),
        (bytes.fromhex("3016 0201 03 0406 7075626c6963 a209 0201 01 0201 00 0201 00"), "neither 1 nor 2c"),
        (bytes.fromhex("3010 0201 00 0406 7075626c6963 a403 0201 01"), "PDU type 0xa4"),
        (b"\x30" * 40, "after|past"),
        (b"\0" * 65_508, "datagram of 65508"),
    ],
)
def test_what_is_not_a_message_is_refused_and_the_text_says_why(wire: bytes, says: str) -> None:
    with pytest.raises(MalformedError, match=says):
        snmp.decode(wire)


def test_a_deeply_nested_datagram_costs_no_stack() -> None:
    nested = b""
    for _ in range(5000):
        nested = ber.element(ber.SEQUENCE, nested)
    with pytest.raises(MalformedError):
        snmp.decode(nested)


def test_a_request_is_encoded_once_and_stamped_for_each_sending() -> None:
    asked = snmp.request(snmp.GET, (SYS_UPTIME,))
    for request_id in (snmp.FIRST_REQUEST_ID, 0x1234_5678, snmp.LAST_REQUEST_ID):
        pdu = Pdu(snmp.GET, request_id, 0, 0, (VarBind(SYS_UPTIME, ber.NULL, None),))
        assert asked.stamped(request_id) == snmp.encode_pdu(pdu)


# -- against pysnmp ---------------------------------------------------------------------------------------------------

THEIR_VALUES: list[tuple[Any, int, Value]] = [
    (v2c.Integer32(-2_147_483_648), ber.INTEGER, -2_147_483_648),
    (v2c.OctetString(b"\x00\xff" * 100), ber.OCTET_STRING, b"\x00\xff" * 100),
    (v2c.ObjectIdentifier("1.3.6.1.4.1.4294967295.128"), ber.OBJECT_IDENTIFIER, "1.3.6.1.4.1.4294967295.128"),
    (v2c.IpAddress("192.0.2.1"), snmp.IP_ADDRESS, IPv4Address("192.0.2.1")),
    (v2c.Counter32(4_294_967_295), snmp.COUNTER32, 4_294_967_295),
    (v2c.Unsigned32(4_294_967_295), snmp.GAUGE32, 4_294_967_295),
    (v2c.TimeTicks(0), snmp.TIME_TICKS, 0),
    (v2c.Counter64(2**64 - 1), snmp.COUNTER64, 2**64 - 1),
    (v2c.Opaque(b"\x9f\x78\x04" + struct.pack(">f", -1.5)), snmp.OPAQUE, -1.5),
    (rfc1905.noSuchObject, 0x80, Absent.NO_SUCH_OBJECT),
    (rfc1905.noSuchInstance, 0x81, Absent.NO_SUCH_INSTANCE),
    (rfc1905.endOfMibView, 0x82, Absent.END_OF_MIB_VIEW),
]


@pytest.mark.parametrize(("their_value", "tag", "our_value"), THEIR_VALUES)
def test_a_reply_that_pysnmp_wrote_reads_the_same(their_value: Any, tag: int, our_value: Value) -> None:
    pdu = v2c.GetResponsePDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, 77)
    v2c.apiPDU.set_varbinds(pdu, [(v2c.ObjectIdentifier(SYS_UPTIME), their_value)])
    whole = v2c.Message()
    v2c.apiMessage.set_defaults(whole)
    v2c.apiMessage.set_community(whole, "kept secret")
    v2c.apiMessage.set_pdu(whole, pdu)
    ours = Message(snmp.V2C, b"kept secret", Pdu(snmp.RESPONSE, 77, 0, 0, (VarBind(SYS_UPTIME, tag, our_value),)))
    assert snmp.decode(encoder.encode(whole)) == ours


def test_a_failure_in_version_1_that_pysnmp_wrote_reads_the_same() -> None:
    pdu = v1.GetResponsePDU()
    v1.apiPDU.set_defaults(pdu)
    v1.apiPDU.set_request_id(pdu, 9)
    v1.apiPDU.set_error_status(pdu, 2)
    v1.apiPDU.set_error_index(pdu, 1)
    v1.apiPDU.set_varbinds(pdu, [(v1.ObjectIdentifier(SYS_UPTIME), v1.Null(""))])
    whole = v1.Message()
    v1.apiMessage.set_defaults(whole)
    v1.apiMessage.set_community(whole, "public")
    v1.apiMessage.set_pdu(whole, pdu)
    ours = Pdu(snmp.RESPONSE, 9, snmp.NO_SUCH_NAME, 1, (VarBind(SYS_UPTIME, ber.NULL, None),))
    assert snmp.decode(encoder.encode(whole)) == Message(snmp.V1, b"public", ours)


def test_every_value_that_we_write_is_read_by_pysnmp_as_the_same() -> None:
    whole, rest = decoder.decode(WIRE, asn1Spec=v2c.Message())
    assert rest == b""
    theirs = v2c.apiPDU.get_varbinds(v2c.apiMessage.get_pdu(whole))
    assert [str(name) for name, _ in theirs] == [bind.oid for bind in BINDS]
    by_name = {str(name): value for name, value in theirs}
    for bind in BINDS:
        value = by_name[bind.oid]
        if isinstance(bind.value, int):
            assert int(value) == bind.value
        elif isinstance(bind.value, bytes):
            assert bytes(value) == bind.value
        elif isinstance(bind.value, IPv4Address):
            assert value.prettyPrint() == str(bind.value)
        elif isinstance(bind.value, str):
            assert str(value) == bind.value
        elif isinstance(bind.value, Absent):
            assert value.isSameTypeWith(getattr(rfc1905, camel(bind.value)))


def camel(absent: Absent) -> str:
    first, *rest = absent.name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


@pytest.mark.parametrize("version", [snmp.V1, snmp.V2C])
@pytest.mark.parametrize("kind", [snmp.GET, snmp.GET_NEXT])
def test_a_request_that_we_write_is_read_by_pysnmp(version: int, kind: int) -> None:
    api = v1 if version == snmp.V1 else v2c
    asked = snmp.request(kind, (SYS_UPTIME, "1.3.6.1.4.1.4294967295"))
    whole, rest = decoder.decode(snmp.wrap(version, b"x" * 200, asked.stamped(0x7654_3210)), asn1Spec=api.Message())
    pdu = api.apiMessage.get_pdu(whole)
    assert rest == b""
    assert int(api.apiMessage.get_version(whole)) == version
    assert bytes(api.apiMessage.get_community(whole)) == b"x" * 200
    assert int(api.apiPDU.get_request_id(pdu)) == 0x7654_3210
    assert isinstance(pdu, api.GetRequestPDU if kind == snmp.GET else api.GetNextRequestPDU)
    assert [str(name) for name, _ in api.apiPDU.get_varbinds(pdu)] == [SYS_UPTIME, "1.3.6.1.4.1.4294967295"]


def test_a_bulk_request_that_we_write_is_read_by_pysnmp() -> None:
    asked = snmp.request(snmp.GET_BULK, ("1.3.6.1.2.1",), non_repeaters=1, max_repetitions=10)
    whole, _ = decoder.decode(snmp.wrap(snmp.V2C, b"public", asked.stamped(0x0100_0000)), asn1Spec=v2c.Message())
    pdu = v2c.apiMessage.get_pdu(whole)
    assert isinstance(pdu, v2c.GetBulkRequestPDU)
    assert int(v2c.apiBulkPDU.get_non_repeaters(pdu)) == 1
    assert int(v2c.apiBulkPDU.get_max_repetitions(pdu)) == 10


# -- against net-snmp -------------------------------------------------------------------------------------------------

OBJECTS = {
    "1.3.6.1.2.1.33.1.2.1.0": ("integer", "2"),
    "1.3.6.1.2.1.33.1.2.6.0": ("integer", "-7"),
    "1.3.6.1.2.1.33.1.1.1.0": ("octet_str", '"Maker"'),
    "1.3.6.1.2.1.33.1.2.2.0": ("counter", "4294967295"),
    "1.3.6.1.2.1.33.1.9.1.0": ("object_id", "1.3.6.1.4.1.9"),
}


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("snmpd"), objects=OBJECTS) as running:
        yield running


def ask(agent: Agent, request: Request, version: int = snmp.V2C, request_id: int = 0x0102_0304) -> Pdu:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((agent.host, agent.port))
        asking.settimeout(5)
        asking.send(snmp.wrap(version, b"public", request.stamped(request_id)))
        return snmp.decode(asking.recv(65_535)).pdu


def test_net_snmp_answers_a_get_with_values_and_with_what_is_absent(agent: Agent) -> None:
    reply = ask(agent, snmp.request(snmp.GET, (*OBJECTS, "1.3.6.1.2.1.1.1.7", "1.3.6.1.2.1.99.9.0")))
    assert (reply.kind, reply.request_id, reply.error_status) == (snmp.RESPONSE, 0x0102_0304, snmp.NO_ERROR)
    values = [bind.value for bind in reply.varbinds]
    assert values[:5] == [2, -7, b"Maker", 4_294_967_295, "1.3.6.1.4.1.9"]
    assert all(isinstance(value, Absent) for value in values[5:])


def test_net_snmp_fails_a_whole_get_of_version_1_for_one_unknown_name(agent: Agent) -> None:
    names = ("1.3.6.1.2.1.33.1.2.1.0", "1.3.6.1.2.1.99.9.0")
    reply = ask(agent, snmp.request(snmp.GET, names), snmp.V1)
    assert (reply.error_status, reply.error_index) == (snmp.NO_SUCH_NAME, 2)


def test_a_walk_of_net_snmp_by_next_and_by_bulk_gives_the_same_names_in_order(agent: Agent) -> None:
    root = "1.3.6.1.2.1.1"
    by_next, by_bulk = [], []
    name = root
    while name.startswith(root):
        (bind,) = ask(agent, snmp.request(snmp.GET_NEXT, (name,))).varbinds
        name = bind.oid
        by_next.append(name)
    name = root
    while name.startswith(root):
        bulk = snmp.request(snmp.GET_BULK, (name,), max_repetitions=10)
        by_bulk += [bind.oid for bind in ask(agent, bulk).varbinds]
        name = by_bulk[-1]
    inside = [name for name in by_next if name.startswith(root)]
    assert len(inside) > 10
    assert [name for name in by_bulk if name.startswith(root)] == inside
    assert [tuple(map(int, name.split("."))) for name in inside] == sorted(
        tuple(map(int, n.split("."))) for n in inside
    )


def test_net_snmp_says_end_of_mib_view_at_its_end(agent: Agent) -> None:
    (bind,) = ask(agent, snmp.request(snmp.GET_NEXT, ("2.0",))).varbinds
    assert bind.value is Absent.END_OF_MIB_VIEW
