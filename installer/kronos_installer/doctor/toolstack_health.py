"""What the daemon says of this host: enabled, alive, what is plugged, the default storage repository; and the pool.

On a member the records are the whole pool's: what is other hosts' is for their own doctors.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kronos_installer.detect.pool_conf import POOL_CONF, PoolConf, read_pool_conf
from kronos_installer.detect.pool_master import DATE
from kronos_installer.doctor.answer import error, warning
from kronos_installer.identity import host_uuid
from kronos_installer.pool_checks import MOST_SECONDS_APART
from xapi_shim.base.errors import KronosError
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from kronos_installer.host_files import HostFiles
    from kronos_installer.problem import Problem
    from kronos_installer.xenapi_client import Session

_INVENTORY = str(Paths().inventory)
_HTTPS = 443
_TIMEOUT_S = 5.0
_FULL_PERCENT = 95
_CLASSES = ("pool", "host", "host_metrics", "SR", "PBD")
_MASTER = PoolConf("master", "master", "")

Records = dict[str, dict[str, Any]]
"""XenAPI records by reference."""


@dataclass(frozen=True)
class ToolstackReading:
    """`records` are the daemon's by class, `error` why there are none. `uuid` is this host's, "" where it is not known.

    `master_error` is why the host that pool.conf names as the master does not answer. `seconds_ahead` is how much that
    one's clock is ahead of this host's.
    """

    records: dict[str, Records] = field(default_factory=dict)
    error: str = ""
    conf: PoolConf = _MASTER
    master_error: str = ""
    uuid: str = ""
    seconds_ahead: float = 0.0


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
    conf = read_pool_conf(files)
    master_error = try_to_reach(conf.master) if conf.master else ""
    uuid = host_uuid(files.read(_INVENTORY))
    try:
        with login() as session:
            records = {name: _records(session.call(f"{name}.get_all_records")) for name in _CLASSES}
            ahead = _seconds_ahead(session, records) if conf.master else 0.0
    except KronosError as caught:
        return ToolstackReading({}, str(caught), conf, master_error, uuid)
    return ToolstackReading(records, "", conf, master_error, uuid, ahead)


def _seconds_ahead(session: Session, records: dict[str, Records]) -> float:
    """Raises as Session.call."""
    master = next((str(pool.get("master")) for pool in records["pool"].values()), "")
    asked = time.time()
    told = str(session.call("host.get_servertime", master))
    try:
        then = datetime.strptime(told, DATE).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
    return then - (asked + time.time()) / 2


def _records(found: object) -> Records:
    if not isinstance(found, dict):
        return {}
    return {str(ref): record for ref, record in found.items() if isinstance(record, dict)}


def toolstack_findings(reading: ToolstackReading, *, running: bool) -> Iterator[Problem]:
    """Yield what is wrong. A daemon that does not run is told of with the units."""
    if not reading.conf.is_sound:
        yield error("pool-conf", "pool.conf says neither master nor slave", f"{POOL_CONF}:1",
                    "write 'master' for a pool of its own")  # fmt: skip
    if reading.master_error:
        yield error("pool-master-silent", f"the pool's master {reading.conf.master} does not answer: {reading.master_error}",
                    f"{POOL_CONF}:1", "see to the master and the network between")  # fmt: skip
    if reading.error and running:
        yield error("daemon-silent", "the toolstack's daemon does not answer", reading.error,
                    "journalctl -u xapi.service -b tells why")  # fmt: skip
    if not reading.error:
        yield from _host(reading)
        yield from _storage(reading)
    if abs(reading.seconds_ahead) > MOST_SECONDS_APART:
        yield warning("pool-clock", f"the master's clock is {reading.seconds_ahead:+.0f} s off this host's",
                      f"host.get_servertime of {reading.conf.master}", "let both take the time from the same servers")  # fmt: skip


def _own(reading: ToolstackReading) -> str:
    """Return this host's reference, "" where the records do not have it."""
    hosts = reading.records.get("host", {})
    return next((ref for ref, one in hosts.items() if one.get("uuid") == reading.uuid), "")


def _host(reading: ToolstackReading) -> Iterator[Problem]:
    own = _own(reading)
    if not own:
        where = f"the pool of {reading.conf.master} has" if reading.conf.master else "the daemon has"
        yield error("host-unknown", f"{where} no record of this host", f"{_INVENTORY}: INSTALLATION_UUID",
                    "journalctl -u xapi.service -b tells why; a pool that has ejected this host: "
                    "xapi-host-setup leave-pool")  # fmt: skip
        return
    record = reading.records["host"][own]
    if record.get("enabled") is False:
        yield warning("host-disabled", f"{_label(record)} takes no guests", "xe host-list params=enabled",
                      f"xe host-enable uuid={record.get('uuid', '')}")  # fmt: skip
    metrics = reading.records.get("host_metrics", {}).get(str(record.get("metrics")), {})
    if reading.conf.master and metrics.get("live") is not True:
        yield error("host-not-live", f"the master {reading.conf.master} does not see this host alive",
                    "xe host-list params=host-metrics-live", "see that the hosts reach one another's port 443")  # fmt: skip


def _storage(reading: ToolstackReading) -> Iterator[Problem]:
    repositories = reading.records.get("SR", {})
    own = [pbd for pbd in reading.records.get("PBD", {}).values() if pbd.get("host") == _own(reading)]
    for record in own:
        if record.get("currently_attached") is False:
            name = _label(repositories.get(str(record.get("SR")), {}))
            yield error("sr-not-attached", f"the storage repository {name} is not plugged", "xe pbd-list",
                        f"xe pbd-plug uuid={record.get('uuid', '')}")  # fmt: skip
    for pool in reading.records.get("pool", {}).values():
        if pool.get("default_SR") not in repositories:
            yield warning("sr-no-default", "the pool has no default storage repository", "xe pool-list params=default-SR",
                          "xe pool-param-set uuid=... default-SR=...")  # fmt: skip
    for record in (repositories.get(str(pbd.get("SR")), {}) for pbd in own):
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
