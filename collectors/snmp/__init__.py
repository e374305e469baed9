"""The SNMP engine: all cards of a site on one socket.

definition  what a device's objects mean: config/devices/snmp/*.yaml
meaning     from a value on the wire to a value in our unit, a state's name, or nothing
exchange    conversations with one card, without any I/O: get and walk, which give way to weak cards
discover    which definitions serve a card, and which of their points it has: its Plan
entity      the points of ENTITY-SENSOR-MIB, with fans grouped by subrack
poll        one poll of one card: a Batch
engine      the socket, the clock, what is due: run(targets, emit) and read_once(target)
"""
