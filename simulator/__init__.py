"""A site that plays itself: a paced RS-485 line, SNMP cards, scenarios."""
