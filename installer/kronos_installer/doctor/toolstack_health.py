"""What the daemon says of itself: host, default storage repository, what is plugged; and the pool's master."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kronos_installer.doctor.answer import error, warning
from xapi_shim.base.errors import KronosError
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from kronos_installer.host_files import HostFiles
    from kronos_installer.problem import Problem
    from kronos_installer.xenapi_client import Session

POOL_CONF = str(Paths().pool_conf)
_HTTPS = 443
_TIMEOUT_S = 5.0
_FULL_PERCENT = 95
_CLASSES = ("pool", "host", "SR", "PBD")

Records = dict[str, dict[str, Any]]
"""XenAPI records by reference."""


@dataclass(frozen=True)
class ToolstackReading:
    """`records` are the daemon's by class, `error` why there are none. `master` is another host's address, if it has one.

    `master_error` is why that host does not answer.
    """

    records: dict[str, Records] = field(default_factory=dict)
    error: str = ""
    role: str = "master"
    master: str = ""
    master_error: str = ""


def reach(address: str) -> str:
    """Return why a host's HTTPS port cannot be connected to, "" where it can."""
    try:
        socket.create_connection((address, _HTTPS), _TIMEOUT_S).close()
    except OSError as caught:
        return str(caught)
    return ""


def read_toolstack(
    files: HostFiles,
    login: Callable[[], AbstractContextManager[Session]],
    try_to_reach: Callable[[str], str] = reach,
) -> ToolstackReading:
    """Read it, over the unix socket and pool.conf (`master`, or `slave:ADDRESS`)."""
    role, _, master = files.read(POOL_CONF).strip().partition(":")
    master_error = try_to_reach(master) if role == "slave" else ""
    try:
        with login() as session:
            records = {name: _records(session.call(f"{name}.get_all_records")) for name in _CLASSES}
    except KronosError as caught:
        return ToolstackReading({}, str(caught), role, master, master_error)
    return ToolstackReading(records, "", role, master, master_error)


def _records(found: object) -> Records:
    if not isinstance(found, dict):
        return {}
    return {str(ref): record for ref, record in found.items() if isinstance(record, dict)}


def toolstack_findings(reading: ToolstackReading, *, running: bool) -> Iterator[Problem]:
    """Yield what is wrong. A daemon that does not run is told of with the units."""
    if reading.role not in ("master", "slave") or (reading.role == "slave" and not reading.master):
        yield error("pool-conf", "pool.conf says neither master nor slave", f"{POOL_CONF}:1",
                    "write 'master' for a pool of its own")  # fmt: skip
    if reading.master_error:
        yield error("pool-master-silent", f"the pool's master {reading.master} does not answer: {reading.master_error}",
                    f"{POOL_CONF}:1", "see to the master and the network between")  # fmt: skip
    if reading.error and running:
        yield error("daemon-silent", "the toolstack's daemon does not answer", reading.error,
                    "journalctl -u xapi.service -b tells why")  # fmt: skip
    if not reading.error:
        yield from _hosts(reading)
        yield from _storage(reading)


def _hosts(reading: ToolstackReading) -> Iterator[Problem]:
    for record in reading.records.get("host", {}).values():
        if record.get("enabled") is False:
            yield warning("host-disabled", f"{_label(record)} takes no guests", "xe host-list params=enabled",
                          f"xe host-enable uuid={record.get('uuid', '')}")  # fmt: skip


def _storage(reading: ToolstackReading) -> Iterator[Problem]:
    repositories = reading.records.get("SR", {})
    for record in reading.records.get("PBD", {}).values():
        if record.get("currently_attached") is False:
            name = _label(repositories.get(str(record.get("SR")), {}))
            yield error("sr-not-attached", f"the storage repository {name} is not plugged", "xe pbd-list",
                        f"xe pbd-plug uuid={record.get('uuid', '')}")  # fmt: skip
    for pool in reading.records.get("pool", {}).values():
        if pool.get("default_SR") not in repositories:
            yield warning("sr-no-default", "the pool has no default storage repository", "xe pool-list params=default-SR",
                          "xe pool-param-set uuid=... default-SR=...")  # fmt: skip
    for record in repositories.values():
        size, used = _number(record.get("physical_size")), _number(record.get("physical_utilisation"))
        if record.get("content_type") != "iso" and size > 0 and used * 100 >= size * _FULL_PERCENT:
            yield warning("sr-full", f"the storage repository {_label(record)} is {used * 100 // size} % full",
                          "xe sr-list params=physical-utilisation", "remove disks, or make it larger")  # fmt: skip


def _label(record: dict[str, Any]) -> str:
    return str(record.get("name_label") or record.get("uuid") or "that is not known")


def _number(found: object) -> int:
    """Read a XenAPI int: a text on the wire."""
    text = str(found)
    return int(text) if text.isascii() and text.isdigit() else 0
