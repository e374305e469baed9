"""Whom a TLS client of ours believes: one CA alone, known by its fingerprint, or what the machine trusts."""

import hashlib
import re
import ssl
from pathlib import Path

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s.+?-----END CERTIFICATE-----", re.DOTALL)


PLACE = "roundsman.place"  # in the scope of a request: where the certificate of who asks says that they are


class CertificateError(Exception):
    """A certificate, key or name that cannot be used, and why."""


def fingerprint(pem: str) -> str:
    """Return the SHA-256 of the first certificate of a PEM text, in hexadecimal. Raises ValueError for none."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first_certificate(pem))).hexdigest()


def first_certificate(pem: str) -> str:
    """Return the first certificate of a PEM text alone: what is trusted must be what was compared, and nothing more."""
    found = _PEM.search(pem)
    if found is None:
        raise ValueError("there is no certificate in it")
    return found[0] + "\n"


def place_of(site: str, agent: str) -> str:
    """Return an agent's place as its certificate says it, in the form of a URI."""
    return f"urn:roundsman:site:{site}:agent:{agent}"


def unbelieved() -> ssl.SSLContext:
    """Return a context that believes whoever answers: to fetch what is then compared with a fingerprint."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def trusting(ca: str = "", own: Path | None = None) -> ssl.SSLContext:
    """Return a client's context, TLS 1.2 or newer, that trusts a CA (PEM) alone; "": what this machine trusts.

    `own` is the file with the client's key and certificate. Raises ValueError for what is no certificate, OSError for
    an `own` that cannot be read.
    """
    try:
        context = ssl.create_default_context(cadata=first_certificate(ca) if ca else None)
    except ssl.SSLError as error:
        raise ValueError(f"this is no certificate: {error.reason or error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if own is not None:
        context.load_cert_chain(own)
    return context


def trusting_server_alone(chain: Path) -> ssl.SSLContext:
    """Return a context that trusts the server whose certificate is first in a file, by whatever name or time.

    For this machine's own commands, which read the desk's own file: what they reach holds its key, or is refused.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | 0x200000  # X509_V_FLAG_NO_CHECK_TIME
    context.load_verify_locations(cadata=first_certificate(chain.read_text("ascii")))
    return context
