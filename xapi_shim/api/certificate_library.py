"""pool.* and host.*: the authorities that the pool trusts, and the lists of what they revoked.

What is for the pool and what is for the host act on the same files, those of the host that does it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509

from xapi_shim.api.certificate_records import add_record, library_errors, now, of_type
from xapi_shim.api.certificate_rules import AUTHORITY, TRUSTED, facts, parse_certificate
from xapi_shim.api.other_hosts import check_all_live, check_alone
from xapi_shim.base.atomic_file import write_atomic
from xapi_shim.datamodel.errors import (
    CertificateAlreadyExistsError,
    CertificateCorruptError,
    CertificateDoesNotExistError,
    CertificateLacksPurposeError,
    CertificateNameInvalidError,
    CrlAlreadyExistsError,
    CrlCorruptError,
    CrlDoesNotExistError,
    CrlNameInvalidError,
    NotTrustedCertificateError,
    TrustedCertificateAlreadyExistsError,
    XenAPIError,
)
from xapi_shim.host.trust_store import NameInvalidError, NameTakenError, NameUnknownError, TrustStore

if TYPE_CHECKING:
    from pathlib import Path

    from xapi_shim.api.toolstack import Call, Toolstack

log = logging.getLogger(__name__)

GENERAL = "general"


class _Errors(NamedTuple):
    name_invalid: type[XenAPIError]
    exists: type[XenAPIError]
    unknown: type[XenAPIError]


_CERTIFICATE = _Errors(
    CertificateNameInvalidError, CertificateAlreadyExistsError, CertificateDoesNotExistError
)
_CRL = _Errors(CrlNameInvalidError, CrlAlreadyExistsError, CrlDoesNotExistError)


def _authorities(tools: Toolstack) -> TrustStore:
    return TrustStore(tools.paths.trusted_certificates)


def _revocations(tools: Toolstack) -> TrustStore:
    return TrustStore(tools.paths.revocation_lists)


def _check_free(store: TrustStore, name: str, errors: _Errors) -> None:
    try:
        store.check_free(name)
    except NameInvalidError as error:
        raise errors.name_invalid(name) from error
    except NameTakenError as error:
        raise errors.exists(name) from error


def _remove(store: TrustStore, name: str, errors: _Errors, *, force: bool = False) -> None:
    try:
        with library_errors():
            store.remove(name)
    except NameInvalidError as error:
        raise errors.name_invalid(name) from error
    except NameUnknownError as error:
        if not force:
            raise errors.unknown(name) from error
        log.info("there is no %s to remove, which was to be so", name)


async def _trust(tools: Toolstack) -> None:
    """Write the bundle anew; the doors, which check clients with it, take it at once."""
    with library_errors():
        write_atomic(tools.paths.trusted_bundle, _authorities(tools).bundle().encode())
    await tools.renew_tls()


async def _install(tools: Toolstack, name: str, pem: str) -> x509.Certificate:
    store = _authorities(tools)
    _check_free(store, name, _CERTIFICATE)
    certificate = parse_certificate(pem, now(), AUTHORITY)
    with library_errors():
        store.add(name, pem)
    try:
        await _trust(tools)
    except XenAPIError:
        store.remove(name)
        raise
    return certificate


async def install_ca_certificate(call: Call, name: str, cert: str) -> None:
    """Trust an authority. `cert` is PEM.

    Raises CERTIFICATE_NAME_INVALID and CERTIFICATE_ALREADY_EXISTS [name], CA_CERTIFICATE_INVALID [],
    CA_CERTIFICATE_NOT_VALID_YET and _EXPIRED [now; date], CERTIFICATE_LIBRARY_CORRUPT [].
    """
    check_all_live(call)
    certificate = await _install(call.tools, name, cert)
    await call.perform_elsewhere("host.install_ca_certificate", name, cert)
    with call.db.transaction():
        _forget_record(call, name)
        add_record(call.db, certificate, "ca", name=name)


async def uninstall_ca_certificate(call: Call, name: str, force: bool) -> None:  # noqa: FBT001
    """Trust an authority no more.

    Raises CERTIFICATE_NAME_INVALID [name], CERTIFICATE_DOES_NOT_EXIST [name] unless forced.
    """
    check_all_live(call)
    _remove(_authorities(call.tools), name, _CERTIFICATE, force=force)
    await _trust(call.tools)
    await call.perform_elsewhere("host.uninstall_ca_certificate", name, force)
    with call.db.transaction():
        _forget_record(call, name)


def _forget_record(call: Call, name: str) -> None:
    for ref in of_type(call.db, "ca"):
        if call.db.text("Certificate", ref, "name") == name:
            call.db.destroy("Certificate", ref)


async def certificate_uninstall(call: Call, name: str) -> None:
    await uninstall_ca_certificate(call, name, force=False)


async def certificate_list(call: Call) -> list[str]:
    with library_errors():
        return _authorities(call.tools).names()


async def host_install_ca_certificate(call: Call, host: str, name: str, cert: str) -> None:  # noqa: ARG001
    await _install(call.tools, name, cert)


async def host_uninstall_ca_certificate(call: Call, host: str, name: str, force: bool) -> None:  # noqa: ARG001, FBT001
    _remove(_authorities(call.tools), name, _CERTIFICATE, force=force)
    await _trust(call.tools)


async def host_certificate_list(call: Call, host: str) -> list[str]:  # noqa: ARG001
    return await certificate_list(call)


async def crl_install(call: Call, name: str, cert: str) -> None:
    """Take an authority's list of revoked certificates, PEM.

    Raises CRL_NAME_INVALID, CRL_ALREADY_EXISTS and CRL_CORRUPT [name].
    """
    check_all_live(call)
    store = _revocations(call.tools)
    _check_free(store, name, _CRL)
    try:
        x509.load_pem_x509_crl(cert.encode())
    except ValueError as error:
        raise CrlCorruptError(name) from error
    with library_errors():
        store.add(name, cert)
    await call.tools.renew_tls()
    await call.perform_elsewhere("host.crl_install", name, cert)


async def crl_uninstall(call: Call, name: str) -> None:
    """Forget a list. Raises CRL_NAME_INVALID, CRL_DOES_NOT_EXIST [name]."""
    check_all_live(call)
    _remove(_revocations(call.tools), name, _CRL)
    await call.tools.renew_tls()
    await call.perform_elsewhere("host.crl_uninstall", name)


async def crl_list(call: Call) -> list[str]:
    with library_errors():
        return _revocations(call.tools).names()


async def host_crl_install(call: Call, host: str, name: str, crl: str) -> None:  # noqa: ARG001
    await crl_install(call, name, crl)


async def host_crl_uninstall(call: Call, host: str, name: str) -> None:  # noqa: ARG001
    await crl_uninstall(call, name)


async def host_crl_list(call: Call, host: str) -> list[str]:  # noqa: ARG001
    return await crl_list(call)


async def certificate_sync(call: Call) -> None:
    """Make the bundle anew from the trusted authorities. Raises CERTIFICATE_CORRUPT [name]."""
    store = _authorities(call.tools)
    with library_errors():
        for name in store.names():
            try:
                x509.load_pem_x509_certificate(store.read(name).encode())
            except ValueError as error:
                raise CertificateCorruptError(name) from error
    await _trust(call.tools)
    await call.perform_elsewhere("host.certificate_sync")


async def host_certificate_sync(call: Call, host: str) -> None:  # noqa: ARG001
    await certificate_sync(call)


def _purpose_folders(tools: Toolstack, purposes: list[str]) -> list[Path]:
    root = tools.paths.trusted_for_purposes
    return [root / purpose for purpose in purposes or [GENERAL]]


async def install_trusted_certificate(
    call: Call,
    self: str,  # noqa: ARG001
    ca: bool,  # noqa: FBT001
    cert: str,
    purpose: list[str],
) -> None:
    """Trust a certificate: an authority's, or with `ca` false a server's own, for the purposes.

    Raises TRUSTED_CERTIFICATE_INVALID [], _NOT_VALID_YET and _EXPIRED [now; date],
    _ALREADY_EXISTS [fingerprint], CERTIFICATE_LACKS_PURPOSE [] for a server's own without any.
    """
    check_alone(call)
    if not ca and not purpose:
        raise CertificateLacksPurposeError
    certificate = parse_certificate(cert, now(), TRUSTED)
    kind, fingerprint = "ca" if ca else "pinned", facts(certificate).fingerprint_sha256
    db = call.db
    for ref in (ref for ref in of_type(db, kind) if not db.text("Certificate", ref, "name")):
        if db.text("Certificate", ref, "fingerprint_sha256") == fingerprint:
            raise TrustedCertificateAlreadyExistsError(fingerprint)
    with db.transaction():
        ref = add_record(db, certificate, kind, purpose=tuple(dict.fromkeys(purpose)))
        name = f"{db.text('Certificate', ref, 'uuid')}.pem"
        with library_errors():
            for folder in _purpose_folders(call.tools, purpose):
                TrustStore(folder).add(name, cert)


async def uninstall_trusted_certificate(call: Call, self: str, certificate: str) -> None:  # noqa: ARG001
    """Trust a certificate no more. Raises NOT_TRUSTED_CERTIFICATE [ref] for one of another kind."""
    check_alone(call)
    db = call.db
    if db.text("Certificate", certificate, "type") not in ("ca", "pinned"):
        raise NotTrustedCertificateError(certificate)
    if db.text("Certificate", certificate, "name"):
        raise NotTrustedCertificateError(certificate)
    name = f"{db.text('Certificate', certificate, 'uuid')}.pem"
    for folder in _purpose_folders(call.tools, db.items("Certificate", certificate, "purpose")):
        _remove(TrustStore(folder), name, _CERTIFICATE, force=True)
    db.destroy("Certificate", certificate)


MESSAGES = {
    "pool.install_ca_certificate": install_ca_certificate,
    "pool.uninstall_ca_certificate": uninstall_ca_certificate,
    "pool.certificate_install": install_ca_certificate,
    "pool.certificate_uninstall": certificate_uninstall,
    "pool.certificate_list": certificate_list,
    "pool.certificate_sync": certificate_sync,
    "pool.crl_install": crl_install,
    "pool.crl_uninstall": crl_uninstall,
    "pool.crl_list": crl_list,
    "pool.install_trusted_certificate": install_trusted_certificate,
    "pool.uninstall_trusted_certificate": uninstall_trusted_certificate,
    "host.install_ca_certificate": host_install_ca_certificate,
    "host.uninstall_ca_certificate": host_uninstall_ca_certificate,
    "host.certificate_list": host_certificate_list,
    "host.certificate_sync": host_certificate_sync,
    "host.crl_install": host_crl_install,
    "host.crl_uninstall": host_crl_uninstall,
    "host.crl_list": host_crl_list,
}
