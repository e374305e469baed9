"""Devices on serial lines: Modbus RTU and YD/T 1363, mixed on one pair. `run` reads for ever, `read_once` once."""

from collectors.line.engine import run
from collectors.line.once import read_all_once, read_once
from collectors.line.stats import LineStats, SlaveStats

__all__ = ["LineStats", "SlaveStats", "read_all_once", "read_once", "run"]
