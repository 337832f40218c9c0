"""Commands on networks, PIFs, bonds, VLANs, tunnels and VIFs."""

from __future__ import annotations

from xapi_shim.cli.engine.command import Context, command
from xapi_shim.cli.engine.simple import simple
from xapi_shim.cli.engine.values import whole

simple("network-create", "network.create",
       {"name_label": "name-label", "name_description": "name-description?", "MTU": "MTU:int?1500",
        "other_config": {}, "bridge": "bridge?", "managed": "managed:bool?true", "tags": []}, prints="uuid")  # fmt: skip
simple("network-destroy", "network.destroy", "uuid@network")
simple("network-attach", "network.attach", "uuid@network", "host-uuid@host", flags="hidden")
simple("network-sriov-create", "network_sriov.create", "pif-uuid@PIF", "network-uuid@network", prints="uuid")
simple("network-sriov-destroy", "network_sriov.destroy", "uuid@network_sriov")
simple("vlan-destroy", "VLAN.destroy", "uuid@VLAN")
simple(
    "tunnel-create", "tunnel.create", "pif-uuid@PIF", "network-uuid@network", "protocol?gre", prints="uuid"
)
simple("tunnel-destroy", "tunnel.destroy", "uuid@tunnel")
simple("pif-unplug", "PIF.unplug", "uuid@PIF")
simple("pif-plug", "PIF.plug", "uuid@PIF")
simple("pif-scan", "PIF.scan", "host-uuid@host")
simple(
    "pif-introduce", "PIF.introduce", "host-uuid@host", "mac?", "device", "managed:bool?true", prints="uuid"
)
simple("pif-forget", "PIF.forget", "uuid@PIF")
simple("pif-db-forget", "PIF.db_forget", "uuid@PIF", flags="hidden")
simple("bond-create", "Bond.create", "network-uuid@network", "pif-uuids@PIF*", "mac?", "mode?balance-slb",
       "properties:map", prints="uuid")  # fmt: skip
simple("bond-destroy", "Bond.destroy", "uuid@Bond")
simple("bond-set-mode", "Bond.set_mode", "uuid@Bond", "mode")
simple("vif-destroy", "VIF.destroy", "uuid@VIF")
simple("vif-plug", "VIF.plug", "uuid@VIF")
simple("vif-move", "VIF.move", "uuid@VIF", "network-uuid@network")
simple("sdn-controller-forget", "SDN_controller.forget", "uuid@SDN_controller")
simple("sdn-controller-introduce", "SDN_controller.introduce", "protocol?ssl", "address?", "tcp-port:int?0",
       prints="uuid")  # fmt: skip


@command("vlan-create", "pif-uuid", "vlan", "network-uuid", messages="VLAN.create")
def vlan_create(ctx: Context) -> None:
    """Make a VLAN on a PIF and print the uuid of its own PIF."""
    pif = ctx.ref("PIF", ctx.need("pif-uuid"))
    vlan = ctx.call(
        "VLAN.create", pif, whole("vlan", ctx.need("vlan")), ctx.ref("network", ctx.need("network-uuid"))
    )
    ctx.print_uuid("PIF", ctx.call("VLAN.get_untagged_PIF", vlan))


def _choice(text: str, among: tuple[str, ...]) -> str:
    """Return the word as the XenAPI spells it, whatever its letter case."""
    return {one.lower(): one for one in among}.get(text.lower(), text)


@command(
    "pif-reconfigure-ip", "uuid", "mode", optional="IP netmask gateway DNS", messages="PIF.reconfigure_ip"
)
def reconfigure_ip(ctx: Context) -> None:
    """Set a PIF's IPv4 address: mode is none, dhcp or static."""
    mode = _choice(ctx.need("mode"), ("None", "DHCP", "Static"))
    rest = [ctx.args.get(name, "") for name in ("IP", "netmask", "gateway", "DNS")]
    ctx.call("PIF.reconfigure_ip", ctx.ref("PIF", ctx.need("uuid")), mode, *rest)


@command("pif-reconfigure-ipv6", "uuid", "mode", optional="IPv6 gateway DNS", messages="PIF.reconfigure_ipv6")
def reconfigure_ipv6(ctx: Context) -> None:
    """Set a PIF's IPv6 address: mode is none, dhcp, static or autoconf."""
    mode = _choice(ctx.need("mode"), ("None", "DHCP", "Static", "Autoconf"))
    rest = [ctx.args.get(name, "") for name in ("IPv6", "gateway", "DNS")]
    ctx.call("PIF.reconfigure_ipv6", ctx.ref("PIF", ctx.need("uuid")), mode, *rest)


@command("pif-set-primary-address-type", "uuid", "primary_address_type",
         messages="PIF.set_primary_address_type")  # fmt: skip
def primary_address_type(ctx: Context) -> None:
    """Say which of a PIF's addresses the host is known by: ipv4 or ipv6."""
    kind = _choice(ctx.need("primary_address_type"), ("IPv4", "IPv6"))
    ctx.call("PIF.set_primary_address_type", ctx.ref("PIF", ctx.need("uuid")), kind)


@command("vif-create", "device", "network-uuid", "vm-uuid", optional="mac", messages="VIF.create")
def vif_create(ctx: Context) -> None:
    """Give a VM a network interface and print its uuid; mac=random or none is chosen."""
    mac = ctx.args.get("mac", "")
    network = ctx.ref("network", ctx.need("network-uuid"))
    values = {
        "device": ctx.need("device"),
        "network": network,
        "VM": ctx.ref("VM", ctx.need("vm-uuid")),
        "MAC": "" if mac == "random" else mac,
        "MTU": ctx.call("network.get_MTU", network),
        "other_config": {},
        "qos_algorithm_type": "",
        "qos_algorithm_params": {},
    }
    ctx.print_uuid("VIF", ctx.call("VIF.create", values))


@command("vif-unplug", "uuid", optional="force", messages="VIF.unplug")
def vif_unplug(ctx: Context) -> None:
    """Take a network interface from a running VM; --force does not ask the guest."""
    ctx.call("VIF.unplug_force" if ctx.flag("force") else "VIF.unplug", ctx.ref("VIF", ctx.need("uuid")))


@command("vif-configure-ipv4", "uuid", "mode", optional="address gateway", messages="VIF.configure_ipv4")
def vif_ipv4(ctx: Context) -> None:
    """Set a VIF's IPv4 address: mode is none or static."""
    _configure(ctx, "VIF.configure_ipv4")


@command("vif-configure-ipv6", "uuid", "mode", optional="address gateway", messages="VIF.configure_ipv6")
def vif_ipv6(ctx: Context) -> None:
    """Set a VIF's IPv6 address: mode is none or static."""
    _configure(ctx, "VIF.configure_ipv6")


def _configure(ctx: Context, message: str) -> None:
    mode = _choice(ctx.need("mode"), ("None", "Static"))
    rest = [ctx.args.get(name, "") for name in ("address", "gateway")]
    ctx.call(message, ctx.ref("VIF", ctx.need("uuid")), mode, *rest)
