"""Where a desk listens, and who is answered beyond this machine: the one place of these rules.

Beyond loopback the desk listens with a certificate alone. Agents are answered there by their tokens, people from the
moment that a user exists: from then on everybody signs in (desk.gate), the first one by a one-time link.
"""

import asyncio
import contextlib
import logging
import math
import socket
import ssl
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from desk.connections import Connection, make_room
from desk.live import commands_of
from desk.roles import ACCESS, By
from desk.settings import DeskSettings
from desk.tokens import ask_the_old
from desk.users import anybody
from desk.web import is_loopback
from model.service.words import Trust
from runtime.trust import CertificateError
from runtime.writer import StoreError

if TYPE_CHECKING:  # desk.certificates brings a library that a desk without TLS does not need in its memory
    from desk.certificates import Certificates
    from desk.core import Desk

LOG = logging.getLogger("roundsman.desk")
LOOK = 5.0  # seconds between two looks whether there is another certificate
HOUR, DAY, YEAR = 3600.0, 86_400.0, 365 * 86_400.0
WARNED_BEFORE = 14 * DAY  # seconds before the end of a given certificate from which the log says so each day
AGENTS = frozenset(route.partition(" ")[2] for route, access in ACCESS.items() if access.by is By.AGENTS)
NOBODY_YET = (
    "The desk knows no people yet, so it answers them on its own machine alone."
    " There: roundsman desk user add NAME --role administrator\n"
    "值班台尚无用户，只能在本机访问。请在本机运行：roundsman desk user add 姓名 --role administrator\n"
)


class AddressError(Exception):
    """The desk cannot listen where it was told to."""


class Front:
    """How a desk is reached: its certificate, which it renews and reloads while it answers, and its addresses.

    Raises AddressError for certificates that cannot be used.
    """

    def __init__(self, settings: DeskSettings) -> None:
        self.settings = settings
        self.held: Certificates | None = None
        self.context: ssl.SSLContext | None = None
        self.protocol: type[asyncio.Protocol] = Connection
        self._warned = -math.inf
        if not (settings.state / "tls" / "desk.pem").exists():
            return
        from desk import certificates, tls  # noqa: PLC0415

        try:
            certificates.renew(settings.state, time.time(), sure=False)
            self.held = certificates.certificates_of(settings.state)
            if self.held is not None:
                self.context, self.protocol = tls.listening_with(self.held), tls.TlsConnection
        except (CertificateError, OSError) as error:
            raise AddressError(str(error)) from error

    @property
    def chain(self) -> str:
        """The file with the desk's certificate, "" without TLS."""
        return str(self.held.chain.absolute()) if self.held else ""

    def listen(self) -> socket.socket:
        """Open the port; beyond loopback only with a certificate. Raises AddressError."""
        make_room()
        settings = self.settings
        if self.held is None and not is_loopback(settings.host):
            raise AddressError(
                f"without a certificate the desk listens on loopback only: {settings.host} is refused. Make one,"
                " `roundsman desk init desk.example.org`, or use 127.0.0.1 and a tunnel such as `ssh -L`"
            )
        host = settings.host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else asyncio sets no TCP_NODELAY
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, settings.port))
            listening.listen(1024)
        except OSError as error:
            listening.close()
            raise AddressError(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}") from error
        return listening

    def addresses(self, listening: socket.socket) -> tuple[str, str]:
        """Return by which address others reach the desk, and by which this machine's own commands do."""
        host, port = listening.getsockname()[:2]
        here = str({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host))
        near = f"[{here}]:{port}" if ":" in here else f"{here}:{port}"
        if self.held is None:
            return f"http://{near}", f"http://{near}"
        return self.held.url(port), f"https://{near}"

    async def keep(self, desk: "Desk", ended: asyncio.Event) -> None:
        """Renew the certificate before it ends, take up another one, and have old tokens changed, until `ended`."""
        asked = -math.inf
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), LOOK)
            try:
                if self.context is not None:
                    await self._look(desk, self.context)
                if time.monotonic() - asked >= HOUR:
                    asked = time.monotonic()
                    await _change_old_tokens(desk)
            except (CertificateError, OSError) as error:
                self._warn(desk, f"the desk goes on with the certificate that it has: {error}")
            except StoreError as error:
                LOG.warning("agents are not asked for other tokens: %s", error)

    async def _look(self, desk: "Desk", context: ssl.SSLContext) -> None:
        from desk import certificates, tls  # noqa: PLC0415

        now = desk.timekeeper.now()
        if (
            desk.timekeeper.moment().trust is Trust.SURE
        ):  # what is made at a wrong time would be refused at the right one
            await asyncio.to_thread(certificates.renew, self.settings.state, now)
        found = await asyncio.to_thread(certificates.certificates_of, self.settings.state)
        if found is None:
            raise CertificateError(f"there is none in {self.settings.state} any more")
        if self.held is not None:  # what the context asks agents for is as it was when the desk began to listen
            told = replace(found.told, agents_by_certificate=self.held.told.agents_by_certificate)
            found = replace(found, told=told)
        if self.held is None or found.serial != self.held.serial:
            tls.reload(context, found)
            LOG.info("another certificate is used from now on; it ends on %s", _day(found.ends))
        self.held = desk.certificates = found
        if found.told.given and found.ends - now < WARNED_BEFORE:
            self._warn(desk, f"the certificate ends on {_day(found.ends)}: give the next with `roundsman desk init`")
        if found.fingerprint and found.ca_ends - now < YEAR:
            self._warn(desk, f"the CA ends on {_day(found.ca_ends)}: make another, and join each site again")

    def _warn(self, desk: "Desk", text: str) -> None:
        now = desk.clock().boot
        if now - self._warned >= DAY:
            self._warned = now
            LOG.warning("%s", text)


async def _change_old_tokens(desk: "Desk") -> None:
    if desk.timekeeper.moment().trust is not Trust.SURE:
        return
    now = desk.timekeeper.now()
    sites = await desk.store.write(lambda db: ask_the_old(db, now))
    desk.hub.announce(*map(commands_of, sites))


async def answered_beyond(desk: "Desk", path: str, client: str, *, passed_on: bool = False) -> bool:
    """Say whether a request from an address is answered: beyond this machine only agents are, until there are users.

    `passed_on`: a proxy says that it comes from elsewhere.
    """
    if desk.has_people or path in AGENTS or (not passed_on and (not client or is_loopback(client))):
        return True
    desk.has_people = await desk.store.read(anybody)
    return desk.has_people


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))
