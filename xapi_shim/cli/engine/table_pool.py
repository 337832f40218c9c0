"""Commands on the pool: members, master, authentication, certificates, high availability, updates."""

from __future__ import annotations

from xapi_shim.cli.engine.command import CommandError, Context, MissingParameterError, command
from xapi_shim.cli.engine.simple import simple
from xapi_shim.cli.engine.values import items

simple("pool-enable-binary-storage", "pool.enable_binary_storage", flags="hidden")
simple("pool-disable-binary-storage", "pool.disable_binary_storage", flags="hidden")
simple("pool-designate-new-master", "pool.designate_new_master", "host-uuid@host")
simple("pool-management-reconfigure", "pool.management_reconfigure", "network-uuid@network")
simple("pool-sync-database", "pool.sync_database")
simple("pool-emergency-reset-master", "pool.emergency_reset_master", "master-address")
simple("pool-emergency-transition-to-master", "pool.emergency_transition_to_master", optional="force")
simple("pool-recover-slaves", "pool.recover_slaves", prints="text")
simple("pool-initialize-wlb", "pool.initialize_wlb", "wlb_url", "wlb_username", "wlb_password",
       "xenserver_username", "xenserver_password")  # fmt: skip
simple("pool-deconfigure-wlb", "pool.deconfigure_wlb")
simple("pool-send-wlb-configuration", "pool.send_wlb_configuration", "config:map")
simple("pool-retrieve-wlb-configuration", "pool.retrieve_wlb_configuration", prints="text")
simple("pool-retrieve-wlb-recommendations", "pool.retrieve_wlb_recommendations", prints="text")
simple("pool-send-test-post", "pool.send_test_post", "dest-host", "dest-port:int", "body", prints="text")
simple("pool-certificate-uninstall", "pool.certificate_uninstall", "name", flags="deprecated")
simple("pool-uninstall-ca-certificate", "pool.uninstall_ca_certificate", "name", "force:bool?")
simple("pool-certificate-list", "pool.certificate_list", prints="text", flags="deprecated")
simple("pool-crl-uninstall", "pool.crl_uninstall", "name")
simple("pool-crl-list", "pool.crl_list", prints="text")
simple("pool-certificate-sync", "pool.certificate_sync")
simple("pool-enable-tls-verification", "pool.enable_tls_verification")
simple("pool-enable-client-certificate-auth", "pool.enable_client_certificate_auth", "$pool", "name")
simple("pool-disable-client-certificate-auth", "pool.disable_client_certificate_auth", "$pool")
simple("pool-set-vswitch-controller", "pool.set_vswitch_controller", "address", flags="hidden")
simple("pool-disable-ssl-legacy", "pool.disable_ssl_legacy", "$pool", optional="uuid", flags="deprecated")
simple("pool-secret-rotate", "pool.rotate_secret")
simple("pool-sync-updates", "pool.sync_updates", "$pool", "force:bool?", "token?", "token-id?", "username?",
       "password?", prints="text")  # fmt: skip
simple("pool-reset-telemetry-uuid", "pool.reset_telemetry_uuid", "$pool")
simple("pool-get-guest-secureboot-readiness", "pool.get_guest_secureboot_readiness", "$pool", prints="text")
simple("pool-enable-local-storage-caching", "pool.enable_local_storage_caching", "uuid@pool")
simple("pool-disable-local-storage-caching", "pool.disable_local_storage_caching", "uuid@pool")
simple("pool-apply-edition", "pool.apply_edition", "$pool", "edition",
       optional="uuid license-server-address license-server-port")  # fmt: skip
simple("pool-configure-repository-proxy", "pool.configure_repository_proxy", "$pool", "proxy-url",
       "proxy-username?", "proxy-password?")  # fmt: skip
simple("pool-disable-repository-proxy", "pool.disable_repository_proxy", "$pool")
simple("pool-uninstall-trusted-certificate", "pool.uninstall_trusted_certificate", "$pool",
       "certificate-uuid@Certificate", optional="uuid")  # fmt: skip
simple("pool-vlan-create", "pool.create_VLAN_from_PIF", "pif-uuid@PIF", "network-uuid@network", "vlan:int",
       prints="text")  # fmt: skip
simple("pool-ha-enable", "pool.enable_ha", "heartbeat-sr-uuids@SR*?", "ha-config:map")
simple("pool-ha-disable", "pool.disable_ha")
simple("pool-ha-prevent-restarts-for", "pool.ha_prevent_restarts_for", "seconds:int", flags="hidden")
simple("pool-ha-compute-max-host-failures-to-tolerate", "pool.ha_compute_max_host_failures_to_tolerate",
       prints="text")  # fmt: skip
simple("pool-enable-redo-log", "pool.enable_redo_log", "sr-uuid@SR")
simple("pool-disable-redo-log", "pool.disable_redo_log")
simple("pool-set-update-sync-enabled", "pool.set_update_sync_enabled", "$pool", "value:bool")
simple("pool-enable-ssh", "pool.enable_ssh", "$pool")
simple("pool-disable-ssh", "pool.disable_ssh", "$pool")
simple("pool-enable-external-auth", "pool.enable_external_auth", "$pool", "config:map", "service-name",
       "auth-type", optional="uuid")  # fmt: skip
simple("pool-disable-external-auth", "pool.disable_external_auth", "$pool", "config:map", optional="uuid")
simple("pool-external-auth-set-ldaps", "pool.external_auth_set_ldaps", "$pool", "ldaps:bool", "force:bool?",
       optional="uuid")  # fmt: skip
simple("subject-remove", "subject.destroy", "subject-uuid@subject")
simple("session-subject-identifier-list", "session.get_all_subject_identifiers", prints="text")
simple("session-subject-identifier-logout", "session.logout_subject_identifier", "subject-identifier")
simple("user-password-change", "session.change_password", "old?", "new")
simple("secret-create", "secret.create", {"value": "value", "other_config": {}}, prints="uuid")
simple("secret-destroy", "secret.destroy", "uuid@secret")
simple("task-cancel", "task.cancel", "uuid@task")
simple("patch-destroy", "pool_patch.destroy", "uuid@pool_patch")
simple("patch-precheck", "pool_patch.precheck", "uuid@pool_patch", "host-uuid@host", prints="text")
simple("patch-apply", "pool_patch.apply", "uuid@pool_patch", "host-uuid@host", prints="text")
simple("patch-pool-apply", "pool_patch.pool_apply", "uuid@pool_patch")
simple("patch-clean", "pool_patch.clean", "uuid@pool_patch")
simple("patch-pool-clean", "pool_patch.pool_clean", "uuid@pool_patch")
simple("update-introduce", "pool_update.introduce", "vdi-uuid@VDI", prints="uuid")
simple("update-precheck", "pool_update.precheck", "uuid@pool_update", "$self", selects="host", prints="text")
simple("update-apply", "pool_update.apply", "uuid@pool_update", "$self", selects="host")
simple("update-pool-apply", "pool_update.pool_apply", "uuid@pool_update")
simple("update-pool-clean", "pool_update.pool_clean", "uuid@pool_update")
simple("update-destroy", "pool_update.destroy", "uuid@pool_update")
simple("update-resync-host", "pool_update.resync_host", "host-uuid@host", flags="hidden")
simple("repository-introduce", "Repository.introduce", "name-label", "name-description?", "binary-url",
       "source-url", "update:bool", "gpgkey-path?", prints="uuid")  # fmt: skip
simple("repository-introduce-bundle", "Repository.introduce_bundle", "name-label", "name-description?",
       prints="uuid")  # fmt: skip
simple("repository-forget", "Repository.forget", "uuid@Repository")
simple("repository-set-gpgkey-path", "Repository.set_gpgkey_path", "uuid@Repository", "gpgkey-path")
DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


@command("pool-configure-update-sync", "update-sync-frequency", "update-sync-day",
         messages="pool.configure_update_sync")  # fmt: skip
def configure_update_sync(ctx: Context) -> None:
    """Say how often, and on which day of the week, updates are looked for."""
    day = ctx.need("update-sync-day")
    if not day.isdecimal() and day.lower() not in DAYS:
        raise CommandError(f"update-sync-day is a number from 0 or a day's name, not '{day}'")
    number = int(day) if day.isdecimal() else DAYS.index(day.lower())
    ctx.call("pool.configure_update_sync", ctx.pool(), ctx.need("update-sync-frequency"), number)


@command("pool-join", "master-address", "master-username", "master-password", optional="force",
         messages="pool.join pool.join_force")  # fmt: skip
def pool_join(ctx: Context) -> None:
    """Make this host a member of the pool whose master is named; --force ignores differences."""
    message = "pool.join_force" if ctx.flag("force") else "pool.join"
    ctx.call(message, *(ctx.need(f"master-{what}") for what in ("address", "username", "password")))
    ctx.print("Host agent will restart and attempt to join pool in 10.000 seconds...")


@command("pool-get-cpu-features", messages="pool.get_cpu_info")
def pool_cpu_features(ctx: Context) -> None:
    """Print the CPU features that all hosts have."""
    info = ctx.call("pool.get_cpu_info", ctx.pool())
    ctx.print(str(info.get("features", "")))


@command("pool-ha-compute-hypothetical-max-host-failures-to-tolerate", optional="vm-uuid restart-priority",
         messages="pool.ha_compute_hypothetical_max_host_failures_to_tolerate")  # fmt: skip
def ha_hypothetical(ctx: Context) -> None:
    """Print how many hosts may fail when these VMs (vm-uuid=, commas between) have these priorities."""
    vms = items(ctx.args.get("vm-uuid", ""))
    priorities = items(ctx.args.get("restart-priority", ""))
    if len(vms) != len(priorities):
        raise CommandError("as many restart priorities as VMs are needed")
    plan = {ctx.ref("VM", vm): priority for vm, priority in zip(vms, priorities, strict=True)}
    ctx.print(str(ctx.call("pool.ha_compute_hypothetical_max_host_failures_to_tolerate", plan)))


@command("pool-ha-compute-vm-failover-plan", "host-uuids", flags="hidden",
         messages="pool.ha_compute_vm_failover_plan")  # fmt: skip
def ha_plan(ctx: Context) -> None:
    """Print where the VMs of these hosts would be started if they failed."""
    hosts = [ctx.ref("host", uuid) for uuid in items(ctx.need("host-uuids"))]
    vms = [ref for ref, row in ctx.store.all("VM").items()
           if row["resident_on"] in hosts and not row["is_control_domain"]]  # fmt: skip
    plan = ctx.call("pool.ha_compute_vm_failover_plan", hosts, vms)
    for vm, where in plan.items():
        ctx.print(f"{ctx.store.all('VM')[vm]['uuid']}: {'; '.join(f'{k}: {v}' for k, v in where.items())}")


@command("session-subject-identifier-logout-all",
         messages="session.get_all_subject_identifiers session.logout_subject_identifier")  # fmt: skip
def logout_all(ctx: Context) -> None:
    """End the sessions of all externally authenticated users."""
    for identifier in ctx.call("session.get_all_subject_identifiers"):
        ctx.call("session.logout_subject_identifier", identifier)


@command("subject-add", "subject-name",
         messages="auth.get_subject_identifier auth.get_subject_information_from_identifier subject.create")  # fmt: skip
def subject_add(ctx: Context) -> None:
    """Let an externally authenticated user or group in."""
    identifier = ctx.call("auth.get_subject_identifier", ctx.need("subject-name"))
    facts = ctx.call("auth.get_subject_information_from_identifier", identifier)
    subject = ctx.call("subject.create", {"subject_identifier": identifier, "other_config": facts})
    ctx.print_uuid("subject", subject)


def _role(ctx: Context) -> str:
    if "role-uuid" in ctx.args:
        return ctx.ref("role", ctx.args["role-uuid"])
    if "role-name" not in ctx.args:
        raise MissingParameterError("role-uuid or role-name")
    found = ctx.call("role.get_by_name_label", ctx.args["role-name"])
    if not found:
        raise CommandError(f"No role is called '{ctx.args['role-name']}'")
    return str(found[0])


@command("subject-role-add", "uuid", optional="role-name role-uuid", messages="subject.add_to_roles")
def role_add(ctx: Context) -> None:
    """Give a subject a role."""
    ctx.call("subject.add_to_roles", ctx.ref("subject", ctx.need("uuid")), _role(ctx))


@command("subject-role-remove", "uuid", optional="role-name role-uuid", messages="subject.remove_from_roles")
def role_remove(ctx: Context) -> None:
    """Take a role from a subject."""
    ctx.call("subject.remove_from_roles", ctx.ref("subject", ctx.need("uuid")), _role(ctx))
