"""Who of a directory's users may come in, and with which role: decisions over the subjects' records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import RbacPermissionDeniedError, SessionAuthorizationFailedError
from xapi_shim.rpc.roles import role_of_ref, strongest
from xapi_shim.rpc.sessions import External

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Role

LOGIN = "session.login_with_password"


@dataclass(frozen=True)
class Subject:
    """A subject's record, as far as it decides."""

    ref: str
    identifier: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Admission:
    """Somebody who may come in."""

    role: Role
    external: External


def read_subjects(db: Database) -> list[Subject]:
    return [
        Subject(ref, db.text("subject", ref, "subject_identifier"), tuple(db.items("subject", ref, "roles")))
        for ref in db.refs("subject")
    ]


def admit(subjects: Sequence[Subject], name: str, sid: str, groups: Iterable[str]) -> Admission:
    """Return how the user `sid` comes in, who is in `groups`: his own roles and theirs together.

    Raises SESSION_AUTHORIZATION_FAILED [name; why] where neither he nor a group of his is a subject,
    RBAC_PERMISSION_DENIED [permission; why] where none of those has a role.
    """
    identifiers = frozenset({sid, *groups})
    his = sorted(
        (one for one in subjects if one.identifier in identifiers), key=lambda one: one.identifier != sid
    )
    if not his:
        raise SessionAuthorizationFailedError(
            name, f"Subject {name} (identifier {sid}) and his groups are not in the pool's list of subjects"
        )
    role = strongest(role for one in his for ref in one.roles if (role := role_of_ref(ref)) is not None)
    if role is None:
        raise RbacPermissionDeniedError(LOGIN, f"Subject {name} (identifier {sid}) has no roles in this pool")
    return Admission(role, External(sid, identifiers, his[0].ref))
