"""Incidents across sites, what a ticket's fault explains, and nuisance alarms.

`outages` has one row a ticket whose fault may come from outside its site, `lead` for the first of a site: only those
count. `incident_tickets` is what an incident has ever linked. All of it follows from the entries
(`desk.incidents.rebuilt`).
"""

STATEMENTS = """
CREATE TABLE incidents (
    number INTEGER PRIMARY KEY AUTOINCREMENT, contract TEXT NOT NULL, region TEXT NOT NULL, cause TEXT NOT NULL,
    opened REAL NOT NULL, first REAL NOT NULL, last REAL NOT NULL, ended REAL, tickets INTEGER NOT NULL DEFAULT 0,
    going INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX incidents_going ON incidents (number) WHERE ended IS NULL;
CREATE TABLE incident_tickets (
    incident INTEGER NOT NULL REFERENCES incidents (number), ticket INTEGER NOT NULL, site TEXT NOT NULL,
    onset REAL NOT NULL, joined REAL NOT NULL, ended REAL, PRIMARY KEY (incident, ticket)
) STRICT, WITHOUT ROWID;
CREATE INDEX incidents_of_ticket ON incident_tickets (ticket, incident);
CREATE TABLE outages (
    ticket INTEGER PRIMARY KEY, contract TEXT NOT NULL, region TEXT NOT NULL, cause TEXT NOT NULL, site TEXT NOT NULL,
    onset REAL NOT NULL, lead INTEGER NOT NULL, incident INTEGER NOT NULL, ended REAL
) STRICT;
CREATE INDEX outages_by_onset ON outages (contract, region, cause, onset) WHERE lead = 1;
CREATE INDEX outages_of_site ON outages (site, contract, region, cause, onset);
CREATE TABLE incident_rules (
    id INTEGER PRIMARY KEY, after_entry INTEGER NOT NULL, count INTEGER NOT NULL, within REAL NOT NULL,
    at REAL NOT NULL, who TEXT NOT NULL, source TEXT NOT NULL
) STRICT;
CREATE TABLE ticket_children (
    ticket INTEGER NOT NULL, episode TEXT NOT NULL, condition TEXT NOT NULL, joined REAL NOT NULL,
    PRIMARY KEY (ticket, episode)
) STRICT, WITHOUT ROWID;
CREATE TABLE alarm_tens (
    ten INTEGER NOT NULL, contract TEXT NOT NULL, region TEXT NOT NULL, announced INTEGER NOT NULL,
    PRIMARY KEY (ten, contract, region)
) STRICT, WITHOUT ROWID;
CREATE TABLE alarm_days (
    day INTEGER NOT NULL, condition TEXT NOT NULL, site TEXT NOT NULL, announced INTEGER NOT NULL,
    momentary INTEGER NOT NULL, PRIMARY KEY (day, condition)
) STRICT, WITHOUT ROWID;
CREATE TABLE nuisances (
    condition TEXT PRIMARY KEY, site TEXT NOT NULL, chattered REAL, flapping REAL
) STRICT, WITHOUT ROWID;
CREATE INDEX nuisances_chattering ON nuisances (chattered) WHERE chattered IS NOT NULL;
CREATE INDEX nuisances_flapping ON nuisances (flapping) WHERE flapping IS NOT NULL;
DROP INDEX episodes_by_change;
CREATE INDEX episodes_over ON episodes (changed) WHERE active = 0 AND opened = 1;
CREATE INDEX episodes_announced ON episodes (onset) WHERE active = 1 AND state IN ('unacknowledged', 'acknowledged');
"""
