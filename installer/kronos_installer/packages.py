"""Which packages the plan needs that are not there: from programs that are missing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.machine import IMAGE_MARK
from kronos_installer.detect.programs import NFS, OF_STORAGE, QEMU
from kronos_installer.detect.release import RELEASES, Release, release_of
from kronos_installer.problem import Level, Problem
from kronos_installer.steps.packages_step import PackagesStep
from kronos_installer.wishes import IsoType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kronos_installer.detect.programs import Need
    from kronos_installer.facts import Facts
    from kronos_installer.wishes import Wishes

_ON_FEDORA = {
    "lvm2": "lvm2",
    "netplan.io": "netplan",
    "network-manager": "NetworkManager",
    "nfs-common": "nfs-utils",
    "open-iscsi": "iscsi-initiator-utils",
    "openvswitch-switch": "openvswitch",
    "qemu-system-xen": "qemu-system-x86-core",
    "systemd-networkd": "systemd-networkd",
}


@dataclass(frozen=True)
class MissingPackage:
    """A package that is needed, by its name here, and what of it is not there."""

    name: str
    programs: tuple[str, ...]


def package_name(release: Release, name: str) -> str:
    """Return how a package of Debian's is called in a release, "" where it has none."""
    return _ON_FEDORA.get(name, "") if release.os_id == "fedora" else name


def missing_packages(
    facts: Facts, release: Release, wishes: Wishes, network: Iterable[Need] = ()
) -> tuple[MissingPackage, ...]:
    """Return what the plan needs and the host lacks, without repeats; `network` is NetworkEdit.needs."""
    needs = [QEMU, *network]
    if wishes.storage is not None:
        needs.extend(OF_STORAGE.get(wishes.storage.type, ()))
    if wishes.iso_library is not None and wishes.iso_library.type is IsoType.NFS:
        needs.append(NFS)
    found: dict[str, MissingPackage] = {}
    for package, *paths in needs:
        if not facts.programs.intersection(paths):
            found.setdefault(package, MissingPackage(package_name(release, package), tuple(paths)))
    return tuple(found.values())


def release_problems(facts: Facts) -> Iterator[Problem]:
    """Yield whether the set-up knows the release."""
    release, machine = release_of(facts.machine), facts.machine
    at = "/etc/os-release:1"
    if release is None:
        names = ", ".join(release.name for release in RELEASES)
        known = f"{machine.os_id} {machine.os_version}".strip()
        title = f"{known or machine.os_name or 'this system'} is not supported"
        yield Problem(Level.ERROR, "os-unsupported", title, "", at, f"use one of {names}")
    elif machine.image_based:
        yield Problem(Level.ERROR, "os-image-based", "the system is an image (OSTree), into which no package can be installed",
                      "", f"{IMAGE_MARK}:1", f"install {release.name} from packages")  # fmt: skip
    elif not release.tried:
        yield Problem(Level.WARNING, "os-untried", f"the set-up was not run on a machine of {release.name}", "", at,
                      "try it on a machine whose console you can reach")  # fmt: skip


def package_problems(facts: Facts, wishes: Wishes, network: Iterable[Need] = ()) -> Iterator[Problem]:
    """Yield the needs that no package of this release meets."""
    release = release_of(facts.machine)
    if release is not None:
        for missing in missing_packages(facts, release, wishes, network):
            if not missing.name:
                places = " or ".join(missing.programs)
                yield Problem(Level.ERROR, "program-missing", f"{release.name} has no package with {places}", "",
                              f"{places} is missing", "choose what the release has")  # fmt: skip


def package_steps(facts: Facts, wishes: Wishes, network: Iterable[Need] = ()) -> Iterator[PackagesStep]:
    """Yield the step that installs what is missing. It comes first: all others may need it."""
    release = release_of(facts.machine)
    if release is not None:
        missing = missing_packages(facts, release, wishes, network)
        if missing:
            programs = ", ".join(one.programs[0] for one in missing)
            yield PackagesStep(
                reason=f"needed and not there: {programs}",
                release=release,
                packages=tuple(dict.fromkeys(one.name for one in missing)),
            )
