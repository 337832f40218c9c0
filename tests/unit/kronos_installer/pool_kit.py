"""Daemons that answer XML-RPC over a unix socket or TLS from records, and join and leave pools as they are told."""

from __future__ import annotations

import http.server
import socketserver
import ssl
import threading
import xmlrpc.client
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from installer_kit import put

from kronos_installer.patience import Patience
from kronos_installer.remote_client import fingerprint_of
from kronos_installer.xenapi_client import XenApiFailureError
from xapi_shim import __version__
from xapi_shim.base.paths import Paths
from xapi_shim.host.self_signed import make_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kronos_installer.host import Host

MASTER = "192.0.2.10"
UUID = "99999999-9999-4999-8999-999999999999"
PASSWORD = "correct horse"
CONF, INVENTORY = "/etc/xensource/pool.conf", "/etc/xensource-inventory"
# What hosts of a pool are shown, and what clients are.
INNER = {"host_internal": ":".join(["1D"] * 32), "host": ":".join(["C1"] * 32)}
Reply = "Callable[[str, tuple[Any, ...]], Any]"


class Dropped(Exception):
    """The daemon goes away without an answer."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        params, method = xmlrpc.client.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            answer = {"Status": "Success", "Value": self.server.reply(str(method), params)}  # type: ignore[attr-defined]
        except XenApiFailureError as error:
            answer = {"Status": "Failure", "ErrorDescription": [error.code, *error.params]}
        except Dropped:
            self.close_connection = True
            return
        body = xmlrpc.client.dumps((answer,), methodresponse=True).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing: a unix socket's client has no address to say."""


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class _TlsServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *args: object) -> None:
        """Say nothing of clients that go away."""


@contextmanager
def _serving(server: socketserver.BaseServer, reply: Reply) -> Iterator[None]:
    server.reply = reply  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def local_daemon(host: Host, reply: Reply) -> Iterator[None]:
    """Serve at the host's unix socket."""
    where = host.at(str(Paths().unix_socket))
    where.parent.mkdir(parents=True, exist_ok=True)
    with _serving(_UnixServer(str(where), _Handler), reply):
        yield
    where.unlink()


@dataclass(frozen=True)
class Remote:
    """Where a master listens, and its certificate's fingerprint."""

    address: str
    port: int
    fingerprint: str


@contextmanager
def remote_daemon(folder: Path, reply: Reply) -> Iterator[Remote]:
    """Serve over TLS, with a certificate that signs itself."""
    pem = folder / "master.pem"
    pem.write_bytes(make_certificate("master", ["127.0.0.1"]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = _TlsServer(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    text = pem.read_text()
    der = ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :])
    with _serving(server, reply):
        yield Remote("127.0.0.1", server.server_address[1], fingerprint_of(der))


def host_record(uuid: str, name: str) -> dict[str, Any]:
    return {
        "uuid": uuid, "name_label": name, "address": MASTER, "enabled": True, "metrics": f"OpaqueRef:m-{name}",
        "external_auth_type": "", "cpu_info": {"vendor": "AuthenticAMD", "family": "25"},
        "software_version": {"product_brand": "Kronos", "xapi_build": __version__, "xen": "4.17.5", "network_backend": "bridge"},
    }  # fmt: skip


def pool_records(master: str, *names: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the records of a pool of these hosts; `joiner` is the host that is set up."""
    return {
        "pool": {"OpaqueRef:p": {"master": f"OpaqueRef:{master}", "ha_enabled": False, "tls_verification_enabled": False}},
        "host": {f"OpaqueRef:{name}": host_record(UUID if name == "joiner" else f"uuid-{name}", name) for name in names},
        "host_metrics": {f"OpaqueRef:m-{name}": {"live": True} for name in names},
        "PIF": {"OpaqueRef:f": {"host": f"OpaqueRef:{master}", "management": True, "VLAN": "-1",
                                "primary_address_type": "IPv4"}},
        "VM": {}, "SR": {}, "PBD": {},
        "Certificate": {f"OpaqueRef:{kind}-{name}": {"host": f"OpaqueRef:{name}", "type": kind, "fingerprint_sha256": INNER[kind]}
                        for name in names for kind in INNER},
    }  # fmt: skip


@dataclass
class Joiner:
    """The daemon of a host that joins and leaves; `fails` are the errors of messages, by their names.

    `after` are changes of the records that come about one by one, each between two looks. `drops` are messages that are
    obeyed, and never answered.
    """

    host: Host
    records: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: pool_records("joiner", "joiner")
    )
    fails: dict[str, list[str]] = field(default_factory=dict)
    drops: set[str] = field(default_factory=set)
    obeys: bool = True
    silent: bool = False
    after: list[Callable[[Joiner], None]] = field(default_factory=list)
    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def __call__(self, method: str, params: tuple[Any, ...]) -> Any:
        if method in ("session.login_with_password", "session.logout"):
            if self.silent:
                raise Dropped
            return "OpaqueRef:s"
        if method in self.fails:
            raise XenApiFailureError(method, self.fails[method])
        cls, _, what = method.partition(".")
        if what == "get_all_records":
            return deepcopy(self.records[cls])
        if method == "host.get_by_uuid":
            found = [ref for ref, one in self.records["host"].items() if one["uuid"] == params[1]]
            if not found:
                raise XenApiFailureError(method, ["UUID_INVALID", "host", params[1]])
            return found[0]
        self.calls.append((method, params[1:]))
        if self.obeys:
            conf = f"slave:{params[1]}" if method == "pool.join" else "master"
            put(self.host, CONF, conf)
        if method in self.drops:
            raise Dropped
        return ""

    def pause(self) -> None:
        """Let the next change come about."""
        if self.after:
            self.after.pop(0)(self)


def patience_of(daemon: Joiner, seconds: float = 60.0) -> Patience:
    """Return a patience whose clock goes ten seconds further with each look."""
    ticks = iter(range(0, 10_000, 10))
    return Patience(seconds, lambda: float(next(ticks)), daemon.pause)


def becomes(records: dict[str, Any]) -> Callable[[Joiner], None]:
    def change(daemon: Joiner) -> None:
        daemon.silent, daemon.records = False, records

    return change


def falls_silent(daemon: Joiner) -> None:
    daemon.silent = True


def with_field(records: dict[str, Any], cls: str, ref: str, **values: object) -> dict[str, Any]:
    """Return the records with a record's fields changed."""
    changed = deepcopy(records)
    changed[cls][ref] |= values
    return changed


def master_of(
    records: dict[str, Any],
    fails: dict[str, list[str]] | None = None,
    clock: Callable[[], datetime] | None = None,
) -> Reply:
    """Return what a pool's master replies over TLS."""

    def reply(method: str, params: tuple[Any, ...]) -> Any:
        if fails and method in fails:
            raise XenApiFailureError(method, fails[method])
        if method == "session.login_with_password":
            if params[:2] != ("root", PASSWORD):
                raise XenApiFailureError(method, ["SESSION_AUTHENTICATION_FAILED", params[0], "no"])
            return "OpaqueRef:s"
        if method == "host.get_servertime":
            now = clock() if clock else datetime.now(UTC)
            return xmlrpc.client.DateTime(now.strftime("%Y%m%dT%H:%M:%SZ"))
        return "" if method == "session.logout" else records[method.partition(".")[0]]

    return reply


def put_password(
    host: Host, path: str = "/root/pool", text: str = f"{PASSWORD}\n", mode: int = 0o600
) -> None:
    put(host, path, text)
    host.at(path).chmod(mode)
