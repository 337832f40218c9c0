"""Commands that save VMs in files and bring them back, and a guest's console."""

from __future__ import annotations

from xapi_shim.cli.engine.command import CommandError, Context, command
from xapi_shim.cli.engine.selectors import selected
from xapi_shim.cli.engine.table_files import http_path
from xapi_shim.datamodel.types import NULL_REF


def _export(ctx: Context, vm: str, **more: str) -> None:
    """Save a VM in the file that filename= names."""
    compression = ctx.args.get("compress", "false")
    query = {"ref": vm, "use_compression": compression, **more}
    for name in ("preserve-power-state", "include-snapshots"):
        if name in ctx.args:
            query[name.replace("-", "_")] = "true" if ctx.flag(name) else "false"
    if "excluded-device-types" in ctx.args:
        query["excluded_device_types"] = ctx.args["excluded-device-types"]
    action = "/export_metadata" if ctx.flag("metadata") else "/export"
    ctx.terminal.get(ctx.need("filename"), http_path(ctx, action, **query))
    ctx.print("Export succeeded")


@command("vm-export", "filename",
         optional="preserve-power-state compress metadata excluded-device-types include-snapshots",
         selects="vm", flags="standard", messages="http:/export")  # fmt: skip
def vm_export(ctx: Context) -> None:
    """Save a VM, records and disks, in a file."""
    for vm in selected(ctx, "vm", one_only=True):
        _export(ctx, vm)


@command("snapshot-export-to-template", "filename", "snapshot-uuid",
         optional="preserve-power-state compress metadata excluded-device-types", flags="standard",
         messages="http:/export")  # fmt: skip
def snapshot_export(ctx: Context) -> None:
    """Save a snapshot in a file, to become a template."""
    _export(ctx, ctx.ref("VM", ctx.need("snapshot-uuid")), export_snapshots="false")


@command("template-export", "filename", "template-uuid", optional="compress metadata excluded-device-types",
         flags="standard", messages="http:/export")  # fmt: skip
def template_export(ctx: Context) -> None:
    """Save a template in a file."""
    _export(ctx, ctx.ref("VM", ctx.need("template-uuid")))


@command("vm-import", optional="filename preserve sr-uuid force host-username host-password type remote-config "
         "dry-run metadata url vdi:", flags="standard", messages="http:/import")  # fmt: skip
def vm_import(ctx: Context) -> None:
    """Bring VMs back from a file or a URL, and print their uuids."""
    sr = (
        ctx.ref("SR", ctx.args["sr-uuid"])
        if "sr-uuid" in ctx.args
        else ctx.call("pool.get_default_SR", ctx.pool())
    )
    restore, force = ctx.flag("preserve"), ctx.flag("force")
    if "url" in ctx.args:
        vms = ctx.call("VM.import", ctx.args["url"], sr, restore, force)
        ctx.print("\n".join(str(ctx.call("VM.get_uuid", vm)) for vm in vms))
        return
    task = ctx.call("task.create", "VM import", "")
    try:
        query = {"restore": _word(restore), "force": _word(force), "dry_run": _word(ctx.flag("dry-run"))}
        query |= {"task_id": task} | ({"sr_id": sr} if sr != NULL_REF else {})
        action = "/import_metadata" if ctx.flag("metadata") else "/import"
        ctx.terminal.put(ctx.need("filename"), http_path(ctx, action, **query))
        ctx.print(str(ctx.call("task.get_result", task)))
    finally:
        ctx.call("task.destroy", task)


def _word(value: bool) -> str:  # noqa: FBT001 -- a word for a value
    return "true" if value else "false"


@command("console", selects="vm", messages="http:/console")
def console(ctx: Context) -> None:
    """Talk to a running guest's text console; leave with Ctrl-]."""
    for vm in selected(ctx, "vm", one_only=True):
        consoles = ctx.store.all("console")
        found = [ref for ref in ctx.store.all("VM")[vm]["consoles"] if consoles[ref]["protocol"] == "vt100"]
        domain = ctx.store.all("VM")[vm]["domid"]
        if not found and domain < 0:
            raise CommandError("No text console available")
        # An xe on this very host needs no more than the domain's number (thin.py); others do not mind it.
        named = {"ref": found[0]} if found else {}
        ctx.terminal.console(http_path(ctx, "/console", domid=str(domain), **named))
