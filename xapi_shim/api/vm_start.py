"""From a VM's records to a running domain."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from xapi_shim.api.device_facts import disk_facts
from xapi_shim.api.device_rules import disk_error
from xapi_shim.api.host_errors import host_errors
from xapi_shim.api.own_host import domid_here, record_begin, record_end
from xapi_shim.api.storage_access import driver_of, storage_errors
from xapi_shim.api.vif_addresses import tell_started_guest
from xapi_shim.api.vif_locking import check_unfiltered
from xapi_shim.api.vm_parameters import check_platform
from xapi_shim.api.vm_shares import scheduling_of
from xapi_shim.base.errors import KronosError
from xapi_shim.datamodel.errors import (
    BootloaderFailedError,
    DeviceAlreadyAttachedError,
    FeatureRequiresHvmError,
    HostCannotAttachNetworkError,
    HostNotEnoughFreeMemoryError,
    InternalErrorError,
    InvalidValueError,
    SrHasNoPbdsError,
    UnknownBootloaderError,
    VmHvmRequiredError,
    XenAPIError,
)
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.network.interface import NetworkError
from xapi_shim.rpc.dates import now_text
from xapi_shim.xen.interface import (
    BootFileMissingError,
    Devices,
    Disk,
    DomainConfig,
    DomainType,
    NotEnoughMemoryError,
    Vif,
    XenError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from xapi_shim.api.toolstack import Toolstack
    from xapi_shim.database.database import Database

log = logging.getLogger(__name__)

# Devices of a VM that only a device model can give it.
EMULATED = ("VTPMs", "VUSBs", "VGPUs")


def domain_type(db: Database, vm: str) -> DomainType:
    """Return how a VM's domain is to be made; `unspecified` falls back to the boot policy."""
    text = db.text("VM", vm, "domain_type")
    if text == "pvh":
        return DomainType.PVH
    if text == "pv" or (text == "unspecified" and not db.text("VM", vm, "HVM_boot_policy")):
        return DomainType.PV
    return DomainType.HVM


def boot_file(tools: Toolstack, vm: str, field: str) -> Path | None:
    """Return dom0's file that a VM's `field` names, None for an empty one.

    Only files below the folders for guests' boot files may be named: a VM admin is not
    to read the rest of dom0. Raises INVALID_VALUE [field; value], BOOTLOADER_FAILED [vm; message].
    """
    text = tools.db.text("VM", vm, field)
    if not text:
        return None
    folders = tools.paths.guest_boot_files
    given = tools.paths.root / text.removeprefix("/")
    real = given.resolve()
    if not text.startswith("/") or not any(real.is_relative_to(f.resolve()) for f in folders):
        raise InvalidValueError(field, text)
    if not real.is_file():
        raise BootloaderFailedError(vm, f"{field}: no such file: {text}")
    return real


async def build_config(tools: Toolstack, vm: str, drives: list[str]) -> DomainConfig:
    """Return the domain a VM's records describe, with the disks in `drives`.

    Raises VM_HVM_REQUIRED, FEATURE_REQUIRES_HVM, UNKNOWN_BOOTLOADER, INVALID_VALUE, BOOTLOADER_FAILED and the errors
    of its devices; changes nothing but bridges of internal networks that are missing.
    """
    db = tools.db
    kind = domain_type(db, vm)
    if kind is DomainType.HVM:
        raise VmHvmRequiredError(vm)
    if bootloader := db.text("VM", vm, "PV_bootloader"):
        raise UnknownBootloaderError(vm, bootloader)
    for field in EMULATED:
        if db.items("VM", vm, field):
            raise FeatureRequiresHvmError(f"{field} need a guest with firmware")
    check_platform(db.mapping("VM", vm, "platform"), db.number("VM", vm, "VCPUs_max"))
    kernel = boot_file(tools, vm, "PV_kernel")
    if kernel is None:
        raise BootloaderFailedError(vm, "PV_kernel is empty: name a kernel below /boot/guest")
    return DomainConfig(
        uuid=db.text("VM", vm, "uuid"),
        name=db.text("VM", vm, "name_label"),
        domain_type=kind,
        memory_static_max_bytes=db.number("VM", vm, "memory_static_max"),
        memory_target_bytes=db.number("VM", vm, "memory_dynamic_max"),
        vcpus_max=db.number("VM", vm, "VCPUs_max"),
        vcpus=db.number("VM", vm, "VCPUs_at_startup"),
        kernel=kernel,
        ramdisk=boot_file(tools, vm, "PV_ramdisk"),
        cmdline=db.text("VM", vm, "PV_args"),
        disks=tuple([await disk_of(tools, vbd) for vbd in drives]),
        scheduling=scheduling_of(db.mapping("VM", vm, "VCPUs_params")),
        numa_placement=db.text("host", tools.host, "numa_affinity_policy") != "any",
        vifs=tuple([await vif_of(tools, vif) for vif in db.items("VM", vm, "VIFs")]),
    )


def full_drives(db: Database, vm: str) -> list[str]:
    """Return a VM's drives that have a disk in them, by name."""
    full = [vbd for vbd in db.items("VM", vm, "VBDs") if _has_medium(db, vbd)]
    return sorted(full, key=lambda vbd: db.text("VBD", vbd, "device"))


def _has_medium(db: Database, vbd: str) -> bool:
    return not db.flag("VBD", vbd, "empty") and db.text("VBD", vbd, "VDI") != NULL_REF


async def disk_of(tools: Toolstack, vbd: str) -> Disk:
    """Return a drive with its disk as the hypervisor is told of it.

    Raises SR_HAS_NO_PBDS, SR_BACKEND_FAILURE_*.
    """
    db = tools.db
    vdi = db.text("VBD", vbd, "VDI")
    sr = db.text("VDI", vdi, "SR")
    driver = driver_of(tools, sr)
    if driver is None:
        raise SrHasNoPbdsError(sr)
    with storage_errors(sr):
        path, image_format = await driver.volume_path(db.text("VDI", vdi, "location"))
    return Disk(
        path=path,
        image_format=image_format,
        device=db.text("VBD", vbd, "device"),
        read_only=db.text("VBD", vbd, "mode") == "RO",
        is_cdrom=db.text("VBD", vbd, "type") == "CD",
    )


@contextmanager
def reserved(tools: Toolstack, vbds: Iterable[str], op: str) -> Iterator[None]:
    """Keep drives' disks from others while the block gives them to a guest.

    Raises VDI_IN_USE, VDI_READONLY, VDI_MISSING, OTHER_OPERATION_IN_PROGRESS; then nothing is kept.
    """
    drives = list(vbds)
    about = ("VBD", "reserved", *drives)

    def end() -> None:
        _let_go(tools, drives)

    record_begin(tools, about, lambda: _keep(tools.db, drives, op), end)
    try:
        yield
    finally:
        record_end(tools, about, end)


def _keep(db: Database, drives: list[str], op: str) -> None:
    with db.transaction():
        for vbd in drives:
            disk = disk_facts(db, db.text("VBD", vbd, "VDI"), vbd)
            read_only = db.text("VBD", vbd, "mode") == "RO"
            if disk is not None and (wrong := disk_error(disk, op, read_only=read_only)):
                raise wrong
            db.set("VBD", vbd, "reserved", value=True)


def _let_go(tools: Toolstack, drives: list[str]) -> None:
    with tools.db.transaction():
        for vbd in drives:
            if tools.db.exists("VBD", vbd):
                tools.db.set("VBD", vbd, "reserved", value=False)


def _check_twice(db: Database, vbds: Iterable[str]) -> None:
    """Raise DEVICE_ALREADY_ATTACHED [vbd] for a disk that is twice in one VM, and written."""
    seen: dict[str, bool] = {}
    for vbd in vbds:
        vdi, written = db.text("VBD", vbd, "VDI"), db.text("VBD", vbd, "mode") != "RO"
        if (written or seen.get(vdi)) and vdi in seen and not db.flag("VDI", vdi, "sharable"):
            raise DeviceAlreadyAttachedError(vbd)
        seen[vdi] = seen.get(vdi, False) or written


async def vif_of(tools: Toolstack, vif: str) -> Vif:
    """Return an interface as the hypervisor is told of it; its bridge is there then.

    Raises HOST_CANNOT_ATTACH_NETWORK [host; network], CANNOT_PLUG_VIF [vif].
    """
    db = tools.db
    check_unfiltered(db, vif)
    network = db.text("VIF", vif, "network")
    await attach_network(tools, network)
    mtu = db.number("VIF", vif, "MTU")
    return Vif(
        mac=db.text("VIF", vif, "MAC"),
        bridge=db.text("network", network, "bridge"),
        devid=int(db.text("VIF", vif, "device")),
        mtu=mtu or None,
    )


async def attach_network(tools: Toolstack, network: str) -> None:
    """Make an internal network's bridge where it is not there yet.

    Raises HOST_CANNOT_ATTACH_NETWORK [host; network], for one too that leads out of other hosts only.
    """
    db = tools.db
    if pifs := db.items("network", network, "PIFs"):
        if all(db.text("PIF", pif, "host") != tools.host for pif in pifs):
            raise HostCannotAttachNetworkError(tools.host, network)
        return
    try:
        await tools.network.create_bridge(db.text("network", network, "bridge"))
    except NetworkError as error:
        raise HostCannotAttachNetworkError(tools.host, network) from error


async def start_domain(tools: Toolstack, vm: str, *, paused: bool, again: bool = False) -> None:
    """Make the domain and record it. Raises XenAPI errors; then nothing is left running.

    A guest that rebooted by itself is started `again`: without the disks that were taken from it and
    are another's now, instead of not at all.

    In a pool of several hosts a guest does nothing before it is recorded: it could have been started elsewhere by then.
    """
    held = not paused and not again and len(tools.db.refs("host")) > 1
    drives = full_drives(tools.db, vm)
    if again:
        drives = [vbd for vbd in drives if _still_its(tools.db, vbd)]
    _check_twice(tools.db, drives)
    with reserved(tools, drives, "attach"):
        config = await build_config(tools, vm, drives)
        try:
            domid = await tools.hypervisor.create(config, paused=paused or held)
        except NotEnoughMemoryError as error:
            raise HostNotEnoughFreeMemoryError(str(error.needed_bytes), str(error.free_bytes)) from error
        except BootFileMissingError as error:
            raise BootloaderFailedError(vm, f"no such file: {error.path}") from error
        except XenError as error:
            raise InternalErrorError(str(error)) from error
        try:
            domid_here(tools, vm)
            _record_started(tools, vm, domid, config, "Paused" if paused else "Running")
            if held:
                with host_errors():
                    await tools.hypervisor.unpause(domid)
        except (KronosError, XenAPIError):
            # Nobody would know that it runs, and it could be started on another host, too.
            await _take_back(tools, domid)
            raise
        await tell_started_guest(tools, vm, domid)


async def _take_back(tools: Toolstack, domid: int) -> None:
    try:
        await tools.hypervisor.destroy(domid)
    except XenError as error:
        log.error("domain %s, which could not be recorded: %s", domid, error)


def _still_its(db: Database, vbd: str) -> bool:
    """Say whether a guest had a drive's disk until now, or could have it."""
    if db.flag("VBD", vbd, "currently_attached"):
        return True
    disk = disk_facts(db, db.text("VBD", vbd, "VDI"), vbd)
    read_only = db.text("VBD", vbd, "mode") == "RO"
    return disk is None or disk_error(disk, "attach", read_only=read_only) is None


def _record_started(tools: Toolstack, vm: str, domid: int, config: DomainConfig, state: str) -> None:
    """Record that `vm` was started as `domid`, with what it was given; a drive made meanwhile is not among that."""
    db = tools.db
    disks = frozenset(disk.device for disk in config.disks)
    devices = Devices(disks, frozenset(vif.devid for vif in config.vifs))
    with db.transaction():
        record_running(tools, vm, domid, state, devices)
        db.set("VM", vm, "memory_target", config.memory_target_bytes)
        metrics = db.text("VM", vm, "metrics")
        if db.exists("VM_metrics", metrics):
            now = now_text()
            db.update(
                "VM_metrics",
                metrics,
                start_time=now,
                last_updated=now,
                memory_actual=config.memory_target_bytes,
                VCPUs_number=config.vcpus,
            )


def record_running(tools: Toolstack, vm: str, domid: int, state: str, devices: Devices) -> None:
    """Record that `vm` runs as `domid`, and which of its devices the domain has."""
    db = tools.db
    with db.transaction():
        db.update("VM", vm, power_state=state, domid=domid, resident_on=tools.host)
        record_devices(db, vm, devices)


def record_devices(db: Database, vm: str, devices: Devices) -> None:
    """Record which of a VM's devices its domain has."""
    with db.transaction():
        for vbd in db.items("VM", vm, "VBDs"):
            there = _has_medium(db, vbd) and db.text("VBD", vbd, "device") in devices.disks
            # In one commit: what was kept for a start is given now.
            db.update("VBD", vbd, currently_attached=there, reserved=False)
        for vif in db.items("VM", vm, "VIFs"):
            there = int(db.text("VIF", vif, "device")) in devices.vifs
            db.set("VIF", vif, "currently_attached", there)


def record_halted(tools: Toolstack, vm: str) -> None:
    """Record that `vm` has no domain any more, and what that means for its devices."""
    db = tools.db
    with db.transaction():
        db.update("VM", vm, power_state="Halted", domid=-1, resident_on=NULL_REF)
        for vbd in db.items("VM", vm, "VBDs"):
            db.set("VBD", vbd, "currently_attached", value=False)
        for vif in db.items("VM", vm, "VIFs"):
            db.set("VIF", vif, "currently_attached", value=False)
        metrics = db.text("VM", vm, "metrics")
        if db.exists("VM_metrics", metrics):
            db.update("VM_metrics", metrics, last_updated=now_text(), memory_actual=0, VCPUs_number=0)
