"""Clients of ticket desks and pagers."""
