"""Mail by SMTP (RFC 5321), with STARTTLS (RFC 3207), TLS from the start (RFC 8314) and a password (RFC 4954).

`compose` makes a message's bytes: the same for the same words, so that a message which is sent twice has one Message-ID
and a mail server can drop the second. `send` hands them to one server, in a thread: smtplib waits, at most `TIMEOUT` at
a time. A password goes over TLS only, but to a server on this machine.
"""

import asyncio
import contextlib
import smtplib
import ssl
import threading
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Literal

import msgspec

from connectors.unsent import UnsentError, plain

TIMEOUT = 20.0  # seconds that the server may be silent
LONGEST = 120.0  # seconds that all of it may take, whatever the server says meanwhile
_LONGEST = 300  # characters of a reason


class Server(msgspec.Struct, frozen=True):
    """A mail server; `ca` is the file of its authority where no public one vouches for it."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""
    ca: Path | None = None

    def __repr__(self) -> str:
        return f"Server({self.host}:{self.port})"


class Mail(msgspec.Struct, frozen=True):
    """A message: `name` is unique, `made` its Unix time, `thread` what it belongs to ("" for nothing)."""

    name: str
    sender: str
    to: str
    to_name: str
    subject: str
    text: str
    made: float
    thread: str = ""
    urgent: bool = False


def compose(mail: Mail) -> bytes:
    """Return the message as it is sent. Raises ValueError for an address that is none."""
    message = EmailMessage(policy=SMTP)
    domain = mail.sender.rpartition("@")[2]
    message["From"] = Address("Roundsman", addr_spec=mail.sender)
    message["To"] = Address(_one_line(mail.to_name), addr_spec=mail.to)
    message["Subject"] = _one_line(mail.subject)
    message["Date"] = datetime.fromtimestamp(int(mail.made), UTC)
    message["Message-ID"] = f"<{mail.name}@{domain}>"
    if mail.thread:
        message["References"] = f"<{mail.thread}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    if mail.urgent:
        message["Importance"] = "high"
    message.set_content(mail.text, cte="base64")
    return message.as_bytes()


async def send(server: Server, sender: str, to: str, content: bytes) -> None:
    """Hand a message to the server. Raises UnsentError, permanent when the server refuses the person's address."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def work() -> None:
        problem = None
        try:
            _send(server, sender, to, content)
        except Exception as error:  # handed to who waits
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, problem)

    threading.Thread(target=work, name="mail", daemon=True).start()  # nobody who stops waits for a server that hangs
    try:
        async with asyncio.timeout(LONGEST):
            await done
    except TimeoutError:
        raise UnsentError(f"no end at {server.host}:{server.port} in {LONGEST:.0f} s", perhaps=True) from None


def _send(server: Server, sender: str, to: str, content: bytes) -> None:
    begun = False
    try:
        with contextlib.closing(_connected(server)) as smtp:
            begun = True
            smtp.sendmail(sender, [to], content)
            begun = False
            with contextlib.suppress(smtplib.SMTPException, OSError):  # it has the mail, whatever it says of leaving
                smtp.quit()
    except smtplib.SMTPRecipientsRefused as error:
        code, said = error.recipients[to]
        raise UnsentError(f"{to} is refused: {_said(code, said)}", permanent=500 <= code < 600) from None
    except smtplib.SMTPResponseException as error:
        data = isinstance(error, smtplib.SMTPDataError) and 500 <= error.smtp_code < 600
        what = _said(error.smtp_code, error.smtp_error)
        raise UnsentError(f"the mail server refuses: {what}", permanent=data) from None
    except ssl.SSLCertVerificationError as error:
        raise UnsentError(f"the mail server's certificate is not trusted: {error.verify_message}") from None
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        what = "no answer from the" if begun else "no"
        raise UnsentError(
            f"{what} mail server at {server.host}:{server.port}: {reason[:_LONGEST]}", perhaps=begun
        ) from None


def _connected(server: Server) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=server.ca)
    if server.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    try:
        if server.security == "starttls":
            smtp.starttls(context=context)
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _said(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {plain(text)[:_LONGEST]}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
