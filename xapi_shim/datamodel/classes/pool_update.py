"""Class pool_update."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    static("name_label", "string", "Its name.", default="", path=("name", "label")),
    static("name_description", "string", "What it brings.", default="", path=("name", "description")),
    static("version", "string", "Its version.", default="", since="ely"),
    static("installation_size", "int", "How much room it needs on a host, in bytes.", default=0, since="ely"),
    static("key", "string", "The key that its signature was made with.", default="", since="ely"),
    static(
        "after_apply_guidance",
        "set(enum(update_after_apply_guidance))",
        "What has to be started anew once it is applied.",
        default=[],
        since="ely",
    ),
    static("vdi", "ref(VDI)", "The disk with its packages."),
    dynamic("hosts", "set(ref(host))", "The hosts that have it.", since="ely"),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="inverness"),
    static(
        "enforce_homogeneity",
        "bool",
        "Whether all hosts of the pool must have it, or none.",
        default=False,
        since="inverness",
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "introduce",
        (param("vdi", "ref(VDI)"),),
        "Take up an update from the disk that was uploaded.",
        result="ref(pool_update)",
        role=Role.POOL_OPERATOR,
        since="ely",
    ),
    msg(
        "precheck",
        (param("self", "ref(pool_update)"), param("host", "ref(host)")),
        "Ask whether one host could take it, and whether without a restart.",
        result="enum(livepatch_status)",
        role=Role.POOL_OPERATOR,
        since="ely",
    ),
    msg(
        "apply",
        (param("self", "ref(pool_update)"), param("host", "ref(host)")),
        "Apply it to one host.",
        role=Role.POOL_OPERATOR,
        since="ely",
    ),
    msg(
        "pool_apply",
        (param("self", "ref(pool_update)"),),
        "Apply it to every host.",
        role=Role.POOL_OPERATOR,
        since="ely",
    ),
    msg(
        "pool_clean",
        (param("self", "ref(pool_update)"),),
        "Delete its disk once it is applied.",
        role=Role.POOL_OPERATOR,
        since="ely",
    ),
    msg(
        "destroy",
        (param("self", "ref(pool_update)"),),
        "Forget an update that no host has.",
        role=Role.POOL_OPERATOR,
        since="ely",
    ),
    msg(
        "attach",
        (param("self", "ref(pool_update)"), param("use_localhost_proxy", "bool", False)),
        "Make its packages readable and return the address.",
        result="string",
        role=Role.POOL_OPERATOR,
        since="ely",
        hidden=True,
    ),
    msg(
        "detach",
        (param("self", "ref(pool_update)"),),
        "Take its packages away again.",
        role=Role.POOL_OPERATOR,
        since="ely",
        hidden=True,
    ),
    msg(
        "resync_host",
        (param("host", "ref(host)"),),
        "Compare what a host has with what is recorded.",
        role=Role.POOL_OPERATOR,
        since="ely",
        hidden=True,
    ),
)

CLASS = ApiClass(
    "pool_update",
    "An update of the product, kept as a disk until hosts have it.",
    FIELDS,
    MESSAGES,
    since="ely",
)
