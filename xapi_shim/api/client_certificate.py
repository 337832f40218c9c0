"""pool.*: clients that prove by a certificate who they are, and need no password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import InvalidValueError
from xapi_shim.datamodel.model import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.api.toolstack import Call, Toolstack

    # What ssl.SSLObject.getpeercert tells.
    PeerCertificate = Mapping[str, object]


async def enable_client_certificate_auth(call: Call, self: str, name: str) -> None:
    """Let in, without a password, clients whose certificate is for `name` and of a trusted authority.

    It holds for connections from now on. Raises INVALID_VALUE [name; value].
    """
    if not name or not name.isprintable() or any(c.isspace() for c in name):
        raise InvalidValueError("name", name)
    call.db.update("pool", self, client_certificate_auth_enabled=True, client_certificate_auth_name=name)
    await call.tools.renew_tls()


async def disable_client_certificate_auth(call: Call, self: str) -> None:
    """Let nobody in by a certificate; connections that are open are asked for a password from now on."""
    call.db.update("pool", self, client_certificate_auth_enabled=False, client_certificate_auth_name="")
    await call.tools.renew_tls()


def is_known_client(tools: Toolstack, certificate: PeerCertificate | None) -> bool:
    """Say whether a certificate that TLS has verified is for the name that is let in."""
    db, pool = tools.db, tools.pool
    if not certificate or not db.flag("pool", pool, "client_certificate_auth_enabled"):
        return False
    wanted = db.text("pool", pool, "client_certificate_auth_name").lower()
    return wanted in {name.lower() for name in names(certificate)}


def names(certificate: PeerCertificate) -> list[str]:
    """Return whom a certificate is for: its DNS names, or where it has none its common names (RFC 6125)."""
    alternatives = certificate.get("subjectAltName", ())
    assert isinstance(alternatives, tuple)
    if dns := [value for kind, value in alternatives if kind == "DNS"]:
        return dns
    subject = certificate.get("subject", ())
    assert isinstance(subject, tuple)
    return [value for rdn in subject for key, value in rdn if key == "commonName"]


def open_session(tools: Toolstack, user: str, originator: str) -> str:
    """Return a new session of a client that its connection's certificate has let in."""
    session = tools.sessions.open(user, Role.CLIENT_CERT, originator=originator, host=tools.host, local=False)
    tools.db.set("session", session, "client_certificate", value=True)
    return session


MESSAGES = {
    "pool.enable_client_certificate_auth": enable_client_certificate_auth,
    "pool.disable_client_certificate_auth": disable_client_certificate_auth,
}
