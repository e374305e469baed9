"""Fuzzing of the SNMP codec: mangled messages, guided by coverage, and against pysnmp's decoder: `make fuzz`."""
