"""What a certificate must be before it is taken: pure rules over PEM text (RFC 5280, RFC 7468)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from xapi_shim.datamodel.errors import (
    CaCertificateExpiredError,
    CaCertificateInvalidError,
    CaCertificateNotValidYetError,
    ServerCertificateChainInvalidError,
    ServerCertificateExpiredError,
    ServerCertificateInvalidError,
    ServerCertificateKeyAlgorithmNotSupportedError,
    ServerCertificateKeyInvalidError,
    ServerCertificateKeyMismatchError,
    ServerCertificateKeyRsaLengthNotSupportedError,
    ServerCertificateNotValidYetError,
    ServerCertificateSignatureNotSupportedError,
    TrustedCertificateExpiredError,
    TrustedCertificateInvalidError,
    TrustedCertificateNotValidYetError,
    XenAPIError,
)
from xapi_shim.rpc.dates import to_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

BEGIN = "-----BEGIN CERTIFICATE-----"
END = "-----END CERTIFICATE-----"
PEM = serialization.Encoding.PEM
RSA_BITS = range(2048, 4097)
SHA_2 = (hashes.SHA224, hashes.SHA256, hashes.SHA384, hashes.SHA512)
# The algorithms of keys that browsers and TLS libraries do not take from a server (RFC 8410, RFC 3279).
_OIDS: dict[type, str] = {
    dsa.DSAPrivateKey: "1.2.840.10040.4.1",
    ed25519.Ed25519PrivateKey: "1.3.101.112",
    ed448.Ed448PrivateKey: "1.3.101.113",
}


class Refusals(NamedTuple):
    """The errors for a certificate that is none, and for one that is used too early or too late."""

    invalid: type[XenAPIError]
    not_valid_yet: type[XenAPIError]
    expired: type[XenAPIError]


AUTHORITY = Refusals(CaCertificateInvalidError, CaCertificateNotValidYetError, CaCertificateExpiredError)
TRUSTED = Refusals(
    TrustedCertificateInvalidError, TrustedCertificateNotValidYetError, TrustedCertificateExpiredError
)
SERVER = Refusals(
    ServerCertificateInvalidError, ServerCertificateNotValidYetError, ServerCertificateExpiredError
)


@dataclass(frozen=True)
class CertificateFacts:
    """What a Certificate's record tells: dates in XenAPI's form, fingerprints as AA:BB."""

    not_before: str
    not_after: str
    fingerprint_sha256: str
    fingerprint_sha1: str


def validity(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    """Return when it begins and ends, aware; the library's older versions (Debian 12) tell it without zone."""
    if hasattr(certificate, "not_valid_before_utc"):
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return certificate.not_valid_before.replace(tzinfo=UTC), certificate.not_valid_after.replace(tzinfo=UTC)


def facts(certificate: x509.Certificate) -> CertificateFacts:
    begin, end = validity(certificate)
    return CertificateFacts(
        to_text(begin),
        to_text(end),
        certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
        # What clients know old certificates by; nothing trusts it.
        certificate.fingerprint(hashes.SHA1()).hex(":").upper(),  # noqa: S303
    )


def parse_certificate(pem: str, now: datetime, refusals: Refusals) -> x509.Certificate:
    """Return the first certificate of `pem`. Raises the refusals: invalid [], the others [now; the date]."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        begin, end = validity(certificate)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise refusals.invalid from error
    if now < begin:
        raise refusals.not_valid_yet(to_text(now), to_text(begin))
    if now > end:
        raise refusals.expired(to_text(now), to_text(end))
    return certificate


def _public_text(holder: x509.Certificate | PrivateKeyTypes) -> bytes:
    """Return the public key that a certificate tells or a private key belongs to, as SubjectPublicKeyInfo (RFC 5280)."""
    return holder.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _is_signed_with_sha_2(certificate: x509.Certificate) -> bool:
    try:
        return isinstance(certificate.signature_hash_algorithm, SHA_2)
    except UnsupportedAlgorithm:
        return False


def server_pem(certificate: str, private_key: str, chain: str, now: datetime) -> bytes:
    """Return key, certificate and chain, PEM, as the server loads them, or refuse them.

    Raises SERVER_CERTIFICATE_KEY_INVALID [], _KEY_ALGORITHM_NOT_SUPPORTED [OID],
    _KEY_RSA_LENGTH_NOT_SUPPORTED [bits], SERVER_CERTIFICATE_INVALID [], _KEY_MISMATCH [],
    _NOT_VALID_YET and _EXPIRED [now; date], _SIGNATURE_NOT_SUPPORTED [], _CHAIN_INVALID [].
    """
    key = _private_key(private_key)
    try:
        leaf = x509.load_pem_x509_certificate(certificate.encode())
        # Texts, since keys of one kind compare as objects do before cryptography 40 (Debian 12 has 38).
        same = _public_text(leaf) == _public_text(key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ServerCertificateInvalidError from error
    if not same:
        raise ServerCertificateKeyMismatchError
    parse_certificate(certificate, now, SERVER)
    if not _is_signed_with_sha_2(leaf):
        raise ServerCertificateSignatureNotSupportedError
    return (
        _key_text(key) + leaf.public_bytes(PEM) + b"".join(c.public_bytes(PEM) for c in _chain(leaf, chain))
    )


def _private_key(text: str) -> PrivateKeyTypes:
    """Return the key: RSA of 2048 to 4096 bits, or one on a NIST curve."""
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except UnsupportedAlgorithm as error:
        raise ServerCertificateKeyAlgorithmNotSupportedError("") from error
    except (ValueError, TypeError) as error:  # TypeError: it wants a password
        raise ServerCertificateKeyInvalidError from error
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size not in RSA_BITS:
            raise ServerCertificateKeyRsaLengthNotSupportedError(str(key.key_size))
    elif not isinstance(key, ec.EllipticCurvePrivateKey):
        oid = next((oid for kind, oid in _OIDS.items() if isinstance(key, kind)), "")
        raise ServerCertificateKeyAlgorithmNotSupportedError(oid)
    return key


def _key_text(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _chain(leaf: x509.Certificate, chain: str) -> list[x509.Certificate]:
    """Return the authorities above `leaf`, nearest first; each must be named as the issuer of the one before."""
    texts = [f"{BEGIN}{part}" for part in chain.split(BEGIN)[1:]]
    try:
        above = [x509.load_pem_x509_certificate(text.encode()) for text in texts]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ServerCertificateChainInvalidError from error
    follows = all(one.issuer == by.subject for one, by in zip((leaf, *above), above, strict=False))
    if not follows or (chain.strip() and not above):
        raise ServerCertificateChainInvalidError
    return above


def leaf_pem(text: str) -> str:
    """Return the first certificate in a file of key and certificates, PEM, "" where there is none."""
    _, begin, rest = text.partition(BEGIN)
    body, end, _ = rest.partition(END)
    return f"{begin}{body}{end}\n" if end else ""
