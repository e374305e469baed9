"""A province's desk over months: sites that fail, people who act, a desk that is away; the books must add up.

`sites` are the agents, `people` what is said of tickets, `simulation` the time, `books` what must be true at the end.
Everything is drawn from a seed, so a run can be had again.
"""
