"""Device definitions of the bench's own, put beside those that ship."""

from pathlib import Path

from config import shipped

TWENTY, REGISTERS = "bench-twenty", 20


def add() -> None:
    """Make them known to this process; to be called before anything asks which there are."""
    places = {file.stem: file for file in Path(__file__).parent.glob("*.yaml")}
    for room in ("devices", "devices/modbus"):
        shipped._places(room).update(places)  # noqa: SLF001  # no site file can name a definition of its own for a line
