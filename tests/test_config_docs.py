"""docs/configuration.md has every key with its default, every fault with its settings, every contract."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config import schema, shipped
from config.contract import ContractText
from config.convert import convert
from config.fault_rules import COMMON, load_faults
from config.reader import read_text

DOC = (Path(__file__).parent.parent / "docs" / "configuration.md").read_text(encoding="utf-8")
DEVICE_KEYS = {field.encode_name for field in msgspec.structs.fields(schema.Device)}

# heading -> the struct it describes, and the keys that stand under another heading
SECTIONS: dict[str, tuple[Any, set[str]]] = {
    "site": (schema.Identity, set()),
    "agent": (schema.Agent, set()),
    "agent.trends": (schema.Trends, set()),
    "desk": (schema.Desk, set()),
    "credentials.NAME": (schema.CommunityCredential, set()),
    "credentials.NAME, version 3": (schema.UserCredential, set()),
    "host": (schema.HostDevice, DEVICE_KEYS - {"id"}),
    "any device": (schema.Device, set()),
    "any group": (schema.Group, set()),
    "snmp": (schema.Snmp, set()),
    "snmp.traps": (schema.Traps, set()),
    "snmp.devices": (schema.SnmpDevice, DEVICE_KEYS),
    "lines": (schema.Line, set()),
    "lines.devices": (schema.LineDevice, DEVICE_KEYS),
    "delays": (schema.Delays, set()),
    "Contracts": (ContractText, set()),
}


def section(heading: str) -> str:
    found = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)", DOC, re.DOTALL | re.MULTILINE)
    assert found is not None, f"no section {heading}"
    return found[1]


def rows(heading: str) -> dict[str, str]:
    """Return a section's keys with what stands in their last column."""
    return {
        row[0].strip("`"): row[-1]
        for row in map(cells, section(heading).splitlines())
        if len(row) == 3 and row[0][:1] == "`"
    }


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_documented_with_its_default(heading: str) -> None:
    struct, elsewhere = SECTIONS[heading]
    fields = {f.encode_name: f for f in msgspec.structs.fields(struct) if f.encode_name not in elsewhere}
    documented = rows(heading)
    documented.pop("extends", None)
    documented.pop(struct.__struct_config__.tag_field, None)
    assert set(documented) == set(fields)
    for key, shown in documented.items():
        field = fields[key]
        if field.required:
            assert shown == "required", key
        elif shown == "none":
            assert not (field.default_factory() if field.default is msgspec.NODEFAULT else field.default), key
        else:
            node = read_text(f"value: {shown.strip('`')}\n", "doc")
            assert convert(node, dict[str, field.type])["value"] == field.default, key


def test_every_section_of_the_site_file_has_its_heading() -> None:
    headings = set(re.findall(r"^### (.+)$", DOC, re.MULTILINE))
    keys = {field.encode_name for field in msgspec.structs.fields(schema.SiteFile)}
    assert {heading.partition(".")[0] for heading in headings} - {"any device", "any group"} == keys


def test_every_fault_is_documented_with_its_settings() -> None:
    expected = []
    for fault, rule in sorted(load_faults().items()):
        settings = ", ".join(f"`{name}: {node.text}`" for name, node in rule.defaults.items()) or "-"
        title = f"{rule.text.title.en} {rule.text.title.zh}"
        expected.append([f"`{fault}`", title, rule.text.scope, ", ".join(rule.text.cases) or "-", settings])
    assert [
        row for row in map(cells, section("Fault rules").splitlines()) if len(row) == 5 and row[0][:1] == "`"
    ] == expected


def test_every_common_setting_and_every_contract_is_documented() -> None:
    assert all(f"| `{name}` |" in section("Fault rules") for name in COMMON)
    assert all(f"| `{name}` |" in section("Contracts") for name in shipped.names("contracts"))


def test_every_key_of_the_example_is_a_key_of_the_documentation() -> None:
    keys = set(re.findall(r"^\s*(?:- )?(?:- \{)?([a-z_]+):", shipped.example_site(), re.MULTILINE))
    words = set(re.findall(r"[a-z_]+", DOC))
    assert keys - words == set()
