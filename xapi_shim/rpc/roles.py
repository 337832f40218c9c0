"""Roles and permissions as records, and what a caller without a permission is told."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.errors import RbacPermissionDeniedError
from xapi_shim.datamodel.model import Role
from xapi_shim.datamodel.permissions import INTERNAL_ROLES, ROLES, role_permissions, role_ref, role_uuid
from xapi_shim.datamodel.registry import DATAMODEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Message, Value

DESCRIPTIONS = {
    Role.POOL_ADMIN: "May do everything that can be done from afar, and say who else may do what.",
    Role.POOL_OPERATOR: "Looks after hosts, storage and networks; does not say who may do what.",
    Role.VM_POWER_ADMIN: "Makes and changes guests, their disks and templates without limits.",
    Role.VM_ADMIN: "Makes and changes guests; does not move them or take memory snapshots.",
    Role.VM_OPERATOR: "Starts and stops guests and uses their consoles.",
    Role.CLIENT_CERT: "Updates hosts, known by a certificate.",
    Role.READ_ONLY: "Sees everything but secrets and changes nothing.",
}


@cache
def permissions_of() -> Mapping[Role, tuple[str, ...]]:
    """Return the names of what each role may do."""
    return role_permissions(DATAMODEL)


def fill_roles(db: Database) -> None:
    """Add a record for each role and, as its parts, one for each permission."""
    for role in ROLES:
        parts = permissions_of()[role]
        _add(db, role, DESCRIPTIONS[role], parts, internal=role in INTERNAL_ROLES)
    for name in permissions_of()[Role.POOL_ADMIN]:
        _add(db, name, "A basic permission", (), internal=False)


def _add(db: Database, name: str, description: str, parts: Iterable[str], *, internal: bool) -> None:
    values: dict[str, Value] = {
        "uuid": role_uuid(name),
        "name_label": name,
        "name_description": description,
        "subroles": [role_ref(part) for part in parts],
        "is_internal": internal,
    }
    db.add_fixed("role", role_ref(name), values)


def role_of_ref(ref: str) -> Role | None:
    """Return the role that a subject can be given by this ref, None for any other ref."""
    return next((role for role in ROLES if role not in INTERNAL_ROLES and role_ref(role) == ref), None)


def strongest(roles: Iterable[Role]) -> Role | None:
    """Return the role that may do what all of `roles` may together: they are nested. None for none."""
    return min(roles, key=ROLES.index, default=None)


def denied(permission: str) -> RbacPermissionDeniedError:
    """Return the error that says which permission is missing and which roles have it."""
    having = ", ".join(role for role, names in permissions_of().items() if permission in names)
    return RbacPermissionDeniedError(
        permission, f"No permission in user session. (Roles with this permission: {having})"
    )


def missing_permission(name: str, message: Message, role: Role, args: Sequence[Value]) -> str:
    """Return the permission for a call that `role` lacks, "" for none; what a map's key asks for wins."""
    key = _key_with_a_role(message.key_roles, args[1]) if message.key_roles and len(args) > 1 else None
    least = message.role if key is None else message.key_roles[key]
    if role.allows(least) or (message.client_cert and role is Role.CLIENT_CERT):
        return ""
    return (name if key is None else f"{name}/key:{key}").lower()


def _key_with_a_role(roles: Mapping[str, Role], sent: Value) -> str | None:
    """Return the key of `roles` that `sent` is, or begins with before its `*`."""
    if not isinstance(sent, str):
        return None
    for key in roles:
        if sent == key or (key.endswith("*") and sent.startswith(key[:-1])):
            return key
    return None


@cache
def _guarded_maps() -> Mapping[str, Mapping[str, Mapping[str, Role]]]:
    """Return, by the messages that write whole maps, those maps' fields and the roles of their keys.

    Only keys that ask for more than the message does: nobody may write by a map what he may not by its key.
    """
    found: dict[str, dict[str, Mapping[str, Role]]] = {}
    declared = all_messages(DATAMODEL)
    for cls, message in declared.values():
        field = message.name.removeprefix("add_to_")
        above = {key: role for key, role in message.key_roles.items() if not message.role.allows(role)}
        if above and field != message.name:
            for name in (f"{cls.name}.set_{field}", f"{cls.name}.create"):
                if name in declared:
                    found.setdefault(name, {})[field] = above
    return found


def missing_key_permission(db: Database, name: str, role: Role, args: Sequence[Value]) -> str:
    """Return the permission that `role` lacks for a key that a call changes as part of a whole map, "" for none."""
    cls, _, message = name.partition(".")
    for field, roles in _guarded_maps().get(name, {}).items():
        if message == "create":
            record = args[0] if args and isinstance(args[0], dict) else {}
            old, new = {}, record.get(field, {})
        else:
            old, new = db.mapping(cls, cast("str", args[0]), field), args[1]
        assert isinstance(new, dict)
        for sent in sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key)):
            key = _key_with_a_role(roles, sent)
            if key is not None and not role.allows(roles[key]):
                return f"{cls}.add_to_{field}/key:{key}".lower()
    return ""
