"""On which host of the pool a message's implementation is to run: a table, decided from records.

Every host has the same records, so a message that needs nothing else runs on the master, also where it is about a
host that is dead. What acts on a hypervisor, on storage, on a network or on a host's own system runs where that is:

- a message that names a host, on that host;
- one of a VM, on the host that the VM runs on; VM.start where `placement` says;
- one of a device or a console, where its VM is;
- one of a PBD, a PIF or what else is a host's own, on that host;
- one of an SR or a disk, on a host that has the SR plugged: this one where it has, else the master, else another, always
  the same; but while a host changes an SR, what comes next is done there too. So one host at a time writes what an SR
  keeps of its disks, as storage that hosts share without a lock asks for (storage/group_sr.py).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from xapi_shim.api.allowed import CHANGES_DISKS
from xapi_shim.api.other_hosts import OF_RECORDS, host_position, is_live
from xapi_shim.api.own_host import host_of, worker_of
from xapi_shim.api.placement import choose_host
from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import ApiClass, Message, Value

    # From an object's ref, and the host that asks, to the host.
    Place = Callable[[Database, str, str], str | None]


def _names(cls: str, names: str) -> frozenset[str]:
    return frozenset(f"{cls}.{name}" for name in names.split())


# What needs records only, though it is about something that is on a host.
RECORDS_ONLY = (
    OF_RECORDS
    | _names(
        "VM",
        """add_to_blocked_operations assert_agile assert_can_be_recovered assert_can_boot_here assert_operation_valid
        clone compute_memory_overhead copy_bios_strings create create_new_blob destroy get_SRs_required_for_recovery
        get_allowed_VBD_devices get_allowed_VIF_devices get_boot_record get_cooperative get_possible_hosts
        get_secureboot_readiness maximise_memory provision remove_from_blocked_operations
        retrieve_wlb_recommendations set_HVM_boot_policy set_HVM_shadow_multiplier set_NVRAM
        set_NVRAM_EFI_variables set_VCPUs_at_startup set_VCPUs_max set_appliance set_bios_strings
        set_blocked_operations set_domain_type set_groups set_ha_always_run set_ha_restart_priority
        set_has_vendor_device set_is_a_template set_memory set_memory_limits set_memory_static_max
        set_memory_static_min set_memory_static_range set_order set_shutdown_delay set_snapshot_schedule
        set_start_delay update_allowed_operations update_snapshot_metadata""",
    )
    | _names("VBD", "create destroy set_mode")
    | _names(
        "VIF",
        """add_ipv4_allowed add_ipv6_allowed create destroy remove_ipv4_allowed remove_ipv6_allowed
        set_ipv4_allowed set_ipv6_allowed""",
    )
    | _names("VTPM", "create destroy get_contents set_contents")
    | _names("VUSB", "create destroy")
    | _names("VGPU", "create destroy")
    | _names("PVS_proxy", "create destroy")
    | _names("PBD", "create destroy set_device_config")
    | _names("PIF", "db_forget set_disallow_unplug")
    | _names("VLAN", "pool_introduce")
    | _names("PUSB", "set_passthrough_enabled")
    | _names(
        "PGPU",
        """add_enabled_VGPU_types get_remaining_capacity remove_enabled_VGPU_types set_GPU_group
        set_enabled_VGPU_types""",
    )
    | _names(
        "SR",
        """assert_can_host_ha_statefile assert_supports_database_replication create_new_blob forget get_live_hosts
        make set_name_description set_name_label set_shared""",
    )
    | _names(
        "VDI",
        """db_forget db_introduce forget pool_introduce set_name_description set_name_label set_on_boot
        set_read_only set_sharable""",
    )
    | _names("PVS_cache_storage", "create destroy")
    | _names(
        "host",
        """apply_edition disable_local_storage_caching enable_local_storage_caching get_management_interface
        license_add license_remove list_timezones set_https_only set_ssl_legacy""",
    )
    | _names("pool", "is_slave")
)


def _of_vm(db: Database, ref: str, here: str) -> str | None:  # noqa: ARG001 -- a Place
    return host_of(db, ref)


def _through(cls: str, field: str, other: str, place: Place) -> Place:
    """Return the place of an object that is another's."""

    def find(db: Database, ref: str, here: str) -> str | None:
        to = db.text(cls, ref, field)
        return place(db, to, here) if db.exists(other, to) else None

    return find


def _itself(db: Database, ref: str, here: str) -> str | None:  # noqa: ARG001 -- a Place
    return ref


def _of_sr(db: Database, ref: str, here: str) -> str | None:
    """A live host that has it plugged, and changes it already if one does; where none has, one that could have."""
    pbds = [pbd for pbd in db.items("SR", ref, "PBDs") if db.exists("host", db.text("PBD", pbd, "host"))]
    plugged = [pbd for pbd in pbds if db.flag("PBD", pbd, "currently_attached")]
    hosts = [db.text("PBD", pbd, "host") for pbd in plugged or pbds]
    live = [host for host in hosts if is_live(db, host)]
    masters = [db.text("pool", pool, "master") for pool in db.refs("pool")]

    current = db.mapping("SR", ref, "current_operations")
    at_work = {worker_of(db, key) for key, name in current.items() if name in CHANGES_DISKS}

    def rank(host: str) -> tuple[bool, bool, bool, str]:
        return host not in at_work, host != here, host not in masters, db.text("host", host, "uuid")

    return min(live or hosts, key=rank, default=None)


def _of_disk(db: Database, ref: str, here: str) -> str | None:
    sr = db.text("VDI", ref, "SR") if db.exists("VDI", ref) else ""
    return _of_sr(db, sr, here) if db.exists("SR", sr) else None


def _on_master(db: Database, ref: str, here: str) -> str | None:
    """On the master: records of the pool, and what each host follows by itself."""


_OWN = ("PBD", "PIF", "PUSB", "PCI", "PGPU", "host_crashdump", "host_cpu", "Cluster_host")
_DEVICES = ("VBD", "VIF", "VTPM", "VUSB", "VGPU", "console")
# By the class of a message's first ref.
PLACES: Mapping[str, Place] = {
    "VM": _of_vm,
    **{cls: _through(cls, "VM", "VM", _of_vm) for cls in _DEVICES},
    **{cls: _through(cls, "host", "host", _itself) for cls in _OWN},
    "SR": _of_sr,
    "VDI": _of_disk,
    "crashdump": _through("crashdump", "VDI", "VDI", _of_disk),
    **dict.fromkeys(
        (
            "Caller", "Certificate", "Cluster", "GPU_group", "Observer", "PVS_cache_storage", "PVS_proxy",
            "PVS_server", "PVS_site", "Rate_limit", "Repository", "USB_group", "VMSS", "VM_appliance", "VM_group",
            "blob", "message", "network", "pool", "role", "secret", "session", "subject", "task",
        ),
        _on_master,
    ),
}  # fmt: skip


def _of_task(db: Database, ref: str, here: str) -> str | None:  # noqa: ARG001 -- a Place
    """Where the work is: the coroutine that is to be stopped."""
    host = db.text("task", ref, "resident_on")
    return host if db.exists("host", host) else None


def _start(db: Database, ref: str, here: str) -> str | None:  # noqa: ARG001 -- a Place
    """Where a halted VM is to start; one that cannot be started is refused where it is."""
    if db.text("VM", ref, "power_state") != "Halted" or db.flag("VM", ref, "is_a_template"):
        return host_of(db, ref)
    return choose_host(db, ref)


def _reset(db: Database, ref: str, here: str) -> str | None:  # noqa: ARG001 -- a Place
    """Where the VM's domain would be; the master forgets those of dead hosts."""
    host = host_of(db, ref)
    return host if host is not None and is_live(db, host) else None


def _of_drive(db: Database, ref: str, here: str) -> str | None:
    """Where the VM runs; where it does not, where the drive's disk is."""
    vm = db.text("VBD", ref, "VM")
    host = host_of(db, vm) if db.exists("VM", vm) else None
    return host or _of_disk(db, db.text("VBD", ref, "VDI"), here)


# Messages with a place that is not their first ref's.
OWN_PLACES: Mapping[str, Place] = {
    "VM.start": _start,
    "VM.start_on": _start,  # on no host that is named
    "VM.power_state_reset": _reset,
    "VBD.assert_attachable": _of_drive,
    "task.cancel": _of_task,
}
# Makers of what is somewhere: the class of which field of the record says where.
_MAKERS = {"VDI.create": ("SR", "SR")}


@cache
def _declared() -> Mapping[str, tuple[ApiClass, Message]]:
    return all_messages(DATAMODEL)


@cache
def host_parameter(key: str) -> int | None:
    """Return which parameter names the host that must do a message, None where none does."""
    return None if key in RECORDS_ONLY else host_position(key, _declared()[key][1])


@cache
def first_ref(key: str) -> tuple[int, str] | None:
    """Return which parameter of a message is its first ref, and the ref's class; None for a message without."""
    for at, one in enumerate(_declared()[key][1].params):
        if one.type.kind is Kind.REF:
            return at, one.type.name
    return None


def work_host(db: Database, key: str, args: Sequence[Value], here: str) -> str | None:
    """Return the host that must run a message's implementation, None where any may: the master then does.

    `key` is Class.message, `args` its decoded arguments without the session, `here` the host that asks. A host that
    is dead is returned too: what only it could do cannot be done. Raises what `placement.choose_host` does.
    """
    if len(db.tables["host"].rows) < 2 or key in RECORDS_ONLY:
        return None
    at = host_parameter(key)
    if at is not None and db.exists("host", cast("str", args[at])):
        return cast("str", args[at])
    if key in _MAKERS:
        field, cls = _MAKERS[key]
        ref = cast("dict[str, str]", args[0]).get(field, "")
        return PLACES[cls](db, ref, here) if db.exists(cls, ref) else None
    if (found := first_ref(key)) is None:
        return None
    at, cls = found
    ref = cast("str", args[at])
    if cls not in db.tables or not db.exists(cls, ref):
        return None
    return OWN_PLACES.get(key, PLACES.get(cls, _on_master))(db, ref, here)
