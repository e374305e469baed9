"""The daemon at a site: schedule, rules, alarms, journal, outbox, exposition."""
