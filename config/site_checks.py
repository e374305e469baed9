"""What the parts of a site file must agree on: ids, credentials, addresses, definitions, contract, parents.

Each check notes every problem it finds at the line of the key that is wrong, and says what would be right. A required
key that could not be converted is None here: its problem is noted already, and the checks pass over it.
"""

import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from config import shipped
from config.advice import nearest, show
from config.contract import check_settings, load_contract
from config.convert import Conversion
from config.fault_rules import load_faults
from config.line_checks import ADDRESSES, check_lines
from config.node import ConfigError, Listing, Node, Scalar, Table
from config.schema import Device, LineDevice, SiteFile, SnmpDevice, Traps, UserCredential
from config.secret import find_secret, read_secret
from wire.user import SHORTEST_PASS_PHRASE

MAX_SOCKET_PATH = 107


def check_site(conversion: Conversion, file: SiteFile) -> None:
    """Check a converted site file; problems are added to the conversion's."""
    faults = load_faults()
    root = conversion.node_of(file)
    ids = _device_ids(root)
    if file.site is not None:
        _check_identity(conversion, file)
    _check_unique(conversion, root, ids)
    _check_credentials(conversion, file, root)
    check_settings(file.rules, faults, conversion)
    for device in _devices(file):
        check_settings(device.rules, faults, conversion)
        _check_parents(conversion, device, {id_.text for id_ in ids})
        if not (file.snmp and file.snmp.definitions and isinstance(device, SnmpDevice)):  # else they are read later
            _check_definition(conversion, device)
    check_lines(conversion, file.lines)
    if not {"host", "snmp", "lines"} & set(root.fields):
        conversion.fail(root, "there is nothing to watch; add host, snmp or lines")
    if len(str(file.agent.control)) > MAX_SOCKET_PATH:
        conversion.complain(
            file.agent, "control", f"is too long for a socket; at most {MAX_SOCKET_PATH} signs are meant"
        )


def _devices(file: SiteFile) -> Iterator[Device]:
    if file.host is not None:
        yield file.host
    if file.snmp is not None:
        yield from file.snmp.devices
    for line in file.lines:
        yield from line.devices


def _below(node: Node, key: str) -> tuple[Node, ...]:
    """Return the items of a list under a key, none when it is not a list."""
    value = node.fields.get(key) if isinstance(node, Table) else None
    return value.items if isinstance(value, Listing) else ()


def _device_ids(root: Table) -> list[Scalar]:
    """Return every device's id as it stands in the file, whatever else is wrong with that device."""
    found: list[Node | None] = []
    if "host" in root.fields:
        host = root.fields["host"]
        given = host.fields.get("device") if isinstance(host, Table) else None
        found.append(given or Scalar(host.place, "host.device", "host"))
    devices = [*_below(root.at("snmp"), "devices")]
    devices += [device for line in _below(root, "lines") for device in _below(line, "devices")]
    found += [device.fields.get("id") for device in devices if isinstance(device, Table)]
    return [each for each in found if isinstance(each, Scalar) and each.text]


def _check_identity(conversion: Conversion, file: SiteFile) -> None:
    try:
        ZoneInfo(file.site.timezone)
    except (KeyError, ValueError, OSError):
        conversion.complain(
            file.site, "timezone", f"{show(file.site.timezone)} is no time zone; write for example Asia/Shanghai"
        )
    contracts = shipped.names("contracts")
    if file.site.contract in contracts:
        _check_against_contract(conversion, file)
    elif file.site.contract is not None:
        advice = nearest(file.site.contract, contracts)
        conversion.complain(file.site, "contract", f"there is no contract {show(file.site.contract)}; {advice}")


def _check_against_contract(conversion: Conversion, file: SiteFile) -> None:
    contract = load_contract(file.site.contract).contract
    region = file.site.region
    if region and region not in contract.regions:
        advice = nearest(region, contract.regions)
        conversion.complain(file.site, "region", f"there is no region {show(region)} in {contract.name}; {advice}")
    if file.delays.on and len(file.delays.on) != len(contract.levels):
        message = f"has {len(file.delays.on)} delays; {contract.name} has {len(contract.levels)} levels"
        conversion.complain(file.delays, "on", message)


def _check_unique(conversion: Conversion, root: Table, ids: list[Scalar]) -> None:
    lines = [line.fields.get("id") for line in _below(root, "lines") if isinstance(line, Table)]
    first: dict[str, Scalar] = {}  # a line is watched under its id as a device is
    for what, nodes in (("device", ids), ("device or line", lines)):
        for node in nodes:
            if not isinstance(node, Scalar) or not node.text:
                continue
            before = first.setdefault(node.text, node)
            if before is not node:
                message = f"{show(node.text)} is the id of another {what} already (line {before.place.line})"
                conversion.fail(node, f"{message}; each needs its own")


def _check_credentials(conversion: Conversion, file: SiteFile, root: Table) -> None:
    written = root.fields.get("credentials")
    known = set(written.fields) if isinstance(written, Table) else set()
    for credential in file.credentials.values():
        if isinstance(credential, UserCredential):
            _check_user(conversion, credential)
    for device in file.snmp.devices if file.snmp else ():
        if device.credential is not None and device.credential not in known:
            advice = nearest(device.credential, known)
            conversion.complain(device, "credential", f"there is no credential {show(device.credential)}; {advice}")
    if file.snmp and file.snmp.traps:
        _check_traps(conversion, file.snmp.traps, known)


def _check_traps(conversion: Conversion, traps: Traps, known: set[str]) -> None:
    """Check that the port needs no name looked up, for that would hold up the polls, and that the credentials exist."""
    if traps.listen is not None and not _is_ip(traps.listen.host):
        message = f"{show(traps.listen.host)} is a host name; write an IP address, for example 0.0.0.0:162"
        conversion.complain(traps, "listen", message)
    for name in traps.credentials:
        if name not in known:
            conversion.complain(traps, "credentials", f"there is no credential {show(name)}; {nearest(name, known)}")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _check_user(conversion: Conversion, user: UserCredential) -> None:
    """Check that each protocol has its key and each key its protocol, and that nothing is encrypted unproved."""
    written = conversion.node_of(user).fields
    for what in ("auth", "privacy"):
        protocol, file = f"{what}_protocol", f"{what}_key_file"
        if file in written and protocol not in written:
            conversion.complain(user, file, f"is a key without a protocol; add {protocol}")
        if protocol in written and not {file, f"{what}_key"} & set(written):
            conversion.complain(user, protocol, f"has no key; add {file}, a file that holds the pass phrase")
    if "privacy_protocol" in written and "auth_protocol" not in written:
        conversion.complain(user, "privacy_protocol", "needs authentication; add auth_protocol and auth_key_file")
    if user.auth_protocol is not None and user.auth_key_file is not None:
        _check_pass_phrase(conversion, user, "auth_key_file", user.auth_key_file)
    if user.privacy_protocol is not None and user.privacy_key_file is not None:
        _check_pass_phrase(conversion, user, "privacy_key_file", user.privacy_key_file)


def _check_pass_phrase(conversion: Conversion, user: UserCredential, key: str, path: Path) -> None:
    """Check what a pass phrase's file holds, where it is there and may be read: the agent would refuse it later."""
    found = find_secret(path, Path(conversion.node_of(user).place.file).absolute().parent)
    if not (found.is_file() and os.access(found, os.R_OK)):
        return
    try:
        phrase = read_secret(found).value
    except ConfigError as error:
        conversion.complain(user, key, f"{found} {error.problems[0].message}")
        return
    if len(phrase.encode()) < SHORTEST_PASS_PHRASE:
        conversion.complain(user, key, f"{found} holds a pass phrase that is shorter than {SHORTEST_PASS_PHRASE} signs")


def _check_parents(conversion: Conversion, device: Device, ids: set[str]) -> None:
    for parent in device.explained_by:
        if parent == device.id:
            conversion.complain(device, "explained_by", "a device does not explain itself; name another device")
        elif parent not in ids:
            conversion.complain(device, "explained_by", f"there is no device {show(parent)}; {nearest(parent, ids)}")


def _check_definition(conversion: Conversion, device: Device) -> None:
    definition: str | None = getattr(device, "definition", None)
    protocol: str | None = device.protocol if isinstance(device, LineDevice) else "snmp"
    if definition is None or protocol is None or (definition == "auto" and protocol == "snmp"):
        return
    if isinstance(device, LineDevice) and definition.endswith((".yaml", ".yml")):
        return  # a file of the site's own, that is read later
    rooms = {room: shipped.names(f"devices/{room}") for room in ("snmp", *ADDRESSES)}
    if definition in rooms[protocol]:
        return
    other = next((room for room, names in rooms.items() if definition in names), None)
    if definition == "auto":
        conversion.complain(device, "definition", "a device on a line does not say what it is; name its definition")
    elif other is not None:
        conversion.complain(device, "definition", f"{definition} speaks {other}; this device speaks {protocol}")
    else:
        advice = nearest(definition, rooms[protocol])
        conversion.complain(device, "definition", f"there is no definition {show(definition)}; {advice}")
