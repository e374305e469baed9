"""What agent and desk share: SQLite writer, clock, service notification, version."""
