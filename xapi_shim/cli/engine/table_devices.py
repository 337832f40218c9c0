"""Commands on appliances, schedules, clusters, GPUs, USB, PVS, PCI, observers, callers and messages."""

from __future__ import annotations

from xapi_shim.cli.engine.command import CommandError, Context, command
from xapi_shim.cli.engine.output import map_text
from xapi_shim.cli.engine.simple import simple
from xapi_shim.cli.engine.values import items, size_bytes, whole

simple("appliance-create", "VM_appliance.create",
       {"name_label": "name-label", "name_description": "name-description?"}, prints="uuid")  # fmt: skip
simple("appliance-destroy", "VM_appliance.destroy", "uuid@VM_appliance")
simple("appliance-start", "VM_appliance.start", "uuid@VM_appliance", "paused:bool?")
simple("vmss-create", "VMSS.create",
       {"name_label": "name-label", "name_description": "name-description?", "enabled": "enabled:bool?true",
        "type": "type", "retained_snapshots": "retained-snapshots:int?7", "frequency": "frequency",
        "schedule": "schedule:map"}, prints="uuid")  # fmt: skip
simple("vmss-destroy", "VMSS.destroy", "uuid@VMSS")
simple("vm-group-create", "VM_group.create",
       {"name_label": "name-label", "name_description": "name-description?", "placement": "placement"},
       prints="uuid")  # fmt: skip
simple("vm-group-destroy", "VM_group.destroy", "uuid@VM_group")
simple("gpu-group-create", "GPU_group.create", "name-label", "name-description?", {}, prints="uuid")
simple("gpu-group-destroy", "GPU_group.destroy", "uuid@GPU_group")
simple("gpu-group-get-remaining-capacity", "GPU_group.get_remaining_capacity", "uuid@GPU_group",
       "vgpu-type-uuid@VGPU_type", prints="text")  # fmt: skip
simple("vgpu-create", "VGPU.create", "vm-uuid@VM", "gpu-group-uuid@GPU_group", "device?0", {},
       "vgpu-type-uuid@VGPU_type?", prints="uuid")  # fmt: skip
simple("vgpu-destroy", "VGPU.destroy", "uuid@VGPU")
simple("pgpu-enable-dom0-access", "PGPU.enable_dom0_access", "uuid@PGPU", prints="text")
simple("pgpu-disable-dom0-access", "PGPU.disable_dom0_access", "uuid@PGPU", prints="text")
simple("pci-enable-dom0-access", "PCI.enable_dom0_access", "uuid@PCI", prints="text")
simple("pci-disable-dom0-access", "PCI.disable_dom0_access", "uuid@PCI", prints="text")
simple("pci-get-dom0-access-status", "PCI.get_dom0_access_status", "uuid@PCI", prints="text")
simple(
    "pvs-site-introduce", "PVS_site.introduce", "name-label", "name-description?", "pvs-uuid?", prints="uuid"
)
simple("pvs-site-forget", "PVS_site.forget", "uuid@PVS_site")
simple("pvs-server-introduce", "PVS_server.introduce", "addresses:list", "first-port:int", "last-port:int",
       "pvs-site-uuid@PVS_site", prints="uuid")  # fmt: skip
simple("pvs-server-forget", "PVS_server.forget", "uuid@PVS_server")
simple("pvs-proxy-create", "PVS_proxy.create", "pvs-site-uuid@PVS_site", "vif-uuid@VIF", prints="uuid")
simple("pvs-proxy-destroy", "PVS_proxy.destroy", "uuid@PVS_proxy")
simple("pvs-cache-storage-create", "PVS_cache_storage.create",
       {"host": "$self", "SR": "sr-uuid@SR", "site": "pvs-site-uuid@PVS_site", "size": "size:size"},
       selects="host", prints="uuid")  # fmt: skip
simple("pvs-cache-storage-destroy", "PVS_cache_storage.destroy", "uuid@PVS_cache_storage")
simple("pusb-scan", "PUSB.scan", "host-uuid@host")
simple("vusb-create", "VUSB.create", "vm-uuid@VM", "usb-group-uuid@USB_group", {}, prints="uuid")
simple("vusb-unplug", "VUSB.unplug", "uuid@VUSB")
simple("vusb-destroy", "VUSB.destroy", "uuid@VUSB")
simple("cluster-pool-create", "Cluster.pool_create", "network-uuid@network", "cluster-stack?corosync",
       "token-timeout:float?20", "token-timeout-coefficient:float?1", prints="uuid")  # fmt: skip
simple("cluster-pool-force-destroy", "Cluster.pool_force_destroy", "cluster-uuid@Cluster")
simple("cluster-pool-destroy", "Cluster.pool_destroy", "cluster-uuid@Cluster")
simple("cluster-pool-resync", "Cluster.pool_resync", "cluster-uuid@Cluster")
simple("cluster-create", "Cluster.create", "pif-uuid@PIF", "cluster-stack?corosync", "pool-auto-join:bool?true",
       "token-timeout:float?20", "token-timeout-coefficient:float?1", prints="uuid", flags="hidden")  # fmt: skip
simple("cluster-destroy", "Cluster.destroy", "uuid@Cluster")
simple("cluster-host-create", "Cluster_host.create", "cluster-uuid@Cluster", "host-uuid@host", "pif-uuid@PIF",
       prints="uuid", flags="hidden")  # fmt: skip
simple("cluster-host-disable", "Cluster_host.disable", "uuid@Cluster_host")
simple("cluster-host-enable", "Cluster_host.enable", "uuid@Cluster_host")
simple("cluster-host-destroy", "Cluster_host.destroy", "uuid@Cluster_host")
simple("cluster-host-force-destroy", "Cluster_host.force_destroy", "uuid@Cluster_host")
simple("vtpm-create", "VTPM.create", "vm-uuid@VM", "is-unique:bool?", prints="uuid")
simple("observer-destroy", "Observer.destroy", "uuid@Observer")
simple("caller-create", "Caller.create",
       {"name_label": "name-label?", "name_description": "name-description?", "user_agent": "user-agent?",
        "client_ip": "client-ip?"}, prints="uuid")  # fmt: skip
simple("caller-destroy", "Caller.destroy", "uuid@Caller")
simple("caller-list-usage", "Caller.query_all_usage", prints="text")
simple("rate-limit-destroy", "Rate_limit.destroy", "uuid@Rate_limit")
simple("rate-limit-add-caller", "Rate_limit.add_caller", "uuid@Rate_limit", "caller-uuid@Caller")
simple("rate-limit-remove-caller", "Rate_limit.remove_caller", "uuid@Rate_limit", "caller-uuid@Caller")


@command("appliance-shutdown", "uuid", optional="force", messages="VM_appliance.clean_shutdown")
def appliance_shutdown(ctx: Context) -> None:
    """Shut an appliance's VMs down, the hard way with --force."""
    message = "VM_appliance.hard_shutdown" if ctx.flag("force") else "VM_appliance.clean_shutdown"
    ctx.call(message, ctx.ref("VM_appliance", ctx.need("uuid")))


@command("vtpm-destroy", "uuid", optional="force", messages="VTPM.destroy")
def vtpm_destroy(ctx: Context) -> None:
    """Destroy a VM's TPM with all that is in it; asks unless --force."""
    vtpm = ctx.ref("VTPM", ctx.need("uuid"))
    if not ctx.flag("force"):
        ctx.print("Destroying a VTPM may make its VM unable to start. Type 'yes' to continue")
        if ctx.terminal.prompt().strip() != "yes":
            raise CommandError("Aborted")
    ctx.call("VTPM.destroy", vtpm)


@command("observer-create", "name-label", optional="host-uuids name-description enabled attributes endpoints "
         "components", messages="Observer.create")  # fmt: skip
def observer_create(ctx: Context) -> None:
    """Make an observer, which has the hosts trace what they do, and print its uuid."""
    values = {
        "name_label": ctx.need("name-label"),
        "name_description": ctx.args.get("name-description", ""),
        "hosts": [ctx.ref("host", uuid) for uuid in items(ctx.args.get("host-uuids", ""))],
        "attributes": ctx.maps("attributes"),
        "endpoints": items(ctx.args.get("endpoints", "bugtool")),
        "components": items(ctx.args.get("components", "")),
        "enabled": ctx.flag("enabled"),
    }
    ctx.print_uuid("Observer", ctx.call("Observer.create", values))


@command(
    "caller-query-usage", optional="uuid group", messages="Caller.query_token_usage Caller.query_call_count"
)
def caller_usage(ctx: Context) -> None:
    """Print what a caller, or a group of them, used of its tokens, and how many calls it made."""
    if "group" in ctx.args:
        who, middle = ctx.args["group"], "_group"
    else:
        who, middle = ctx.ref("Caller", ctx.need("uuid")), ""
    tokens = ctx.call(f"Caller.query{middle}_token_usage", who)
    ctx.print(
        map_text({"token-usage": tokens, "call-count": ctx.call(f"Caller.query{middle}_call_count", who)})
    )


@command("rate-limit-create", "burst-size", "fill-rate", optional="name-label name-description caller-uuids",
         messages="Rate_limit.create Rate_limit.add_caller")  # fmt: skip
def rate_limit_create(ctx: Context) -> None:
    """Make a limit for callers and print its uuid."""
    values = {
        "name_label": ctx.args.get("name-label", ""),
        "name_description": ctx.args.get("name-description", ""),
        "burst_size": float(size_bytes("burst-size", ctx.need("burst-size"))),
        "fill_rate": float(size_bytes("fill-rate", ctx.need("fill-rate"))),
    }
    limit = ctx.call("Rate_limit.create", values)
    for uuid in items(ctx.args.get("caller-uuids", "")):
        ctx.call("Rate_limit.add_caller", limit, ctx.ref("Caller", uuid))
    ctx.print_uuid("Rate_limit", limit)


OBJECTS = {"vm-uuid": "VM", "host-uuid": "Host", "sr-uuid": "SR", "pool-uuid": "Pool"}


@command("message-create", "name", "priority", "body", optional="vm-uuid host-uuid sr-uuid pool-uuid",
         messages="message.create")  # fmt: skip
def message_create(ctx: Context) -> None:
    """Make a message about an object."""
    for name, cls in OBJECTS.items():
        if name in ctx.args:
            priority = whole("priority", ctx.need("priority"))
            ctx.call("message.create", ctx.need("name"), priority, cls, ctx.args[name], ctx.need("body"))
            return
    raise CommandError(f"Need one of: {', '.join(OBJECTS)}")


@command("message-destroy", optional="uuid uuids", messages="message.destroy")
def message_destroy(ctx: Context) -> None:
    """Destroy messages."""
    uuids = items(ctx.args.get("uuids", "")) + items(ctx.args.get("uuid", ""))
    if not uuids:
        raise CommandError("Need one of: uuid, uuids")
    for uuid in uuids:
        ctx.call("message.destroy", ctx.ref("message", uuid))


@command("message-destroy-all", optional="before after priority", messages="message.destroy_all")
def message_destroy_all(ctx: Context) -> None:
    """Destroy all messages, or those before or after a time, or of a priority."""
    wanted = {name: ctx.args[name] for name in ("before", "after", "priority") if name in ctx.args}
    ctx.call("message.destroy_all", wanted)


def _recover(ctx: Context, cls: str, *, only_ask: bool) -> None:
    """Bring an object back from a replicated database: database:vdi-uuid= says where that is."""
    where = ctx.maps("database").get("vdi-uuid")
    if where is None:
        raise CommandError("Need database:vdi-uuid, the disk that holds the replicated database")
    session = ctx.call("VDI.open_database", ctx.ref("VDI", where))
    ref = ctx.ref(cls, ctx.need("uuid"))
    if only_ask:
        ctx.call(f"{cls}.assert_can_be_recovered", ref, session)
    else:
        ctx.call(f"{cls}.recover", ref, session, ctx.flag("force"))


@command("vm-recover", "uuid", optional="database: force", messages="VM.recover VDI.open_database")
def vm_recover(ctx: Context) -> None:
    """Bring a VM back from a replicated database."""
    _recover(ctx, "VM", only_ask=False)


@command("vm-assert-can-be-recovered", "uuid", optional="database:", messages="VM.assert_can_be_recovered VDI.open_database")  # fmt: skip
def vm_can_recover(ctx: Context) -> None:
    """Fail when a VM cannot be brought back here."""
    _recover(ctx, "VM", only_ask=True)


@command(
    "appliance-recover", "uuid", optional="database: force", messages="VM_appliance.recover VDI.open_database"
)
def appliance_recover(ctx: Context) -> None:
    """Bring an appliance back from a replicated database."""
    _recover(ctx, "VM_appliance", only_ask=False)


@command("appliance-assert-can-be-recovered", "uuid", optional="database:",
         messages="VM_appliance.assert_can_be_recovered VDI.open_database")  # fmt: skip
def appliance_can_recover(ctx: Context) -> None:
    """Fail when an appliance cannot be brought back here."""
    _recover(ctx, "VM_appliance", only_ask=True)
