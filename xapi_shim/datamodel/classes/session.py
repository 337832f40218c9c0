"""Class session."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    dynamic("this_host", "ref(host)"),
    dynamic("this_user", "ref(user)"),
    dynamic("last_active", "datetime"),
    dynamic("pool", "bool"),
    rw("other_config", "map(string,string)", default={}, since="miami"),
    dynamic("is_local_superuser", "bool", default=False, since="george"),
    dynamic("subject", "ref(subject)", default="OpaqueRef:NULL", since="george"),
    dynamic("validation_time", "datetime", default="19700101T00:00:00Z", since="george"),
    dynamic("auth_user_sid", "string", default="", since="george"),
    dynamic("auth_user_name", "string", default="", since="midnight-ride"),
    static("rbac_permissions", "set(string)", default=[], since="midnight-ride"),
    dynamic("tasks", "set(ref(task))", since="midnight-ride"),
    static("parent", "ref(session)", default="OpaqueRef:NULL", since="midnight-ride"),
    dynamic("originator", "string", default="", since="clearwater"),
    dynamic("client_certificate", "bool", default=False, since="21.2.0"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "login_with_password",
        (
            param("uname", "string"),
            param("pwd", "string"),
            param("version", "string", "1.1"),
            param("originator", "string", ""),
        ),
        result="ref(session)",
        role=Role.READ_ONLY,
        is_async=False,
        session=False,
        errors=("SESSION_AUTHENTICATION_FAILED", "HOST_IS_SLAVE"),
    ),
    msg("logout", role=Role.READ_ONLY, is_async=False),
    msg(
        "change_password",
        (param("old_pwd", "string"), param("new_pwd", "string")),
        role=Role.LOCAL_ROOT,
        is_async=False,
    ),
    msg(
        "slave_login",
        (param("host", "ref(host)"), param("psecret", "secretstring")),
        result="ref(session)",
        is_async=False,
        session=False,
        hidden=True,
    ),
    msg(
        "slave_local_login",
        (param("psecret", "secretstring"),),
        result="ref(session)",
        is_async=False,
        session=False,
        since="miami",
        hidden=True,
    ),
    msg(
        "slave_local_login_with_password",
        (param("uname", "string"), param("pwd", "string")),
        result="ref(session)",
        is_async=False,
        session=False,
        since="miami",
    ),
    msg(
        "create_from_db_file",
        (param("filename", "string"),),
        result="ref(session)",
        role=Role.LOCAL_ROOT,
        since="dundee",
    ),
    msg("local_logout", is_async=False, since="miami"),
    msg("get_all_subject_identifiers", result="set(string)", role=Role.READ_ONLY, since="george"),
    msg(
        "logout_subject_identifier",
        (param("subject_identifier", "string"),),
        role=Role.POOL_OPERATOR,
        since="george",
    ),
)

CLASS = ApiClass(
    "session",
    "A login and what it may do.",
    FIELDS,
    MESSAGES,
    persist=False,
    events=False,
    lists_all=False,
)
