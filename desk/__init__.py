"""The central desk: intake, tickets, commands to the agents, pages."""
