"""Valid messages to begin with, made when they are asked for: by our encoder, and by pysnmp's, which is not ours."""

import struct
from ipaddress import IPv4Address
from typing import Any

from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v1, v2c

from wire import ber, snmp
from wire.snmp import Absent, Message, Pdu, VarBind

BINDS = (
    VarBind("1.3.6.1.2.1.1.1.0", ber.OCTET_STRING, b"a card"),
    VarBind("1.3.6.1.2.1.1.2.0", ber.OBJECT_IDENTIFIER, "1.3.6.1.4.1.4294967295.128"),
    VarBind("1.3.6.1.2.1.1.3.0", snmp.TIME_TICKS, 4_294_967_295),
    VarBind("1.3.6.1.2.1.33.1.2.6.0", ber.INTEGER, -5),
    VarBind("1.3.6.1.2.1.2.2.1.10.1", snmp.COUNTER32, 2_147_483_648),
    VarBind("1.3.6.1.2.1.2.2.1.5.1", snmp.GAUGE32, 100_000_000),
    VarBind("1.3.6.1.2.1.31.1.1.1.6.1", snmp.COUNTER64, 2**64 - 1),
    VarBind("1.3.6.1.2.1.4.20.1.1.10.0.0.1", snmp.IP_ADDRESS, IPv4Address("10.0.0.1")),
    VarBind("1.3.6.1.4.1.2021.10.1.6.1", snmp.OPAQUE, 0.25),
    VarBind("1.3.6.1.2.1.1.9.0", ber.NULL, None),
    VarBind("1.3.6.1.2.1.1.9.1", 0x80, Absent.NO_SUCH_OBJECT),
    VarBind("1.3.6.1.2.1.1.9.2", 0x81, Absent.NO_SUCH_INSTANCE),
    VarBind("2.100.3", 0x82, Absent.END_OF_MIB_VIEW),
)


def seeds() -> list[bytes]:
    """Return the messages, the same with every call."""
    kinds = (snmp.GET, snmp.GET_NEXT, snmp.RESPONSE, snmp.SET, snmp.GET_BULK, snmp.INFORM, snmp.TRAP, snmp.REPORT)
    single = [Message(snmp.V2C, b"public", Pdu(snmp.RESPONSE, 7, 0, 0, (bind,))) for bind in BINDS]
    ours = [Message(snmp.V2C, b"", Pdu(kind, 2**31 - 1, 0, 10, BINDS[:2])) for kind in kinds]
    failure = Message(snmp.V1, b"public", Pdu(snmp.RESPONSE, -1, snmp.NO_SUCH_NAME, 1, BINDS[:1]))
    return [*(snmp.encode(message) for message in (*single, *ours, failure)), *_pysnmp()]


def _pysnmp() -> list[bytes]:
    found = []
    values = (v2c.OctetString(b"\xff" * 140), v2c.Opaque(b"\x9f\x78\x04" + struct.pack(">f", -1.5)), v2c.Counter64(0))
    for api, value in ((v1, v1.OctetString("x")), *((v2c, value) for value in values)):
        pdu: Any = api.GetResponsePDU()
        api.apiPDU.set_defaults(pdu)
        api.apiPDU.set_varbinds(pdu, [(api.ObjectIdentifier("1.3.6.1.2.1.1.5.0"), value)])
        whole: Any = api.Message()
        api.apiMessage.set_defaults(whole)
        api.apiMessage.set_pdu(whole, pdu)
        found.append(bytes(encoder.encode(whole)))
    return found
