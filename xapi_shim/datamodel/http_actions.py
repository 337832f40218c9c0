"""What HTTP requests other than calls are there for, and who may make them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from xapi_shim.datamodel.model import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONE: Mapping[str, Role] = MappingProxyType({})


@dataclass(frozen=True)
class HttpAction:
    """One method of one path. Its permission is `http/<name>`, that of a part `http/<name>/<part>`."""

    name: str
    method: str
    path: str
    role: Role
    # The query's arguments that clients know, and their types.
    args: tuple[tuple[str, str], ...] = ()
    # What needs another role: a host's own console.
    parts: Mapping[str, Role] = field(default_factory=lambda: _NONE)
    # Whether hosts' client certificates may make it too, besides the role.
    client_cert: bool = False
    # Whether the role is checked before the request is looked at; if not, its handler does what is needed.
    checked: bool = True
    # Whether clients' libraries offer it.
    public: bool = False


HTTP_ACTIONS: tuple[HttpAction, ...] = (
    HttpAction("get_services", "GET", "/services", Role.READ_ONLY, public=True),
    HttpAction("post_services", "POST", "/services", Role.POOL_ADMIN),
    HttpAction("put_services", "PUT", "/services", Role.POOL_ADMIN),
    HttpAction("post_remote_db_access", "POST", "/remote_db_access", Role.POOL_ADMIN),
    HttpAction("post_remote_db_access_v2", "POST", "/remote_db_access_v2", Role.POOL_ADMIN),
    HttpAction("get_services_xenops", "GET", "/services/xenops", Role.VM_POWER_ADMIN),
    HttpAction("post_services_xenops", "POST", "/services/xenops", Role.VM_POWER_ADMIN, client_cert=True),
    HttpAction("put_services_xenops", "PUT", "/services/xenops", Role.VM_POWER_ADMIN, client_cert=True),
    HttpAction("get_services_sm", "GET", "/services/SM", Role.VM_POWER_ADMIN),
    HttpAction("post_services_sm", "POST", "/services/SM", Role.VM_POWER_ADMIN),
    HttpAction("put_services_sm", "PUT", "/services/SM", Role.VM_POWER_ADMIN),
    HttpAction(
        "put_import",
        "PUT",
        "/import",
        Role.VM_ADMIN,
        args=(("restore", "bool"), ("force", "bool"), ("sr_id", "string")),
        public=True,
    ),
    HttpAction(
        "put_import_metadata",
        "PUT",
        "/import_metadata",
        Role.VM_ADMIN,
        args=(("restore", "bool"), ("force", "bool"), ("dry_run", "bool")),
        public=True,
    ),
    HttpAction(
        "put_import_raw_vdi",
        "PUT",
        "/import_raw_vdi",
        Role.VM_ADMIN,
        args=(("vdi", "string"), ("format", "string"), ("chunked", "bool")),
        public=True,
    ),
    HttpAction(
        "get_export",
        "GET",
        "/export",
        Role.VM_ADMIN,
        args=(("uuid", "string"), ("use_compression", "string"), ("preserve_power_state", "bool")),
        public=True,
    ),
    HttpAction(
        "get_export_metadata",
        "GET",
        "/export_metadata",
        Role.VM_ADMIN,
        args=(
            ("uuid", "string"),
            ("all", "bool"),
            ("include_dom0", "bool"),
            ("include_vhd_parents", "bool"),
            ("export_snapshots", "bool"),
            ("excluded_device_types", "string"),
        ),
        public=True,
    ),
    HttpAction(
        "get_export_raw_vdi",
        "GET",
        "/export_raw_vdi",
        Role.VM_ADMIN,
        args=(("vdi", "string"), ("format", "string")),
        public=True,
    ),
    HttpAction(
        "connect_console", "CONNECT", "/console", Role.VM_OPERATOR, parts={"host_console": Role.POOL_ADMIN}
    ),
    HttpAction(
        "connect_console_ws", "GET", "/console", Role.VM_OPERATOR, parts={"host_console_ws": Role.POOL_ADMIN}
    ),
    HttpAction("get_root", "GET", "/", Role.READ_ONLY, checked=False),
    HttpAction("post_cli", "POST", "/cli", Role.READ_ONLY, checked=False),
    HttpAction("get_host_backup", "GET", "/host_backup", Role.POOL_ADMIN, public=True),
    HttpAction("put_host_restore", "PUT", "/host_restore", Role.POOL_ADMIN, public=True),
    HttpAction("get_host_logs_download", "GET", "/host_logs_download", Role.POOL_OPERATOR, public=True),
    HttpAction(
        "put_pool_patch_upload",
        "PUT",
        "/pool_patch_upload",
        Role.POOL_OPERATOR,
        args=(("sr_id", "string"),),
        public=True,
    ),
    HttpAction(
        "get_vncsnapshot",
        "GET",
        "/vncsnapshot",
        Role.VM_OPERATOR,
        args=(("uuid", "string"),),
        parts={"host_console": Role.POOL_ADMIN},
        public=True,
    ),
    HttpAction("get_pool_xml_db_sync", "GET", "/pool/xmldbdump", Role.POOL_ADMIN, public=True),
    HttpAction("put_pool_xml_db_sync", "PUT", "/pool/xmldbdump", Role.POOL_ADMIN),
    HttpAction("get_config_sync", "GET", "/sync_config_files", Role.POOL_ADMIN),
    HttpAction(
        "get_system_status",
        "GET",
        "/system-status",
        Role.POOL_OPERATOR,
        args=(("entries", "string"), ("output", "string")),
        public=True,
    ),
    HttpAction(
        "vm_rrd", "GET", "/vm_rrd", Role.READ_ONLY, args=(("uuid", "string"), ("json", "bool")), public=True
    ),
    HttpAction("get_vm_rrds", "GET", "/vm_rrds", Role.READ_ONLY, args=(("uuid", "string"), ("json", "bool"))),
    HttpAction("host_rrd", "GET", "/host_rrd", Role.READ_ONLY, args=(("json", "bool"),), public=True),
    HttpAction("get_host_rrds", "GET", "/host_rrds", Role.READ_ONLY, args=(("json", "bool"),)),
    HttpAction("sr_rrd", "GET", "/sr_rrd", Role.READ_ONLY, args=(("uuid", "string"),), public=True),
    HttpAction(
        "rrd_updates",
        "GET",
        "/rrd_updates",
        Role.READ_ONLY,
        args=(
            ("start", "int"),
            ("cf", "string"),
            ("interval", "int"),
            ("host", "bool"),
            ("uuid", "string"),
            ("json", "bool"),
        ),
        public=True,
    ),
    HttpAction("rrd", "PUT", "/rrd", Role.POOL_ADMIN),
    HttpAction("get_blob", "GET", "/blob", Role.READ_ONLY, checked=False),
    HttpAction("put_blob", "PUT", "/blob", Role.VM_POWER_ADMIN, args=(("ref", "string"),), public=True),
    HttpAction("put_messages", "PUT", "/messages", Role.VM_POWER_ADMIN),
    HttpAction("connect_remotecmd", "CONNECT", "/remotecmd", Role.POOL_ADMIN),
    HttpAction(
        "get_wlb_report",
        "GET",
        "/wlb_report",
        Role.READ_ONLY,
        args=(("report", "string"), ("*", "varargs")),
        public=True,
    ),
    HttpAction("get_wlb_diagnostics", "GET", "/wlb_diagnostics", Role.READ_ONLY, public=True),
    HttpAction(
        "get_audit_log", "GET", "/audit_log", Role.READ_ONLY, args=(("since", "string"),), public=True
    ),
    HttpAction("post_root", "POST", "/", Role.READ_ONLY, checked=False),
    HttpAction("post_RPC2", "POST", "/RPC2", Role.READ_ONLY, checked=False),
    HttpAction("post_json", "POST", "/json", Role.READ_ONLY, checked=False),
    HttpAction("post_root_options", "OPTIONS", "/", Role.READ_ONLY, checked=False),
    HttpAction("post_json_options", "OPTIONS", "/json", Role.READ_ONLY, checked=False),
    HttpAction("post_jsonrpc", "POST", "/jsonrpc", Role.READ_ONLY, checked=False),
    HttpAction("post_jsonrpc_options", "OPTIONS", "/jsonrpc", Role.READ_ONLY, checked=False),
    HttpAction("get_pool_update_download", "GET", "/update/", Role.READ_ONLY, checked=False),
    HttpAction("get_repository", "GET", "/repository", Role.LOCAL_ROOT),
    HttpAction("get_enabled_repository", "GET", "/repository/enabled", Role.POOL_OPERATOR, client_cert=True),
    HttpAction("get_host_updates", "GET", "/host_updates", Role.POOL_OPERATOR, client_cert=True),
    HttpAction("get_updates", "GET", "/updates", Role.POOL_OPERATOR, client_cert=True, public=True),
    HttpAction("put_bundle", "PUT", "/bundle", Role.POOL_OPERATOR, public=True),
)
