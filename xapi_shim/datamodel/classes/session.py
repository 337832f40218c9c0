"""Class session."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good."),
    dynamic("this_host", "ref(host)", "The host that this session is served by."),
    dynamic("this_user", "ref(user)", "The user logged in, where users are objects."),
    dynamic("last_active", "datetime", "When it was last used, to ten minutes."),
    dynamic("pool", "bool", "Whether hosts use it among themselves."),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="miami"),
    dynamic(
        "is_local_superuser",
        "bool",
        "Whether the local root user is logged in.",
        default=False,
        since="george",
    ),
    dynamic(
        "subject",
        "ref(subject)",
        "The directory's user or group it acts for.",
        default="OpaqueRef:NULL",
        since="george",
    ),
    dynamic(
        "validation_time",
        "datetime",
        "When the directory last confirmed the user.",
        default="19700101T00:00:00Z",
        since="george",
    ),
    dynamic("auth_user_sid", "string", "The directory's identifier of the user.", default="", since="george"),
    dynamic("auth_user_name", "string", "The name given at login.", default="", since="midnight-ride"),
    static(
        "rbac_permissions",
        "set(string)",
        "Everything its roles let it do.",
        default=[],
        since="midnight-ride",
    ),
    dynamic("tasks", "set(ref(task))", "What it started.", since="midnight-ride"),
    static(
        "parent",
        "ref(session)",
        "The session that it was made from.",
        default="OpaqueRef:NULL",
        since="midnight-ride",
    ),
    dynamic("originator", "string", "What the client calls itself.", default="", since="clearwater"),
    dynamic(
        "client_certificate",
        "bool",
        "Whether a certificate stood in for a password.",
        default=False,
        since="21.2.0",
    ),
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
        "Log in by name and password; return a new session.",
        result="ref(session)",
        role=Role.READ_ONLY,
        is_async=False,
        session=False,
        errors=("SESSION_AUTHENTICATION_FAILED", "HOST_IS_SLAVE"),
    ),
    msg("logout", (), "End this session.", role=Role.READ_ONLY, is_async=False),
    msg(
        "change_password",
        (param("old_pwd", "string"), param("new_pwd", "string")),
        "Give the local superuser another password.",
        role=Role.LOCAL_ROOT,
        is_async=False,
    ),
    msg(
        "slave_login",
        (param("host", "ref(host)"), param("psecret", "secretstring")),
        "Log a pool member in by the pool's secret.",
        result="ref(session)",
        is_async=False,
        session=False,
        hidden=True,
    ),
    msg(
        "slave_local_login",
        (param("psecret", "secretstring"),),
        "Log in to this host alone, by the pool's secret.",
        result="ref(session)",
        is_async=False,
        session=False,
        since="miami",
        hidden=True,
    ),
    msg(
        "slave_local_login_with_password",
        (param("uname", "string"), param("pwd", "string")),
        "Log in to this host alone, by name and password.",
        result="ref(session)",
        is_async=False,
        session=False,
        since="miami",
    ),
    msg(
        "create_from_db_file",
        (param("filename", "string"),),
        "Open a saved database for reading as a session.",
        result="ref(session)",
        role=Role.LOCAL_ROOT,
        since="dundee",
    ),
    msg("local_logout", (), "End a session that is known to this host alone.", is_async=False, since="miami"),
    msg(
        "get_all_subject_identifiers",
        (),
        "List the directory identities that are logged in.",
        result="set(string)",
        role=Role.READ_ONLY,
        since="george",
    ),
    msg(
        "logout_subject_identifier",
        (param("subject_identifier", "string"),),
        "End every session of one directory identity.",
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
