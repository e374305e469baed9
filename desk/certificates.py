"""The desk's certificates in its state folder: made or taken by `desk init`, renewed by the desk itself.

    tls/desk.pem        the desk's key, certificate and what stands above it: there is TLS where this file is
    tls/ca.pem          whom agents trust; none: what their machine trusts
    tls/authority.pem   the desk's own CA with its key
    tls/told.json       what `desk init` was told

Key and certificate are one file, so that a crash or a reload never meets one without the other.
"""

import contextlib
import ssl
from pathlib import Path

import msgspec
from cryptography import x509

from desk.authority import Authority, good_name
from runtime.private import private_folder, write_private
from runtime.trust import CertificateError, fingerprint, first_certificate, trusting

FOLDER, DESK, CA, AUTHORITY, TOLD, OFFERED = "tls", "desk.pem", "ca.pem", "authority.pem", "told.json", "offered.pem"
RENEWED_BEFORE = 30 * 86_400.0  # seconds before a certificate's end at which the desk makes the next one
_HERE = ("localhost", "127.0.0.1", "::1")


class Told(msgspec.Struct, frozen=True):
    """What `desk init` was told: the desk's names, whether its certificate was given, whether agents need theirs."""

    names: tuple[str, ...]
    given: bool = False
    agents_by_certificate: bool = False


class Given(msgspec.Struct, frozen=True):
    """A certificate with its chain, its key, and the CA above them where machines do not trust that anyway."""

    certificate: Path
    key: Path
    ca: Path | None = None


class Certificates(msgspec.Struct, frozen=True):
    """What a desk has: `hosts` its certificate is for, when that begins and when it and the CA end (Unix seconds).

    `fingerprint` is of the CA that agents trust, SHA-256 in hexadecimal; "" (and `ca_ends` 0): of none of their own.
    """

    folder: Path
    told: Told
    hosts: tuple[str, ...]
    serial: str
    begins: float
    ends: float
    ca: str
    fingerprint: str
    ca_ends: float

    @property
    def chain(self) -> Path:
        """The file with the desk's key and certificate."""
        return self.folder / DESK

    def url(self, port: int) -> str:
        """Return the address by which people and sites reach the desk."""
        name = self.told.names[0]
        return f"https://[{name}]:{port}" if ":" in name else f"https://{name}:{port}"

    def is_for(self, host: str) -> bool:
        """Say whether a host's name or address is one of the desk's own, as its certificate has them."""
        name = host.lower().rstrip(".")
        return name in self.hosts or name in self.told.names or f"*.{name.partition('.')[2]}" in self.hosts


def certificates_of(state: Path) -> Certificates | None:
    """Return what a desk has, None before `desk init`. Raises CertificateError when it is damaged."""
    folder = state / FOLDER
    if not (folder / DESK).exists():
        return None
    try:
        told = msgspec.json.decode((folder / TOLD).read_bytes(), type=Told)
        own = x509.load_pem_x509_certificate((folder / DESK).read_bytes())
        ca = (folder / CA).read_text("ascii") if (folder / CA).exists() else ""
        above = x509.load_pem_x509_certificate(ca.encode()) if ca else None
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise CertificateError(
            f"the certificates in {folder} cannot be used ({error}): run `desk init` again"
        ) from error
    return Certificates(
        folder, told, _hosts(own), f"{own.serial_number:x}", own.not_valid_before_utc.timestamp(),
        own.not_valid_after_utc.timestamp(), ca,
        fingerprint(ca) if ca else "", above.not_valid_after_utc.timestamp() if above else 0.0,
    )  # fmt: skip


def prepare(
    state: Path, names: tuple[str, ...], given: Given | None, now: float, *, by_certificate: bool | None = None
) -> Certificates:
    """Make what is missing in a state folder, or take what is given; what is there already stays as good as it is.

    Without names those that the desk had stay. The CA is made once and kept. Raises CertificateError, and then nothing
    that a running desk uses has changed.
    """
    private_folder(state)
    private_folder(state / FOLDER)
    before = certificates_of(state) if (state / FOLDER / TOLD).exists() else None
    authority = _authority(state / FOLDER, now)
    names = tuple(dict.fromkeys(map(good_name, names)))
    if by_certificate is None:
        by_certificate = before.told.agents_by_certificate if before else False
    if given is not None:
        return _take(state, names, given, by_certificate=by_certificate)
    names = names or (before.told.names if before else ())
    if not names:
        raise CertificateError("name the desk as people and sites reach it: roundsman desk init desk.example.org")
    if before and before.told.given and names == before.told.names:  # `desk init` again: what was given stays
        told = Told(names, given=True, agents_by_certificate=by_certificate)
        write_private(state / FOLDER / TOLD, msgspec.json.encode(told))
        return _there(state)
    write_private(state / FOLDER / CA, authority.pem)
    write_private(state / FOLDER / TOLD, msgspec.json.encode(Told(names, agents_by_certificate=by_certificate)))
    if before is None or before.told.given or before.told.names != names or due(before, now):
        _issue(state / FOLDER, authority, names, now)
    return _there(state)


def due(held: Certificates, now: float, *, sure: bool = True) -> bool:
    """Say whether the desk's certificate is to be renewed, and may be by the desk itself.

    One that begins later was made while the clock was ahead: of that no clock may judge that is not `sure`.
    """
    return not held.told.given and (held.ends - now < RENEWED_BEFORE or (sure and now < held.begins))


def renew(state: Path, now: float, *, sure: bool = True) -> Certificates | None:
    """Renew the desk's own certificate when it is due; returns the new one, None when nothing was to be done."""
    held = certificates_of(state)
    if held is None or not due(held, now, sure=sure):
        return None
    _issue(held.folder, _authority(held.folder, now), held.told.names, now)
    return _there(state)


def authority_of(state: Path) -> Authority:
    """Return the desk's own CA, for agents' certificates. Raises CertificateError for none."""
    try:
        return Authority.from_pem((state / FOLDER / AUTHORITY).read_bytes())
    except OSError as error:
        raise CertificateError(f"the desk has no CA of its own: {error.strerror}") from error


def _there(state: Path) -> Certificates:
    held = certificates_of(state)
    if held is None:
        raise CertificateError(f"there are no certificates in {state}")
    return held


def _authority(folder: Path, now: float) -> Authority:
    if (folder / AUTHORITY).exists():
        return Authority.from_pem((folder / AUTHORITY).read_bytes())
    made = Authority.made(now)
    write_private(folder / AUTHORITY, made.secret_pem)
    return made


def _issue(folder: Path, authority: Authority, names: tuple[str, ...], now: float) -> None:
    write_private(folder / DESK, authority.desk(tuple(dict.fromkeys((*names, *_HERE))), now))


def _take(state: Path, names: tuple[str, ...], given: Given, *, by_certificate: bool) -> Certificates:
    """Take a given certificate, after an agent's own way of looking at it has found it good."""
    folder = state / FOLDER
    try:
        chain, key = given.certificate.read_bytes(), given.key.read_bytes()
        ca = first_certificate(given.ca.read_text("ascii")) if given.ca else ""
        own = x509.load_pem_x509_certificate(chain)
        trust = trusting(ca)
        write_private(folder / OFFERED, key.rstrip() + b"\n" + chain)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(folder / OFFERED, password=_no_password)
        names = names or tuple(good_name(host) for host in _hosts(own) if not host.startswith("*"))
        if not names:
            raise CertificateError("the certificate names no host: name the desk, roundsman desk init desk.example.org")
        for name in names:
            _prove(server, trust, name)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise CertificateError(f"the certificate cannot be used: {_said(error)}") from error
    if ca:
        write_private(folder / CA, ca.encode("ascii"))
    else:
        (folder / CA).unlink(missing_ok=True)
    write_private(folder / TOLD, msgspec.json.encode(Told(names, given=True, agents_by_certificate=by_certificate)))
    (folder / OFFERED).replace(folder / DESK)
    return _there(state)


def _prove(server: ssl.SSLContext, trust: ssl.SSLContext, name: str) -> None:
    """Shake hands in memory, as an agent would that reaches the desk by a name. Raises ssl.SSLError when it refuses."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (trust.wrap_bio(back, there, server_hostname=name), server.wrap_bio(there, back, server_side=True))
    for _ in range(4):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()


def _no_password() -> str:
    raise ValueError("its key has a password: give it without one, the desk starts with nobody there")


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"agents would refuse it ({error.verify_message}); a CA that machines do not trust is given with --ca"
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return "the key is not the certificate's"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _hosts(own: x509.Certificate) -> tuple[str, ...]:
    try:
        found = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = [name.lower() for name in found.get_values_for_type(x509.DNSName)]
    return (*names, *map(str, found.get_values_for_type(x509.IPAddress)))
