"""TLS of the host's own: what its door shows and asks of clients, and whom it believes when it calls others."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from xapi_shim.host.trust_store import TrustStore

if TYPE_CHECKING:
    from xapi_shim.base.paths import Paths

# Hosts of a pool ask for each other by this name, and are shown the pool's own certificate.
POOL_NAME = "pool"


def server_context(paths: Paths, *, ask_clients: bool = False) -> ssl.SSLContext:
    """Return a TLS 1.2+ server context over the host's certificate.

    A client that asks for the name `pool` (RFC 6066) is shown the pool's certificate, where there is
    one. With `ask_clients` a client may show a certificate, which a trusted authority has signed.
    Raises OSError, ssl.SSLError.
    """
    context = _shown(paths, ask_clients=ask_clients)
    context.load_cert_chain(paths.server_certificate)
    if paths.pool_certificate.exists():
        inner = _shown(paths, ask_clients=ask_clients)
        inner.load_cert_chain(paths.pool_certificate)

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            if name == POOL_NAME:
                connection.context = inner

        context.sni_callback = choose
    return context


def _shown(paths: Paths, *, ask_clients: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ask_clients:
        _believe(context, paths)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def client_context(paths: Paths) -> ssl.SSLContext:
    """Return the context of calls to others: verified by the trusted authorities, or not at all.

    Raises OSError, ssl.SSLError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if paths.verify_certificates.exists():
        _believe(context, paths)
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _believe(context: ssl.SSLContext, paths: Paths) -> None:
    """Believe the trusted authorities; once there are lists of revoked certificates, only with one that is current."""
    if authorities := TrustStore(paths.trusted_certificates).bundle():
        context.load_verify_locations(cadata=authorities)
    store = TrustStore(paths.revocation_lists)
    for name in store.names():
        context.load_verify_locations(cafile=paths.revocation_lists / name)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
