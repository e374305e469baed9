"""Traps and informs: a hint that a device is worth a look now. The poll that follows decides.

claim         who says it speaks: version, community or user, and that it binds no more than is read
gate          which datagrams are worth the cost of being read: known sources, within their budgets
names         the host names of senders
turns         what waits for the thread: each source has its turn
notification  pysnmp, which reads them, proves them and answers informs; the only module that imports it
receiver      the socket, a thread for what is slow, and the hints: run(listen, senders, hint, counts)
hints         a budget of polls for each device
"""
