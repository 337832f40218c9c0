"""The storage repositories of this host, as the daemon records them and as its mounts and their servers are."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kronos_installer.detect.mounts import read_mounts
from kronos_installer.doctor.answer import error, warning
from kronos_installer.server_name import read_server
from kronos_installer.time_limit import within
from xapi_shim.base.iscsi_names import ISCSI_PORT
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kronos_installer.host_files import HostFiles
    from kronos_installer.problem import Problem

Record = dict[str, Any]
Records = dict[str, dict[str, Record]]
"""XenAPI records by class and reference."""

_SR_MOUNTS = str(Paths().sr_mounts)
# RFC 7530, 3.1.
_NFS_PORT = 2049
_FULL_PERCENT = 95
_TIMEOUT_S = 5.0
# With the look-up of its name, and all of its addresses.
_REACH_S = 20.0


@dataclass(frozen=True)
class Server:
    """Who holds a storage repository: a name or an address, and the TCP port."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True)
class StorageReading:
    """`silent` are the servers that do not answer, and why. `mounted` are mount points; None where they are not known."""

    silent: Mapping[Server, str]
    mounted: frozenset[str] | None


def reach_port(name: str, port: int) -> str:
    """Return why a TCP port of a host cannot be connected to, "" where it can."""
    try:
        within(_REACH_S, lambda: socket.create_connection((name, port), _TIMEOUT_S).close())
    except (OSError, ValueError) as caught:
        return str(caught)
    return ""


def server_of(kind: str, config: object) -> Server | None:
    """Return whom a PBD's device_config names, None for storage of this host and for what cannot be told."""
    told = {str(key): str(value) for key, value in config.items()} if isinstance(config, dict) else {}
    location = told.get("location", "")
    if kind == "nfs":
        found, port = told.get("server", ""), _NFS_PORT
    elif kind == "iso" and ":/" in location and not location.startswith("/"):
        found, port = (
            location.rpartition(":/")[0] if location.startswith("[") else location.partition(":/")[0],
            _NFS_PORT,
        )
    elif kind == "lvmoiscsi":
        said = told.get("port", "")
        found, port = told.get("target", ""), int(said) if said.isascii() and said.isdigit() else ISCSI_PORT
    else:
        return None
    # As a field of its own an IPv6 address stands without brackets.
    name = read_server(f"[{found}]" if found.count(":") > 1 and not found.startswith("[") else found)
    # Who chose another port, or another protocol than TCP, is not asked.
    return (
        None
        if name is None or "port=" in told.get("options", "") or "proto=" in told.get("options", "")
        else Server(name, port)
    )


def read_storage(
    files: HostFiles, records: Records, own: str, try_server: Callable[[str, int], str] = reach_port
) -> StorageReading:
    """Try each server of the storage of the host with the reference `own`, once."""
    repositories = records.get("SR", {})
    found = {server_of(str(repositories.get(str(pbd.get("SR")), {}).get("type")), pbd.get("device_config"))
             for pbd in _own_pbds(records, own)}  # fmt: skip
    servers = sorted((server for server in found if server), key=str)
    silent = {server: why for server in servers if (why := try_server(server.name, server.port))}
    mounts = read_mounts(files)
    return StorageReading(silent, frozenset(mount.point for mount in mounts) if mounts else None)


def storage_findings(records: Records, own: str, reading: StorageReading) -> Iterator[Problem]:
    """Yield what is wrong with the storage of the host with the reference `own`, and the pool's default."""
    repositories = records.get("SR", {})
    plugged = []
    for pbd in _own_pbds(records, own):
        record = repositories.get(str(pbd.get("SR")), {})
        server = server_of(str(record.get("type")), pbd.get("device_config"))
        if server is not None and server in reading.silent:
            yield error("sr-server-silent", f"the server of the storage repository {label(record)} does not answer: "
                        f"{reading.silent[server]}", str(server), "see to the server and the network between; guests go on "
                        "when it is back")  # fmt: skip
        if pbd.get("currently_attached") is False:
            yield error("sr-not-attached", f"the storage repository {label(record)} is not plugged", "xe pbd-list",
                        f"xe pbd-plug uuid={pbd.get('uuid', '')}")  # fmt: skip
        else:
            plugged.append((pbd, record))
    for pbd, record in plugged:
        yield from _mount(pbd, record, reading)
        yield from _room(record)
    yield from _default(records, own)


def _own_pbds(records: Records, own: str) -> list[Record]:
    return [pbd for pbd in records.get("PBD", {}).values() if own and pbd.get("host") == own]


def _mount(pbd: Record, record: Record, reading: StorageReading) -> Iterator[Problem]:
    kind, uuid = record.get("type"), str(record.get("uuid", ""))
    by_server = kind in ("nfs", "iso") and server_of(str(kind), pbd.get("device_config"))
    point = f"{_SR_MOUNTS}/{uuid}"
    if by_server and uuid and reading.mounted is not None and point not in reading.mounted:
        pbd_uuid = pbd.get("uuid", "")
        yield error("sr-not-mounted", f"the storage repository {label(record)} is plugged, but not mounted", point,
                    f"xe pbd-unplug uuid={pbd_uuid} && xe pbd-plug uuid={pbd_uuid}, without guests that use it")  # fmt: skip


def _room(record: Record) -> Iterator[Problem]:
    size, used = _number(record.get("physical_size")), _number(record.get("physical_utilisation"))
    if record.get("content_type") != "iso" and size > 0 and used * 100 >= size * _FULL_PERCENT:
        yield warning("sr-full", f"the storage repository {label(record)} is {used * 100 // size} % full",
                      "xe sr-list params=physical-utilisation", "remove disks, or make it larger")  # fmt: skip


def _default(records: Records, own: str) -> Iterator[Problem]:
    repositories = records.get("SR", {})
    for pool in records.get("pool", {}).values():
        uuid, default = pool.get("uuid", ""), str(pool.get("default_SR"))
        if default not in repositories:
            yield warning("sr-no-default", "the pool has no default storage repository", "xe pool-list params=default-SR",
                          f"xe pool-param-set uuid={uuid} default-SR=(one of xe sr-list)")  # fmt: skip
        elif (
            own
            and repositories[default].get("shared") is True
            and default not in {str(pbd.get("SR")) for pbd in _own_pbds(records, own)}
        ):
            name = label(repositories[default])
            yield warning("sr-default-elsewhere", f"this host has no PBD of the pool's default storage repository {name}",
                          "xe pbd-list", f"xe pbd-create, as another host's of {name} is, and xe pbd-plug; or another "
                          f"default: xe pool-param-set uuid={uuid} default-SR=(one of xe sr-list)")  # fmt: skip


def label(record: dict[str, Any]) -> str:
    return str(record.get("name_label") or record.get("uuid") or "that is not known")


def _number(found: object) -> int:
    """Read a XenAPI int: a text on the wire."""
    text = str(found)
    return int(text) if text.isascii() and text.isdigit() else 0
