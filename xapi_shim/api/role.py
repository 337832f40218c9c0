"""role.*: which permissions a role comes down to, and which roles have a permission."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.rpc.filter import matching, parse_filter
from xapi_shim.rpc.records import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value

# What clients ask for to tell roles from permissions; the filter language itself has no such operator.
ROLES_ONLY, PERMISSIONS_ONLY = "subroles<>[]", "subroles=[]"


def permissions_below(db: Database, roles: Iterable[str]) -> list[str]:
    """Return the refs of the permissions that roles or permissions come down to, each once."""
    found: dict[str, None] = {}
    for role in roles:
        if db.exists("role", role):
            parts = db.items("role", role, "subroles")
            found |= dict.fromkeys(parts or [role])
    return list(found)


def names(db: Database, refs: Iterable[str]) -> list[str]:
    return [db.text("role", ref, "name_label") for ref in refs]


async def get_permissions(call: Call, self: str) -> list[str]:
    return permissions_below(call.db, [self])


async def get_permissions_name_label(call: Call, self: str) -> list[str]:
    return names(call.db, permissions_below(call.db, [self]))


async def get_by_permission(call: Call, permission: str) -> list[str]:
    """Return the roles that have a permission, none for what is a role itself."""
    db = call.db
    return [role for role in db.refs("role") if permission in db.items("role", role, "subroles")]


async def get_by_permission_name_label(call: Call, label: str) -> list[str]:
    found = call.db.with_label("role", label)
    return await get_by_permission(call, found[0]) if found else []


async def get_all_records_where(call: Call, expr: str) -> Records:
    """Return the records that `expr` picks, one of the two of ROLES_ONLY or the filter language's."""
    table = call.db.tables["role"]
    test: Callable[[tuple[str, Mapping[str, Value]]], bool]
    if expr == ROLES_ONLY:
        test = _has_parts
    elif expr == PERMISSIONS_ONLY:
        test = _has_no_parts
    else:
        test = parse_filter(expr, table.cls)
    found = await matching(((ref, row.values) for ref, row in table.rows.items()), test)
    return Records("role", {ref: table.rows[ref] for ref in found})


def _has_parts(row: tuple[str, Mapping[str, Value]]) -> bool:
    return bool(cast("list[str]", row[1]["subroles"]))


def _has_no_parts(row: tuple[str, Mapping[str, Value]]) -> bool:
    return not _has_parts(row)


MESSAGES = {
    "role.get_permissions": get_permissions,
    "role.get_permissions_name_label": get_permissions_name_label,
    "role.get_by_permission": get_by_permission,
    "role.get_by_permission_name_label": get_by_permission_name_label,
    "role.get_all_records_where": get_all_records_where,
}
