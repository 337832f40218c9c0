"""Certificates that the host makes for itself: key and certificate in one PEM file."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from xapi_shim.base.atomic_file import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# As long as the reference's self-signed certificates last.
LIFETIME = timedelta(days=3650)
MAX_COMMON_NAME = 64


def ensure_certificate(path: Path, hostname: str, addresses: Iterable[str]) -> bool:
    """Make a self-signed certificate at `path` (mode 0600) unless there is one; say whether it was made.

    Raises OSError.
    """
    if path.exists():
        return False
    replace_certificate(path, make_certificate(hostname, addresses))
    return True


def replace_certificate(path: Path, pem: bytes) -> None:
    """Put key and certificates, PEM, at `path`, readable by root only. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, pem, mode=0o600)


def make_certificate(hostname: str, addresses: Iterable[str]) -> bytes:
    """Return key and certificate, PEM, for a host's name and its IP addresses (RFC 5280)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:MAX_COMMON_NAME] or "localhost")])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName(hostname or "localhost")]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses if address]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
