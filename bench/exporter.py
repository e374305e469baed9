"""snmp_exporter's modules: they ask of the bench's cards what our definitions ask, each once for version 2c and 3.

The UPS's twenty objects are asked in one GET, which costs snmp_exporter less than walking them; the sensors are two
columns walked by GETBULK with its own default of 25 rows.
"""

from bench import usm

SCALARS = {
    "sysUpTime": "1.3.6.1.2.1.1.3",
    "upsBatteryStatus": "1.3.6.1.2.1.33.1.2.1",
    "upsEstimatedMinutesRemaining": "1.3.6.1.2.1.33.1.2.3",
    "upsEstimatedChargeRemaining": "1.3.6.1.2.1.33.1.2.4",
    "upsBatteryVoltage": "1.3.6.1.2.1.33.1.2.5",
    "upsBatteryTemperature": "1.3.6.1.2.1.33.1.2.7",
    "upsOutputSource": "1.3.6.1.2.1.33.1.4.1",
    "upsOutputFrequency": "1.3.6.1.2.1.33.1.4.2",
}
COLUMNS = {
    "upsInputVoltage": "1.3.6.1.2.1.33.1.3.3.1.3",
    "upsInputCurrent": "1.3.6.1.2.1.33.1.3.3.1.4",
    "upsOutputVoltage": "1.3.6.1.2.1.33.1.4.4.1.2",
    "upsOutputLoad": "1.3.6.1.2.1.33.1.4.4.1.5",
}
SENSORS = {
    "entPhySensorValue": "1.3.6.1.2.1.99.1.1.1.4",
    "entPhySensorStatus": "1.3.6.1.2.1.99.1.1.1.5",
}
VERSION_2C = "  version: 2\n  auth: {community: public}\n"
VERSION_3 = (
    "  version: 3\n"
    f"  auth: {{username: {usm.USER}, security_level: authPriv, auth_protocol: SHA, priv_protocol: AES,"
    f' password: "{usm.AUTH_PASS}", priv_password: "{usm.PRIVACY_PASS}"}}\n'
)


def ups_objects() -> list[str]:
    """Return the twenty objects of the bench's UPS."""
    return [f"{oid}.0" for oid in SCALARS.values()] + [
        f"{oid}.{phase}" for oid in COLUMNS.values() for phase in (1, 2, 3)
    ]


def snmp_modules() -> str:
    """Return the text of snmp.yml: modules `ups`, `sensors` (version 2c), `ups-v3` and `sensors-v3`."""
    ups = f"  get: [{', '.join(ups_objects())}]\n  metrics:\n" + _metrics(SCALARS, "") + _metrics(COLUMNS, "phase")
    sensors = f"  walk: [{', '.join(SENSORS.values())}]\n  metrics:\n" + _metrics(SENSORS, "sensor")
    return "".join(
        f"{name}{suffix}:\n{version}{body}"
        for suffix, version in (("", VERSION_2C), ("-v3", VERSION_3))
        for name, body in (("ups", ups), ("sensors", sensors))
    )


def _metrics(objects: dict[str, str], label: str) -> str:
    index = f", indexes: [{{labelname: {label}, type: gauge}}]" if label else ""
    return "".join(f"    - {{name: {name}, oid: {oid}, type: gauge{index}}}\n" for name, oid in objects.items())
