"""What a directory of users does for the daemon: a login, names to identifiers and back, groups."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Mapping


class DirectoryError(KronosError):
    """The directory cannot be asked, or says no."""


class UnknownNameError(DirectoryError):
    """No user and no group has this name or identifier."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no user or group {name[:64]!r}")


class WrongPasswordError(DirectoryError):
    """The name or the password is wrong, or the account must not log in."""

    def __init__(self, user: str) -> None:
        super().__init__(f"the login of {user[:64]!r} failed")


class Why(StrEnum):
    """Why a directory was not joined or left."""

    WRONG_CREDENTIALS = "wrong credentials"
    PERMISSION_DENIED = "permission denied"
    NO_DOMAIN = "the domain is not found"
    INVALID_ACCOUNT = "the account is not valid"
    INVALID_OU = "the organizational unit is not valid"
    UNAVAILABLE = "not available"
    OTHER = "other"


class JoinError(DirectoryError):
    """A directory was not joined or left."""

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True)
class Account:
    """A user or group; `facts` by the names that clients know, `usable` unless it is disabled or has expired."""

    identifier: str
    name: str
    is_group: bool
    usable: bool
    facts: Mapping[str, str]


class Directory(Protocol):
    """One kind of directory. Every method may raise DirectoryError when it cannot be asked."""

    async def join(self, service_name: str, config: Mapping[str, str]) -> dict[str, str]:
        """Make this host know the directory's users; return what of `config` is no secret. Raises JoinError."""
        ...

    async def leave(self, service_name: str, config: Mapping[str, str]) -> None:
        """Undo `join`. Raises JoinError."""
        ...

    async def check(self) -> None:
        """Raise DirectoryError when the directory cannot be asked."""
        ...

    async def login(self, user: str, password: str) -> str:
        """Check a password and return the user's identifier. Raises WrongPasswordError."""
        ...

    async def identifier(self, name: str) -> str:
        """Return the identifier of a user's or group's name. Raises UnknownNameError."""
        ...

    async def account(self, identifier: str) -> Account:
        """Return what is known of a user or group. Raises UnknownNameError."""
        ...

    async def groups(self, identifier: str) -> frozenset[str]:
        """Return the identifiers of the groups a user is in. Raises UnknownNameError."""
        ...
