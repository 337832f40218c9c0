"""What roles are made of: a permission for every message, every key with a role of its own, every HTTP action."""

from __future__ import annotations

import hashlib
import uuid
from functools import cache
from typing import TYPE_CHECKING

from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.http_actions import HTTP_ACTIONS
from xapi_shim.datamodel.model import Role
from xapi_shim.datamodel.types import REF_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.datamodel.model import DataModel

# Beyond messages: to end tasks of others.
EXTRA: Mapping[str, Role] = {"task.destroy/any": Role.POOL_OPERATOR}

# The roles that clients see, most powerful first. Local root is none of them: it needs no permission.
ROLES = tuple(role for role in Role if role is not Role.LOCAL_ROOT)
# Those that are given to nobody: the toolstack's own.
INTERNAL_ROLES = frozenset({Role.CLIENT_CERT})
# One of the reference's that clients know by heart.
POOL_ADMIN_UUID = "0165f154-ba3e-034e-6b27-5d271af109ba"

# What a host answers while its pool's coordinator is out of reach.
EMERGENCY_CALLS = frozenset(
    {
        "host.abort_new_master",
        "host.commit_new_master",
        "host.emergency_clear_mandatory_guidance",
        "host.emergency_disable_tls_verification",
        "host.emergency_ha_disable",
        "host.emergency_reenable_tls_verification",
        "host.emergency_reset_server_certificate",
        "host.get_system_status_capabilities",
        "host.ha_xapi_healthcheck",
        "host.is_in_emergency_mode",
        "host.local_assert_healthy",
        "host.local_management_reconfigure",
        "host.management_disable",
        "host.propose_new_master",
        "host.shutdown_agent",
        "host.signal_networking_change",
        "host.update_firewalld_service_status",
        "pool.emergency_reset_master",
        "pool.emergency_transition_to_master",
        "pool.is_slave",
        "session.local_logout",
        "session.slave_local_login",
        "session.slave_local_login_with_password",
    }
)
# What a host that is not the coordinator answers itself; it passes the rest on.
LOCAL_CALLS = EMERGENCY_CALLS | {"session.login_with_password", "session.slave_login"}


def permissions(model: DataModel) -> dict[str, Role]:
    """Return the least role of every permission, by its name: `vm.start`, `vm.add_to_tags/key:x`, `http/get_blob`.

    Messages without a session need no permission; removed ones do nothing.
    """
    made = dict(EXTRA)
    for key, (_, message) in all_messages(model).items():
        if message.session and not message.removed:
            made[key.lower()] = message.role
            made.update({f"{key}/key:{name}".lower(): role for name, role in message.key_roles.items()})
    for action in HTTP_ACTIONS:
        made[f"http/{action.name}"] = action.role
        made.update({f"http/{action.name}/{part}": role for part, role in action.parts.items()})
    return made


def _client_cert_permissions(model: DataModel) -> set[str]:
    """Return the permissions that hosts' client certificates have besides those of their place in the order."""
    names = {key.lower() for key, (_, message) in all_messages(model).items() if message.client_cert}
    return names | {f"http/{action.name}" for action in HTTP_ACTIONS if action.client_cert}


def role_permissions(model: DataModel) -> dict[Role, tuple[str, ...]]:
    """Return what each role may do, by names of permissions, sorted."""
    least, extra = permissions(model), _client_cert_permissions(model)
    return {
        role: tuple(
            sorted(
                name
                for name, needed in least.items()
                if role.allows(needed) or (role is Role.CLIENT_CERT and name in extra)
            )
        )
        for role in ROLES
    }


def role_uuid(name: str) -> str:
    """Return the uuid of a role or permission, the same on every host (the reference's: MD5 of its name)."""
    if name == Role.POOL_ADMIN:
        return POOL_ADMIN_UUID
    return str(uuid.UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()))


@cache
def role_ref(name: str) -> str:
    """Return the ref of a role or permission, the same on every host."""
    return REF_PREFIX + role_uuid(name)
