"""Traps and informs: a hint that a device is worth a look now. The poll that follows decides.

envelope      who says it speaks: version, community or user, without a look at the rest
gate          which datagrams are worth the cost of being read: known sources, within their budgets
notification  pysnmp, which reads them, proves them and answers informs; the only module that imports it
receiver      the socket, a thread for what is slow, and the hints: run(listen, senders, hint, counts)
"""
