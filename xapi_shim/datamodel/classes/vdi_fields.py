"""The fields of class VDI."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import Field, Role

rw, static, dynamic = written_by(Role.VM_ADMIN)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    static("name_label", "string", "The name people gave the disk.", default="", path=("name", "label")),
    static("name_description", "string", "Notes about the disk.", default="", path=("name", "description")),
    dynamic(
        "allowed_operations",
        "set(enum(vdi_operations))",
        "What may be done to the disk now.",
        default=[],
        persist=False,
    ),
    dynamic(
        "current_operations",
        "map(string,enum(vdi_operations))",
        "What is being done to the disk, by task.",
        default={},
        persist=False,
    ),
    static("SR", "ref(SR)", "The repository it is in."),
    dynamic("VBDs", "set(ref(VBD))", "The drives it is in."),
    dynamic("crash_dumps", "set(ref(crashdump))", "The crashed VMs' memory it holds."),
    static("virtual_size", "int", "Its size as guests see it, in bytes."),
    dynamic("physical_utilisation", "int", "How much storage it takes, in bytes."),
    static("type", "enum(vdi_type)", "What it is for."),
    static("sharable", "bool", "Whether several VMs may write it at once."),
    static("read_only", "bool", "Whether nobody may write it."),
    rw(
        "other_config",
        "map(string,string)",
        "Settings by key, for anybody.",
        key_roles={"folder": Role.VM_OPERATOR, "XenCenter.CustomFields.*": Role.VM_OPERATOR},
    ),
    dynamic("storage_lock", "bool", "Whether the storage has it locked."),
    dynamic("location", "string", "Where in the repository it is.", default="", since="miami"),
    dynamic("managed", "bool", "Whether people are shown it."),
    dynamic("missing", "bool", "Whether the last scan did not find it."),
    dynamic("parent", "ref(VDI)", "The disk it is based on.", state="deprecated"),
    rw(
        "xenstore_data", "map(string,string)", "What is put beside it in xenstore.", default={}, since="miami"
    ),
    rw("sm_config", "map(string,string)", "What the driver keeps about it.", default={}, since="miami"),
    dynamic(
        "is_a_snapshot",
        "bool",
        "Whether it is another disk's contents, kept.",
        default=False,
        since="orlando",
    ),
    dynamic(
        "snapshot_of",
        "ref(VDI)",
        "The disk whose contents it keeps.",
        default="OpaqueRef:NULL",
        since="orlando",
    ),
    dynamic("snapshots", "set(ref(VDI))", "Its own kept contents.", since="orlando"),
    dynamic(
        "snapshot_time",
        "datetime",
        "When its contents were kept.",
        default="19700101T00:00:00Z",
        since="orlando",
    ),
    rw(
        "tags",
        "set(string)",
        "Words to find it by.",
        default=[],
        since="orlando",
        write_role=Role.VM_OPERATOR,
    ),
    dynamic("allow_caching", "bool", "Whether it may be cached on hosts.", default=False, since="cowley"),
    dynamic(
        "on_boot",
        "enum(on_boot)",
        "Whether changes last over its VM's restart.",
        default="persist",
        since="cowley",
    ),
    dynamic(
        "metadata_of_pool",
        "ref(pool)",
        "The pool whose database is in it.",
        default="OpaqueRef:NULL",
        since="boston",
    ),
    dynamic(
        "metadata_latest", "bool", "Whether that database is the newest known.", default=False, since="boston"
    ),
    dynamic("is_tools_iso", "bool", "Whether it is the guest tools' disc.", default=False, since="dundee"),
    dynamic("cbt_enabled", "bool", "Whether changed blocks are recorded.", default=False, since="inverness"),
)
