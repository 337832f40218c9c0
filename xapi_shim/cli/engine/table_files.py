"""Commands that move files between the user and a host, or join the user to a console."""

from __future__ import annotations

from urllib.parse import urlencode

from xapi_shim.cli.engine.command import ApiError, CommandError, Context, ExitWithError, command
from xapi_shim.cli.engine.selectors import selected, the_host
from xapi_shim.cli.engine.values import number


def _text(ctx: Context, argument: str) -> str:
    """Return the text of the file that an argument names. Raises CommandError, ExitWithError."""
    try:
        return ctx.terminal.load(ctx.need(argument)).decode()
    except UnicodeDecodeError:
        raise CommandError(f"{ctx.need(argument)} is not a text") from None


def http_path(ctx: Context, path: str, **query: str) -> str:
    """Return the path of an HTTP action, with this session's right to it."""
    return f"{path}?{urlencode({'session_id': ctx.api.session, **query})}"


def _confirm(ctx: Context, *lines: str) -> None:
    """Go on only when the user says yes. Raises ExitWithError."""
    for line in (*lines, "Type 'yes' to continue"):
        ctx.print(line)
    if ctx.terminal.prompt().strip().lower() != "yes":
        ctx.print("Aborted")
        raise ExitWithError(1)


@command("pool-certificate-install", "filename", flags="deprecated", messages="pool.certificate_install")
def certificate_install(ctx: Context) -> None:
    """Install a CA certificate in all hosts."""
    ctx.call("pool.certificate_install", _base_name(ctx), _text(ctx, "filename"))


@command("pool-install-ca-certificate", "filename", messages="pool.install_ca_certificate")
def install_ca(ctx: Context) -> None:
    """Install a CA certificate in all hosts."""
    ctx.call("pool.install_ca_certificate", _base_name(ctx), _text(ctx, "filename"))


@command("pool-crl-install", "filename", messages="pool.crl_install")
def crl_install(ctx: Context) -> None:
    """Install a certificate revocation list in all hosts."""
    ctx.call("pool.crl_install", _base_name(ctx), _text(ctx, "filename"))


def _base_name(ctx: Context) -> str:
    return ctx.need("filename").rpartition("/")[2]


@command("pool-install-trusted-certificate", "filename", "ca", optional="uuid purpose",
         messages="pool.install_trusted_certificate")  # fmt: skip
def install_trusted(ctx: Context) -> None:
    """Have the pool trust a certificate, a CA's or a server's."""
    purpose = [one for one in ctx.args.get("purpose", "").split(",") if one]
    text = _text(ctx, "filename")
    ctx.call("pool.install_trusted_certificate", ctx.pool(), ctx.flag("ca"), text, purpose)


@command("host-license-add", "license-file", optional="host-uuid", messages="host.license_add")
def license_add(ctx: Context) -> None:
    """Install a licence file on a host."""
    host = ctx.ref("host", ctx.args["host-uuid"]) if "host-uuid" in ctx.args else the_host(ctx)
    import base64

    ctx.call("host.license_add", host, base64.b64encode(ctx.terminal.load(ctx.need("license-file"))).decode())


@command("host-server-certificate-install", "certificate", "private-key", optional="certificate-chain",
         selects="host", messages="host.install_server_certificate")  # fmt: skip
def server_certificate(ctx: Context) -> None:
    """Install a host's own certificate and key."""
    chain = _text(ctx, "certificate-chain") if "certificate-chain" in ctx.args else ""
    texts = _text(ctx, "certificate"), _text(ctx, "private-key"), chain
    for host in selected(ctx, "host", one_only=True):
        ctx.call("host.install_server_certificate", host, *texts)


@command("repository-introduce-remote-pool", "name-label", "binary-url", "certificate-file",
         optional="name-description", messages="Repository.introduce_remote_pool")  # fmt: skip
def remote_pool(ctx: Context) -> None:
    """Take updates from another pool, and print the repository's uuid."""
    names = ctx.need("name-label"), ctx.args.get("name-description", "")
    text = _text(ctx, "certificate-file")
    made = ctx.call("Repository.introduce_remote_pool", *names, ctx.need("binary-url"), text)
    ctx.print_uuid("Repository", made)


@command("vm-sysprep", "filename", optional="timeout", selects="vm", messages="VM.sysprep")
def sysprep(ctx: Context) -> None:
    """Have a Windows guest generalised with an answer file."""
    text, timeout = _text(ctx, "filename"), number("timeout", ctx.args.get("timeout", "180"))
    for vm in selected(ctx, "vm", one_only=True):
        ctx.call("VM.sysprep", vm, text, timeout)


@command("pool-eject", "host-uuid", messages="pool.eject")
def pool_eject(ctx: Context) -> None:
    """Take a host out of the pool and wipe its local storage; asks unless --force."""
    host = ctx.ref("host", ctx.need("host-uuid"))
    if not ctx.flag("force"):
        _confirm(ctx, "WARNING: Ejecting a host from the pool will reinitialise that host's local SRs.",
                 "WARNING: Any data contained with the local SRs will be lost.")  # fmt: skip
    ctx.call("pool.eject", host)


@command("host-forget", "uuid", messages="host.destroy")
def host_forget(ctx: Context) -> None:
    """Remove the records of a host that is gone for good; asks unless --force."""
    host = ctx.ref("host", ctx.need("uuid"))
    if not ctx.flag("force"):
        _confirm(ctx, "WARNING: A host should only be forgotten if it is physically unrecoverable;",
                 "WARNING: if possible, Hosts should be 'ejected' from the Pool instead.")  # fmt: skip
    ctx.call("host.destroy", host)


@command("host-declare-dead", "uuid", messages="host.declare_dead")
def host_declare_dead(ctx: Context) -> None:
    """Say that a host is off, so that its VMs may start elsewhere; asks unless --force."""
    host = ctx.ref("host", ctx.need("uuid"))
    if not ctx.flag("force"):
        _confirm(ctx, "WARNING: A host should only be declared dead if it is verified offline.",
                 "WARNING: VMs that still run there would run twice, and lose data.")  # fmt: skip
    ctx.call("host.declare_dead", host)


@command("pool-dump-database", "file-name", messages="http:/pool/xmldbdump")
def dump_database(ctx: Context) -> None:
    """Save the pool's database in a file."""
    ctx.terminal.get(ctx.need("file-name"), http_path(ctx, "/pool/xmldbdump"))


@command("pool-restore-database", "file-name", optional="dry-run", messages="http:/pool/xmldbdump")
def restore_database(ctx: Context) -> None:
    """Replace the pool's database by a saved one; --dry-run only looks whether that can be done."""
    dry = "true" if ctx.flag("dry-run") else "false"
    task = ctx.call("task.create", "pool-restore-database", "")
    try:
        ctx.terminal.put(ctx.need("file-name"), http_path(ctx, "/pool/xmldbdump", dry_run=dry, task_id=task))
        _finished(ctx, task)
    finally:
        ctx.call("task.destroy", task)


def _finished(ctx: Context, task: str) -> None:
    """Wait for a task to end. Raises the ApiError that it ended with."""
    token = ""
    while (status := ctx.call("task.get_status", task)) in ("pending", "cancelling"):
        token = ctx.call("event.from", [f"task/{task}"], token, 30.0)["token"]
    if status != "success":
        code, *params = ctx.call("task.get_error_info", task) or ["INTERNAL_ERROR"]
        raise ApiError(code, tuple(params))


@command("host-backup", "file-name", selects="host", messages="http:/host_backup")
def host_backup(ctx: Context) -> None:
    """Save a host's own file system in a file."""
    for _ in selected(ctx, "host", one_only=True):
        ctx.terminal.get(ctx.need("file-name"), http_path(ctx, "/host_backup"))


@command("host-restore", "file-name", selects="host", messages="http:/host_restore")
def host_restore(ctx: Context) -> None:
    """Put a host's own file system back from a file."""
    for _ in selected(ctx, "host", one_only=True):
        ctx.terminal.put(ctx.need("file-name"), http_path(ctx, "/host_restore"))


@command("host-logs-download", optional="file-name", selects="host", messages="http:/host_logs_download")
def host_logs(ctx: Context) -> None:
    """Save a host's logs in a file."""
    for host in selected(ctx, "host", one_only=True):
        name = ctx.args.get("file-name", f"logs-{ctx.store.all('host')[host]['hostname']}.tar.bz2")
        ctx.terminal.get(name, http_path(ctx, "/host_logs_download"))


@command("host-get-system-status", "filename", optional="entries output", selects="host",
         messages="http:/system-status")  # fmt: skip
def system_status(ctx: Context) -> None:
    """Save a host's status report in a file."""
    query = {"entries": ctx.args.get("entries", ""), "output": ctx.args.get("output", "tar.bz2")}
    for _ in selected(ctx, "host", one_only=True):
        ctx.terminal.get(ctx.need("filename"), http_path(ctx, "/system-status", **query))


@command("patch-upload", "file-name", messages="http:/pool_patch_upload")
def patch_upload(ctx: Context) -> None:
    """Send an update to the pool."""
    ctx.terminal.put(ctx.need("file-name"), http_path(ctx, "/pool_patch_upload"))


@command("update-upload", "file-name", optional="sr-uuid", messages="http:/import_raw_vdi")
def update_upload(ctx: Context) -> None:
    """Send an update to the pool."""
    query = {"sr_id": ctx.args["sr-uuid"]} if "sr-uuid" in ctx.args else {}
    ctx.terminal.put(ctx.need("file-name"), http_path(ctx, "/import_raw_vdi", **query))


@command("pool-sync-bundle", "filename", messages="http:/bundle")
def sync_bundle(ctx: Context) -> None:
    """Send a bundle of updates to the pool."""
    ctx.terminal.put(ctx.need("filename"), http_path(ctx, "/bundle"))


@command("pool-retrieve-wlb-report", "report", optional="filename", messages="http:/wlb_report")
def wlb_report(ctx: Context) -> None:
    """Fetch a report on workload balancing."""
    query = {k: v for k, v in ctx.args.items() if k != "filename"}
    ctx.terminal.get(ctx.args.get("filename", ""), http_path(ctx, "/wlb_report", **query))


@command("pool-retrieve-wlb-diagnostics", optional="filename", messages="http:/wlb_diagnostics")
def wlb_diagnostics(ctx: Context) -> None:
    """Fetch the log of workload balancing."""
    ctx.terminal.get(ctx.args.get("filename", ""), http_path(ctx, "/wlb_diagnostics"))


@command("audit-log-get", "filename", optional="since", messages="http:/audit_log")
def audit_log(ctx: Context) -> None:
    """Save the audit log, all or since a time, in a file."""
    query = {"since": ctx.args["since"]} if "since" in ctx.args else {}
    ctx.terminal.get(ctx.need("filename"), http_path(ctx, "/audit_log", **query))


@command("blob-get", "uuid", "filename", flags="hidden", messages="http:/blob")
def blob_get(ctx: Context) -> None:
    """Save a blob in a file."""
    ctx.terminal.get(ctx.need("filename"), http_path(ctx, "/blob", ref=ctx.ref("blob", ctx.need("uuid"))))


@command("blob-put", "uuid", "filename", flags="hidden", messages="http:/blob")
def blob_put(ctx: Context) -> None:
    """Fill a blob from a file."""
    ctx.terminal.put(ctx.need("filename"), http_path(ctx, "/blob", ref=ctx.ref("blob", ctx.need("uuid"))))


@command("vdi-export", "uuid", "filename", optional="format base progress", messages="http:/export_raw_vdi")
def vdi_export(ctx: Context) -> None:
    """Save a disk's contents in a file: format= is raw, vhd, tar or qcow2."""
    query = {"vdi": ctx.ref("VDI", ctx.need("uuid")), "format": ctx.args.get("format", "raw")}
    if "base" in ctx.args:
        query["base"] = ctx.ref("VDI", ctx.args["base"])
    ctx.terminal.get(ctx.need("filename"), http_path(ctx, "/export_raw_vdi", **query))


@command("vdi-import", "uuid", "filename", optional="format progress", messages="http:/import_raw_vdi")
def vdi_import(ctx: Context) -> None:
    """Fill a disk from a file: format= is raw, vhd, tar or qcow2."""
    query = {"vdi": ctx.ref("VDI", ctx.need("uuid")), "format": ctx.args.get("format", "raw")}
    ctx.terminal.put(ctx.need("filename"), http_path(ctx, "/import_raw_vdi", **query))
