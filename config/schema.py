"""The site file: what is at a site, how often it is asked, whose contract it is; every key with its default."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from config.advice import show
from config.line_port import LinePort
from config.node import Node
from config.scalars import Address, Form, Host, HostPort, Port, Seconds, octets, whole
from model.quantity import Quantity
from wire.user import WEAK, AuthProtocol, PrivacyProtocol, weakness_text

BAUDS = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)


def _baud(text: str) -> int:
    value = whole(text)
    if value not in BAUDS:
        raise ValueError(
            f"{value} is no speed of a serial line; write {min(BAUDS, key=lambda baud: abs(baud - value))}"
        )
    return value


def _name(text: str) -> str:
    if not text.strip() or len(text) > 100 or not text.isprintable():
        raise ValueError(f"{show(text)} is no name; write 1 to 100 signs on one line")
    return text


def _path(text: str) -> Path:
    if not text.strip() or "\0" in text:
        raise ValueError(f"{show(text)} is no path; write the path of a file")
    return Path(text)


def _user(text: str) -> str:
    if not 1 <= len(text.encode()) <= 32 or not text.isprintable():
        raise ValueError(f"{show(text)} is no user of SNMP version 3; write a name of 1 to 32 octets")
    return text


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?/?", text):
        raise ValueError(f"{show(text)} is no address of a desk; write for example https://desk.example.org:8061")
    if text.startswith("http://") and not re.match(r"http://(127\.[0-9.]+|localhost|\[::1\])(:|/|$)", text):
        raise ValueError(f"{show(text)} would send the token unencrypted; write https://")
    return text.rstrip("/")


Id = Annotated[
    str,
    msgspec.Meta(
        pattern="[a-z0-9][a-z0-9-]{0,62}",
        description="small letters, digits and dashes, a letter or digit first",
        examples=["ups-1"],
    ),
]
Name = Annotated[str, Form(_name, "UPS of room 2")]
FilePath = Annotated[Path, Form(_path)]
Baud = Annotated[int, Form(_baud, "9600")]
Url = Annotated[str, Form(_url, "https://desk.example.org:8061")]
Every = Annotated[Seconds, msgspec.Meta(ge=1, le=86400, description="1s to 1d")]
Timeout = Annotated[Seconds, msgspec.Meta(gt=0, le=60, description="more than 0s, at most 1min", examples=["2s"])]
Bytes = Annotated[int, Form(octets, "2GB"), msgspec.Meta(ge=16 << 20, description="at least 16MB")]
Kept = Annotated[Seconds, msgspec.Meta(ge=2 * 86_400, le=3650 * 86_400, description="2d to 3650d", examples=["30d"])]
Pause = Annotated[Seconds, msgspec.Meta(ge=0, le=10, description="0s to 10s", examples=["5ms"])]
Delay = Annotated[Seconds, msgspec.Meta(ge=0, le=86400, description="0s to 1d", examples=["60s"])]
Retries = Annotated[int, msgspec.Meta(ge=0, le=10)]
Count = Annotated[int, msgspec.Meta(ge=1, le=10000, examples=[4])]
UserName = Annotated[str, Form(_user, "roundsman")]
InputNumber = Annotated[int, msgspec.Meta(ge=1, le=64, examples=[1])]
LineAddress = Annotated[int, msgspec.Meta(ge=0, le=255, examples=[1])]


class Identity(msgspec.Struct, frozen=True):
    """Which site this is, and under which contract and where in its regions."""

    id: Annotated[Id, msgspec.Meta(examples=["zhanjiang-07"])]
    name: Name
    contract: Annotated[str, msgspec.Meta(examples=["telecom-transmission"])]
    region: str = ""
    timezone: str = "Asia/Shanghai"


class Trends(msgspec.Struct, frozen=True):
    """How much history of its points a site keeps on its disk."""

    budget: Bytes = 2 << 30
    detail: Kept = 30 * 86_400.0
    averages: Kept = 730 * 86_400.0


class Agent(msgspec.Struct, frozen=True):
    """Where the agent keeps its state and answers. Relative paths begin at the site file's folder."""

    state: FilePath = Path("/var/lib/roundsman")
    metrics: HostPort = Address("127.0.0.1", 9961)
    control: FilePath = Path("/run/roundsman/control.sock")
    trends: Trends = Trends()


class Desk(msgspec.Struct, frozen=True):
    """The desk that tickets are opened with."""

    url: Url
    token_file: FilePath


class CommunityCredential(msgspec.Struct, frozen=True, tag_field="version", tag="2c"):
    """How SNMP cards are asked in version 2c."""

    community_file: FilePath

    @property
    def version(self) -> Literal["1", "2c"]:
        """The version that is spoken."""
        return "2c"

    @property
    def secret_files(self) -> tuple[FilePath, ...]:
        """The files that hold its secrets."""
        return (self.community_file,)


class FirstCredential(CommunityCredential, frozen=True, tag_field="version", tag="1"):
    """How SNMP cards are asked in version 1."""

    @property
    def version(self) -> Literal["1", "2c"]:
        """The version that is spoken."""
        return "1"


class UserCredential(msgspec.Struct, frozen=True, tag_field="version", tag="3"):
    """How SNMP cards are asked in version 3: as whom, how that is proved, how it is encrypted."""

    user: UserName
    auth_protocol: AuthProtocol | None = None
    auth_key_file: FilePath | None = None
    privacy_protocol: PrivacyProtocol | None = None
    privacy_key_file: FilePath | None = None
    context: str = ""

    @property
    def secret_files(self) -> tuple[FilePath, ...]:
        """The files that hold its secrets."""
        return tuple(file for file in (self.auth_key_file, self.privacy_key_file) if file is not None)

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """What is weak in the protocols it names, and what is better."""
        named = (self.auth_protocol, self.privacy_protocol)
        return tuple(weakness_text(protocol) for protocol in named if protocol in WEAK)


Credential = FirstCredential | CommunityCredential | UserCredential


class Group(msgspec.Struct, frozen=True):
    """What is installed in one group of a device's points, such as one subrack."""

    installed: dict[Quantity, Count]


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """What every watched device has."""

    id: Id
    name: Name = ""
    rules: dict[str, Node] = {}
    groups: dict[str, dict[str, Group]] = {}
    explained_by: tuple[str, ...] = ()

    def installed(self, index: str, value: str) -> dict[str, int]:
        """Return the installed number of each counted quantity in one group: index "subrack", value "1"."""
        group = self.groups.get(index, {}).get(value)
        return {str(quantity): count for quantity, count in group.installed.items()} if group else {}


class HostDevice(Device, frozen=True, kw_only=True):
    """This machine itself. Empty filters mean every disk and every interface."""

    id: Id = msgspec.field(default="host", name="device")
    every: Every = 15.0
    disks: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()


class SnmpDevice(Device, frozen=True, kw_only=True):
    """A card that answers SNMP. `every` 0 means what stands above the list; a `Site` has it filled in."""

    address: Host
    credential: str
    port: Port = 161
    definition: str = "auto"
    every: Every = 0.0
    timeout: Timeout = 2.0
    retries: Retries = 2


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What one contact input of a device means. `normally` is what the contact is while all is well."""

    is_: Literal[
        "door",
        "smoke",
        "leak",
        "motion",
        "mains",
        "breaker",
        "fuse",
        "spd",
        "fan",
        "cooling",
        "rectifier",
        "battery",
        "generator",
        "contact",
        "switch",
    ] = msgspec.field(name="is")
    normally: Literal["open", "closed"] | None = None
    name: Name = ""

    def __post_init__(self) -> None:
        if self.normally is None and self.is_ != "switch":
            raise ValueError("write normally: open or closed, what the contact is while all is well")


class LineDevice(Device, frozen=True, kw_only=True):
    """A device on a serial line. `definition` is one that ships, or a file; `inputs` are those of contact modules."""

    protocol: Literal["modbus", "ydt1363"]
    address: LineAddress
    definition: str
    every: Every = 0.0
    inputs: dict[InputNumber, Input] = {}


class Traps(msgspec.Struct, frozen=True):
    """Where the devices' traps and informs come; a socket that systemd hands over goes before `listen`."""

    listen: HostPort = Address("0.0.0.0", 162)
    credentials: tuple[str, ...] = ()


class Snmp(msgspec.Struct, frozen=True):
    """Every SNMP device of the site. `definitions` is a folder with device definitions of the site's own."""

    devices: tuple[SnmpDevice, ...]
    every: Every = 10.0
    definitions: FilePath | None = None
    traps: Traps | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A serial line and what hangs on it. `turnaround` is what devices take to answer: longer, fewer reads.

    `pause` is silence before each request beyond the 3.5 characters, `unit_pause` that before another device is asked.
    `shared`: another master speaks on the pair. States and alarms of YD/T 1363 (43H, 44H) are not read there, because
    that clears the flags which the other one waits for, unless `read_flags` says that it may be.
    """

    id: Id
    port: LinePort
    baud: Baud = 9600
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Annotated[int, msgspec.Meta(ge=1, le=2)] = 1
    rs485: Literal["off", "rts_high", "rts_low"] = "off"
    every: Every = 5.0
    timeout: Timeout = 0.5
    turnaround: Pause = 0.005
    pause: Pause = 0.0
    unit_pause: Pause = 0.0
    shared: bool = False
    read_flags: bool = False
    devices: tuple[LineDevice, ...]


class Delays(msgspec.Struct, frozen=True):
    """How long a fault of each level must stand, level 1 first, and how long its end; over the contract's."""

    on: tuple[Delay, ...] = ()
    off: Delay | None = None


class SiteFile(msgspec.Struct, frozen=True):
    """The site file as it is written."""

    site: Identity
    agent: Agent = Agent()
    desk: Desk | None = None
    credentials: dict[Id, Credential] = {}
    host: HostDevice | None = None
    snmp: Snmp | None = None
    lines: tuple[Line, ...] = ()
    rules: dict[str, Node] = {}
    delays: Delays = Delays()


class Site(msgspec.Struct, frozen=True):
    """A site, checked: defaults filled in, paths absolute, every device's `every` and `name` set."""

    file: str
    folder: Path
    id: str
    name: str
    contract: str
    region: str
    timezone: str
    agent: Agent
    desk: Desk | None
    credentials: dict[str, Credential]
    host: HostDevice | None
    snmp: tuple[SnmpDevice, ...]
    lines: tuple[Line, ...]
    rules: dict[str, Node]
    delays: Delays
    traps: Traps | None = None
    definitions: Path | None = None

    @property
    def devices(self) -> Iterator[Device]:
        """Every watched device: the host, SNMP, then line by line."""
        if self.host is not None:
            yield self.host
        yield from self.snmp
        for line in self.lines:
            yield from line.devices

    def device(self, name: str) -> Device | None:
        """Return the device of that id."""
        return next((device for device in self.devices if device.id == name), None)
