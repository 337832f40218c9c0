"""What forbids joining a pool, as far as this host can tell by itself; the rest is the master's to check. Pure."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from kronos_installer.detect.hostname import is_hostname
from kronos_installer.detect.nics import NicKind
from kronos_installer.problem import Level, Problem
from kronos_installer.wishes import StorageType
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.facts import Facts
    from kronos_installer.wishes import PoolWish, Wishes

_POOL_CONF = str(Paths().pool_conf)
_SHARED = frozenset({StorageType.NFS, StorageType.ISCSI})


def pool_problems(facts: Facts, wishes: Wishes, nic: str) -> Iterator[Problem]:
    """Yield all of them, each with the XenAPI's name for it where it has one; `nic` is the management interface."""
    member_of = facts.system.earlier.pool_member_of
    if wishes.pool is None:
        if member_of:
            yield Problem(Level.WARNING, "pool-member", f"pool.conf makes this host a member of the pool of {member_of}",
                          "", f"{_POOL_CONF}:1", "write 'master' there for a pool of its own")  # fmt: skip
        return
    if member_of:
        yield _error("pool-member", f"this host is a member of the pool of {member_of} already", f"{_POOL_CONF}:1",
                     "xapi-host-setup leave-pool")  # fmt: skip
    yield from _master(wishes.pool, facts.system.hostname.name)
    yield from _joiner(facts, wishes, nic)
    yield _error("pool-join-not-served", f"the pool of {wishes.pool.master} cannot be joined: the toolstack's daemon "
                 "does not serve pool.join yet", "--join", "set the host up without --join: it is the master of a pool "
                 "of its own, as docs/xenapi-coverage.md tells")  # fmt: skip


def _error(id_: str, title: str, at: str, remedy: str) -> Problem:
    return Problem(Level.ERROR, id_, title, "", at, remedy)


def _master(pool: PoolWish, hostname: str) -> Iterator[Problem]:
    try:
        address = ipaddress.ip_address(pool.master)
    except ValueError:
        if not is_hostname(pool.master):
            yield _error("pool-master-invalid", f"{pool.master!r} is no host's name or address", "--join",
                         "give the master's name or IP address")  # fmt: skip
        itself = pool.master.lower().rstrip(".") in ("localhost", hostname.lower())
    else:
        itself = address.is_loopback or address.is_unspecified
    if itself:
        yield _error("pool-join-itself", f"{pool.master} is this host (OPERATION_NOT_ALLOWED)", "--join",
                     "name the master of another pool")  # fmt: skip


def _joiner(facts: Facts, wishes: Wishes, nic: str) -> Iterator[Problem]:
    """Yield what a pool does not take with a host: it brings its own networks and shared storage."""
    for interface in facts.nics:
        at = f"/sys/class/net/{interface.name}"
        if interface.name != nic and interface.kind is NicKind.BOND:
            yield _error(
                "pool-join-bond", f"the bond {interface.name} (POOL_JOINING_HOST_HAS_BONDS)", at, "remove it"
            )
        elif interface.name != nic and interface.kind is NicKind.VLAN:
            yield _error("pool-join-vlan", f"the VLAN {interface.name} (POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS)",
                         at, "remove it")  # fmt: skip
    if wishes.storage is not None and wishes.storage.type in _SHARED:
        yield _error("pool-join-shared-storage", f"{wishes.storage.location} is shared storage "
                     "(POOL_JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS)", "--storage", "make it on the pool, once")  # fmt: skip
