"""What the codes of YD/T 1363 are called: commands (CID2) and classes of devices (CID1)."""

from typing import Final

from wire.ydt1363 import READS

COMMANDS: Final = {
    **READS,
    0x45: "remote control",
    0x48: "set parameters, float",
    0x49: "set parameters, fixed point",
    0x4A: "history, float",
    0x4B: "history, fixed point",
    0x4C: "alarm history",
    0x4E: "set time",
}
"""CID2 that the standard names; 80H to EFH are the maker's own."""

CLASSES: Final = {
    0x2A: "UPS",
    0x40: "AC distribution",
    0x41: "rectifiers",
    0x42: "DC distribution",
    0x43: "solar",
    0x46: "battery",
    0x4A: "battery, 2014 edition",
    0x60: "air conditioner",
    0x80: "environment",
}
"""CID1, the class of device."""


def command_name(code: int) -> str:
    """Name a command (CID2) in words; 80H and above are the maker's own."""
    return COMMANDS.get(code, f"maker's command {code:02X}H" if code >= 0x80 else f"command {code:02X}H")


def class_name(cid1: int) -> str:
    """Name a class of device (CID1) in words."""
    return CLASSES.get(cid1, f"class {cid1:02X}H")
