"""From a VM's records to a running domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api.storage_access import driver_of, storage_errors
from xapi_shim.datamodel.errors import (
    BootloaderFailedError,
    DeviceAlreadyAttachedError,
    HostCannotAttachNetworkError,
    HostNotEnoughFreeMemoryError,
    InternalErrorError,
    InvalidValueError,
    SrHasNoPbdsError,
    UnknownBootloaderError,
    VdiInUseError,
    VmHvmRequiredError,
)
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.network.interface import NetworkError
from xapi_shim.rpc.dates import now_text
from xapi_shim.xen.interface import (
    BootFileMissingError,
    Disk,
    DomainConfig,
    DomainType,
    NotEnoughMemoryError,
    Vif,
    XenError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from xapi_shim.api.toolstack import Toolstack
    from xapi_shim.database.database import Database


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


async def build_config(tools: Toolstack, vm: str) -> DomainConfig:
    """Return the domain a VM's records describe.

    Raises VM_HVM_REQUIRED, UNKNOWN_BOOTLOADER, INVALID_VALUE, BOOTLOADER_FAILED and the errors
    of its devices; changes nothing but bridges of internal networks that are missing.
    """
    db = tools.db
    kind = domain_type(db, vm)
    if kind is DomainType.HVM:
        raise VmHvmRequiredError(vm)
    if bootloader := db.text("VM", vm, "PV_bootloader"):
        raise UnknownBootloaderError(vm, bootloader)
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
        disks=tuple([await _disk(tools, vbd) for vbd in _in_order(db, vm) if _has_medium(db, vbd)]),
        vifs=tuple([await _vif(tools, vif) for vif in db.items("VM", vm, "VIFs")]),
    )


def _in_order(db: Database, vm: str) -> list[str]:
    return sorted(db.items("VM", vm, "VBDs"), key=lambda vbd: db.text("VBD", vbd, "device"))


def _has_medium(db: Database, vbd: str) -> bool:
    return not db.flag("VBD", vbd, "empty") and db.text("VBD", vbd, "VDI") != NULL_REF


async def _disk(tools: Toolstack, vbd: str) -> Disk:
    db = tools.db
    vdi = db.text("VBD", vbd, "VDI")
    read_only = db.text("VBD", vbd, "mode") == "RO"
    if not read_only:
        _check_unshared(db, vbd, vdi)
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
        read_only=read_only,
        is_cdrom=db.text("VBD", vbd, "type") == "CD",
    )


def _check_unshared(db: Database, vbd: str, vdi: str) -> None:
    """Raise VDI_IN_USE while another guest has the disk: two writers destroy a file system."""
    if db.flag("VDI", vdi, "sharable"):
        return
    for other in db.items("VDI", vdi, "VBDs"):
        if other != vbd and db.flag("VBD", other, "currently_attached"):
            raise VdiInUseError(vdi, "attach")
    mine = [v for v in db.items("VDI", vdi, "VBDs") if db.text("VBD", v, "VM") == db.text("VBD", vbd, "VM")]
    if len(mine) > 1:
        raise DeviceAlreadyAttachedError(vbd)


async def _vif(tools: Toolstack, vif: str) -> Vif:
    db = tools.db
    network = db.text("VIF", vif, "network")
    bridge = db.text("network", network, "bridge")
    if not db.items("network", network, "PIFs"):
        try:
            await tools.network.create_bridge(bridge)
        except NetworkError as error:
            raise HostCannotAttachNetworkError(tools.host, network) from error
    mtu = db.number("VIF", vif, "MTU")
    return Vif(
        mac=db.text("VIF", vif, "MAC"),
        bridge=bridge,
        devid=int(db.text("VIF", vif, "device")),
        mtu=mtu or None,
    )


async def start_domain(tools: Toolstack, vm: str, *, paused: bool) -> None:
    """Make the domain and record it. Raises XenAPI errors; then nothing is left running."""
    config = await build_config(tools, vm)
    try:
        domid = await tools.hypervisor.create(config, paused=paused)
    except NotEnoughMemoryError as error:
        raise HostNotEnoughFreeMemoryError(str(error.needed_bytes), str(error.free_bytes)) from error
    except BootFileMissingError as error:
        raise BootloaderFailedError(vm, f"no such file: {error.path}") from error
    except XenError as error:
        raise InternalErrorError(str(error)) from error
    record_running(tools, vm, domid, "Paused" if paused else "Running")


def record_running(tools: Toolstack, vm: str, domid: int, state: str, *, started: bool = True) -> None:
    """Record that `vm` runs as `domid`, with its devices attached."""
    db = tools.db
    with db.transaction():
        db.update("VM", vm, power_state=state, domid=domid, resident_on=tools.host)
        for vbd in db.items("VM", vm, "VBDs"):
            db.set("VBD", vbd, "currently_attached", _has_medium(db, vbd))
        for vif in db.items("VM", vm, "VIFs"):
            db.set("VIF", vif, "currently_attached", value=True)
        metrics = db.text("VM", vm, "metrics")
        if started and db.exists("VM_metrics", metrics):
            now = now_text()
            memory, vcpus = db.number("VM", vm, "memory_dynamic_max"), db.number("VM", vm, "VCPUs_at_startup")
            db.update(
                "VM_metrics",
                metrics,
                start_time=now,
                last_updated=now,
                memory_actual=memory,
                VCPUs_number=vcpus,
            )


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
