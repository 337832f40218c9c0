"""What can be wrong with a repository or with what is to be put into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from pathlib import Path


class RepositoryError(KronosError):
    """A repository is not what its signature says, or cannot be changed as wished."""


class SignatureError(RepositoryError):
    """A signature is missing, bad, expired or of a key that nobody trusts."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: bad signature: {reason}")
        self.reason = reason


class DamagedPackageError(RepositoryError):
    """A package file cannot be read whole."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: damaged package: {reason}", resolution="build it again")


class ConflictingPackagesError(RepositoryError):
    """Two different files claim one name, version and architecture."""

    def __init__(self, what: str, files: str) -> None:
        super().__init__(
            f"{what}: {files} differ",
            resolution="give what changed a new version: hosts compare versions, not content",
        )


class WrongArchitectureError(RepositoryError):
    """A package is for a machine that the repository is not for."""

    def __init__(self, path: Path, architecture: str, allowed: str) -> None:
        super().__init__(f"{path}: is for {architecture}, the repository for {allowed}")


class BusyError(RepositoryError):
    """Somebody else is changing or sending the repository."""

    def __init__(self, dist: Path) -> None:
        super().__init__(
            f"{dist}: another publisher is at work", resolution="wait for it to end, then try again"
        )


class SigningKeyError(RepositoryError):
    """There is no key to sign with, or not the one that hosts trust."""
