"""Cards that no recording shows: what their definitions read of objects typed from the makers' MIBs."""

from pathlib import Path

import pytest

from collectors.snmp.library import shipped
from collectors.snmp.recording import read_from, read_recording

LINUX = "1.3.6.1.4.1.8072.3.2.10"
E = "1.3.6.1.4.1"
NUT = f"{E}.8072.1.3.2.4.1.2.7.117.112.115.45.110.117.116"

# definition, sysObjectID, objects (snmprec), what is read of them
CARDS = [
    (
        "riello-ups",
        f"{E}.5491.304",
        {f"{E}.5491.10.1.2.8.0": "2|2704", f"{E}.5491.10.1.4.4.1.2.1": "2|231", f"{E}.5491.10.1.4.1.0": "2|4"},
        {"battery.voltage[side=pos]": 270.4, "output.voltage[phase=1]": 231.0, "output.status": "bypass"},
    ),
    (
        "delta-ups",
        f"{E}.2254.2.4",
        {f"{E}.2254.2.4.5.1.0": "2|1", f"{E}.2254.2.4.5.8.0": "2|2301", f"{E}.2254.2.4.9.3.0": "2|1"},
        {"output.status": "battery", "output.voltage[phase=2]": 230.1, "alarm.status[alarm=batteryLow]": "active"},
    ),
    (
        "delta-ups-v5",
        f"{E}.2254.2.5",
        {f"{E}.2254.2.5.5.1.0": "2|1", f"{E}.2254.2.5.5.9.0": "2|2301", f"{E}.2254.2.5.9.3.0": "2|2"},
        {"output.status": "normal", "output.voltage[phase=2]": 230.1, "alarm.status[alarm=batteryLow]": "clear"},
    ),
    (
        "socomec-netvision",
        f"{E}.4555.1.1.1",
        {f"{E}.4555.1.1.1.1.2.1.0": "2|5", f"{E}.4555.1.1.1.1.2.3.0": "2|65535", f"{E}.4555.1.1.1.1.6.3.87.0": "2|1"},
        {"battery.status": "discharging", "battery.runtime": None, "alarm.status[alarm=invRedundancy]": "active"},
    ),
    (
        "huawei-ups",
        LINUX,
        {f"{E}.2011.6.174.1.2.101.1.1.1": "2|3", f"{E}.2011.6.174.1.3.100.1.4.1": "2|4999"},
        {"output.status[ups=1]": "normal", "input.frequency[ups=1]": 49.99},
    ),
    (
        "abb-dpa",
        LINUX,
        {f"{E}.53973.1.1.3.1.2.1.0": "2|3", f"{E}.53973.1.1.3.1.4.1.0": "2|3"},
        {"device.status[module=2,part=battery]": "low", "device.status[module=2]": "normal"},
    ),
    (
        "gamatronic-ups",
        f"{E}.6050.5",
        {
            f"{E}.6050.1.2.26.1.4.1": "2|1",
            f"{E}.6050.1.2.26.1.5.1": "2|4",
            f"{E}.6050.5.5.1.1.4.3": "2|12",
        },
        {"battery.temperature[battery=1]": -4.0, "output.power[phase=3]": 1200.0},
    ),
    (
        "bestpower-ups",
        f"{E}.2947.1",
        {f"{E}.2947.1.2.1.0": "2|2", f"{E}.2947.1.2.3.0": "2|12"},
        {"output.status": "battery", "battery.runtime": 720.0},
    ),
    (
        "nut-extend",
        LINUX,
        {f"{NUT}.1": "4|100", f"{NUT}.3": "4|1500", f"{NUT}.10": "4|0", f"{NUT}.11": "4|1"},
        {"battery.charge": 100.0, "battery.runtime": 1500.0, "alarm.status[alarm=lowBattery]": "active"},
    ),
    (
        "comap-29",
        f"{E}.28634.29",
        {f"{E}.28634.29.2.8202.0": "2|85", f"{E}.28634.29.2.8213.0": "2|139", f"{E}.28634.29.2.9244.0": "2|8"},
        {"generator.power": 85_000.0, "battery.voltage": 13.9, "generator.status": "running"},
    ),
    (
        "dell-idrac",
        f"{E}.674.10892.5",
        {
            f"{E}.674.10892.5.2.1.0": "2|3",
            f"{E}.674.10892.5.4.600.12.1.11.1.1": "2|9",
            f"{E}.674.10892.5.4.600.30.1.6.1.1": "2|4",
            f"{E}.674.10892.5.4.600.30.1.6.1.3": "2|196",
            f"{E}.674.10892.5.4.600.30.1.7.1.1": "2|23",
            f"{E}.674.10892.5.4.600.30.1.7.1.3": "2|26",
        },
        {
            "input.current[chassis=1,probe=1]": 0.4,
            "input.power[chassis=1,probe=3]": 196.0,
            "alarm.status[chassis=1,supply=1,alarm=input_lost]": "active",
            "alarm.status[chassis=1,supply=1,alarm=failure]": "clear",
        },
    ),
    (
        "hpe-ilo",
        f"{E}.232.9.4.11",
        {f"{E}.232.6.1.3.0": "2|3", f"{E}.232.6.2.6.8.1.4.0.1": "2|21", f"{E}.232.6.2.15.3.0": "2|99"},
        {"device.status[object=cpqHeMibCondition]": "degraded", "input.power": 99.0},
    ),
    (
        "supermicro-bmc",
        f"{E}.21317.1",
        {
            f"{E}.21317.1.3.1.2.1": "4|38",
            f"{E}.21317.1.3.1.2.2": "4|5300",
            f"{E}.21317.1.3.1.2.3": "4|12.06",
            f"{E}.21317.1.3.1.13.1": "4|CPU Temp",
            f"{E}.21317.1.3.1.13.2": "4|FAN1",
            f"{E}.21317.1.3.1.13.3": "4|12V",
        },
        {"fan.speed[sensor=2]": 5300.0, "equipment.voltage[sensor=3,object=sensorReading]": 12.06},
    ),
    (
        "lenovo-xcc",
        f"{E}.19046.11.1",
        {f"{E}.19046.11.1.1.3.2.1.3.1": "4| 35% of maximum", f"{E}.19046.11.1.1.11.2.1.6.1": "4|Critical"},
        {"fan.duty[fan=1]": 35.0, "device.status[supply=1,object=powerHealthStatus]": "critical"},
    ),
    (
        "huawei-ibmc",
        f"{E}.2011.2.235",
        {f"{E}.2011.2.235.1.1.26.50.1.2.1": "4|Inlet", f"{E}.2011.2.235.1.1.26.50.1.3.1": "2|240"},
        {"equipment.temperature[sensor=1,object=temperatureReading]": 24.0},
    ),
    (
        "cisco-cimc",
        f"{E}.9.1.1634",
        {f"{E}.9.9.719.1.9.14.1.4.1": "2|142", f"{E}.9.9.719.1.15.56.1.7.1": "2|2"},
        {"input.power[board=1]": 142.0, "device.status[supply=1,object=cucsEquipmentPsuOperState]": "inoperable"},
    ),
    (
        "fujitsu-irmc",
        LINUX,
        {
            f"{E}.231.2.10.2.2.10.5.2.1.5.1.1": "2|3",
            f"{E}.231.2.10.2.2.10.5.2.1.5.1.2": "2|8",
            f"{E}.231.2.10.2.2.10.5.2.1.6.1.1": "2|4800",
            f"{E}.231.2.10.2.2.10.5.2.1.6.1.2": "2|0",
        },
        {"fan.speed[unit=1,fan=1]": 4800.0, "fan.speed[unit=1,fan=2]": "not there"},
    ),
    (
        "mikrotik-routeros",
        f"{E}.14988.1",
        {
            f"{E}.14988.1.1.3.8.0": "2|241",
            f"{E}.14988.1.1.3.100.1.3.17": "2|45",
            f"{E}.14988.1.1.3.100.1.4.17": "2|1",
            f"{E}.14988.1.1.15.1.1.3.2": "2|5",
        },
        {
            "equipment.voltage[object=mtxrHlVoltage]": 24.1,
            "equipment.temperature[gauge=17,object=mtxrGaugeValue]": 45.0,
            "device.status[interface=2,object=mtxrPOEStatus]": "short_circuit",
        },
    ),
    (
        "synology-dsm",
        LINUX,
        {f"{E}.6574.1.2.0": "2|38", f"{E}.6574.4.2.1.0": "4|OB LB"},
        {"equipment.temperature[object=temperature]": 38.0, "output.status": "battery", "battery.status": "low"},
    ),
    (
        "qnap-qts",
        f"{E}.24681",
        {f"{E}.24681.1.2.6.0": "4|38 C/100 F", f"{E}.24681.1.2.15.1.3.1": "4|1200 RPM"},
        {"equipment.temperature[object=systemTemperatureEX]": 38.0, "fan.speed[fan=1]": 1200.0},
    ),
    (
        "juniper-junos",
        f"{E}.2636.1.1.1.2.29",
        {f"{E}.2636.3.1.13.1.7.9.1.0.0": "66|38", f"{E}.2636.3.4.2.3.1.0": "2|3"},
        {"alarm.status[alarm=red]": "active"},
    ),
    (
        "fortinet-fortigate",
        f"{E}.12356.101.1.1001",
        {f"{E}.12356.101.4.3.2.1.2.1": "4|+12V", f"{E}.12356.101.4.3.2.1.3.1": "4|11.998"},
        {"equipment.voltage[sensor=1,object=fgHwSensorEntValue]": 11.998},
    ),
    (
        "hpe-procurve",
        f"{E}.11.2.3.7.11.160",
        {f"{E}.11.2.14.11.1.2.6.1.4.1": "2|3", f"{E}.11.2.14.11.1.2.8.1.1.3.0": "4|28C"},
        {
            "device.status[sensor=1,object=hpicfSensorStatus]": "warning",
            "equipment.temperature[sensor=0,object=hpSystemAirCurrentTemp]": 28.0,
        },
    ),
    (
        "huawei-vrp",
        f"{E}.2011.2.23.291",
        {f"{E}.2011.5.25.31.1.1.1.1.11.9": "2|38", f"{E}.2011.5.25.31.1.1.1.1.11.10": "2|0"},
        {
            "equipment.temperature[part=9,object=hwEntityTemperature]": 38.0,
            "equipment.temperature[part=10,object=hwEntityTemperature]": None,
        },
    ),
    (
        "brocade-fos",
        f"{E}.1588.2.1.1.1",
        {f"{E}.1588.2.1.1.1.1.22.1.{column}.4": value for column, value in ((2, "2|2"), (3, "2|4"), (4, "2|7000"))},
        {"fan.speed[sensor=4]": 7000.0},
    ),
]


@pytest.mark.parametrize(("name", "sys_object_id", "objects", "said"), CARDS, ids=[card[0] for card in CARDS])
def test_a_card_is_recognised_and_its_objects_mean_what_the_mib_says(
    name: str, sys_object_id: str, objects: dict[str, str], said: dict[str, object], tmp_path: Path
) -> None:
    lines = [f"1.3.6.1.2.1.1.2.0|6|{sys_object_id}", "1.3.6.1.2.1.1.3.0|67|100"]
    lines += [
        f"{oid}|{objects[oid]}" for oid in sorted(objects, key=lambda oid: [int(part) for part in oid.split(".")])
    ]
    path = tmp_path / "card.snmprec"
    path.write_text("\n".join(lines) + "\n")
    batch, recognition = read_from(read_recording(path), shipped())
    assert recognition is not None
    assert name in recognition.definitions
    read = {reading.point.id: reading.value for reading in batch.readings}
    assert {point: read.get(point, "not there") for point in said} == said
