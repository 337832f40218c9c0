"""Commands on hosts: power, logs, management interface, licences, certificates, evacuation."""

from __future__ import annotations

from xapi_shim.cli.engine.command import CommandError, Context, command
from xapi_shim.cli.engine.output import map_text
from xapi_shim.cli.engine.selectors import selected, the_host
from xapi_shim.cli.engine.simple import simple

simple("host-is-in-emergency-mode", "host.is_in_emergency_mode", prints="text")
simple("host-disable", "host.disable", "$self", "auto-enable:bool?true", selects="host")
simple("host-sync-data", "host.sync_data", "$self", selects="host")
simple("host-enable", "host.enable", "$self", selects="host")
simple("host-enable-local-storage-caching", "host.enable_local_storage_caching", "$self", "sr-uuid@SR",
       selects="host")  # fmt: skip
simple("host-disable-local-storage-caching", "host.disable_local_storage_caching", "$self", selects="host")
simple("host-shutdown", "host.shutdown", "$self", selects="host")
simple("host-reboot", "host.reboot", "$self", selects="host")
simple("host-power-on", "host.power_on", "$self", selects="host")
simple("host-dmesg", "host.dmesg", "$self", selects="host", prints="text")
simple("host-crashdump-destroy", "host_crashdump.destroy", "uuid@host_crashdump")
simple("host-signal-networking-change", "host.signal_networking_change", flags="hidden")
simple("host-send-debug-keys", "host.send_debug_keys", "host-uuid@host", "keys")
simple("host-notify", "host.notify", "type", "params?", flags="hidden")
simple("host-syslog-reconfigure", "host.syslog_reconfigure", "host-uuid@host")
simple("host-emergency-management-reconfigure", "host.local_management_reconfigure", "interface")
simple("host-emergency-ha-disable", "host.emergency_ha_disable", "soft:bool?", optional="force")
simple("host-emergency-reset-server-certificate", "host.emergency_reset_server_certificate")
simple("host-emergency-disable-tls-verification", "host.emergency_disable_tls_verification")
simple("host-emergency-reenable-tls-verification", "host.emergency_reenable_tls_verification")
simple("host-emergency-clear-mandatory-guidance", "host.emergency_clear_mandatory_guidance")
simple("host-reset-server-certificate", "host.reset_server_certificate", "$self", selects="host")
simple("host-management-reconfigure", "host.management_reconfigure", "pif-uuid@PIF")
simple("host-management-disable", "host.management_disable")
simple("host-compute-free-memory", "host.compute_free_memory", "$self", selects="host", prints="text")
simple("host-compute-memory-overhead", "host.compute_memory_overhead", "$self", selects="host", prints="text")
simple("host-get-system-status-capabilities", "host.get_system_status_capabilities", "$self", selects="host",
       prints="text")  # fmt: skip
simple("host-set-power-on-mode", "host.set_power_on_mode", "$self", "power-on-mode", "power-on-config:map",
       selects="host")  # fmt: skip
simple("host-retrieve-wlb-evacuate-recommendations", "host.retrieve_wlb_evacuate_recommendations", "uuid@host",
       prints="text", flags="hidden")  # fmt: skip
simple("host-enable-external-auth", "host.enable_external_auth", "host-uuid@host", "config:map", "service-name",
       "auth-type", flags="hidden")  # fmt: skip
simple(
    "host-disable-external-auth", "host.disable_external_auth", "host-uuid@host", "config:map", flags="hidden"
)
simple("host-external-auth-set-ldaps", "host.external_auth_set_ldaps", "host-uuid@host", "ldaps:bool",
       "force:bool?", flags="hidden")  # fmt: skip
simple("host-refresh-pack-info", "host.refresh_pack_info", "host-uuid@host", flags="hidden")
simple("host-enable-display", "host.enable_display", "uuid@host", prints="text")
simple("host-disable-display", "host.disable_display", "uuid@host", prints="text")
simple("host-apply-updates", "host.apply_updates", "$self", "hash", selects="host", prints="text")
simple("host-enable-ssh", "host.enable_ssh", "$self", selects="host")
simple("host-disable-ssh", "host.disable_ssh", "$self", selects="host")
simple("host-data-source-record", "host.record_data_source", "$self", "data-source", selects="host")
simple(
    "host-data-source-query", "host.query_data_source", "$self", "data-source", selects="host", prints="text"
)
simple("host-data-source-forget", "host.forget_data_source_archives", "$self", "data-source", selects="host")
simple("host-evacuate", "host.evacuate", "$self", "network-uuid@network?", "batch-size:int?0", selects="host")
simple("host-shutdown-agent", "host.shutdown_agent")
simple("host-update-firewalld-service-status", "host.update_firewalld_service_status")
simple("host-get-sm-diagnostics", "host.get_sm_diagnostics", "uuid@host", prints="text")
simple("host-get-thread-diagnostics", "host.get_thread_diagnostics", "uuid@host", prints="text")
simple("host-sm-dp-destroy", "host.sm_dp_destroy", "uuid@host", "dp", "allow-leak:bool?")
simple("host-ha-xapi-healthcheck", "host.ha_xapi_healthcheck", prints="text", flags="hidden")
simple("host-get-server-certificate", "host.get_server_certificate", "$self", selects="host", prints="text")
simple("hostdriver-rescan", "Host_driver.rescan", "$self", selects="host")
simple("hostdriver-deselect", "Host_driver.deselect", "uuid@Host_driver", optional="force")
simple("hostdriver-variant-select", "Driver_variant.select", "uuid@Driver_variant")


@command(
    "host-set-hostname-live", "host-uuid", "host-name", selects="host", messages="host.set_hostname_live"
)
def set_hostname(ctx: Context) -> None:
    """Change a host's name, its own and the one that is shown."""
    ctx.call("host.set_hostname_live", ctx.ref("host", ctx.need("host-uuid")), ctx.need("host-name"))


@command(
    "host-refresh-server-certificate", "host", selects="host", messages="host.refresh_server_certificate"
)
def refresh_certificate(ctx: Context) -> None:
    """Have a host make itself a new certificate for use within the pool."""
    ctx.call("host.refresh_server_certificate", the_host(ctx, ctx.need("host")))


@command("host-prepare-for-poweroff", flags="hidden", messages="host.prepare_for_poweroff")
def prepare_for_poweroff(ctx: Context) -> None:
    """Get the host ready to be switched off."""
    ctx.call("host.prepare_for_poweroff", the_host(ctx))


@command("hostdriver-select", "uuid", "variant-name", messages="Host_driver.select")
def driver_select(ctx: Context) -> None:
    """Choose a variant of a driver, by name."""
    driver = ctx.ref("Host_driver", ctx.need("uuid"))
    for ref in ctx.call("Host_driver.get_variants", driver):
        if ctx.call("Driver_variant.get_name", ref) == ctx.need("variant-name"):
            ctx.call("Host_driver.select", driver, ref)
            return
    raise CommandError(f"{ctx.need('variant-name')} does not identify a variant of this driver")


@command("host-bugreport-upload", optional="url http_proxy", selects="host", messages="host.bugreport_upload")
def bugreport(ctx: Context) -> None:
    """Send a status report to a server."""
    options = {"http_proxy": ctx.args["http_proxy"]} if "http_proxy" in ctx.args else {}
    for host in selected(ctx, "host"):
        ctx.call("host.bugreport_upload", host, ctx.args.get("url", ""), options)


@command("host-crashdump-upload", "uuid", optional="url http_proxy", messages="host_crashdump.upload")
def crashdump_upload(ctx: Context) -> None:
    """Send a host's crash dump to a server."""
    options = {"http_proxy": ctx.args["http_proxy"]} if "http_proxy" in ctx.args else {}
    crashdump = ctx.ref("host_crashdump", ctx.need("uuid"))
    ctx.call("host_crashdump.upload", crashdump, ctx.args.get("url", ""), options)


def _host_or_only(ctx: Context, name: str = "host-uuid") -> str:
    return ctx.ref("host", ctx.args[name]) if name in ctx.args else the_host(ctx)


@command("host-cpu-info", optional="uuid", messages="host.get_cpu_info")
def cpu_info(ctx: Context) -> None:
    """Print what is known of a host's CPUs."""
    info = ctx.call("host.get_cpu_info", _host_or_only(ctx, "uuid"))
    width = max(map(len, info), default=0)
    ctx.print("\n".join(f"{key.rjust(width)}: {value}" for key, value in sorted(info.items())))


@command("host-get-cpu-features", optional="uuid", messages="host.get_cpu_info")
def cpu_features(ctx: Context) -> None:
    """Print the features of a host's CPUs."""
    info = ctx.call("host.get_cpu_info", _host_or_only(ctx, "uuid"))
    ctx.print(str(info.get("features", "")))


@command("host-license-remove", optional="host-uuid", messages="host.license_remove")
def license_remove(ctx: Context) -> None:
    """Take a host's licence away."""
    ctx.call("host.license_remove", _host_or_only(ctx))


@command("host-license-view", optional="host-uuid", messages="host.get_license_params")
def license_view(ctx: Context) -> None:
    """Print a host's licence."""
    params = ctx.call("host.get_license_params", _host_or_only(ctx))
    ctx.print(map_text(params) if ctx.minimal else "\n".join(f"{k}: {v}" for k, v in sorted(params.items())))


@command("host-apply-edition", "edition", optional="host-uuid license-server-address license-server-port",
         messages="host.apply_edition host.set_license_server")  # fmt: skip
def apply_edition(ctx: Context) -> None:
    """Change a host's edition."""
    host = _host_or_only(ctx)
    server = dict(ctx.call("host.get_license_server", host))
    for what in ("address", "port"):
        if f"license-server-{what}" in ctx.args:
            server[what] = ctx.args[f"license-server-{what}"]
    ctx.call("host.set_license_server", host, server)
    ctx.call("host.apply_edition", host, ctx.need("edition"), False)  # noqa: FBT003


@command("host-all-editions", messages="host.get_editions")
def all_editions(ctx: Context) -> None:
    """Print the editions that a host can have."""
    ctx.print(",".join(ctx.call("host.get_editions", the_host(ctx))))


@command("host-get-vms-which-prevent-evacuation", "uuid", messages="host.get_vms_which_prevent_evacuation")
def prevent_evacuation(ctx: Context) -> None:
    """Print the VMs that keep a host from being emptied, each with the reason."""
    found = ctx.call("host.get_vms_which_prevent_evacuation", ctx.ref("host", ctx.need("uuid")))
    for vm, reason in found.items():
        row = ctx.store.all("VM")[vm]
        ctx.print(f"{row['uuid']} ({row['name_label']}): {', '.join(reason)}")


@command("host-data-source-list", selects="host", messages="host.get_data_sources")
def data_sources(ctx: Context) -> None:
    """List what is measured of a host."""
    for host in selected(ctx, "host"):
        show_data_sources(ctx, ctx.call("host.get_data_sources", host))


def show_data_sources(ctx: Context, sources: list[dict[str, object]]) -> None:
    """Print data sources, one a paragraph."""
    for source in sources:
        lines = (f"{name.rjust(20)}: {source.get(name, '')}" for name in
                 ("name_label", "name_description", "enabled", "standard", "min", "max", "units"))  # fmt: skip
        ctx.print("\n".join(lines) + "\n")
