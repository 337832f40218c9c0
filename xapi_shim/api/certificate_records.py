"""Certificate records: what is told of the certificates that this host shows and trusts."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509

from xapi_shim.api.certificate_rules import facts, leaf_pem
from xapi_shim.api.own_host import is_master
from xapi_shim.datamodel.errors import CertificateLibraryCorruptError, InternalErrorError
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.host.self_signed import ensure_certificate, make_certificate, replace_certificate
from xapi_shim.host.trust_store import TrustStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xapi_shim.api.toolstack import Toolstack
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value

log = logging.getLogger(__name__)

# Which of the host's own certificates a record is of.
HOST, INTERNAL = "host", "host_internal"


@contextmanager
def library_errors() -> Iterator[None]:
    """Turn a file system's refusal into CERTIFICATE_LIBRARY_CORRUPT []."""
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        log.error("the certificates cannot be read or written: %s", error)
        raise CertificateLibraryCorruptError from error


def of_type(db: Database, kind: str) -> list[str]:
    """Return the refs of the certificates of a type, oldest first."""
    return [ref for ref in db.refs("Certificate") if db.text("Certificate", ref, "type") == kind]


def add_record(
    db: Database, certificate: x509.Certificate, kind: str, *, name: str = "", host: str = NULL_REF,
    purpose: tuple[str, ...] = (), uuid: str = "",
) -> str:  # fmt: skip
    told = facts(certificate)
    values: dict[str, Value] = {
        "uuid": uuid,
        "name": name,
        "type": kind,
        "host": host,
        "not_before": told.not_before,
        "not_after": told.not_after,
        "fingerprint": told.fingerprint_sha256,
        "fingerprint_sha256": told.fingerprint_sha256,
        "fingerprint_sha1": told.fingerprint_sha1,
        "purpose": list(purpose),
    }
    return db.create("Certificate", values)


def record_own(tools: Toolstack, kind: str, path: Path) -> None:
    """Make the record of one of the host's own certificates true to its file.

    Raises INTERNAL_ERROR where the file cannot be read.
    """
    try:
        certificate = x509.load_pem_x509_certificate(leaf_pem(path.read_text()).encode())
    except (OSError, ValueError) as error:
        raise InternalErrorError(f"cannot read the certificate {path}: {error}") from error
    db = tools.db
    fingerprint = facts(certificate).fingerprint_sha256
    mine = [ref for ref in of_type(db, kind) if db.text("Certificate", ref, "host") == tools.host]
    if [db.text("Certificate", ref, "fingerprint_sha256") for ref in mine] == [fingerprint]:
        return
    with db.transaction():
        for ref in mine:
            db.destroy("Certificate", ref)
        add_record(db, certificate, kind, host=tools.host)


def own_file(tools: Toolstack, kind: str) -> Path:
    return tools.paths.server_certificate if kind == HOST else tools.paths.pool_certificate


def _names(tools: Toolstack) -> tuple[str, list[str]]:
    return tools.db.text("host", tools.host, "hostname"), [tools.db.text("host", tools.host, "address")]


async def renew_own(tools: Toolstack, kind: str) -> None:
    """Make one of the host's own certificates anew, self-signed; connections from now on are shown it."""
    with library_errors():
        replace_certificate(own_file(tools, kind), make_certificate(*_names(tools)))
    record_own(tools, kind, own_file(tools, kind))
    await tools.renew_tls()


def settle_own(tools: Toolstack) -> None:
    """At start-up: make the host's own certificates where they are missing, and their records true.

    Raises OSError, INTERNAL_ERROR.
    """
    for kind in (HOST, INTERNAL):
        ensure_certificate(own_file(tools, kind), *_names(tools))
        record_own(tools, kind, own_file(tools, kind))


def settle_trusted(tools: Toolstack) -> None:
    """At start-up: make the records of trusted authorities true to the master's files. Raises OSError.

    They are the pool's: what only a member trusts is not.
    """
    if not is_master(tools):
        return
    db, store = tools.db, TrustStore(tools.paths.trusted_certificates)
    known = {db.text("Certificate", ref, "name"): ref for ref in of_type(db, "ca")}
    with db.transaction():
        for name in store.names():
            if name in known:
                continue
            try:
                certificate = x509.load_pem_x509_certificate(store.read(name).encode())
            except (ValueError, UnicodeDecodeError) as error:
                log.warning("%s is no certificate: %s", name, error)
                continue
            add_record(db, certificate, "ca", name=name)


def now() -> datetime:
    """Return this moment, to the second as dates are told."""
    return datetime.now(UTC).replace(microsecond=0)
