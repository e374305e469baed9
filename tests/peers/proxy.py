"""A relay between the engine and an agent that may change, double, delay or forge what the agent answers.

    async with relayed(agent_port, tamper) as relay: ...   # relay.port is asked in the agent's place

`tamper(reply, relay)` returns the datagrams to send instead, in their order.  `relay.forward_to` may be set to another
agent meanwhile; `relay.asked` has the last request, `relay.elsewhere(datagram)` sends from another port.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any


class Relay(asyncio.DatagramProtocol):
    def __init__(self, forward_to: int, tamper: "Tamper") -> None:
        self.forward_to = forward_to
        self.tamper = tamper
        self.asked = b""
        self.replies: list[bytes] = []
        self._client: Any = None
        self._other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._agent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._agent.setblocking(False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self.port: int = transport.get_extra_info("sockname")[1]
        asyncio.get_running_loop().add_reader(self._agent, self._answered)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked, self._client = data, addr
        self._agent.sendto(data, ("127.0.0.1", self.forward_to))

    def send(self, datagram: bytes) -> None:
        self._transport.sendto(datagram, self._client)

    def elsewhere(self, datagram: bytes) -> None:
        self._other.sendto(datagram, self._client)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._agent)
        self._transport.close()
        self._other.close()
        self._agent.close()

    def _answered(self) -> None:
        reply = self._agent.recv(65_535)
        for datagram in self.tamper(reply, self):
            self._transport.sendto(datagram, self._client)
        self.replies.append(reply)


Tamper = Callable[[bytes, Relay], Iterable[bytes]]


@contextlib.asynccontextmanager
async def relayed(port: int, tamper: Tamper = lambda reply, relay: [reply]) -> AsyncIterator[Relay]:
    loop = asyncio.get_running_loop()
    _, relay = await loop.create_datagram_endpoint(lambda: Relay(port, tamper), local_addr=("127.0.0.1", 0))
    try:
        yield relay
    finally:
        relay.close()
