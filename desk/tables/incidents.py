"""Incidents across sites, and nuisance alarms."""

STATEMENTS = ""
