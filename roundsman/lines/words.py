"""How the protocols of a line are called where people read."""

NAMES = {"modbus": "Modbus", "ydt1363": "YD/T 1363"}
