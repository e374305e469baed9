"""The site file's section for what was found on a line: ready to be pasted, what is uncertain in comments."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from collectors.line.search import PATIENT, Found, Setting
from config.line_port import LINKS, MODBUS_TCP, DeviceServer, lasting_name
from roundsman.lines.words import NAMES
from roundsman.output import clean

_SLUG = re.compile(r"[^a-z0-9]+")


def section(port: Path | DeviceServer, found: Sequence[Found], *, shared: bool = False) -> str:
    """Return the section, in the order of addresses; at another setting than most, devices are told in comments.

    `shared`: another master was heard on the line.
    """
    setting = _most(found)
    here = [each for each in found if each.setting == setting]
    gateway = isinstance(port, DeviceServer) and port.kind == MODBUS_TCP  # the speed of its line is its own business
    lasting = lasting_name(port, LINKS) if isinstance(port, Path) else None
    where = str(port) if gateway else f"{setting} on {port}"
    rows = [f"# {len(here)} device{'s' * (len(here) != 1)} answered at {where}."]
    body = ["lines:", "  - id: line-1", f"    port: {_quoted(str(lasting or port))}"]
    if not gateway:
        body += [f"    baud: {setting.baud}"] + ([f"    parity: {setting.parity}"] if setting.parity != "none" else [])
    if shared:
        body.append("    shared: yes          # another master speaks here")
    if any(each.wait >= PATIENT for each in here):
        body.append("    timeout: 2s          # somebody here is slow")
    body.append("    devices:")
    devices, names = list[str](), set[str]()
    for each in here:
        devices += _entries(each, names)
    known = any(each.definitions and each.sure for each in here)
    if not known:
        rows.append(
            "# None is recognised for sure. Choose definitions (roundsman devices), or write one: docs/devices.md."
        )
    rows += [f"{'' if known else '# '}{row}" for row in (*body, *devices)]
    rows += [_elsewhere(each) for each in found if each.setting != setting]
    return "\n".join(map(clean, rows)) + "\n"


def ids(found: Iterable[Found]) -> dict[tuple[Setting, str, int], tuple[str, ...]]:
    """Return the id that the section gives each device of each address."""
    names = set[str]()
    return {(each.setting, each.protocol, each.address): tuple(_ids(each, names)) for each in found}


def _most(found: Sequence[Found]) -> Setting:
    """Return the setting at which most were recognised, then most were found, then the first."""
    settings = list(dict.fromkeys(each.setting for each in found))

    def rank(setting: Setting) -> tuple[int, int]:
        here = [each for each in found if each.setting == setting]
        return sum(bool(each.definitions) and each.sure for each in here), len(here)

    return max(settings, key=rank)


def _ids(each: Found, taken: set[str]) -> Iterable[str]:
    for definition in each.definitions:
        wanted = name = f"{_SLUG.sub('-', definition.casefold()).strip('-')[:50]}-{each.address}"
        number = 2
        while name in taken:
            name, number = f"{wanted}-{number}", number + 1
        taken.add(name)
        yield name


def _entries(each: Found, taken: set[str]) -> Iterable[str]:
    """Return the entries of an address; one that is a guess is a comment, to be tried by hand."""
    for name, definition in zip(_ids(each, taken), each.definitions, strict=True):
        yield (
            f"      {'' if each.sure else '# '}- {{id: {name}, protocol: {each.protocol}, address: {each.address}, "
            f"definition: {_quoted(definition)}}}"
        )
    unknown = "" if each.definitions else f"not recognised, {NAMES[each.protocol]} address {each.address}: "
    guess = "" if each.sure else "perhaps: its few numbers would fit others too, compare what is read; "
    yield f"        # {unknown}{guess}{each.says or 'answered'}"


def _elsewhere(each: Found) -> str:
    what = ", ".join(each.definitions) or f"not recognised: {each.says or 'answered'}"
    return (
        f"# Not in the section, as a line has one speed: {NAMES[each.protocol]} address {each.address} "
        f"at {each.setting} ({what})."
    )


def _quoted(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9/][A-Za-z0-9._/-]*", text):
        return text
    return '"' + clean(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
