"""host.* and pool.*: the certificates that this host shows, and whether it verifies those of others."""

from __future__ import annotations

import asyncio
import ssl
from html import escape
from typing import TYPE_CHECKING

from xapi_shim.api.certificate_records import HOST, INTERNAL, library_errors, now, record_own, renew_own
from xapi_shim.api.certificate_rules import leaf_pem, server_pem
from xapi_shim.api.other_hosts import check_alone
from xapi_shim.api.own_host import is_master
from xapi_shim.api.pool_operations import CERT_REFRESH, TLS_VERIFICATION_ENABLE, pool_operation
from xapi_shim.base.atomic_file import fsync_directory, write_atomic
from xapi_shim.datamodel.alerts import ALERTS
from xapi_shim.datamodel.errors import (
    InternalErrorError,
    InvalidValueError,
    SslVerifyErrorError,
    TlsConnectionFailedError,
    TlsVerificationNotEnabledInPoolError,
    WlbTimeoutError,
)
from xapi_shim.host.self_signed import replace_certificate
from xapi_shim.host.tls import client_context

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack

POST_TIMEOUT_S = 30.0
MAX_ANSWER = 1 << 20
EMERGENCY_ALERT = "TLS_VERIFICATION_EMERGENCY_DISABLED"


async def install_server_certificate(
    call: Call, host: str, certificate: str, private_key: str, certificate_chain: str  # noqa: ARG001
) -> None:  # fmt: skip
    """Show another certificate from now on. All are PEM, the key unencrypted PKCS #8 or PKCS #1.

    Raises the errors of `certificate_rules.server_pem`, CERTIFICATE_LIBRARY_CORRUPT [].
    """
    tools = call.tools
    pem = server_pem(certificate, private_key, certificate_chain, now())
    with library_errors():
        replace_certificate(tools.paths.server_certificate, pem)
    record_own(tools, HOST, tools.paths.server_certificate)
    await tools.renew_tls()


async def reset_server_certificate(call: Call, host: str) -> None:  # noqa: ARG001
    """Show a new self-signed certificate. Raises CERTIFICATE_LIBRARY_CORRUPT []."""
    await renew_own(call.tools, HOST)


async def emergency_reset_server_certificate(call: Call) -> None:
    await renew_own(call.tools, HOST)


async def refresh_server_certificate(call: Call, host: str) -> None:  # noqa: ARG001
    """Make the certificate for the pool's other hosts anew.

    Raises CERTIFICATE_LIBRARY_CORRUPT [], CANNOT_CONTACT_HOST [host] in a pool of more hosts than this one, and what
    pool_operation does.
    """
    with pool_operation(call, CERT_REFRESH):
        await renew_own(call.tools, INTERNAL)


async def get_server_certificate(call: Call, host: str) -> str:  # noqa: ARG001
    """Return the HTTPS server's certificate, PEM, without its key and chain. Raises INTERNAL_ERROR."""
    try:
        return leaf_pem(call.tools.paths.server_certificate.read_text())
    except OSError as error:
        raise InternalErrorError(f"cannot read the certificate: {error.strerror}") from error


def _set_verifies(tools: Toolstack, *, on: bool) -> None:
    path = tools.paths.verify_certificates
    with library_errors():
        if on:
            write_atomic(path, b"", mode=0o600)
        else:
            path.unlink(missing_ok=True)
            fsync_directory(path.parent)
    tools.db.set("host", tools.host, "tls_verification_enabled", on)


async def enable_tls_verification(call: Call) -> None:
    """Verify certificates from now on; there is no way back but the emergency one.

    Raises CERTIFICATE_LIBRARY_CORRUPT [], CANNOT_CONTACT_HOST [host] in a pool of more hosts than this one, and what
    pool_operation does.
    """
    check_alone(call)
    with pool_operation(call, TLS_VERIFICATION_ENABLE):
        _set_verifies(call.tools, on=True)
        call.db.set("pool", call.tools.pool, "tls_verification_enabled", value=True)


async def emergency_disable_tls_verification(call: Call) -> None:
    """Stop verifying, on this host only, and alert people of it."""
    _set_verifies(call.tools, on=False)
    alert_if_not_verifying(call.tools)


async def emergency_reenable_tls_verification(call: Call) -> None:
    """Verify again. Raises TLS_VERIFICATION_NOT_ENABLED_IN_POOL []."""
    if not call.db.flag("pool", call.tools.pool, "tls_verification_enabled"):
        raise TlsVerificationNotEnabledInPoolError
    _set_verifies(call.tools, on=True)


def alert_if_not_verifying(tools: Toolstack) -> None:
    """Tell people, once a host, which hosts do not verify although the pool is to.

    The master does it for the whole pool, by the hosts' records: messages for people are kept there.
    """
    db = tools.db
    if not is_master(tools) or not db.flag("pool", tools.pool, "tls_verification_enabled"):
        return
    told = {one["obj_uuid"] for one in tools.messages.all().values() if one["name"] == EMERGENCY_ALERT}
    for host in db.refs("host"):
        uuid, label = db.text("host", host, "uuid"), db.text("host", host, "name_label")
        if not db.flag("host", host, "tls_verification_enabled") and uuid not in told:
            body = f"<body><host>{escape(label)}</host></body>"
            tools.messages.add(EMERGENCY_ALERT, ALERTS[EMERGENCY_ALERT], "Host", uuid, body)


async def send_test_post(call: Call, host: str, port: int, body: str) -> str:
    """Send `body` by HTTPS as the host calls others, and return the whole answer, headers too.

    Raises INVALID_VALUE, SSL_VERIFY_ERROR [reason], TLS_CONNECTION_FAILED [host; port], WLB_TIMEOUT [seconds].
    """
    if not 0 < port < 1 << 16:
        raise InvalidValueError("port", str(port))
    if not host or any(c.isspace() or not c.isprintable() for c in host):
        raise InvalidValueError("host", host)
    try:
        async with asyncio.timeout(POST_TIMEOUT_S):
            return await _post(client_context(call.tools.paths), host, port, body)
    except TimeoutError as error:
        raise WlbTimeoutError(f"{POST_TIMEOUT_S}") from error
    except ssl.SSLCertVerificationError as error:
        raise SslVerifyErrorError(error.verify_message) from error
    except (OSError, ValueError) as error:  # ValueError: a name that is none to the resolver
        raise TlsConnectionFailedError(host, str(port)) from error


async def _post(context: ssl.SSLContext, host: str, port: int, body: str) -> str:
    reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    try:
        data = body.encode()
        head = f"POST / HTTP/1.0\r\nHost: {host}\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + data)
        await writer.drain()
        answer = bytearray()
        while len(answer) < MAX_ANSWER and (part := await reader.read(1 << 16)):
            answer += part
        return answer.decode(errors="replace")
    finally:
        writer.close()


MESSAGES = {
    "host.install_server_certificate": install_server_certificate,
    "host.reset_server_certificate": reset_server_certificate,
    "host.emergency_reset_server_certificate": emergency_reset_server_certificate,
    "host.refresh_server_certificate": refresh_server_certificate,
    "host.get_server_certificate": get_server_certificate,
    "host.emergency_disable_tls_verification": emergency_disable_tls_verification,
    "host.emergency_reenable_tls_verification": emergency_reenable_tls_verification,
    "pool.enable_tls_verification": enable_tls_verification,
    "pool.send_test_post": send_test_post,
}
