"""What happens before the first call is answered: this host's own records, made or made true again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from xapi_shim.api.allowed import update_all
from xapi_shim.api.host_interfaces import record_interfaces
from xapi_shim.api.operations import update_vm
from xapi_shim.api.pbd import plug_pbd
from xapi_shim.api.plug_again import plug_all
from xapi_shim.api.software import software_version
from xapi_shim.api.sr import add_sr
from xapi_shim.api.storage_access import make_driver, storage_errors
from xapi_shim.api.templates import ensure_templates
from xapi_shim.api.vm_live import record_sizes
from xapi_shim.api.vm_records import add_vm
from xapi_shim.datamodel.errors import XenAPIError
from xapi_shim.datamodel.registry import API_VERSION
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.rpc.dates import now_text

if TYPE_CHECKING:
    from xapi_shim.api.host_facts import HostFacts
    from xapi_shim.api.toolstack import Toolstack
    from xapi_shim.datamodel.model import Value
    from xapi_shim.network.interface import HostInterfaces
    from xapi_shim.xen.interface import HypervisorInfo

log = logging.getLogger(__name__)

LOCAL_SR = "Local storage"


async def start_up(tools: Toolstack, facts: HostFacts, *, local_sr_type: str) -> None:
    """Fill the records of this host from the machine. Raises XenError, NetworkError."""
    info = await tools.hypervisor.info()
    interfaces = await tools.network.read()
    db = tools.db
    with db.transaction():
        tools.host = _host(tools, facts, info, interfaces)
        tools.tasks.host = tools.host
        tools.pool = _pool(tools)
        _metrics(tools, info)
        _cpus(tools, facts)
        record_interfaces(tools, interfaces)
        ensure_templates(db)
    await _control_domain(tools, facts, info)
    await _local_storage(tools, local_sr_type)
    with db.transaction():  # one commit for all: a sync for each VM takes longer than all else
        for vm in db.refs("VM"):
            db.set("VM", vm, "current_operations", {})
            update_vm(db, vm)
        update_all(db)


def _host(tools: Toolstack, facts: HostFacts, info: HypervisorInfo, interfaces: HostInterfaces) -> str:
    db = tools.db
    uuid = facts.inventory.get("INSTALLATION_UUID", "")
    hosts = db.refs("host")
    host = db.find_uuid("host", uuid) if uuid else None
    host = host or (hosts[0] if hosts else None)
    if host is None:
        metrics = db.create("host_metrics", {"live": True, "last_updated": now_text()})
        host = db.create(
            "host",
            {
                "uuid": uuid,
                "name_label": facts.hostname,
                "metrics": metrics,
                "enabled": True,
                "sched_policy": "credit2",
                "API_version_vendor": "Kronos",
                "supported_bootloaders": [],
                "edition": "free",
                "allowed_operations": ["vm_start", "provision"],
            },
        )
    cpu: dict[str, Value] = {
        "cpu_count": str(info.cpus),
        "socket_count": str(max(1, info.cpus // max(1, info.cores_per_socket * info.threads_per_core))),
        "threads_per_core": str(info.threads_per_core),
    }
    if facts.cpus:
        first = facts.cpus[0]
        cpu |= {
            "vendor": first.vendor,
            "speed": f"{info.cpu_mhz or first.mhz:.3f}",
            "modelname": first.model_name,
            "family": str(first.family),
            "model": str(first.model),
            "stepping": first.stepping,
            "flags": first.flags,
        }
    db.update(
        "host",
        host,
        hostname=facts.hostname,
        address=_address(interfaces),
        software_version=software_version(facts, info, interfaces.backend),
        capabilities=list(info.capabilities),
        cpu_info=cpu,
        cpu_configuration={},
        API_version_major=API_VERSION[0],
        API_version_minor=API_VERSION[1],
        enabled=not (tools.paths.disabled_until_boot.exists() or tools.paths.disabled_for_good.exists()),
        current_operations={},
    )
    return host


def _address(interfaces: HostInterfaces) -> str:
    """Return where the host is reached: IPv4's address, else IPv6's, "" for a host without."""
    own = interfaces.management
    if own is None:
        return ""
    return own.ip or next((address.partition("/")[0] for address in own.ipv6), "")


def _pool(tools: Toolstack) -> str:
    db = tools.db
    pools = db.refs("pool")
    if pools:
        db.set("pool", pools[0], "current_operations", {})
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
    record_sizes(tools.db, await tools.hypervisor.domains())


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
    for ref in db.refs("host_cpu"):
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
    """Make the default SR on the first start; plug what was plugged. A broken SR does not stop the daemon."""
    db = tools.db
    if not db.refs("SR"):
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
