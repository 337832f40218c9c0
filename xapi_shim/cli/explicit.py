"""The commands that are written one by one."""

from __future__ import annotations

import sys
from typing import Any

from xapi_shim.base.process import replace_process
from xapi_shim.cli.command import Context, UsageError, command
from xapi_shim.cli.generated import size_bytes
from xapi_shim.datamodel.types import NULL_REF

MIB = 1 << 20


@command("vm-create", "name-label", optional=("name-description", "memory", "domain-type"))
def vm_create(ctx: Context) -> None:
    """Make a bare VM record and print its uuid."""
    memory = str(size_bytes(ctx.args.get("memory", "256MiB")))
    values: dict[str, Any] = {
        "name_label": ctx.need("name-label"),
        "name_description": ctx.args.get("name-description", ""),
        "user_version": "1",
        "is_a_template": False,
        "affinity": NULL_REF,
        "memory_static_min": str(16 * MIB),
        "memory_dynamic_min": memory,
        "memory_dynamic_max": memory,
        "memory_static_max": memory,
        "VCPUs_params": {},
        "VCPUs_max": "1",
        "VCPUs_at_startup": "1",
        "actions_after_shutdown": "destroy",
        "actions_after_reboot": "restart",
        "actions_after_crash": "destroy",
        "PV_bootloader": "",
        "PV_kernel": "",
        "PV_ramdisk": "",
        "PV_args": "",
        "PV_bootloader_args": "",
        "PV_legacy_args": "",
        "HVM_boot_policy": "",
        "HVM_boot_params": {},
        "platform": {},
        "PCI_bus": "",
        "other_config": {},
        "recommendations": "",
        "domain_type": ctx.args.get("domain-type", "pv"),
    }
    _print_uuid(ctx, "VM", ctx.call("VM.create", values))


@command("vm-install", "new-name-label", optional=("template", "template-uuid"))
def vm_install(ctx: Context) -> None:
    """Make a VM from a template (template=NAME or UUID) and print its uuid."""
    wanted = ctx.args.get("template-uuid") or ctx.need("template")
    found = [
        ref
        for ref, row in ctx.store.all("VM").items()
        if row["is_a_template"] and wanted in (row["uuid"], row["name_label"])
    ]
    if len(found) != 1:
        raise UsageError(f"{'No template' if not found else 'More than one template'} matches {wanted!r}")
    vm = ctx.call("VM.clone", found[0], ctx.need("new-name-label"))
    try:
        ctx.call("VM.set_is_a_template", vm, False)  # noqa: FBT003
        ctx.call("VM.provision", vm)
    except BaseException:
        ctx.call("VM.destroy", vm)
        raise
    _print_uuid(ctx, "VM", vm)


@command("vm-clone", "new-name-label", optional=("new-name-description",), selects=True)
def vm_clone(ctx: Context) -> None:
    """Copy a VM and print the copy's uuid."""
    for vm in ctx.selected_vms():
        new = ctx.call("VM.clone", vm, ctx.need("new-name-label"))
        if "new-name-description" in ctx.args:
            ctx.call("VM.set_name_description", new, ctx.args["new-name-description"])
        _print_uuid(ctx, "VM", new)


@command("vm-start", optional=("force", "on", "paused"), selects=True)
def vm_start(ctx: Context) -> None:
    """Start VMs."""
    for vm in ctx.selected_vms():
        if "on" in ctx.args:
            ctx.call("VM.start_on", vm, _host(ctx, ctx.args["on"]), ctx.flag("paused"), ctx.flag("force"))
        else:
            ctx.call("VM.start", vm, ctx.flag("paused"), ctx.flag("force"))


@command("vm-shutdown", optional=("force",), selects=True)
def vm_shutdown(ctx: Context) -> None:
    """Shut VMs down, the hard way with --force."""
    for vm in ctx.selected_vms():
        ctx.call("VM.hard_shutdown" if ctx.flag("force") else "VM.clean_shutdown", vm)


@command("vm-reboot", optional=("force",), selects=True)
def vm_reboot(ctx: Context) -> None:
    """Reboot VMs, the hard way with --force."""
    for vm in ctx.selected_vms():
        ctx.call("VM.hard_reboot" if ctx.flag("force") else "VM.clean_reboot", vm)


@command("vm-pause", selects=True)
def vm_pause(ctx: Context) -> None:
    """Pause VMs."""
    for vm in ctx.selected_vms():
        ctx.call("VM.pause", vm)


@command("vm-unpause", selects=True)
def vm_unpause(ctx: Context) -> None:
    """Let paused VMs go on."""
    for vm in ctx.selected_vms():
        ctx.call("VM.unpause", vm)


@command("vm-destroy", "uuid")
def vm_destroy(ctx: Context) -> None:
    """Remove a VM's records; its disks stay."""
    ctx.call("VM.destroy", ctx.ref("VM", ctx.need("uuid")))


@command("vm-uninstall", optional=("force",), selects=True)
def vm_uninstall(ctx: Context) -> None:
    """Remove VMs and destroy their disks; asks unless --force."""
    for vm in ctx.selected_vms():
        row = ctx.store.all("VM")[vm]
        vbds = ctx.store.all("VBD")
        disks = {vbds[v]["VDI"] for v in row["VBDs"] if vbds[v]["type"] == "Disk"} - {NULL_REF}
        if not ctx.flag("force"):
            sys.stderr.write(
                f"The following items are about to be destroyed\nVM : {row['uuid']} ({row['name_label']})\n"
            )
            sys.stderr.writelines(f"VDI: {ctx.store.all('VDI')[d]['uuid']}\n" for d in disks)
            sys.stderr.write("Type 'yes' to continue\n")
            if sys.stdin.readline().strip() != "yes":
                raise UsageError("Aborted")
        if row["power_state"] != "Halted":
            ctx.call("VM.hard_shutdown", vm)
        ctx.call("VM.destroy", vm)
        for disk in disks:
            ctx.call("VDI.destroy", disk)


@command("vm-memory-set", "memory", selects=True)
def vm_memory_set(ctx: Context) -> None:
    """Set the memory of halted VMs."""
    for vm in ctx.selected_vms():
        ctx.call("VM.set_memory", vm, str(size_bytes(ctx.need("memory"))))


@command("console", selects=True)
def console(ctx: Context) -> None:
    """Talk to a running guest's console on this host; leave with Ctrl-]."""
    (vm,) = ctx.selected_vms()
    replace_process(["xl", "console", str(ctx.store.all("VM")[vm]["domid"])])


@command(
    "vdi-create", "sr-uuid", "name-label", "virtual-size", optional=("type", "sharable", "name-description")
)
def vdi_create(ctx: Context) -> None:
    """Make a virtual disk and print its uuid."""
    values = {
        "name_label": ctx.need("name-label"),
        "name_description": ctx.args.get("name-description", ""),
        "SR": ctx.ref("SR", ctx.need("sr-uuid")),
        "virtual_size": str(size_bytes(ctx.need("virtual-size"))),
        "type": ctx.args.get("type", "user"),
        "sharable": ctx.flag("sharable"),
        "read_only": False,
        "other_config": ctx.maps("other-config"),
        "xenstore_data": {},
        "sm_config": ctx.maps("sm-config"),
        "tags": [],
    }
    _print_uuid(ctx, "VDI", ctx.call("VDI.create", values))


@command("vdi-destroy", "uuid")
def vdi_destroy(ctx: Context) -> None:
    """Destroy a virtual disk for good."""
    ctx.call("VDI.destroy", ctx.ref("VDI", ctx.need("uuid")))


@command("vdi-resize", "uuid", "disk-size")
def vdi_resize(ctx: Context) -> None:
    """Make a virtual disk larger."""
    ctx.call("VDI.resize", ctx.ref("VDI", ctx.need("uuid")), str(size_bytes(ctx.need("disk-size"))))


@command("vbd-create", "vm-uuid", "device", optional=("vdi-uuid", "bootable", "type", "mode", "unpluggable"))
def vbd_create(ctx: Context) -> None:
    """Put a disk (or an empty CD drive) into a VM and print the VBD's uuid."""
    kind = ctx.args.get("type", "Disk")
    vdi = ctx.args.get("vdi-uuid")
    values = {
        "VM": ctx.ref("VM", ctx.need("vm-uuid")),
        "VDI": ctx.ref("VDI", vdi) if vdi else NULL_REF,
        "device": "",
        "userdevice": ctx.need("device"),
        "bootable": ctx.flag("bootable"),
        "mode": ctx.args.get("mode", "RW").upper(),
        "type": {"cd": "CD", "disk": "Disk", "floppy": "Floppy"}.get(kind.lower(), kind),
        "unpluggable": True,
        "empty": vdi is None,
        "other_config": {},
        "qos_algorithm_type": "",
        "qos_algorithm_params": {},
    }
    _print_uuid(ctx, "VBD", ctx.call("VBD.create", values))


@command("vbd-destroy", "uuid")
def vbd_destroy(ctx: Context) -> None:
    """Take a disk out of a VM."""
    ctx.call("VBD.destroy", ctx.ref("VBD", ctx.need("uuid")))


@command("vif-create", "device", "network-uuid", "vm-uuid", optional=("mac",))
def vif_create(ctx: Context) -> None:
    """Give a VM a network interface and print its uuid; mac=random or none is chosen."""
    mac = ctx.args.get("mac", "")
    network = ctx.ref("network", ctx.need("network-uuid"))
    values = {
        "device": ctx.need("device"),
        "network": network,
        "VM": ctx.ref("VM", ctx.need("vm-uuid")),
        "MAC": "" if mac == "random" else mac,
        "MTU": ctx.store.all("network")[network]["MTU"],
        "other_config": {},
        "qos_algorithm_type": "",
        "qos_algorithm_params": {},
    }
    _print_uuid(ctx, "VIF", ctx.call("VIF.create", values))


@command("vif-destroy", "uuid")
def vif_destroy(ctx: Context) -> None:
    """Take a network interface from a VM."""
    ctx.call("VIF.destroy", ctx.ref("VIF", ctx.need("uuid")))


@command("network-create", "name-label", optional=("name-description", "MTU", "bridge"))
def network_create(ctx: Context) -> None:
    """Make an internal network and print its uuid."""
    values = {
        "name_label": ctx.need("name-label"),
        "name_description": ctx.args.get("name-description", ""),
        "MTU": ctx.args.get("MTU", "1500"),
        "other_config": {},
        "bridge": ctx.args.get("bridge", ""),
        "managed": True,
        "tags": [],
    }
    _print_uuid(ctx, "network", ctx.call("network.create", values))


@command("network-destroy", "uuid")
def network_destroy(ctx: Context) -> None:
    """Remove a network that nothing uses."""
    ctx.call("network.destroy", ctx.ref("network", ctx.need("uuid")))


@command(
    "sr-create",
    "name-label",
    "type",
    optional=("name-description", "host-uuid", "physical-size", "content-type", "shared"),
)
def sr_create(ctx: Context) -> None:
    """Make a storage repository (device-config:KEY=VALUE) and print its uuid."""
    host = _host(ctx, ctx.args["host-uuid"]) if "host-uuid" in ctx.args else NULL_REF
    sr = ctx.call(
        "SR.create",
        host,
        ctx.maps("device-config"),
        str(size_bytes(ctx.args.get("physical-size", "0"))),
        ctx.need("name-label"),
        ctx.args.get("name-description", ""),
        ctx.need("type"),
        ctx.args.get("content-type", ""),
        ctx.flag("shared"),
        ctx.maps("sm-config"),
    )
    _print_uuid(ctx, "SR", sr)


@command("sr-scan", "uuid")
def sr_scan(ctx: Context) -> None:
    """Look for disks in a storage repository."""
    ctx.call("SR.scan", ctx.ref("SR", ctx.need("uuid")))


@command("sr-forget", "uuid")
def sr_forget(ctx: Context) -> None:
    """Remove an unplugged storage repository's records, and leave its disks."""
    ctx.call("SR.forget", ctx.ref("SR", ctx.need("uuid")))


@command("sr-destroy", "uuid")
def sr_destroy(ctx: Context) -> None:
    """Destroy an empty, unplugged storage repository."""
    ctx.call("SR.destroy", ctx.ref("SR", ctx.need("uuid")))


@command("pbd-plug", "uuid")
def pbd_plug(ctx: Context) -> None:
    """Attach a storage repository to a host."""
    ctx.call("PBD.plug", ctx.ref("PBD", ctx.need("uuid")))


@command("pbd-unplug", "uuid")
def pbd_unplug(ctx: Context) -> None:
    """Detach a storage repository from a host."""
    ctx.call("PBD.unplug", ctx.ref("PBD", ctx.need("uuid")))


@command("host-enable", optional=("host", "uuid"))
def host_enable(ctx: Context) -> None:
    """Let guests start on a host again."""
    ctx.call("host.enable", _host(ctx, ctx.args.get("uuid") or ctx.args.get("host", "")))


@command("host-disable", optional=("host", "uuid"))
def host_disable(ctx: Context) -> None:
    """Let no new guests start on a host."""
    ctx.call("host.disable", _host(ctx, ctx.args.get("uuid") or ctx.args.get("host", "")), True)  # noqa: FBT003


@command("task-cancel", "uuid")
def task_cancel(ctx: Context) -> None:
    """Ask a task to stop."""
    ctx.call("task.cancel", ctx.ref("task", ctx.need("uuid")))


def _host(ctx: Context, wanted: str) -> str:
    """Return the host with a uuid or name, the only one for an empty text. Raises UsageError."""
    hosts = ctx.store.all("host")
    found = [r for r, row in hosts.items() if wanted in ("", row["uuid"], row["name_label"])]
    if len(found) != 1:
        raise UsageError(f"{'No host' if not found else 'More than one host'} matches {wanted!r}")
    return found[0]


def _print_uuid(ctx: Context, cls: str, ref: str) -> None:
    ctx.print(str(ctx.call(f"{cls}.get_uuid", ref)))
