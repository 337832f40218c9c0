"""Commands on VMs: life, memory, CPUs, placement."""

from __future__ import annotations

from typing import Any

from xapi_shim.cli.engine.command import CommandError, Context, command
from xapi_shim.cli.engine.selectors import selected, the_host
from xapi_shim.cli.engine.simple import simple
from xapi_shim.cli.engine.table_host import show_data_sources
from xapi_shim.cli.engine.values import items, size_bytes
from xapi_shim.datamodel.types import NULL_REF

MIB = 1 << 20

simple("vm-compute-memory-overhead", "VM.compute_memory_overhead", "$self", selects="vm", prints="text")
simple("vm-memory-balloon", "VM.set_memory_target_live", "$self", "target:size", selects="vm",
       flags="hidden deprecated")  # fmt: skip
simple(
    "vm-memory-dynamic-range-set",
    "VM.set_memory_dynamic_range",
    "$self",
    "min:size",
    "max:size",
    selects="vm",
)
simple(
    "vm-memory-static-range-set", "VM.set_memory_static_range", "$self", "min:size", "max:size", selects="vm"
)
simple("vm-memory-limits-set", "VM.set_memory_limits", "$self", "static-min:size", "static-max:size",
       "dynamic-min:size", "dynamic-max:size", selects="vm")  # fmt: skip
simple("vm-memory-set", "VM.set_memory", "$self", "memory:size", selects="vm")
simple("vm-memory-target-set", "VM.set_memory_target_live", "$self", "target:size", selects="vm")
simple("vm-memory-target-wait", "VM.wait_memory_target_live", "$self", selects="vm", flags="hidden")
simple("vm-data-source-record", "VM.record_data_source", "$self", "data-source", selects="vm")
simple("vm-data-source-query", "VM.query_data_source", "$self", "data-source", selects="vm", prints="text")
simple("vm-data-source-forget", "VM.forget_data_source_archives", "$self", "data-source", selects="vm")
simple(
    "vm-memory-shadow-multiplier-set",
    "VM.set_shadow_multiplier_live",
    "$self",
    "multiplier:float",
    selects="vm",
)
simple(
    "vm-query-services", "VM.query_services", "$self", selects="vm", prints="text", flags="standard hidden"
)
simple("vm-suspend", "VM.suspend", "$self", selects="vm", flags="standard")
simple("vm-compute-maximum-memory", "VM.maximise_memory", "$self", "total:size", "approximate:bool?",
       selects="vm", prints="text", flags="standard")  # fmt: skip
simple(
    "vm-retrieve-wlb-recommendations", "VM.retrieve_wlb_recommendations", "$self", selects="vm", prints="text"
)
simple("vm-restart-device-models", "VM.restart_device_models", "$self", selects="vm", flags="standard")
simple("vm-pause", "VM.pause", "$self", selects="vm", flags="standard", help="Pause VMs.")
simple("vm-unpause", "VM.unpause", "$self", selects="vm", flags="standard", help="Let paused VMs go on.")
simple("vm-vcpu-hotplug", "VM.set_VCPUs_number_live", "$self", "new-vcpus:int", selects="vm")
simple("vm-copy-bios-strings", "VM.copy_bios_strings", "$self", "host-uuid@host", selects="vm")
simple("vm-destroy", "VM.destroy", "uuid@VM", help="Remove a VM's records; its disks stay.")
simple("vm-set-uefi-mode", "VM.set_uefi_mode", "uuid@VM", "mode", prints="text")
simple("vm-get-secureboot-readiness", "VM.get_secureboot_readiness", "uuid@VM", prints="text")
simple("vm-update-secureboot-certificates-on-boot", "VM.update_secureboot_certificates_on_boot", "$self",
       "mark:bool", selects="vm")  # fmt: skip


@command("vm-create", "name-label", optional="name-description", flags="hidden", messages="VM.create")
def vm_create(ctx: Context) -> None:
    """Make a bare VM record and print its uuid; memory= and domain-type= may be given."""
    memory = size_bytes("memory", ctx.args.get("memory", "256MiB"))
    values: dict[str, Any] = {
        "name_label": ctx.need("name-label"),
        "name_description": ctx.args.get("name-description", ""),
        "user_version": 1,
        "is_a_template": False,
        "affinity": NULL_REF,
        "memory_static_min": 16 * MIB,
        "memory_dynamic_min": memory,
        "memory_dynamic_max": memory,
        "memory_static_max": memory,
        "VCPUs_params": {},
        "VCPUs_max": 1,
        "VCPUs_at_startup": 1,
        "actions_after_shutdown": "destroy",
        "actions_after_reboot": "restart",
        "actions_after_crash": "destroy",
        **dict.fromkeys(("PV_bootloader", "PV_kernel", "PV_ramdisk", "PV_args", "PV_bootloader_args"), ""),
        **dict.fromkeys(("PV_legacy_args", "HVM_boot_policy", "PCI_bus", "recommendations"), ""),
        "HVM_boot_params": {},
        "platform": {},
        "other_config": {},
        "domain_type": ctx.args.get("domain-type", "pv"),
    }
    ctx.print_uuid("VM", ctx.call("VM.create", values))


def _template(ctx: Context) -> str:
    """Return the template that template= or template-uuid= names. Raises CommandError."""
    wanted = ctx.args.get("template-uuid") or ctx.need("template")
    found = [
        ref
        for ref, row in ctx.store.all("VM").items()
        if row["is_a_template"] and wanted in (row["uuid"], row["name_label"])
    ]
    if len(found) != 1:
        raise CommandError(f"{'No templates' if not found else 'More than one template'} matched")
    return found[0]


@command("vm-install", "new-name-label", optional="sr-name-label sr-uuid template copy-bios-strings-from",
         flags="standard", messages="VM.clone VM.set_is_a_template VM.provision")  # fmt: skip
def vm_install(ctx: Context) -> None:
    """Make a VM from a template (template=NAME or UUID) and print its uuid."""
    vm = ctx.call("VM.clone", _template(ctx), ctx.need("new-name-label"))
    try:
        ctx.call("VM.set_is_a_template", vm, False)  # noqa: FBT003
        if "copy-bios-strings-from" in ctx.args:
            ctx.call("VM.copy_bios_strings", vm, ctx.ref("host", ctx.args["copy-bios-strings-from"]))
        if "sr-uuid" in ctx.args or "sr-name-label" in ctx.args:
            _put_disks_on(ctx, vm)
        ctx.call("VM.provision", vm)
    except BaseException:
        ctx.call("VM.destroy", vm)
        raise
    ctx.print_uuid("VM", vm)


def _put_disks_on(ctx: Context, vm: str) -> None:
    """Have the template's disks made on the SR that sr-uuid= or sr-name-label= names. Raises CommandError."""
    wanted = ctx.args.get("sr-uuid") or ctx.args["sr-name-label"]
    srs = [row["uuid"] for row in ctx.store.all("SR").values() if wanted in (row["uuid"], row["name_label"])]
    if len(srs) != 1:
        raise CommandError(f"{'No' if not srs else 'Multiple'} matching SRs found")
    disks = ctx.call("VM.get_other_config", vm).get("disks")
    if disks:
        import re

        placed = re.sub(r'(\bsr=)"[^"]*"', rf'\1"{srs[0]}"', disks)
        ctx.call("VM.remove_from_other_config", vm, "disks")
        ctx.call("VM.add_to_other_config", vm, "disks", placed)


def _copy(ctx: Context, message: str, *more: object) -> None:
    for vm in selected(ctx, "vm", one_only=True):
        new = ctx.call(message, vm, ctx.need("new-name-label"), *more)
        if "new-name-description" in ctx.args:
            ctx.call("VM.set_name_description", new, ctx.args["new-name-description"])
        ctx.print_uuid("VM", new)


@command("vm-clone", "new-name-label", optional="new-name-description", selects="vm", flags="standard",
         messages="VM.clone")  # fmt: skip
def vm_clone(ctx: Context) -> None:
    """Copy a VM the fast way, and print the copy's uuid."""
    _copy(ctx, "VM.clone")


@command("vm-snapshot", "new-name-label", optional="new-name-description ignore-vdi-uuids", selects="vm",
         flags="standard", messages="VM.snapshot")  # fmt: skip
def vm_snapshot(ctx: Context) -> None:
    """Take a snapshot of a VM and print its uuid."""
    ignored = [ctx.ref("VDI", uuid) for uuid in items(ctx.args.get("ignore-vdi-uuids", ""))]
    _copy(ctx, "VM.snapshot", ignored)


@command("vm-snapshot-with-quiesce", "new-name-label", optional="new-name-description", selects="vm",
         flags="standard", messages="VM.snapshot_with_quiesce")  # fmt: skip
def vm_snapshot_quiesced(ctx: Context) -> None:
    """Take a snapshot of a VM whose guest helps, and print its uuid."""
    _copy(ctx, "VM.snapshot_with_quiesce")


@command("vm-checkpoint", "new-name-label", optional="new-name-description", selects="vm", flags="standard",
         messages="VM.checkpoint")  # fmt: skip
def vm_checkpoint(ctx: Context) -> None:
    """Take a snapshot of a VM with its memory, and print its uuid."""
    _copy(ctx, "VM.checkpoint")


@command("vm-copy", "new-name-label", optional="new-name-description sr-uuid", selects="vm", flags="standard",
         messages="VM.copy")  # fmt: skip
def vm_copy(ctx: Context) -> None:
    """Copy a VM with full copies of its disks, and print the copy's uuid."""
    _copy(ctx, "VM.copy", ctx.ref_of("sr-uuid", "SR"))


@command(
    "vm-start", optional="force on paused", selects="vm", flags="standard", messages="VM.start VM.start_on"
)
def vm_start(ctx: Context) -> None:
    """Start VMs."""
    how = ctx.flag("paused"), ctx.flag("force")
    host = the_host(ctx, ctx.args["on"]) if "on" in ctx.args else ""
    for vm in selected(ctx, "vm"):
        ctx.call(*(("VM.start_on", vm, host, *how) if host else ("VM.start", vm, *how)))


@command("vm-resume", optional="force on", selects="vm", flags="standard", messages="VM.resume VM.resume_on")
def vm_resume(ctx: Context) -> None:
    """Resume suspended VMs."""
    how = False, ctx.flag("force")
    host = the_host(ctx, ctx.args["on"]) if "on" in ctx.args else ""
    for vm in selected(ctx, "vm"):
        ctx.call(*(("VM.resume_on", vm, host, *how) if host else ("VM.resume", vm, *how)))


@command("vm-shutdown", optional="force", selects="vm", flags="standard",
         messages="VM.clean_shutdown VM.hard_shutdown")  # fmt: skip
def vm_shutdown(ctx: Context) -> None:
    """Shut VMs down, the hard way with --force."""
    for vm in selected(ctx, "vm"):
        ctx.call("VM.hard_shutdown" if ctx.flag("force") else "VM.clean_shutdown", vm)


@command(
    "vm-reboot", optional="force", selects="vm", flags="standard", messages="VM.clean_reboot VM.hard_reboot"
)
def vm_reboot(ctx: Context) -> None:
    """Reboot VMs, the hard way with --force."""
    for vm in selected(ctx, "vm"):
        ctx.call("VM.hard_reboot" if ctx.flag("force") else "VM.clean_reboot", vm)


def reset_powerstate(ctx: Context, vm: str) -> None:
    """Say that a VM is halted, whatever is true; only with --force. Raises CommandError."""
    if not ctx.flag("force"):
        raise CommandError(
            "This operation is extremely dangerous and may cause data loss. Operation must be forced (use --force)"
        )
    ctx.call("VM.power_state_reset", vm)


@command(
    "vm-reset-powerstate", optional="force", selects="vm", flags="standard", messages="VM.power_state_reset"
)
def vm_reset_powerstate(ctx: Context) -> None:
    """Record a VM as halted whose host is gone; only with --force."""
    for vm in selected(ctx, "vm"):
        reset_powerstate(ctx, vm)


@command("vm-migrate", optional="live host host-uuid remote-master remote-username remote-password remote-network "
         "force copy compress vif: vdi: image-format:", selects="vm", flags="standard",
         messages="VM.pool_migrate")  # fmt: skip
def vm_migrate(ctx: Context) -> None:
    """Move running VMs to another host of the pool."""
    if "remote-master" in ctx.args:
        raise CommandError("Migration to another pool is not supported by this xe")
    wanted = ctx.args.get("host-uuid") or ctx.need("host")
    options = {k: ctx.args[k] for k in ("force", "live", "copy", "compress") if k in ctx.args}
    host = the_host(ctx, wanted)
    for vm in selected(ctx, "vm"):
        ctx.call("VM.pool_migrate", vm, host, options)


@command("vm-data-source-list", selects="vm", messages="VM.get_data_sources")
def vm_data_sources(ctx: Context) -> None:
    """List what is measured of a VM."""
    for vm in selected(ctx, "vm"):
        show_data_sources(ctx, ctx.call("VM.get_data_sources", vm))


@command("vm-is-bios-customized", selects="vm", messages="VM.get_bios_strings")
def vm_is_customized(ctx: Context) -> None:
    """Say whether a VM's BIOS strings were set, and to whose."""
    for vm in selected(ctx, "vm"):
        strings = ctx.call("VM.get_bios_strings", vm)
        kind = (
            "The VM is BIOS-customized."
            if strings.get("bios-vendor", "Xen") != "Xen"
            else "The VM is BIOS-generic."
        )
        ctx.print("The BIOS strings of this VM have not yet been set." if not strings else kind)


def _plugin(ctx: Context, message: str) -> None:
    vm = ctx.ref("VM", ctx.need("vm-uuid"))
    ctx.print(str(ctx.call(message, vm, ctx.need("plugin"), ctx.need("fn"), ctx.maps("args"))))


@command("vm-call-plugin", "vm-uuid", "plugin", "fn", optional="args:", messages="VM.call_plugin")
def vm_call_plugin(ctx: Context) -> None:
    """Call a function of a plugin in a guest."""
    _plugin(ctx, "VM.call_plugin")


@command("vm-call-host-plugin", "vm-uuid", "plugin", "fn", optional="args:", messages="VM.call_host_plugin")
def vm_call_host_plugin(ctx: Context) -> None:
    """Call a function of a plugin on the host that a VM is on."""
    _plugin(ctx, "VM.call_host_plugin")


@command("host-call-plugin", "host-uuid", "plugin", "fn", optional="args:", messages="host.call_plugin")
def host_call_plugin(ctx: Context) -> None:
    """Call a function of a host's plugin."""
    host = ctx.ref("host", ctx.need("host-uuid"))
    ctx.print(str(ctx.call("host.call_plugin", host, ctx.need("plugin"), ctx.need("fn"), ctx.maps("args"))))
