"""What the daemon says of this host: enabled, alive, what is plugged, the default storage repository; and the pool.

On a member the records are the whole pool's: what is other hosts' is for their own doctors.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kronos_installer.detect.pool_conf import POOL_CONF, PoolConf, read_pool_conf
from kronos_installer.detect.pool_master import DATE
from kronos_installer.doctor.answer import error, warning
from kronos_installer.doctor.storage_health import (
    StorageReading,
    label,
    reach_port,
    read_storage,
    storage_findings,
)
from kronos_installer.identity import host_uuid
from kronos_installer.pool_checks import MOST_SECONDS_APART
from kronos_installer.time_limit import within
from kronos_installer.xenapi_client import XenApiFailureError
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
# For all of the daemon's records: one that answers a letter at a time does not answer.
_RECORDS_S = 60.0
_CLASSES = ("pool", "host", "host_metrics", "SR", "PBD")
_MASTER = PoolConf("master", "master", "")
_NO_STORAGE = StorageReading({}, None)

Records = dict[str, dict[str, Any]]
"""XenAPI records by reference."""


@dataclass(frozen=True)
class ToolstackReading:
    """`records` are the daemon's by class, `error` why there are none. `uuid` is this host's, "" where it is not known.

    `master_error` is why the host that pool.conf names as the master does not answer. `seconds_ahead` is how much that
    one's clock is ahead of this host's. `refuses`: the daemon does answer, with an error.
    """

    records: dict[str, Records] = field(default_factory=dict)
    error: str = ""
    conf: PoolConf = _MASTER
    master_error: str = ""
    uuid: str = ""
    seconds_ahead: float = 0.0
    storage: StorageReading = _NO_STORAGE
    refuses: bool = False


def reach(address: str) -> str:
    """Return why a host's HTTPS port cannot be connected to, "" where it can."""
    return reach_port(address, _HTTPS)


def read_toolstack(
    files: HostFiles,
    login: Callable[[], AbstractContextManager[Session]],
    try_to_reach: Callable[[str], str] = reach,
    try_server: Callable[[str, int], str] = reach_port,
) -> ToolstackReading:
    """Read it, over the unix socket and pool.conf (`master`, or `slave:ADDRESS`)."""
    conf = read_pool_conf(files)
    master_error = try_to_reach(conf.master) if conf.master else ""
    uuid = host_uuid(files.read(_INVENTORY))

    def ask() -> tuple[dict[str, Records], float]:
        with login() as session:
            records = {name: _records(session.call(f"{name}.get_all_records")) for name in _CLASSES}
            return records, _seconds_ahead(session, records) if conf.master else 0.0

    try:
        records, ahead = within(_RECORDS_S, ask)
    except XenApiFailureError as caught:
        return ToolstackReading({}, str(caught), conf, master_error, uuid, refuses=True)
    except (KronosError, OSError) as caught:
        return ToolstackReading({}, str(caught), conf, master_error, uuid)
    storage = read_storage(files, records, _reference(records, uuid), try_server)
    return ToolstackReading(records, "", conf, master_error, uuid, ahead, storage)


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


def toolstack_findings(reading: ToolstackReading, *, running: bool, joined: str = "") -> Iterator[Problem]:
    """Yield what is wrong. A daemon that does not run is told of with the units. `joined`: whose pool the set-up joined."""
    conf = reading.conf
    if not conf.is_sound:
        remedy = f"write 'slave:{joined}' if this host is still of that pool, 'master' for one of its own" if joined else (
            "write 'master' for a pool of its own")  # fmt: skip
        yield error("pool-conf", "pool.conf says neither master nor slave", f"{POOL_CONF}:1",
                    f"{remedy}; then: systemctl restart xapi.service")  # fmt: skip
    if reading.master_error:
        yield error("pool-master-silent", f"the pool's master {conf.master} does not answer: {reading.master_error}",
                    f"{POOL_CONF}:1", "see to the master and the network between; where that pool is gone for good: write "
                    f"'master' to {POOL_CONF} and restart xapi.service")  # fmt: skip
    if reading.error and running:
        if reading.refuses:
            yield error("daemon-refuses", "the toolstack's daemon answers with an error", reading.error,
                        "see to the pool's master first; journalctl -u xapi.service -b tells more" if conf.master else
                        "journalctl -u xapi.service -b tells why")  # fmt: skip
        else:
            yield error("daemon-silent", "the toolstack's daemon does not answer", reading.error,
                        "journalctl -u xapi.service -b tells why; guests run on over a systemctl restart xapi.service")  # fmt: skip
    if not reading.error:
        yield from _host(reading)
        yield from storage_findings(
            reading.records, _reference(reading.records, reading.uuid), reading.storage
        )
    if abs(reading.seconds_ahead) > MOST_SECONDS_APART:
        yield warning("pool-clock", f"the master's clock is {reading.seconds_ahead:+.0f} s off this host's",
                      f"host.get_servertime of {reading.conf.master}", "let both take the time from the same servers")  # fmt: skip


def _reference(records: dict[str, Records], uuid: str) -> str:
    """Return the reference of the host with a uuid, "" where the records do not have it."""
    hosts = records.get("host", {})
    return next((ref for ref, one in hosts.items() if uuid and one.get("uuid") == uuid), "")


def _role(reading: ToolstackReading, own: str) -> Iterator[Problem]:
    """Yield whether the daemon still is what pool.conf no longer says: it reads it when it starts."""
    masters = {str(pool.get("master")) for pool in reading.records.get("pool", {}).values()}
    if reading.conf.is_sound and masters and reading.conf.is_master is not (own in masters):
        role = "the master" if own in masters else "a member"
        yield error("pool-conf-differs", f"pool.conf says {reading.conf.text!r}, and the daemon is {role} of its pool",
                    f"{POOL_CONF}:1", "systemctl restart xapi.service, if pool.conf is right; else put it back first")  # fmt: skip


def _host(reading: ToolstackReading) -> Iterator[Problem]:
    own = _reference(reading.records, reading.uuid)
    if not own:
        where = f"the pool of {reading.conf.master} has" if reading.conf.master else "the daemon has"
        yield error("host-unknown", f"{where} no record of this host", f"{_INVENTORY}: INSTALLATION_UUID",
                    "journalctl -u xapi.service -b tells why; a pool that has ejected this host: "
                    "xapi-host-setup leave-pool")  # fmt: skip
        return
    yield from _role(reading, own)
    record = reading.records["host"][own]
    if record.get("enabled") is False:
        yield warning("host-disabled", f"{label(record)} takes no guests", "xe host-list params=enabled",
                      f"xe host-enable uuid={record.get('uuid', '')}")  # fmt: skip
    metrics = reading.records.get("host_metrics", {}).get(str(record.get("metrics")), {})
    if reading.conf.master and metrics.get("live") is not True:
        yield error("host-not-live", f"the master {reading.conf.master} does not see this host alive",
                    "xe host-list params=host-metrics-live", "see that the hosts reach one another's port 443")  # fmt: skip
