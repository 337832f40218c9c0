"""Commands on SRs, PBDs, VDIs, VBDs, and blobs."""

from __future__ import annotations

from xapi_shim.cli.engine.command import CommandError, Context, command
from xapi_shim.cli.engine.selectors import selected, the_host
from xapi_shim.cli.engine.simple import simple
from xapi_shim.cli.engine.table_host import show_data_sources
from xapi_shim.cli.engine.values import items, size_bytes, whole
from xapi_shim.datamodel.types import NULL_REF

NO: object = False

simple("sr-scan", "SR.scan", "uuid@SR")
simple("sr-introduce", "SR.introduce", "uuid", "name-label", "name-description?", "type", "content-type?",
       "shared:bool?", {}, prints="uuid")  # fmt: skip
simple("sr-destroy", "SR.destroy", "uuid@SR")
simple("sr-forget", "SR.forget", "uuid@SR")
simple("sr-update", "SR.update", "uuid@SR")
simple("sr-enable-database-replication", "SR.enable_database_replication", "uuid@SR")
simple("sr-disable-database-replication", "SR.disable_database_replication", "uuid@SR")
simple("sr-data-source-record", "SR.record_data_source", "$self", "data-source", selects="sr")
simple("sr-data-source-query", "SR.query_data_source", "$self", "data-source", selects="sr", prints="text")
simple("sr-data-source-forget", "SR.forget_data_source_archives", "$self", "data-source", selects="sr")
simple("pbd-create", "PBD.create", {"host": "host-uuid@host", "SR": "sr-uuid@SR", "device_config":
       "device-config:map", "other_config": {}}, prints="uuid")  # fmt: skip
simple("pbd-destroy", "PBD.destroy", "uuid@PBD")
simple("pbd-plug", "PBD.plug", "uuid@PBD")
simple("pbd-unplug", "PBD.unplug", "uuid@PBD")
simple("vdi-destroy", "VDI.destroy", "uuid@VDI")
simple("vdi-forget", "VDI.forget", "uuid@VDI")
simple("vdi-update", "VDI.update", "uuid@VDI")
simple("vdi-introduce", "VDI.introduce", "uuid", "name-label?", "name-description?", "sr-uuid@SR", "type",
       "sharable:bool?", "read-only:bool?", "other-config:map", "location", "xenstore-data:map",
       "sm-config:map", "managed:bool?true", 0, 0, "$null", NO, "=19700101T00:00:00Z", "$null",
       prints="uuid")  # fmt: skip
simple(
    "vdi-generate-config", "VDI.generate_config", "host-uuid@host", "uuid@VDI", prints="text", flags="hidden"
)
simple("vdi-copy", "VDI.copy", "uuid@VDI", "sr-uuid@SR?", "base-vdi-uuid@VDI?", "into-vdi-uuid@VDI?",
       prints="uuid")  # fmt: skip
simple("vdi-enable-cbt", "VDI.enable_cbt", "uuid@VDI")
simple("vdi-disable-cbt", "VDI.disable_cbt", "uuid@VDI")
simple("vdi-data-destroy", "VDI.data_destroy", "uuid@VDI")
simple("vdi-list-changed-blocks", "VDI.list_changed_blocks", "vdi-from-uuid@VDI", "vdi-to-uuid@VDI",
       prints="text")  # fmt: skip
simple("vbd-destroy", "VBD.destroy", "uuid@VBD")
simple("vbd-insert", "VBD.insert", "uuid@VBD", "vdi-uuid@VDI")
simple("vbd-eject", "VBD.eject", "uuid@VBD")
simple("vbd-plug", "VBD.plug", "uuid@VBD")
simple("vbd-pause", "VBD.pause", "uuid@VBD", prints="text", flags="hidden")
simple("vbd-unpause", "VBD.unpause", "uuid@VBD", "token", flags="hidden")
simple("lvhd-enable-thin-provisioning", "LVHD.enable_thin_provisioning", "$self", "sr-uuid@SR",
       "initial-allocation:size", "allocation-quantum:size", selects="host", prints="text")  # fmt: skip
simple("drtask-create", "DR_task.create", "type", "device-config:map", "sr-whitelist:list?", prints="uuid")
simple("drtask-destroy", "DR_task.destroy", "uuid@DR_task")


def device_config(ctx: Context) -> dict[str, str]:
    """Return `device-config:KEY=VALUE` arguments; KEY-uuid of a secret is the driver's business."""
    return ctx.maps("device-config")


@command("sr-create", "name-label", "type", optional="name-description host-uuid device-config: shared physical-size "
         "content-type sm-config:", messages="SR.create")  # fmt: skip
def sr_create(ctx: Context) -> None:
    """Make a storage repository (device-config:KEY=VALUE) and print its uuid."""
    shared = ctx.flag("shared")
    host = ctx.ref("host", ctx.args["host-uuid"]) if "host-uuid" in ctx.args else _sr_host(ctx, shared=shared)
    size = size_bytes("physical-size", ctx.args.get("physical-size", "0"))
    names = ctx.need("name-label"), ctx.args.get("name-description", "")
    kind = ctx.need("type"), ctx.args.get("content-type", "")
    sm_config = ctx.maps("sm-config")
    sr = ctx.call("SR.create", host, device_config(ctx), size, *names, *kind, shared, sm_config)
    ctx.print_uuid("SR", sr)


def _sr_host(ctx: Context, *, shared: bool) -> str:
    """Return the host on which to make an SR: the master for a shared one, else the only host."""
    return str(ctx.call("pool.get_master", ctx.pool())) if shared else the_host(ctx)


def _probe(ctx: Context, message: str) -> object:
    host = ctx.ref("host", ctx.args["host-uuid"]) if "host-uuid" in ctx.args else _sr_host(ctx, shared=True)
    return ctx.call(message, host, device_config(ctx), ctx.need("type"), ctx.maps("sm-config"))


@command("sr-probe", "type", optional="host-uuid device-config: sm-config:", messages="SR.probe")
def sr_probe(ctx: Context) -> None:
    """Look for storage repositories and print what was found (XML)."""
    ctx.print(str(_probe(ctx, "SR.probe")))


@command("sr-probe-ext", "type", optional="host-uuid device-config: sm-config:", messages="SR.probe_ext")
def sr_probe_ext(ctx: Context) -> None:
    """Look for storage repositories and print what was found."""
    found = _probe(ctx, "SR.probe_ext")
    for one in found if isinstance(found, list) else []:
        ctx.print("\n".join(f"{key}: {value}" for key, value in one.items()) + "\n")


@command("sr-data-source-list", selects="sr", messages="SR.get_data_sources")
def sr_data_sources(ctx: Context) -> None:
    """List what is measured of an SR."""
    for sr in selected(ctx, "sr"):
        show_data_sources(ctx, ctx.call("SR.get_data_sources", sr))


@command("vdi-create", "sr-uuid", "name-label", "virtual-size", optional="sm-config: sharable tags: type",
         messages="VDI.create")  # fmt: skip
def vdi_create(ctx: Context) -> None:
    """Make a virtual disk and print its uuid."""
    values = {
        "name_label": ctx.need("name-label"),
        "name_description": ctx.args.get("name-description", ""),
        "SR": ctx.ref("SR", ctx.need("sr-uuid")),
        "virtual_size": size_bytes("virtual-size", ctx.need("virtual-size")),
        "type": ctx.args.get("type", "user"),
        "sharable": ctx.flag("sharable"),
        "read_only": False,
        "other_config": ctx.maps("other-config"),
        "xenstore_data": {},
        "sm_config": ctx.maps("sm-config"),
        "tags": items(ctx.args.get("tags", "")),
    }
    ctx.print_uuid("VDI", ctx.call("VDI.create", values))


@command("vdi-resize", "uuid", "disk-size", optional="online", messages="VDI.resize")
def vdi_resize(ctx: Context) -> None:
    """Make a virtual disk larger."""
    vdi = ctx.ref("VDI", ctx.need("uuid"))
    message = "VDI.resize_online" if ctx.flag("online") else "VDI.resize"
    ctx.call(message, vdi, size_bytes("disk-size", ctx.need("disk-size")))


@command("vdi-pool-migrate", "uuid", "sr-uuid", optional="dest-img-format", messages="VDI.pool_migrate")
def vdi_pool_migrate(ctx: Context) -> None:
    """Move a disk to another SR while its VM runs, and print its uuid."""
    options = {"dest-img-format": ctx.args["dest-img-format"]} if "dest-img-format" in ctx.args else {}
    source, sr = ctx.ref("VDI", ctx.need("uuid")), ctx.ref("SR", ctx.need("sr-uuid"))
    ctx.print_uuid("VDI", ctx.call("VDI.pool_migrate", source, sr, options))


def _driver_params(ctx: Context) -> dict[str, str]:
    prefix = "driver-params-"
    found = {k.removeprefix(prefix): v for k, v in ctx.args.items() if k.startswith(prefix)}
    return found | ctx.maps("driver-params")


@command(
    "vdi-clone", "uuid", optional="driver-params- new-name-label new-name-description", messages="VDI.clone"
)
def vdi_clone(ctx: Context) -> None:
    """Copy a disk within its SR and print the copy's uuid."""
    copy = ctx.call("VDI.clone", ctx.ref("VDI", ctx.need("uuid")), _driver_params(ctx))
    if "new-name-label" in ctx.args:
        ctx.call("VDI.set_name_label", copy, ctx.args["new-name-label"])
    if "new-name-description" in ctx.args:
        ctx.call("VDI.set_name_description", copy, ctx.args["new-name-description"])
    ctx.print_uuid("VDI", copy)


@command("vdi-snapshot", "uuid", optional="driver-params-", messages="VDI.snapshot")
def vdi_snapshot(ctx: Context) -> None:
    """Take a snapshot of a disk and print its uuid."""
    ctx.print_uuid("VDI", ctx.call("VDI.snapshot", ctx.ref("VDI", ctx.need("uuid")), _driver_params(ctx)))


@command("vdi-unlock", "uuid", optional="force", messages="VDI.force_unlock")
def vdi_unlock(ctx: Context) -> None:
    """Break the lock on a disk; only with --force."""
    if not ctx.flag("force"):
        raise CommandError(
            "WARNING: forcibly unlocking a VDI can cause data corruption if it is still in use. "
            "Say --force to go on"
        )
    ctx.call("VDI.force_unlock", ctx.ref("VDI", ctx.need("uuid")))


@command(
    "vbd-create",
    "vm-uuid",
    "device",
    optional="vdi-uuid bootable type mode unpluggable",
    messages="VBD.create",
)
def vbd_create(ctx: Context) -> None:
    """Put a disk (or an empty CD drive) into a VM and print the VBD's uuid."""
    kind = ctx.args.get("type", "Disk")
    forms = {"cd": "CD", "disk": "Disk", "floppy": "Floppy"}
    vdi = ctx.ref_of("vdi-uuid", "VDI")
    values = new_vbd(ctx.ref("VM", ctx.need("vm-uuid")), vdi, ctx.need("device")) | {
        "bootable": ctx.flag("bootable"),
        "mode": ctx.args.get("mode", "RW").upper(),
        "type": forms.get(kind.lower(), kind),
        "unpluggable": ctx.flag("unpluggable", default=True),
    }
    ctx.print_uuid("VBD", ctx.call("VBD.create", values))


def new_vbd(vm: str, vdi: str, device: str) -> dict[str, object]:
    """Return the record of a VBD that is yet to be made: a disk, read and written."""
    return {
        "VM": vm,
        "VDI": vdi,
        "device": "",
        "userdevice": device,
        "bootable": False,
        "mode": "RW",
        "type": "Disk",
        "unpluggable": True,
        "empty": vdi == NULL_REF,
        "other_config": {},
        "qos_algorithm_type": "",
        "qos_algorithm_params": {},
    }


@command("vbd-unplug", "uuid", optional="timeout force", messages="VBD.unplug")
def vbd_unplug(ctx: Context) -> None:
    """Take a disk from a running VM; --force does not ask the guest."""
    if "timeout" in ctx.args:
        whole("timeout", ctx.args["timeout"])
    ctx.call("VBD.unplug_force" if ctx.flag("force") else "VBD.unplug", ctx.ref("VBD", ctx.need("uuid")))


@command("blob-create", "name", optional="mime-type vm-uuid host-uuid sr-uuid network-uuid pool-uuid public",
         flags="hidden", messages="VM.create_new_blob")  # fmt: skip
def blob_create(ctx: Context) -> None:
    """Make a place for a file that belongs to an object, and print its uuid."""
    for name, cls in (("vm", "VM"), ("pool", "pool"), ("sr", "SR"), ("host", "host"), ("network", "network")):
        if f"{name}-uuid" in ctx.args:
            ref = ctx.ref(cls, ctx.args[f"{name}-uuid"])
            mime = ctx.args.get("mime-type", "")
            blob = ctx.call(f"{cls}.create_new_blob", ref, ctx.need("name"), mime, ctx.flag("public"))
            ctx.print_uuid("blob", blob)
            return
    raise CommandError("Need one of: vm-uuid, host-uuid, network-uuid, sr-uuid or pool-uuid")
