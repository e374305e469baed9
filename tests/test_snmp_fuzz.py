"""The SNMP codec against mangled messages: a part of `make fuzz`, with a fixed seed."""

import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from msgspec import structs

from fuzz import oracle, version3
from fuzz.mangle import mangled
from fuzz.seeds import seeds
from fuzz.tree import parse
from wire import snmp, snmp3
from wire.refusal import DecryptionError
from wire.snmp import Message
from wire.usm import Secure

ROOT = Path(__file__).parent.parent
SEEDS = seeds()


def test_from_twelve_thousand_mangled_datagrams_comes_a_message_or_the_one_refusal(tmp_path: Path) -> None:
    words = ["--runs", "12000", "--seed", "3", "--oracle", "0", "--findings", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "fuzz", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = re.search(r"^12000 runs: (\d+) read .* 2c, (\d+) as envelopes", done.stdout, re.MULTILINE)
    assert told is not None, done.stdout
    assert int(told[1]) > 500  # the mutator gets through the outer layers
    assert int(told[2]) > 400


def test_pysnmp_reads_what_we_read_but_for_the_tolerances_that_have_a_name() -> None:
    draw, pool, seen = random.Random(20), list(SEEDS), Counter[str]()
    for _ in range(4000):
        octets = mangled(draw.choice(pool), SEEDS, draw)
        kind = oracle.compare(octets)
        seen[kind] += 1
        if kind == "both" and len(octets) < 400:
            pool.append(octets)  # mangled again, as libFuzzer does with what it kept
    assert seen["both"] > 1000
    assert min(seen["ours"], seen["theirs"], seen["neither"]) > 50


@pytest.mark.parametrize("wrong", [-1, 1, 256])
def test_a_number_that_we_would_read_wrong_is_found_by_asking_pysnmp(
    wrong: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def misread(octets: bytes) -> Message:
        message = decode(octets)
        binds = tuple(
            snmp.VarBind(bind.oid, bind.tag, bind.value + wrong if isinstance(bind.value, int) else bind.value)
            for bind in message.pdu.varbinds
        )
        pdu = snmp.Pdu(message.pdu.kind, message.pdu.request_id, 0, 0, binds)
        return Message(message.version, message.community, pdu)

    decode = snmp.decode
    monkeypatch.setattr(snmp, "decode", misread)
    number = snmp.encode(Message(snmp.V2C, b"", snmp.Pdu(snmp.RESPONSE, 1, 0, 0, (snmp.VarBind("1.3", 2, 7),))))
    with pytest.raises(oracle.Disagreement, match="ours VarBind"):
        oracle.compare(number)


def test_a_message_that_only_we_would_refuse_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: bytes) -> Message:
        raise snmp.MalformedError("no reason that has a name")

    monkeypatch.setattr(snmp, "decode", refuse)
    with pytest.raises(oracle.Disagreement, match="pysnmp reads"):
        oracle.compare(SEEDS[0])


def test_every_seed_is_read_by_both_and_written_again_by_the_tree_as_it_was() -> None:
    for octets in SEEDS:
        assert oracle.compare(octets) == "both"
        tree = parse(octets)
        assert tree is not None
        assert b"".join(node.octets() for node in tree) == octets


def test_an_answer_encrypted_for_a_user_who_has_no_privacy_key_is_refused_by_name() -> None:
    prover, secure = version3.USERS[1], Secure(version3.USERS[1], version3.ENGINE)
    outside = snmp3.read(version3.seeds()[2])
    assert prover.privacy is None
    with pytest.raises(DecryptionError, match="no privacy key"):
        secure.decrypt(b"\0" * 16, outside.salt, outside.boots, outside.time)


def test_every_seed_of_version_3_is_an_envelope_that_pysnmp_reads_the_same() -> None:
    for octets in version3.seeds():
        assert version3.check(octets) == "envelopes"
        version3.compare(octets)


def test_an_envelope_that_we_would_read_wrong_is_found_by_asking_pysnmp(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = version3.seeds()[0]
    outside = snmp3.read(octets)
    monkeypatch.setattr(snmp3, "read", lambda _: structs.replace(outside, boots=outside.boots + 1))
    with pytest.raises(oracle.Disagreement):
        version3.compare(octets)
