"""Taking the host out of its pool, through the daemon: what forbids it, and the one call that does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kronos_installer.problem import Level, Problem, RefusedError
from kronos_installer.xenapi_client import XenApiFailureError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.xenapi_client import Session

# A daemon's own way to say that it does not do this, and that of one which has never heard of it.
_NOT_SERVED = frozenset({"NOT_IMPLEMENTED", "MESSAGE_METHOD_UNKNOWN", "MESSAGE_REMOVED"})


@dataclass(frozen=True)
class Membership:
    """The host's place in its pool: records by reference, `host` and `master` among the hosts'."""

    host: str
    master: str
    hosts: dict[str, dict[str, Any]]
    guests: tuple[str, ...]


def read_membership(session: Session, host_uuid: str) -> Membership:
    """Ask the daemon; `host_uuid` is the inventory's. Raises XenApiUnreachableError, XenApiFailureError."""
    host = str(session.call("host.get_by_uuid", host_uuid))
    (pool,) = session.call("pool.get_all_records").values()
    machines = session.call("VM.get_all_records").values()
    guests = tuple(sorted(
        str(vm.get("name_label") or vm.get("uuid")) for vm in machines
        if vm.get("resident_on") == host and not vm.get("is_control_domain") and not vm.get("is_a_template")
    ))  # fmt: skip
    return Membership(host, str(pool["master"]), session.call("host.get_all_records"), guests)


def is_alone(membership: Membership) -> bool:
    """Tell whether there is nothing to leave: the pool is the host's own."""
    return set(membership.hosts) == {membership.host}


def leave_problems(membership: Membership) -> Iterator[Problem]:
    """Yield what must be done first. Pure."""
    if membership.master == membership.host:
        others = ", ".join(
            sorted(str(r.get("name_label")) for ref, r in membership.hosts.items() if ref != membership.host)
        )
        yield Problem(Level.ERROR, "pool-master-leaves", f"this host is the master of {others}", "", "xe pool-list params=master",
                      "make another host the master: xe pool-designate-new-master host-uuid=...")  # fmt: skip
    for name in membership.guests:
        yield Problem(Level.ERROR, "pool-guest-runs", f"the guest {name} runs on this host", "", "xe vm-list resident-on=...",
                      "shut it down, or move it to another host")  # fmt: skip


def eject(session: Session, membership: Membership) -> None:
    """Have the daemon eject the host. Raises RefusedError where it does not serve that, else as Session.call."""
    try:
        session.call("pool.eject", membership.host)
    except XenApiFailureError as error:
        if error.code not in _NOT_SERVED:
            raise
        raise RefusedError((Problem(
            Level.ERROR, "pool-eject-not-served", "the toolstack's daemon does not serve pool.eject yet", "",
            f"pool.eject: {error.code}", "shut this host down and, on the master: xe host-forget uuid=...",
        ),)) from error  # fmt: skip
