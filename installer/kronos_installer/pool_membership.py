"""The host's place in a pool, as pool.conf and the daemon's records tell it; and the way out of the pool.

On a member the daemon's unix socket answers for the whole pool: a member passes calls on to the master. So this host
is known by its uuid, of the inventory, never by being the only one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kronos_installer.detect.pool_conf import POOL_CONF, PoolConf, read_pool_conf
from kronos_installer.identity import host_uuid
from kronos_installer.xenapi_client import XenApiFailureError, XenApiUnreachableError, local_session
from xapi_shim.base.errors import KronosError
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from kronos_installer.host import Host
    from kronos_installer.host_files import HostFiles
    from kronos_installer.patience import Patience
    from kronos_installer.xenapi_client import Session

_INVENTORY = str(Paths().inventory)
# A look that takes longer is one at a daemon that does not answer.
_LOOK_S = 15.0
# The master tells the member and waits for it.
_EJECT_S = 180.0
_CLASSES = ("pool", "host", "host_metrics")

Records = dict[str, dict[str, dict[str, Any]]]
"""XenAPI records by class and reference."""


class NoUuidError(KronosError):
    """The inventory does not say which host this is."""

    def __init__(self) -> None:
        super().__init__(f"{_INVENTORY} does not say which host this is", resolution="set the host up first")


class StillMemberError(KronosError):
    """The host could not be taken out of its pool."""

    def __init__(self, master: str, cause: Exception) -> None:
        super().__init__(
            f"this host is still a member of the pool of {master}: {cause}",
            resolution=f"see that {master} answers and that no guest runs here, then try again; where that pool is gone, "
            f"or has forgotten this host: write 'master' to {POOL_CONF} and restart xapi.service",
        )


@dataclass(frozen=True)
class Sight:
    """What a look at the host shows; `error` is why the daemon told no records."""

    conf: PoolConf
    uuid: str
    records: Records = field(default_factory=dict)
    error: str = ""

    @property
    def host(self) -> str:
        """The reference of this host, "" where the records do not have it."""
        return next(
            (ref for ref, one in self._of("host").items() if self.uuid and one.get("uuid") == self.uuid), ""
        )

    @property
    def master(self) -> str:
        """The reference of the pool's master."""
        return next((str(one.get("master", "")) for one in self._of("pool").values()), "")

    @property
    def is_alone(self) -> bool:
        """Whether the pool is the host's own, and has no other host."""
        return bool(self.host) and self.master == self.host and self._of("host").keys() == {self.host}

    def is_true(self, name: str) -> bool:
        """Return a flag of this host's record; `live` is its metrics'."""
        record = self._of("host").get(self.host, {})
        if name == "live":
            record = self._of("host_metrics").get(str(record.get("metrics")), {})
        return record.get(name) is True

    def _of(self, cls: str) -> dict[str, dict[str, Any]]:
        return self.records.get(cls, {})


def session_of(host: HostFiles, timeout_s: float = _LOOK_S) -> AbstractContextManager[Session]:
    """Return a session with the host's daemon. Raises as local_session."""
    return local_session(host.at(str(Paths().unix_socket)), timeout_s=timeout_s)


def uuid_of(host: HostFiles) -> str:
    """Return the host's uuid. Raises NoUuidError."""
    uuid = host_uuid(host.read(_INVENTORY))
    if not uuid:
        raise NoUuidError
    return uuid


def look(host: HostFiles) -> Sight:
    """Look at the host; a daemon that does not answer is a sight, too."""
    conf, uuid = read_pool_conf(host), host_uuid(host.read(_INVENTORY))
    try:
        with session_of(host) as session:
            return Sight(conf, uuid, {cls: session.call(f"{cls}.get_all_records") for cls in _CLASSES})
    except KronosError as error:
        return Sight(conf, uuid, error=str(error))


def missing_of_member(sight: Sight, master: str) -> str:
    """Return what the host lacks to be a working member of the pool of `master`, "" for nothing. Pure."""
    if sight.conf.master != master:
        return f"pool.conf says {sight.conf.text or 'nothing'}"
    if sight.error:
        return sight.error
    if not sight.host:
        return "the pool's records do not have this host"
    if sight.master == sight.host:
        return "the daemon has not started anew as a member"
    if not sight.is_true("enabled"):
        return "the host is not enabled"
    return "" if sight.is_true("live") else "the master does not see this host alive"


def missing_of_master(sight: Sight) -> str:
    """Return what the host lacks to be the master of a pool of its own, "" for nothing. Pure."""
    if not sight.conf.is_master:
        return f"pool.conf says {sight.conf.text or 'nothing'}"
    if sight.error:
        return sight.error
    return "" if sight.is_alone else "the daemon still answers for the other pool"


def leave(host: Host, patience: Patience, say: Callable[[str], None]) -> None:
    """Have the pool eject this host, and wait until its daemon is the master of a pool of its own.

    Raises StillMemberError: the daemon or the master does not answer, guests run here, or it did not come about in time.
    """
    conf = read_pool_conf(host)
    try:
        _eject(host)
        patience.wait_until("this host has a pool of its own", lambda: missing_of_master(look(host)), say)
    except KronosError as error:
        raise StillMemberError(conf.master, error) from error


def _eject(host: Host) -> None:
    with session_of(host, _EJECT_S) as session:
        try:
            own = session.call("host.get_by_uuid", uuid_of(host))
        except XenApiFailureError as error:
            # The pool has let go of it already; the daemon is about to see that.
            if error.code != "UUID_INVALID":
                raise
            return
        host.on_effect("before pool.eject")
        try:
            session.call("pool.eject", own)
        except XenApiUnreachableError as error:
            # The daemon that passes the call on starts anew because of it, and may be gone before the answer comes.
            host.say(str(error))
        host.on_effect("after pool.eject")
