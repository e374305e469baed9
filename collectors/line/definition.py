"""Device definitions: what hangs on a line, as YAML (config/devices/modbus/*.yaml, config/devices/ydt1363/*.yaml).

A Modbus device (`modbus_definition`) is a table of registers. A YD/T 1363 device (`ydt_definition`) is a list of reads,
each with layouts: walks over INFO. `timeout` is for devices that are slower than what the site file gives its line.
"""

from functools import cache
from pathlib import Path

from collectors.line.modbus_definition import ModbusDefinition
from collectors.line.ydt_definition import YdtDefinition
from config.node import ConfigError
from config.reader import Node, convert, read
from config.shipped import read_shipped

__all__ = ["Definition", "ModbusDefinition", "YdtDefinition", "definition", "named", "shipped"]

Definition = ModbusDefinition | YdtDefinition
OWN = (".yaml", ".yml")
"""How the name of a definition ends that is a file of the site's own."""


def definition(node: Node) -> Definition:
    """Return the definition in a YAML file that was read. Raises ConfigError with every problem, each with its line."""
    found: Definition = convert(node, Definition)  # type: ignore[arg-type]  # a union of structs, by `protocol`
    if isinstance(found, ModbusDefinition) and not found.registers and found.inputs is None:
        raise ConfigError([node.problem('the key "registers" is missing')])
    if isinstance(found, YdtDefinition) and found.extends:
        try:
            return found.with_bases(shipped)
        except ValueError as error:
            raise ConfigError([node.problem(str(error))]) from None
    return found


def named(name: str) -> Definition:
    """Return the shipped definition of that name, or the one in a file of the site's own; KeyError when there is none.

    Raises ConfigError for a file that cannot be read or is wrong.
    """
    return definition(read(Path(name))) if name.endswith(OWN) else shipped(name)


@cache
def shipped(name: str) -> Definition:
    """Return the shipped definition of that name (`eastron-sdm630`); KeyError when there is none."""
    return definition(read_shipped("devices", name))
