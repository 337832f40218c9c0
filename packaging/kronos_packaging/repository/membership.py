"""Which packages come into a repository and which go: pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_packaging.repository.errors import ConflictingPackagesError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kronos_packaging.repository.model import Package, Policy

    # Sets of versions in, each from the oldest to the newest out.
    Order = Callable[[Sequence[set[str]]], list[list[str]]]

# Packages of these are for every architecture of a repository.
COMMON = ("all", "noarch")
SOURCE = "source"


@dataclass(frozen=True)
class Change:
    """What is to be added and what is no longer named."""

    added: tuple[Package, ...] = ()
    dropped: tuple[Package, ...] = ()

    def joined(self, other: Change) -> Change:
        """Return both changes as one."""
        return Change(self.added + other.added, self.dropped + other.dropped)

    def __bool__(self) -> bool:
        return bool(self.added or self.dropped)


def plan_membership(
    known: Iterable[Package], found: Iterable[Package], policy: Policy, order: Order
) -> Change:
    """Return the change that `found` makes to `known`: all published packages of the same names.

    Raises ConflictingPackagesError when a name, version and architecture has two contents.
    """
    before = {_key(package): package for package in known}
    new: dict[tuple[str, str, str], Package] = {}
    for package in found:
        one = new.setdefault(_key(package), package)
        if one.identity != package.identity:
            raise ConflictingPackagesError(package.label, "two of the files that were built")
        other = before.get(_key(package))
        if other and other.identity == package.identity:
            del new[_key(package)]
        elif other and not policy.replace:
            raise ConflictingPackagesError(
                package.label, f"the published {other.file.path} and what was built"
            )
    after = {**before, **new}
    kept = _kept(after.values(), policy.keep_versions, order)
    added = tuple(package for key, package in new.items() if key in kept)
    dropped = tuple(package for key, package in before.items() if key not in kept or key in new)
    return Change(added, dropped)


def _key(package: Package) -> tuple[str, str, str]:
    return package.name, package.version, package.architecture


def _kept(packages: Iterable[Package], keep: int, order: Order) -> set[tuple[str, str, str]]:
    """Return the keys of those among the newest `keep` versions of their name, for some architecture."""
    groups: dict[str, list[Package]] = defaultdict(list)
    for package in packages:
        groups[package.name].append(package)
    # For each name and architecture the versions that a host of it sees.
    seen: list[tuple[str, str, set[str]]] = []
    for name, group in groups.items():
        for architecture in _hosts({package.architecture for package in group}):
            versions = {p.version for p in group if _visible(p.architecture, architecture)}
            seen.append((name, architecture, versions))
    many = [item for item in seen if len(item[2]) > keep]
    newest = {
        (name, architecture): set(versions[-keep:])
        for (name, architecture, _), versions in zip(many, order([v for _, _, v in many]), strict=True)
    }
    return {
        _key(package)
        for name, architecture, versions in seen
        for package in groups[name]
        if _visible(package.architecture, architecture)
        and package.version in newest.get((name, architecture), versions)
    }


def _hosts(architectures: set[str]) -> set[str]:
    """Return for whom to count the versions: source packages by themselves, the rest as each host sees them."""
    hosts = architectures - {*COMMON, SOURCE}
    return (hosts or architectures & set(COMMON)) | architectures & {SOURCE}


def _visible(architecture: str, host: str) -> bool:
    return architecture == host or (architecture in COMMON and host != SOURCE)
