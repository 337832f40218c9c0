"""Class pool_patch."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    static("name_label", "string", "Its name.", default="", path=("name", "label")),
    static("name_description", "string", "What it mends.", default="", path=("name", "description")),
    static("version", "string", "Its version.", default="", since="miami"),
    dynamic(
        "filename",
        "string",
        "Where its file is kept on the master.",
        default="",
        since="miami",
        internal=True,
    ),
    dynamic("size", "int", "How long its file is, in bytes.", default=0, since="miami"),
    dynamic("pool_applied", "bool", "Whether every host has it.", default=False, since="miami"),
    dynamic("host_patches", "set(ref(host_patch))", "What each host knows of it.", since="miami"),
    dynamic(
        "after_apply_guidance",
        "set(enum(after_apply_guidance))",
        "What has to be started anew once it is applied.",
        default=[],
        since="miami",
    ),
    static(
        "pool_update",
        "ref(pool_update)",
        "The update in the new form that it stands for.",
        default="OpaqueRef:NULL",
        since="ely",
    ),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="miami"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "apply",
        (param("self", "ref(pool_patch)"), param("host", "ref(host)")),
        "Apply it to one host and return what the program said.",
        result="string",
        role=Role.POOL_OPERATOR,
        since="miami",
        state="deprecated",
    ),
    msg(
        "pool_apply",
        (param("self", "ref(pool_patch)"),),
        "Apply it to every host.",
        role=Role.POOL_OPERATOR,
        since="miami",
        state="deprecated",
    ),
    msg(
        "precheck",
        (param("self", "ref(pool_patch)"), param("host", "ref(host)")),
        "Ask whether one host could take it, changing nothing.",
        result="string",
        role=Role.POOL_OPERATOR,
        since="miami",
        state="deprecated",
    ),
    msg(
        "clean",
        (param("self", "ref(pool_patch)"),),
        "Delete its file from the master.",
        role=Role.POOL_OPERATOR,
        since="miami",
        state="deprecated",
    ),
    msg(
        "pool_clean",
        (param("self", "ref(pool_patch)"),),
        "Delete its file from every host.",
        role=Role.POOL_OPERATOR,
        since="tampa",
        state="deprecated",
    ),
    msg(
        "destroy",
        (param("self", "ref(pool_patch)"),),
        "Forget a hotfix that no host has, file and all.",
        role=Role.POOL_OPERATOR,
        since="miami",
        state="deprecated",
    ),
    msg(
        "clean_on_host",
        (param("self", "ref(pool_patch)"), param("host", "ref(host)")),
        "Delete its file from one host.",
        role=Role.POOL_OPERATOR,
        since="tampa",
        state="deprecated",
    ),
)

CLASS = ApiClass(
    "pool_patch",
    "A hotfix in the old form, as the pool knows it; pool_update took its place.",
    FIELDS,
    MESSAGES,
    since="miami",
    state="deprecated",
)
