"""What an agent is known by at its desk, and what it knows the desk by, in its state folder.

    desk/ca.pem       the CA that it trusts, alone; none: what this machine trusts
    desk/agent.pem    its key and the certificate that the desk made for it
    desk/token.json   the token that took the place of the one in the site's token file, and the next one

Another token is made here and kept before the desk hears of it, and stays kept until the desk has said that it is the
only one: after a crash at any moment one of the tokens that are kept is known there.
"""

import hashlib
import logging
import secrets
import ssl
from pathlib import Path

import msgspec

from config.secret import find_secret, read_secret
from config.site import Site
from connectors.desk import DeskClient, DeskError
from model.protocol import HoldToken
from runtime.private import private_folder, write_private
from runtime.trust import CertificateError, first_certificate, place_of, trusting

FOLDER, CA, OWN, TOKEN = "desk", "ca.pem", "agent.pem", "token.json"
log = logging.getLogger("roundsman.credentials")


class Tokens(msgspec.Struct, frozen=True):
    """The token in use, the next one and the one before ("": none); `joined` is the hash of the token file's."""

    joined: str
    token: str
    next: str = ""
    before: str = ""


class Credentials:
    """One agent's. Raises ConfigError for a token file that cannot be used."""

    def __init__(self, site: Site, token_file: Path) -> None:
        secret = read_secret(find_secret(token_file, site.folder))
        if secret.warning:
            log.warning("%s", secret.warning)
        self.folder = folder_of(site)
        self.site = site.id
        self.tokens = _tokens(self.folder, secret.value)
        self._verify: ssl.SSLContext | None = None

    def client(self, url: str) -> DeskClient:
        """Return a client of the desk that trusts and is known by what is here."""
        known = self.tokens
        others = tuple(filter(None, (known.next, known.before)))
        self._verify = self._trust() if url.startswith("https:") else None
        return DeskClient(url, known.token, verify=self._verify or True, others=others)

    async def rotate(self, client: DeskClient, agent: str) -> None:
        """Take another token, or go on with that where it was broken off. Raises DeskError, OSError."""
        known = self.tokens
        if not known.next:
            known = msgspec.structs.replace(known, next=secrets.token_urlsafe(32))
            self._keep(known)
        own, csr = request_for(self.site, agent) if self._verify is not None else (b"", "")
        asked = HoldToken(hashlib.sha256(known.next.encode()).hexdigest(), csr)
        try:
            await client.hold(asked, client.token)
        except DeskError as error:
            if error.reason != "unknown_token":
                raise
            log.info("the desk knows the next token alone: it was told before")
        certificate = (await client.hold(asked, known.next)).certificate
        client.use(known.next, known.token)
        if certificate and self._verify is not None:
            write_private(self.folder / OWN, own + certificate.encode("ascii"))
            self._verify.load_cert_chain(self.folder / OWN)
        self._keep(Tokens(known.joined, known.next, before=known.token))
        log.info("the token was changed")

    def _trust(self) -> ssl.SSLContext:
        ca, own = self.folder / CA, self.folder / OWN
        try:
            return trusting(ca.read_text("ascii") if ca.exists() else "", own if own.exists() else None)
        except (OSError, ValueError) as error:
            raise CertificateError(f"{self.folder} cannot be used ({error}): join the desk again") from error

    def _keep(self, tokens: Tokens) -> None:
        private_folder(self.folder)
        write_private(self.folder / TOKEN, msgspec.json.encode(tokens))
        self.tokens = tokens


def folder_of(site: Site) -> Path:
    """Return where an agent keeps what it knows its desk by."""
    return site.agent.state / FOLDER


def keep_joined(site: Site, ca: str, own: bytes) -> None:
    """Keep the CA ("": none of the desk's own) and the key with its certificate (b"": none) of a joined desk."""
    folder = folder_of(site)
    private_folder(folder)
    for name, content in ((CA, first_certificate(ca).encode("ascii") if ca else b""), (OWN, own)):
        if content:
            write_private(folder / name, content)
        else:
            (folder / name).unlink(missing_ok=True)


def request_for(site: str, agent: str) -> tuple[bytes, str]:
    """Return a new key and the request for its certificate, both in PEM."""
    from cryptography import x509  # noqa: PLC0415 - 10 MB that an agent needs four times a year
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, agent)])
    place = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(place_of(site, agent))])
    begun = x509.CertificateSigningRequestBuilder().subject_name(name).add_extension(place, critical=False)
    request = begun.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    own = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return own, request.decode("ascii")


def _tokens(folder: Path, token: str) -> Tokens:
    """Return the tokens that took the place of the token file's; none of those of an earlier joining."""
    joined = hashlib.sha256(token.encode()).hexdigest()
    try:
        kept = msgspec.json.decode((folder / TOKEN).read_bytes(), type=Tokens)
    except FileNotFoundError:
        return Tokens(joined, token)
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("%s cannot be used (%s): going by the token file", folder / TOKEN, error)
        return Tokens(joined, token)
    return kept if kept.joined == joined else Tokens(joined, token)
