"""Schema and loader; devices, faults and contracts as YAML."""
