"""The desk's own certification authority: made once, it vouches for the desk to its agents and for agents to the desk.

Keys are ECDSA P-256. Profiles follow RFC 5280: the CA may sign certificates that sign nothing (path length 0), a
desk's is for serverAuth, an agent's for clientAuth with its place as a URI among the alternative names.
"""

import datetime as dt
import ipaddress
import re
from collections.abc import Sequence
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from runtime.trust import CertificateError, place_of

CA_LIVES = dt.timedelta(days=3653)  # ten years
DESK_LIVES = dt.timedelta(days=90)
AGENT_LIVES = dt.timedelta(days=365)
BEFORE = dt.timedelta(days=2)  # certificates are good from before they are made: clocks of sites differ
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def good_name(text: str) -> str:
    """Return a host's name or address as certificates have it. Raises CertificateError for what is neither."""
    name = text.strip().strip("[]").lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        if len(name) <= 253 and _NAME.fullmatch(name) and not name.rpartition(".")[2].isdigit():
            return name
        raise CertificateError(f"{text!r} is no host's name or address: write desk.example.org or 192.0.2.10") from None
    if address.is_unspecified or address.is_multicast:
        raise CertificateError(f"{text} is nobody's address: name what people and sites reach the desk by")
    return str(address)


class Authority:
    """A CA: its certificate and its key."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate = certificate
        self._key = key

    @classmethod
    def made(cls, now: float) -> Self:
        """Make a new one that is good for ten years."""
        key = ec.generate_private_key(ec.SECP256R1())
        called = f"Roundsman desk CA {x509.random_serial_number():x}"[:40]
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called)])
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        begun = _begun(name, key.public_key(), now, CA_LIVES).issuer_name(name)
        begun = begun.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        begun = begun.add_extension(_usage(signs=True), critical=True).add_extension(own, critical=False)
        return cls(begun.sign(key, hashes.SHA256()), key)

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Return the one whose key and certificate a PEM text holds. Raises CertificateError when it is damaged."""
        try:
            key = serialization.load_pem_private_key(pem, None)
            certificate = x509.load_pem_x509_certificate(pem)
        except (ValueError, TypeError) as error:
            raise CertificateError(f"the CA's file is damaged: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
            raise CertificateError("the CA's file is damaged: its key is not its certificate's")
        return cls(certificate, key)

    @property
    def pem(self) -> bytes:
        """Its certificate, for everybody."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def secret_pem(self) -> bytes:
        """Its key and certificate, for nobody."""
        return _key_pem(self._key) + self.pem

    def desk(self, names: Sequence[str], now: float) -> bytes:
        """Return a new key and certificate of a desk that is reached by names and addresses, and this CA's, in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        begun = _begun(name, key.public_key(), now, DESK_LIVES)
        begun = begun.add_extension(x509.SubjectAlternativeName([_general(each) for each in names]), critical=False)
        return _key_pem(key) + self._signed(begun, ExtendedKeyUsageOID.SERVER_AUTH) + self.pem

    def agent(self, request: str, site: str, agent: str, now: float) -> bytes:
        """Return an agent's certificate for the key of its request (PKCS #10, PEM); nothing else of it is believed.

        Raises CertificateError for a request that is none, or that its key has not signed.
        """
        try:
            asked = x509.load_pem_x509_csr(request.encode("ascii"))
            signed, key = asked.is_signature_valid, asked.public_key()
        except (ValueError, TypeError, UnicodeEncodeError) as error:
            raise CertificateError(f"this is no request for a certificate: {error}") from error
        if not signed or not isinstance(key, ec.EllipticCurvePublicKey):
            raise CertificateError("the request for a certificate is not signed by an elliptic curve's key")
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, agent)])
        begun = _begun(name, key, now, AGENT_LIVES)
        place = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(place_of(site, agent))])
        return self._signed(begun.add_extension(place, critical=False), ExtendedKeyUsageOID.CLIENT_AUTH)

    def _signed(self, begun: x509.CertificateBuilder, use: x509.ObjectIdentifier) -> bytes:
        mine = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        made = (
            begun.issuer_name(self.certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(mine), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)


def _begun(name: x509.Name, key: ec.EllipticCurvePublicKey, now: float, lives: dt.timedelta) -> x509.CertificateBuilder:
    at = dt.datetime.fromtimestamp(int(now), dt.UTC)
    begun = x509.CertificateBuilder().subject_name(name).public_key(key).serial_number(x509.random_serial_number())
    return begun.not_valid_before(at - BEFORE).not_valid_after(at + lives)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs, crl_sign=signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
