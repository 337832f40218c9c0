"""What happens before the first call is answered: this host's own records, made or made true again.

A member of a pool changes what is its own only: the rest is true already, and the other hosts are at work on it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from xapi_shim.api.allowed import update_all, update_host
from xapi_shim.api.host_interfaces import record_interfaces
from xapi_shim.api.host_record import add_host, describe_host, known_host
from xapi_shim.api.operations import update, update_vm
from xapi_shim.api.own_host import drop_operations, is_master, is_resident_here
from xapi_shim.api.pbd import plug_pbd
from xapi_shim.api.plug_again import plug_all
from xapi_shim.api.sr import add_sr
from xapi_shim.api.storage_access import make_driver, storage_errors
from xapi_shim.api.templates import ensure_templates
from xapi_shim.api.vm_live import record_sizes
from xapi_shim.api.vm_records import add_vm
from xapi_shim.datamodel.errors import XenAPIError
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.rpc.dates import now_text

if TYPE_CHECKING:
    from xapi_shim.api.host_facts import HostFacts
    from xapi_shim.api.toolstack import Toolstack
    from xapi_shim.xen.interface import HypervisorInfo

log = logging.getLogger(__name__)

LOCAL_SR = "Local storage"


async def start_up(
    tools: Toolstack, facts: HostFacts, *, local_sr_type: str, is_member: bool = False
) -> None:
    """Fill the records of this host from the machine.

    `is_member` is a host whose database is another's, the master's; it is in there by its uuid.
    Raises XenError, NetworkError, NotInPoolError.
    """
    info = await tools.hypervisor.info()
    interfaces = await tools.network.read()
    db = tools.db
    with db.transaction():
        tools.host = known_host(tools, facts, is_member=is_member) or add_host(tools, facts)
        describe_host(tools, facts, info, interfaces)
        tools.tasks.host = tools.host
        tools.pool = _pool(tools)
        _metrics(tools, info)
        _cpus(tools, facts)
        record_interfaces(tools, interfaces)
        if is_master(tools):
            ensure_templates(db)
    await _control_domain(tools, facts, info)
    await _local_storage(tools, local_sr_type)
    with db.transaction():  # one commit for all: a sync for each VM takes longer than all else
        _settle_operations(tools)


def _settle_operations(tools: Toolstack) -> None:
    """Forget what this host was at work on, and say what may be done now to its own; on the master to everything."""
    db, everything = tools.db, is_master(tools)
    for cls, ref in drop_operations(db, tools.host, orphans=everything):
        update(db, cls, ref)
    for vm in db.refs("VM"):
        if is_resident_here(tools, vm):
            # Nobody else is at work on a guest of this host.
            db.set("VM", vm, "current_operations", {})
        if everything or is_resident_here(tools, vm):
            update_vm(db, vm)
    if everything:
        update_all(db)
    else:
        update_host(db, tools.host)


def _pool(tools: Toolstack) -> str:
    db = tools.db
    pools = db.refs("pool")
    if pools:
        return pools[0]
    return db.create(
        "pool",
        {
            "master": tools.host,
            "default_SR": NULL_REF,
            "suspend_image_SR": NULL_REF,
            "crash_dump_SR": NULL_REF,
        },
    )


async def refresh_metrics(tools: Toolstack) -> None:
    """Read the host's memory and the guests' sizes into their metrics. Raises XenError."""
    _metrics(tools, await tools.hypervisor.info())
    record_sizes(tools, await tools.hypervisor.domains())


def _metrics(tools: Toolstack, info: HypervisorInfo) -> None:
    metrics = tools.db.text("host", tools.host, "metrics")
    tools.db.update(
        "host_metrics",
        metrics,
        memory_total=info.total_memory_bytes,
        memory_free=info.free_memory_bytes,
        live=True,
        last_updated=now_text(),
    )


def _cpus(tools: Toolstack, facts: HostFacts) -> None:
    """Make one host_cpu a processor that dom0 sees, and drop those of another machine."""
    db = tools.db
    for ref in db.items("host", tools.host, "host_CPUs"):
        db.destroy("host_cpu", ref)
    for cpu in facts.cpus:
        db.create(
            "host_cpu",
            {
                "host": tools.host,
                "number": cpu.number,
                "vendor": cpu.vendor,
                "speed": cpu.mhz,
                "modelname": cpu.model_name,
                "family": cpu.family,
                "model": cpu.model,
                "stepping": cpu.stepping,
                "flags": cpu.flags,
            },
        )


async def _control_domain(tools: Toolstack, facts: HostFacts, info: HypervisorInfo) -> None:
    """Make dom0's record true: it is a VM like others, always running."""
    db = tools.db
    domains = {domain.domid: domain for domain in await tools.hypervisor.domains()}
    memory = domains[0].memory_bytes if 0 in domains else facts.memory_bytes
    vcpus = max(1, domains[0].vcpus_online if 0 in domains else info.cpus)
    with db.transaction():
        dom0 = db.text("host", tools.host, "control_domain")
        if not db.exists("VM", dom0):
            dom0 = add_vm(
                db,
                {
                    "uuid": facts.inventory.get("CONTROL_DOMAIN_UUID", ""),
                    "is_control_domain": True,
                    "name_description": "The domain which manages physical devices and manages other domains",
                    "actions_after_shutdown": "destroy",
                    "actions_after_reboot": "destroy",
                    "actions_after_crash": "destroy",
                    "domain_type": "pv",
                },
            )
            db.set("host", tools.host, "control_domain", dom0)
        db.update(
            "VM",
            dom0,
            name_label=f"Control domain on host: {facts.hostname}",
            power_state="Running",
            domid=0,
            resident_on=tools.host,
            affinity=tools.host,
            memory_static_max=memory,
            memory_static_min=memory,
            memory_dynamic_max=memory,
            memory_dynamic_min=memory,
            memory_target=memory,
            VCPUs_max=vcpus,
            VCPUs_at_startup=vcpus,
            is_a_template=False,
        )
        db.update(
            "VM_metrics",
            db.text("VM", dom0, "metrics"),
            memory_actual=memory,
            VCPUs_number=vcpus,
            last_updated=now_text(),
        )


async def _local_storage(tools: Toolstack, sr_type: str) -> None:
    """Make the default SR on the first start; plug what was plugged. A broken SR does not stop the daemon.

    A host brings its own repository into the pool that it joins: members make none.
    """
    if not tools.db.refs("SR") and is_master(tools):
        await _make_local_sr(tools, sr_type)
        return
    await plug_all(tools)


async def _make_local_sr(tools: Toolstack, sr_type: str) -> None:
    db = tools.db
    config = {"location": str(tools.paths.local_sr)}
    try:
        driver = make_driver(tools, sr_type, config, "")
        with storage_errors(""):
            if not tools.paths.local_sr.is_dir():
                await driver.create(0)
    except XenAPIError as error:
        log.error("cannot make the local SR: %s", error)
        return
    with db.transaction():
        sr = add_sr(tools, type_=sr_type, name=LOCAL_SR)
        pbd = db.create("PBD", {"host": tools.host, "SR": sr, "device_config": config})
        db.update("pool", tools.pool, default_SR=sr, suspend_image_SR=sr, crash_dump_SR=sr)
    await plug_pbd(tools, pbd)
