"""What gives readings: the host, SNMP, serial lines."""
