"""Commands on snapshots and templates, on VMs' disks and CDs, and what removes VMs with their disks."""

from __future__ import annotations

from typing import Any

from xapi_shim.cli.engine.classes import CLASSES
from xapi_shim.cli.engine.command import CommandError, Context, ExitWithError, MissingParameterError, command
from xapi_shim.cli.engine.generated import show_records
from xapi_shim.cli.engine.selectors import selected
from xapi_shim.cli.engine.table_storage import new_vbd
from xapi_shim.cli.engine.table_vm import reset_powerstate
from xapi_shim.cli.engine.values import size_bytes
from xapi_shim.datamodel.types import NULL_REF


def _snapshot(ctx: Context) -> str:
    """Return the snapshot that snapshot-uuid= or uuid= names. Raises MissingParameterError, ApiError."""
    uuid = ctx.args.get("snapshot-uuid") or ctx.args.get("uuid")
    if uuid is None:
        raise MissingParameterError("snapshot-uuid")
    return ctx.ref("VM", uuid)


@command("snapshot-revert", optional="uuid snapshot-uuid", flags="standard", messages="VM.revert")
def snapshot_revert(ctx: Context) -> None:
    """Take a VM back to a snapshot."""
    ctx.call("VM.revert", _snapshot(ctx))


@command("snapshot-reset-powerstate", optional="uuid snapshot-uuid force", selects="vm", flags="standard",
         messages="VM.power_state_reset")  # fmt: skip
def snapshot_reset(ctx: Context) -> None:
    """Record a snapshot as halted; only with --force."""
    reset_powerstate(ctx, _snapshot(ctx))


def _copy(ctx: Context, message: str, *more: object) -> None:
    new = ctx.call(message, _snapshot(ctx), ctx.need("new-name-label"), *more)
    if "new-name-description" in ctx.args:
        ctx.call("VM.set_name_description", new, ctx.args["new-name-description"])
    ctx.print_uuid("VM", new)


@command("snapshot-clone", "new-name-label", optional="uuid new-name-description", flags="standard",
         messages="VM.clone")  # fmt: skip
def snapshot_clone(ctx: Context) -> None:
    """Make a template of a snapshot the fast way, and print its uuid."""
    _copy(ctx, "VM.clone")


@command("snapshot-copy", "new-name-label", optional="uuid new-name-description sr-uuid", flags="standard",
         messages="VM.copy")  # fmt: skip
def snapshot_copy(ctx: Context) -> None:
    """Make a template of a snapshot with full copies of its disks, and print its uuid."""
    _copy(ctx, "VM.copy", ctx.ref_of("sr-uuid", "SR"))


@command("snapshot-destroy", optional="uuid snapshot-uuid", messages="VM.destroy")
def snapshot_destroy(ctx: Context) -> None:
    """Remove a snapshot's records; its disks stay."""
    ctx.call("VM.destroy", _snapshot(ctx))


def _uninstall(ctx: Context, vms: list[str]) -> None:
    """Remove VMs and destroy their disks, after asking unless --force."""
    vbds = ctx.store.all("VBD")
    rows = {vm: ctx.store.all("VM")[vm] for vm in vms}
    disks = {
        vbds[vbd]["VDI"]: None for row in rows.values() for vbd in row["VBDs"] if vbds[vbd]["type"] == "Disk"
    }
    disks.pop(NULL_REF, None)
    if not ctx.flag("force"):
        _ask(ctx, list(rows.values()), [ctx.store.all("VDI")[disk] for disk in disks])
    for vm, row in rows.items():
        if row["power_state"] != "Halted":
            ctx.call("VM.hard_shutdown", vm)
        ctx.call("VM.destroy", vm)
    for disk in disks:
        ctx.call("VDI.destroy", disk)
    ctx.print("All objects destroyed")


def _ask(ctx: Context, vms: list[dict[str, Any]], vdis: list[dict[str, Any]]) -> None:
    """Show what is about to go, and go on only after "yes". Raises ExitWithError."""
    ctx.print("The following items are about to be destroyed")
    for row in vms:
        ctx.print(f"VM : {row['uuid']} ({row['name_label']})")
    for row in vdis:
        ctx.print(f"VDI: {row['uuid']} ({row['name_label']})")
    ctx.print("Type 'yes' to continue")
    if ctx.terminal.prompt().strip().lower() != "yes":
        ctx.print("Aborted")
        raise ExitWithError(1)


@command("vm-uninstall", optional="force", selects="vm", flags="standard",
         messages="VM.hard_shutdown VM.destroy VDI.destroy")  # fmt: skip
def vm_uninstall(ctx: Context) -> None:
    """Remove VMs and destroy their disks; asks unless --force."""
    _uninstall(ctx, selected(ctx, "vm"))


@command("snapshot-uninstall", optional="uuid snapshot-uuid force", flags="standard",
         messages="VM.destroy VDI.destroy")  # fmt: skip
def snapshot_uninstall(ctx: Context) -> None:
    """Remove a snapshot and destroy its disks; asks unless --force."""
    _uninstall(ctx, [_snapshot(ctx)])


@command("template-uninstall", "template-uuid", optional="force", flags="standard",
         messages="VM.destroy VDI.destroy")  # fmt: skip
def template_uninstall(ctx: Context) -> None:
    """Remove a template and destroy its disks; asks unless --force."""
    _uninstall(ctx, [ctx.ref("VM", ctx.need("template-uuid"))])


def _drives(ctx: Context, vm: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return a VM's VBDs of a type, Disk or CD."""
    rows = ctx.store.all("VBD")
    return [(ref, rows[ref]) for ref in ctx.store.all("VM")[vm]["VBDs"] if rows[ref]["type"] == kind]


def _show_drives(ctx: Context, vms: list[str], kind: str) -> None:
    """Print the VBDs of a type and what is in them, those of each VM after the other."""
    for vm in vms:
        for at, (_, vbd) in enumerate(_drives(ctx, vm, kind)):
            rows = (("vbd", "VBD", vbd), ("vdi", "VDI", ctx.store.all("VDI").get(vbd["VDI"])))
            for cls, what, row in rows:
                if row is None:
                    continue
                if not ctx.minimal:
                    ctx.print(f"{kind} {at} {what}:")
                params = ctx.args.get(f"{cls}-params", SHOWN[cls])
                show_records(ctx, CLASSES[cls], [row], params)


SHOWN = {"vbd": "uuid,vm-name-label,userdevice", "vdi": "uuid,name-label,sr-name-label,virtual-size"}


@command("vm-disk-list", optional="vbd-params vdi-params", selects="vm", flags="standard")
def vm_disk_list(ctx: Context) -> None:
    """List the disks of VMs."""
    _show_drives(ctx, selected(ctx, "vm"), "Disk")


@command(
    "snapshot-disk-list", optional="uuid snapshot-uuid vbd-params vdi-params", selects="vm", flags="standard"
)
def snapshot_disk_list(ctx: Context) -> None:
    """List the disks of a snapshot."""
    _show_drives(ctx, [_snapshot(ctx)], "Disk")


@command("vm-cd-list", optional="vbd-params vdi-params", selects="vm", flags="standard")
def vm_cd_list(ctx: Context) -> None:
    """List the CD drives of VMs."""
    _show_drives(ctx, selected(ctx, "vm"), "CD")


@command("vm-vif-list", selects="vm", flags="standard")
def vm_vif_list(ctx: Context) -> None:
    """List the network interfaces of VMs."""
    for vm in selected(ctx, "vm"):
        rows = [ctx.store.all("VIF")[ref] for ref in ctx.store.all("VM")[vm]["VIFs"]]
        show_records(
            ctx, CLASSES["vif"], rows, "uuid,device,MAC,network-uuid,network-name-label,vm-name-label"
        )


@command("vm-crashdump-list", selects="vm", messages="crashdump.get_all_records")
def vm_crashdump_list(ctx: Context) -> None:
    """List the crash dumps of VMs."""
    dumps = ctx.store.all("crashdump")
    for vm in selected(ctx, "vm"):
        name = ctx.store.all("VM")[vm]["name_label"]
        for row in (one for one in dumps.values() if one["VM"] == vm):
            ctx.print(f"{row['uuid']} ({name}): {ctx.store.all('VDI')[row['VDI']]['uuid']}")


def _is_iso(ctx: Context, row: dict[str, Any]) -> bool:
    return bool(ctx.store.all("SR").get(row["SR"], {}).get("content_type") == "iso")


def _cd_image(ctx: Context) -> str:
    """Return the CD image that cd-name= names. Raises CommandError."""
    name = ctx.need("cd-name")
    isos = [
        r
        for r, row in ctx.store.all("VDI").items()
        if _is_iso(ctx, row) and name in (row["name_label"], row["uuid"])
    ]
    if len(isos) != 1:
        raise CommandError(
            f"{'CD ' + name + ' not found' if not isos else 'Multiple CDs are called ' + name}"
        )
    return isos[0]


@command("cd-list", optional="params", flags="standard")
def cd_list(ctx: Context) -> None:
    """List the CD images on ISO SRs."""
    rows = [row for row in ctx.store.all("VDI").values() if _is_iso(ctx, row)]
    show_records(ctx, CLASSES["vdi"], rows, ctx.args.get("params", "name-label,uuid"))


@command("vm-cd-add", "cd-name", "device", selects="vm", flags="standard", messages="VBD.create")
def vm_cd_add(ctx: Context) -> None:
    """Put a CD drive with an image into VMs, plugged in where they run."""
    image = _cd_image(ctx)
    for vm in selected(ctx, "vm"):
        record = new_vbd(vm, image, ctx.need("device")) | {"type": "CD", "mode": "RO"}
        vbd = ctx.call("VBD.create", record)
        if ctx.store.all("VM")[vm]["power_state"] == "Running":
            ctx.call("VBD.plug", vbd)


@command("vm-cd-remove", "cd-name", selects="vm", flags="standard", messages="VBD.destroy")
def vm_cd_remove(ctx: Context) -> None:
    """Take the CD drive with an image out of VMs."""
    image = _cd_image(ctx)
    for vm in selected(ctx, "vm"):
        drives = [ref for ref, row in _drives(ctx, vm, "CD") if row["VDI"] == image]
        if not drives:
            raise CommandError("The VM has no CD drive with that image")
        for drive in drives:
            ctx.call("VBD.destroy", drive)


def _one_drive(ctx: Context, vm: str) -> tuple[str, dict[str, Any]]:
    drives = _drives(ctx, vm, "CD")
    if len(drives) != 1:
        which = "no CD drives" if not drives else "two or more CD drives: use the vbd commands"
        raise CommandError(f"The VM has {which}")
    return drives[0]


@command("vm-cd-eject", selects="vm", flags="standard", messages="VBD.eject")
def vm_cd_eject(ctx: Context) -> None:
    """Take the CD out of a VM's only CD drive."""
    for vm in selected(ctx, "vm"):
        ctx.call("VBD.eject", _one_drive(ctx, vm)[0])


@command("vm-cd-insert", "cd-name", selects="vm", flags="standard", messages="VBD.insert")
def vm_cd_insert(ctx: Context) -> None:
    """Put a CD into a VM's only CD drive, which must be empty."""
    image = _cd_image(ctx)
    for vm in selected(ctx, "vm"):
        ctx.call("VBD.insert", _one_drive(ctx, vm)[0], image)


@command("vm-disk-add", "disk-size", "device", optional="sr-uuid", selects="vm", flags="standard",
         messages="VDI.create VBD.create")  # fmt: skip
def vm_disk_add(ctx: Context) -> None:
    """Make a disk for a VM, on the pool's default SR unless sr-uuid= names one."""
    sr = ctx.ref_of("sr-uuid", "SR") if "sr-uuid" in ctx.args else ctx.call("pool.get_default_SR", ctx.pool())
    values: dict[str, Any] = {"name_label": "Created by xe", "name_description": "", "SR": sr, "type": "user", "sharable": False,
              "virtual_size": size_bytes("disk-size", ctx.need("disk-size")), "read_only": False,
              "other_config": {}, "xenstore_data": {}, "sm_config": {}, "tags": []}  # fmt: skip
    for vm in selected(ctx, "vm"):
        vdi = ctx.call("VDI.create", values)
        try:
            ctx.call("VBD.create", new_vbd(vm, vdi, ctx.need("device")))
        except BaseException:
            ctx.call("VDI.destroy", vdi)
            raise


@command("vm-disk-remove", "device", selects="vm", flags="standard", messages="VBD.destroy VDI.destroy")
def vm_disk_remove(ctx: Context) -> None:
    """Take a disk out of a VM and destroy it."""
    for vm in selected(ctx, "vm"):
        found = [
            (ref, row) for ref, row in _drives(ctx, vm, "Disk") if row["userdevice"] == ctx.need("device")
        ]
        if len(found) != 1:
            raise CommandError("Disk not found")
        vbd, row = found[0]
        ctx.call("VBD.destroy", vbd)
        ctx.call("VDI.destroy", row["VDI"])
