"""Leaving a pool: what the records say of this host's place in it, what forbids it to leave, and what it leaves. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kronos_installer.detect.pool_conf import POOL_CONF
from kronos_installer.problem import Level, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.pool_membership import Sight
    from kronos_installer.xenapi_client import Session
    from xapi_shim.base.errors import KronosError


@dataclass(frozen=True)
class Membership:
    """The host's place in its pool: records by reference, `host` and `master` among the hosts'.

    `guests` are those that run on the host, `repositories` those that no other host has; both by name.
    """

    host: str
    master: str
    hosts: dict[str, dict[str, Any]]
    guests: tuple[str, ...]
    repositories: tuple[str, ...]


def read_membership(session: Session, host_uuid: str) -> Membership:
    """Ask the daemon; `host_uuid` is the inventory's. Raises XenApiUnreachableError, XenApiFailureError."""
    host = str(session.call("host.get_by_uuid", host_uuid))
    (pool,) = session.call("pool.get_all_records").values()
    machines = session.call("VM.get_all_records").values()
    guests = tuple(sorted(
        _label(vm) for vm in machines
        if vm.get("resident_on") == host and not vm.get("is_control_domain") and not vm.get("is_a_template")
    ))  # fmt: skip
    hosts_of: dict[str, set[str]] = {}
    for pbd in session.call("PBD.get_all_records").values():
        hosts_of.setdefault(pbd["SR"], set()).add(pbd["host"])
    repositories = session.call("SR.get_all_records")
    own = tuple(sorted(_label(sr) for ref, sr in repositories.items() if hosts_of.get(ref) == {host}))
    return Membership(host, str(pool["master"]), session.call("host.get_all_records"), guests, own)


def _label(record: dict[str, Any]) -> str:
    return str(record.get("name_label") or record.get("uuid"))


def is_alone(membership: Membership) -> bool:
    """Tell whether there is nothing to leave: the pool is the host's own."""
    return set(membership.hosts) == {membership.host}


def leave_problems(membership: Membership) -> Iterator[Problem]:
    """Yield what must be done first. Pure."""
    if membership.master == membership.host:
        others = ", ".join(
            sorted(_label(record) for ref, record in membership.hosts.items() if ref != membership.host)
        )
        yield _master_of(others)
    for name in membership.guests:
        yield Problem(Level.ERROR, "pool-guest-runs", f"the guest {name} runs on this host", "", "xe vm-list resident-on=...",
                      "shut it down, or move it to another host")  # fmt: skip


def not_known(error: KronosError, master: str) -> Problem:
    """Return the refusal where the daemon does not tell of the pool; `master` is pool.conf's, "" for none. Pure."""
    gone = f"; where the pool of {master} is gone, or has forgotten this host: write 'master' to {POOL_CONF} and restart xapi.service"
    return Problem(Level.ERROR, "pool-unknown", f"which pool this host is in is not known: {error.message}", "",
                   f"{POOL_CONF}:1", error.resolution + (gone if master else ""))  # fmt: skip


def announcement(membership: Membership) -> str:
    """Return what leaving does, for people. Pure."""
    master = _label(membership.hosts.get(membership.master, {}))
    forgets = ", ".join(membership.repositories)
    return (
        f"The pool of {master} forgets this host"
        + (f" and its own storage: {forgets}; the disks in it stay as files" if forgets else "")
        + ".\nThe daemon here then starts anew, with records and a pool of its own."
    )


def rollback_problems(sight: Sight, *, leaves: bool) -> Iterator[Problem]:
    """Yield why the set-up must not be taken back yet; `leaves`: a step of it takes the host out of its pool. Pure."""
    if sight.conf.master and not leaves:
        yield Problem(Level.ERROR, "pool-member", f"this host is a member of the pool of {sight.conf.master}, which the "
                      "set-up did not join", "", f"{POOL_CONF}:1", "xapi-host-setup leave-pool, under Xen")  # fmt: skip
    elif sight.host and sight.host == sight.master and not sight.is_alone:
        yield _master_of("other hosts")


def _master_of(others: str) -> Problem:
    return Problem(Level.ERROR, "pool-master-leaves", f"this host is the master of {others}", "", "xe pool-list params=master",
                   "make another host the master: xe pool-designate-new-master host-uuid=...; "
                   "or let the others leave first")  # fmt: skip
