"""A real mail server for tests: Debian's aiosmtpd, which keeps what it takes as lines of JSON in a file.

    /usr/bin/python3 mail_server.py FILE [--certificate CERT KEY] [--implicit] [--password USER:PASSWORD]

It prints its port. To `gone@...` it answers 550, to `busy@...` 451; to `heavy@...` it refuses the text with 554. To
`deaf@...` it never answers the text; who wrote to `rude@...` is told 421 instead of a farewell.
"""

import argparse
import asyncio
import json
import ssl
import sys
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult


class Box:
    def __init__(self, path):
        self.path = Path(path)

    def keep(self, line):
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        if address.startswith("gone@"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("busy@"):
            return "451 4.2.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        if envelope.rcpt_tos[0].startswith("heavy@"):
            return "554 5.6.0 refused"
        mail = message_from_bytes(envelope.content, policy=default)
        kept = {
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "headers": dict(mail.items()),
            "text": mail.get_content().replace("\r\n", "\n"), "authenticated": session.authenticated,
            "tls": server.transport.get_extra_info("ssl_object") is not None,
        }  # fmt: skip
        self.keep(json.dumps(kept))
        session.rude = envelope.rcpt_tos[0].startswith("rude@")
        if envelope.rcpt_tos[0].startswith("deaf@"):
            await asyncio.sleep(3600)
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        return "421 4.3.2 going down" if getattr(session, "rude", False) else "221 Bye"


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--certificate", nargs=2)
    parser.add_argument("--implicit", action="store_true")
    parser.add_argument("--password", default="")
    args = parser.parse_args()
    context = None
    if args.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*args.certificate)
    user, _, password = args.password.partition(":")

    def authenticate(server, session, envelope, mechanism, data):
        good = (data.login, data.password) == (user.encode(), password.encode())
        return AuthResult(success=good, handled=False)

    def session():
        return SMTP(
            Box(args.file), hostname="mail.test", enable_SMTPUTF8=True,
            tls_context=None if args.implicit else context, require_starttls=bool(context and not args.implicit),
            authenticator=authenticate if user else None, auth_required=bool(user),
            auth_require_tls=not args.implicit,
        )  # fmt: skip

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if args.implicit else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
