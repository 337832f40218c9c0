"""subject.*: who of a directory's users may come in, and with which roles; sessions follow at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api.external_auth import follow_subjects
from xapi_shim.api.role import names, permissions_below
from xapi_shim.datamodel.errors import (
    RoleAlreadyExistsError,
    RoleNotFoundError,
    SubjectAlreadyExistsError,
)
from xapi_shim.rpc.roles import role_of_ref
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value


async def create(call: Call, args: dict[str, Value]) -> str:
    """Add a user or group of the directory, without a role yet. Raises SUBJECT_ALREADY_EXISTS."""
    db = call.db
    values = Coercion(db.model).constructor(db.model.classes["subject"], args)
    identifier = values["subject_identifier"]
    if any(db.get("subject", ref, "subject_identifier") == identifier for ref in db.refs("subject")):
        raise SubjectAlreadyExistsError
    return db.create("subject", {**values, "roles": []})


async def destroy(call: Call, self: str) -> None:
    """Remove a user or group; who came in by it alone is sent away."""
    call.db.destroy("subject", self)
    follow_subjects(call.tools)


async def add_to_roles(call: Call, self: str, role: str) -> None:
    """Give it a role. Raises ROLE_NOT_FOUND for a permission, ROLE_ALREADY_EXISTS."""
    if role_of_ref(role) is None:
        raise RoleNotFoundError
    roles = call.db.items("subject", self, "roles")
    if role in roles:
        raise RoleAlreadyExistsError
    call.db.set("subject", self, "roles", [*roles, role])
    follow_subjects(call.tools)


async def remove_from_roles(call: Call, self: str, role: str) -> None:
    """Take a role from it; who has none left is sent away. Raises ROLE_NOT_FOUND where it has not got it."""
    roles = call.db.items("subject", self, "roles")
    if role not in roles:
        raise RoleNotFoundError
    call.db.set("subject", self, "roles", [one for one in roles if one != role])
    follow_subjects(call.tools)


async def get_permissions_name_label(call: Call, self: str) -> list[str]:
    return names(call.db, permissions_below(call.db, call.db.items("subject", self, "roles")))


MESSAGES = {
    "subject.create": create,
    "subject.destroy": destroy,
    "subject.add_to_roles": add_to_roles,
    "subject.remove_from_roles": remove_from_roles,
    "subject.get_permissions_name_label": get_permissions_name_label,
}
