"""What is asked of, or known about, another host: what its record alone answers, and what cannot be done here for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.datamodel.errors import CannotContactHostError, HostOfflineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Message, Value

# Messages that name a host and need nothing of it but its record.
OF_RECORDS = frozenset(
    {
        "PIF.db_introduce", "PIF.pool_introduce", "host.assert_can_evacuate", "host.compute_memory_overhead",
        "host.create_new_blob", "host.declare_dead", "host.destroy", "host.get_tracked_user_agents",
        "host.get_uncooperative_domains", "host.get_uncooperative_resident_VMs",
        "host.get_vms_which_prevent_evacuation", "host.power_on", "host.retrieve_wlb_evacuate_recommendations",
        "host.set_numa_affinity_policy", "host.set_power_on_mode", "session.slave_login",
    }
)  # fmt: skip


def is_live(db: Database, host: str) -> bool:
    """Say whether a host is known to run; one that never told is not."""
    metrics = db.text("host", host, "metrics")
    return db.exists("host_metrics", metrics) and db.flag("host_metrics", metrics, "live")


def host_position(key: str, message: Message) -> int | None:
    """Return which parameter names the host that must do a message, None where this host does it."""
    if key in OF_RECORDS:
        return None
    return next((at for at, one in enumerate(message.params) if one.type_text == "ref(host)"), None)


def check_here(tools: Toolstack, host: str) -> None:
    """Raise HOST_OFFLINE [host] for a host that is not this one."""
    if host != tools.host and tools.db.exists("host", host):
        raise HostOfflineError(host)


def check_all_live(call: Call) -> None:
    """Raise HOST_OFFLINE [host] for another host of the pool that cannot do what all are to do."""
    for host in call.others():
        if not is_live(call.db, host):
            raise HostOfflineError(host)


def check_alone(call: Call) -> None:
    """Raise CANNOT_CONTACT_HOST [host] where there is another host, which would not learn of it."""
    for host in call.others():
        raise CannotContactHostError(host)


def check_position(tools: Toolstack, args: Sequence[Value], position: int | None) -> None:
    """Raise HOST_OFFLINE [host] where the parameter at `position` is another host."""
    if position is not None:
        check_here(tools, cast("str", args[position]))
