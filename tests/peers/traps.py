"""Senders of traps that we did not write: net-snmp's snmptrap and snmpinform, from any loopback address."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from wire import ber, snmp

ON_BATTERY = "1.3.6.1.2.1.33.2.1"
SECONDS_ON_BATTERY = ("1.3.6.1.2.1.33.1.2.3.0", "i", "5")
APC = "1.3.6.1.4.1.318"


def send(
    folder: Path, port: int, *how: str, source: str = "127.0.0.1", to: str = "127.0.0.1", inform: bool = False
) -> subprocess.CompletedProcess[str]:
    """Send one notification with these options (`-v 2c -c public`) to its end; an inform is repeated once."""
    program = "snmpinform" if inform else "snmptrap"
    if shutil.which(program) is None:
        pytest.skip(f"net-snmp's {program} is not installed")
    said = ["", ON_BATTERY, *SECONDS_ON_BATTERY]
    if "1" in how[:2]:
        said = [APC, "192.0.2.1", "6", "5", "1"]  # its agent-addr is not where it comes from
    where = f"udp6:[{to}]:{port}" if ":" in to else f"{to}:{port}"
    command = [program, f"--clientAddr={source}", "-r", "1", "-t", "3", *how, where, *said]
    environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(folder), "SNMPCONFPATH": str(folder), "MIBS": ""}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def notification(bound: int, kind: int = snmp.TRAP, *, value: bytes = b"", tag: int = 0x04) -> bytes:
    """Return a PDU with so many variable bindings: the trap's OID, and this value again and again."""
    first = snmp.VarBind("1.3.6.1.2.1.1.3.0", snmp.TIME_TICKS, 1)
    second = snmp.VarBind("1.3.6.1.6.3.1.1.4.1.0", ber.OBJECT_IDENTIFIER, ON_BATTERY)
    rest = snmp.VarBind("1.3.6.1", tag, value)
    return snmp.encode_pdu(snmp.Pdu(kind, 1, 0, 0, (first, second, *[rest] * (bound - 2))))


def recorded(folder: Path, *how: str) -> bytes:
    """Return the datagram that snmptrap sends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(20)
        sent = send(folder, ear.getsockname()[1], *how)
        assert sent.returncode == 0, sent.stderr
        return ear.recv(65_535)


FLOOD = """
import socket, sys, time
flooding = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
flooding.bind((sys.argv[1], 0))
port, count, seconds, datagram = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), bytes.fromhex(sys.argv[5])
began = time.monotonic()
for at in range(count):
    flooding.sendto(datagram, ("127.0.0.1", port))
    if at % 10 == 9:
        time.sleep(max(0.0, began + (at + 1) * seconds / count - time.monotonic()))
"""


def flood(source: str, port: int, count: int, seconds: float, datagram: bytes) -> subprocess.Popen[bytes]:
    """Start a process that sends this datagram so many times, evenly over so many seconds."""
    return subprocess.Popen([sys.executable, "-c", FLOOD, source, str(port), str(count), str(seconds), datagram.hex()])
