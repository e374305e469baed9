"""A page of prometheus-client's own gauges, with labels as a device's series has: `python -m bench.gauges PORT N`."""

import sys
import threading

from prometheus_client import CollectorRegistry, Gauge, start_http_server


def main() -> None:
    """Serve until killed."""
    registry = CollectorRegistry()
    gauge = Gauge("bench_input_voltage_volts", "A gauge.", ["device", "phase", "name"], registry=registry)
    for number in range(int(sys.argv[2])):
        gauge.labels(f"card-{number // 20}", str(number % 20), "Input voltage").set(230.0 + number / 7)
    start_http_server(int(sys.argv[1]), addr="127.0.0.1", registry=registry)
    threading.Event().wait()


if __name__ == "__main__":
    main()
