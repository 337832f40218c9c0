"""pool.* and host.*: answers of a pool that has no high availability and no workload balancing, and moves no guests."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from xapi_shim.datamodel.errors import (
    CannotEvacuateHostError,
    HaNotEnabledError,
    InvalidValueError,
    NoHostsAvailableError,
    PoolJoiningExternalAuthMismatchError,
    WlbNotInitializedError,
)

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call


async def disable_ha(call: Call) -> NoReturn:  # noqa: ARG001
    """Raise HA_NOT_ENABLED."""
    raise HaNotEnabledError


async def ha_failover_plan_exists(call: Call, n: int) -> bool:  # noqa: ARG001
    """Say whether `n` hosts may fail: none but none."""
    return n <= 0


async def ha_compute_max_host_failures_to_tolerate(call: Call) -> int:  # noqa: ARG001
    return 0


async def ha_compute_hypothetical_max_host_failures_to_tolerate(
    call: Call,  # noqa: ARG001
    configuration: dict[str, str],  # noqa: ARG001
) -> int:
    return 0


async def ha_compute_vm_failover_plan(
    call: Call,  # noqa: ARG001
    failed_hosts: list[str],  # noqa: ARG001
    failed_vms: list[str],
) -> dict[str, dict[str, str]]:
    """Return why each VM cannot be restarted elsewhere: nothing restarts it."""
    return {vm: {"error_code": NoHostsAvailableError.code} for vm in failed_vms}


async def ha_prevent_restarts_for(call: Call, seconds: int) -> None:
    """Do nothing: nothing is restarted by itself."""


async def ha_schedule_plan_recomputation(call: Call) -> None:
    """Do nothing: there is no plan."""


async def set_ha_host_failures_to_tolerate(call: Call, self: str, value: int) -> None:
    """Choose how many hosts may fail once high availability is on. Raises INVALID_VALUE."""
    if value < 0:
        raise InvalidValueError("ha_host_failures_to_tolerate", str(value))
    call.db.set("pool", self, "ha_host_failures_to_tolerate", value)


async def retrieve_wlb_configuration(call: Call) -> NoReturn:  # noqa: ARG001
    """Raise WLB_NOT_INITIALIZED."""
    raise WlbNotInitializedError


async def send_wlb_configuration(call: Call, config: dict[str, str]) -> NoReturn:  # noqa: ARG001
    """Raise WLB_NOT_INITIALIZED."""
    raise WlbNotInitializedError


async def retrieve_wlb_evacuate_recommendations(call: Call, self: str) -> NoReturn:  # noqa: ARG001
    """Raise WLB_NOT_INITIALIZED."""
    raise WlbNotInitializedError


async def deconfigure_wlb(call: Call) -> None:
    """Forget the workload balancing server's name."""
    call.db.update("pool", call.tools.pool, wlb_url="", wlb_username="", wlb_enabled=False)


async def detect_nonhomogeneous_external_auth(call: Call, pool: str) -> None:
    """Raise POOL_JOINING_EXTERNAL_AUTH_MISMATCH [] where a host asks another directory than the master does."""
    db = call.db
    directories = [
        (db.text("host", host, "external_auth_type"), db.text("host", host, "external_auth_service_name"))
        for host in (db.text("pool", pool, "master"), *db.refs("host"))
    ]
    if any(one != directories[0] for one in directories):
        raise PoolJoiningExternalAuthMismatchError


async def recover_slaves(call: Call) -> list[str]:  # noqa: ARG001
    return []


async def get_license_state(call: Call, self: str) -> dict[str, str]:  # noqa: ARG001
    """Return the edition, which does not expire."""
    return {"edition": call.db.text("host", call.tools.host, "edition"), "expiry": "never"}


async def get_vms_which_prevent_evacuation(call: Call, self: str) -> dict[str, list[str]]:
    """Return the host's guests, and why each cannot go: nothing moves running guests yet."""
    db = call.db
    return {
        vm: [NoHostsAvailableError.code]
        for vm in db.items("host", self, "resident_VMs")
        if not db.flag("VM", vm, "is_control_domain")
    }


async def assert_can_evacuate(call: Call, host: str) -> None:
    """Raise CANNOT_EVACUATE_HOST [errors] while guests run on it."""
    if staying := await get_vms_which_prevent_evacuation(call, host):
        raise CannotEvacuateHostError("|".join(f"{code[0]},{vm}" for vm, code in staying.items()))


async def get_uncooperative_resident_vms(call: Call, self: str) -> list[str]:  # noqa: ARG001
    return []


async def get_uncooperative_domains(call: Call, self: str) -> list[str]:  # noqa: ARG001
    return []


async def local_assert_healthy(call: Call) -> None:
    """Do nothing: a daemon that answers is healthy."""


async def ha_xapi_healthcheck(call: Call) -> bool:  # noqa: ARG001
    return True


MESSAGES = {
    "pool.disable_ha": disable_ha,
    "pool.ha_failover_plan_exists": ha_failover_plan_exists,
    "pool.ha_compute_max_host_failures_to_tolerate": ha_compute_max_host_failures_to_tolerate,
    "pool.ha_compute_hypothetical_max_host_failures_to_tolerate": (
        ha_compute_hypothetical_max_host_failures_to_tolerate
    ),
    "pool.ha_compute_vm_failover_plan": ha_compute_vm_failover_plan,
    "pool.ha_prevent_restarts_for": ha_prevent_restarts_for,
    "pool.ha_schedule_plan_recomputation": ha_schedule_plan_recomputation,
    "pool.set_ha_host_failures_to_tolerate": set_ha_host_failures_to_tolerate,
    "pool.retrieve_wlb_configuration": retrieve_wlb_configuration,
    "pool.retrieve_wlb_recommendations": retrieve_wlb_configuration,
    "pool.send_wlb_configuration": send_wlb_configuration,
    "pool.deconfigure_wlb": deconfigure_wlb,
    "pool.detect_nonhomogeneous_external_auth": detect_nonhomogeneous_external_auth,
    "pool.recover_slaves": recover_slaves,
    "pool.get_license_state": get_license_state,
    "host.retrieve_wlb_evacuate_recommendations": retrieve_wlb_evacuate_recommendations,
    "host.get_vms_which_prevent_evacuation": get_vms_which_prevent_evacuation,
    "host.assert_can_evacuate": assert_can_evacuate,
    "host.get_uncooperative_resident_VMs": get_uncooperative_resident_vms,
    "host.get_uncooperative_domains": get_uncooperative_domains,
    "host.local_assert_healthy": local_assert_healthy,
    "host.ha_xapi_healthcheck": ha_xapi_healthcheck,
}
