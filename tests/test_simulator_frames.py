"""The simulator's devices against frames that others have published: the same request gets the very same answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.modbus import ModbusSlave, crc
from simulator.pair import Pair
from simulator.replay import Replayed, read_frames
from simulator.ydt import YdtSlave, checksum, length
from tests.recordings import recordings


def vectors(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((recordings() / "serial" / name).read_text())["vectors"]
    return found


def answered(device: object, request: bytes, baud: int = 9600) -> bytes:
    """Ask a device over the pair of wires, and return what the client hears."""
    line = Pair([device], baud=baud)  # type: ignore[list-item]
    line.speak(request, 0.0)
    return b"".join(part.octets for part in line.act(60.0))


def holding(first: int, words: list[int]) -> list[int]:
    return [0] * first + words


def test_a_slave_with_the_published_registers_gives_the_published_answers():
    asked = 0
    for vector in vectors("modbus.json"):
        told = vector.get("decoded", {})
        if "request" not in vector or told.get("function") not in {3, 4} or "registers" not in told:
            continue
        request, answer = bytes.fromhex(vector["request"]), bytes.fromhex(vector["response"])
        if crc(request[:-2]) != request[-2:] or crc(answer[:-2]) != answer[-2:] or request[1] != answer[1]:
            continue  # published with a fault, which is their point
        words = holding(told["address"], told["registers"])
        slave = ModbusSlave("it", told["unit"], {told["function"]: lambda words=words: words})  # type: ignore[misc]
        assert answered(slave, request) == answer, vector["id"]
        asked += 1
    assert asked >= 5


def test_a_slave_with_the_published_bits_gives_the_published_answers():
    asked = 0
    for vector in vectors("modbus.json"):
        told = vector.get("decoded", {})
        if "request" not in vector or told.get("function") not in {1, 2} or "bits_hex" not in told:
            continue
        packed = int.from_bytes(bytes.fromhex(told["bits_hex"]), "little")
        bits = holding(told["address"], [packed >> place & 1 for place in range(told["count"])])
        slave = ModbusSlave("it", told["unit"], {told["function"]: lambda bits=bits: bits})  # type: ignore[misc]
        assert answered(slave, bytes.fromhex(vector["request"])) == bytes.fromhex(vector["response"]), vector["id"]
        asked += 1
    assert asked >= 2


def test_a_device_with_the_published_information_gives_the_published_answers():
    asked = 0
    for vector in vectors("ydt1363.json"):
        answer, told = vector.get("response", ""), vector.get("response_fields", {})
        information = bytes.fromhex(told.get("info", ""))
        # The slave puts a DATAFLAG before what it is given: 00, for nothing has changed.
        if told.get("cid2_or_rtn") != "00" or information[:1] != b"\0" or len(answer) != 18 + 2 * len(information):
            continue
        version, address, cid1 = (int(answer[at : at + 2], 16) for at in (1, 3, 5))
        head = f"{answer[1:7]}420000".encode()
        given = {(cid1, 0x42): lambda body=information[1:]: body}
        slave = YdtSlave("it", address, given, b"", version=version)  # type: ignore[arg-type]
        assert answered(slave, b"~" + head + checksum(head) + b"\r") == answer.encode(), vector["id"]
        asked += 1
    assert asked >= 10


def test_the_check_sums_of_every_published_frame_are_those_of_the_simulator():
    checked = 0
    for vector in vectors("ydt1363.json"):
        for side in ("request", "response"):
            text = vector.get(side, "")
            frame = text[text.rfind("~") + 1 : text.find("\r")].encode()
            lenid = int(frame[9:12], 16) if len(frame) >= 16 else -1
            if len(frame) != 16 + lenid:
                continue  # published cut or with junk around it
            checked += 1
            assert checksum(frame[:-4]) == frame[-4:].upper(), vector["id"]
            assert length(lenid) == frame[8:12].upper(), vector["id"]
    assert checked >= 90


@pytest.mark.parametrize("name", ["modbus.json", "ydt1363.json"])
def test_what_was_recorded_is_said_again(name: str, tmp_path: Path):
    pairs = [(v["request"], v["response"]) for v in vectors(name) if "request" in v and "response" in v]
    whole = [(q.rstrip("\r"), a.rstrip("\r")) for q, a in pairs if " " not in q + a and q.count("\r") <= 1]
    (tmp_path / "frames.txt").write_text("# recorded\n\n" + "".join(f"{q} {a}\n" for q, a in whole))
    known = read_frames(tmp_path / "frames.txt")
    assert len(known) >= 10
    device = Replayed("recorded", known)
    for request, answer in known.items():
        assert answered(device, request, baud=115200) == answer
    assert answered(device, b"something else") == b""


def test_a_file_of_frames_that_is_wrong_is_told_with_its_line(tmp_path: Path):
    (tmp_path / "frames.txt").write_text("0103 0103\n01 zz\n")
    with pytest.raises(ValueError, match=r"frames.txt:2: write a request and its answer"):
        read_frames(tmp_path / "frames.txt")
