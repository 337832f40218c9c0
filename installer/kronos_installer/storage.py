"""Where guests' disks and installation media are to be: from facts and wishes to steps, and what stands in the way. Pure."""

from __future__ import annotations

import os
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_installer.facts import STORAGE_UNIT
from kronos_installer.iscsi_place import chap_problems, iscsi_place, location_problems
from kronos_installer.password_file import is_lasting
from kronos_installer.problem import Level, Problem
from kronos_installer.server_name import SERVER, read_server
from kronos_installer.steps.device import DISKS
from kronos_installer.steps.directory_step import DirectoryStep
from kronos_installer.steps.file_step import FileStep
from kronos_installer.steps.file_system_step import FileSystemStep
from kronos_installer.steps.service_step import ServiceStep
from kronos_installer.steps.storage_step import StorageStep
from kronos_installer.steps.volume_step import VolumeStep
from kronos_installer.wishes import IsoType, StorageType
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.facts import Facts
    from kronos_installer.steps.step import Step
    from kronos_installer.wishes import IsoWish, StorageWish, Wishes

MOUNT_POINT = str(Paths().sr_device)
UNIT_PATH = f"/etc/systemd/system/{STORAGE_UNIT}"
VOLUME = "xapi-storage"
STORAGE, ISO_LIBRARY = "storage", "iso-library"
# A file system of less holds no guest worth the name.
LEAST_BYTES = 4 << 30
# Where the daemon keeps records, and disks in a repository that it makes itself.
_DAEMONS_OWN = str(Paths().state)
_NFS = re.compile(rf"{SERVER}:(?P<path>/.*)")
# What the distribution's packages and the kernel have there (hier(7)).
_SYSTEMS_OWN = (
    "/bin/",
    "/boot/",
    "/etc/",
    "/lib/",
    "/lib32/",
    "/lib64/",
    "/proc/",
    "/sbin/",
    "/sys/",
    "/usr/",
)
_LONGEST_NAME = 255  # NAME_MAX, Linux' limits.h
# The daemon refuses them, for mount(8) could take them for something else.
_NOT_IN_PATHS = " ,\\\"'#"


@dataclass(frozen=True)
class NfsPlace:
    """An export of a server; `server` has no brackets."""

    server: str
    path: str

    @property
    def text(self) -> str:
        """What mount.nfs(8) calls it."""
        return f"[{self.server}]:{self.path}" if ":" in self.server else f"{self.server}:{self.path}"


def nfs_place(location: str) -> NfsPlace | None:
    """Read `server:/path`, `[IPv6]:/path`; None for what is not one."""
    found = _NFS.fullmatch(location)
    if found is None or not is_plain(found["path"]):
        return None
    server = read_server(found["server"])
    return None if server is None else NfsPlace(server, found["path"])


def nfs_places(wishes: Wishes) -> Iterator[NfsPlace]:
    """Yield the servers' directories that are wished for."""
    for wish in (wishes.storage, wishes.iso_library):
        if wish is not None and wish.type in (StorageType.NFS, IsoType.NFS):
            place = nfs_place(wish.location)
            if place is not None:
                yield place


def storage_steps(facts: Facts, wishes: Wishes) -> Iterator[Step]:
    """Yield the steps of wishes without problems; those that make repositories wait for the reboot."""
    if wishes.storage is not None:
        yield from _disks_steps(facts, wishes, wishes.storage)
    if wishes.iso_library is not None:
        yield from _library_steps(wishes.iso_library)


def _disks_steps(facts: Facts, wishes: Wishes, wish: StorageWish) -> Iterator[Step]:
    reason = "where guests' disks are"
    if wish.type is StorageType.NFS:
        place = nfs_place(wish.location)
        assert place is not None
        config = {"server": place.server, "serverpath": place.path}
        yield StorageStep(key=STORAGE, type="nfs", name=wish.name, device_config=config, reason=reason, shared=True,
                          default=True, destroys=True)  # fmt: skip
        return
    if wish.type is StorageType.ISCSI:
        yield _iscsi_step(wish, reason)
        return
    mount_point = ""
    directory = wish.location
    if wish.type is StorageType.DIRECTORY:
        yield DirectoryStep(path=directory, reason=reason)
    else:
        mount_point, directory = MOUNT_POINT, f"{MOUNT_POINT}/{DISKS}"
        yield from _device_steps(facts, wishes, wish)
    yield StorageStep(key=STORAGE, type="file", name=wish.name, device_config={"location": directory}, reason=reason,
                      default=True, mount_point=mount_point)  # fmt: skip


def _iscsi_step(wish: StorageWish, reason: str) -> StorageStep:
    lun = iscsi_place(wish.location)
    assert lun is not None
    config = {"target": lun.server, "port": str(lun.port), "targetIQN": lun.target}
    if wish.username:
        config["chapuser"] = wish.username
    return StorageStep(key=STORAGE, type="lvmoiscsi", name=wish.name, device_config=config, reason=reason, shared=True,
                       default=True, destroys=True, lun=lun.lun, password_file=wish.password_file)  # fmt: skip


def _device_steps(facts: Facts, wishes: Wishes, wish: StorageWish) -> Iterator[Step]:
    if wish.type is StorageType.LVM:
        volume = VolumeStep(
            group=wish.location, name=VOLUME, reason="guests' disks get the group's free space"
        )
        yield volume
        device = volume.path
    else:
        found = facts.system.disks.find(wish.location)
        assert found is not None
        device = found.lasting_name(wish.location)
    # It follows from what chance has chosen for the plan already: this stays pure.
    its_uuid = str(uuid.uuid5(uuid.UUID(wishes.installation_uuid), wish.location))
    yield FileSystemStep(
        device=device, uuid=its_uuid, mount_point=MOUNT_POINT, reason="guests' disks are files on it"
    )
    yield FileStep(path=UNIT_PATH, content=mount_unit(its_uuid).encode(), before=None,
                   reason="the file system is mounted at every boot")  # fmt: skip
    yield ServiceStep(unit=STORAGE_UNIT, reason="the file system is mounted at every boot")


def mount_unit(its_uuid: str) -> str:
    """Return the unit that mounts guests' disks (systemd.mount(5)).

    nofail: a disk that is gone must keep neither the host nor its network from coming up.
    """
    return (
        "# Made by xapi-host-setup; 'xapi-host-setup rollback' removes it.\n"
        "[Unit]\n"
        "Description=Disks of guests\n"
        "Before=xapi.service\n"
        "\n"
        "[Mount]\n"
        f"What=/dev/disk/by-uuid/{its_uuid}\n"
        f"Where={MOUNT_POINT}\n"
        "Type=ext4\n"
        "Options=nofail,nosuid,nodev,noexec\n"
        "\n"
        "[Install]\n"
        "WantedBy=multi-user.target\n"
    )


def _library_steps(wish: IsoWish) -> Iterator[Step]:
    reason = "where installation media are"
    config = {"location": wish.location}
    if wish.type is IsoType.DIRECTORY:
        yield DirectoryStep(path=wish.location, reason=reason)
        config["legacy_mode"] = "true"
    yield StorageStep(key=ISO_LIBRARY, type="iso", name=wish.name, device_config=config, content_type="iso",
                      shared=wish.type is IsoType.NFS, reason=reason)  # fmt: skip


def storage_problems(facts: Facts, wishes: Wishes) -> Iterator[Problem]:
    """Yield what stands in the way of the wished storage, each naming the place."""
    if wishes.storage is not None:
        yield from _disks_problems(facts, wishes.storage)
    library = wishes.iso_library
    if library is not None:
        look = _export_problems if library.type is IsoType.NFS else _directory_problems
        yield from look(library.location, "iso-library")


def _disks_problems(facts: Facts, wish: StorageWish) -> Iterator[Problem]:
    yield from chap_problems(wish)
    match wish.type:
        case StorageType.ISCSI:
            yield from location_problems(wish)
        case StorageType.DEVICE:
            yield from _device_problems(facts, wish.location)
        case StorageType.LVM:
            yield from _group_problems(facts, wish.location)
        case StorageType.DIRECTORY:
            yield from _directory_problems(wish.location, "storage")
        case StorageType.NFS:
            yield from _export_problems(wish.location, "storage")


def _device_problems(facts: Facts, location: str) -> Iterator[Problem]:
    found = facts.system.disks.find(location)
    if found is None:
        free = ", ".join(device.path for device in facts.system.disks.free)
        yield _error("storage-device-missing", f"there is no disk {location}", location,
                     f"free here: {free or 'none'}")  # fmt: skip
    elif found.why_not_free:
        yield _error("storage-device-used", f"{location} {found.why_not_free}", location,
                     f"name another, or empty it yourself: wipefs --all {found.path}")  # fmt: skip
    else:
        yield from _size_problems(found.size, location)
    yield from _unit_problems(facts)


def _group_problems(facts: Facts, location: str) -> Iterator[Problem]:
    group = next((group for group in facts.system.volume_groups if group.name == location), None)
    if group is None:
        names = ", ".join(group.name for group in facts.system.volume_groups)
        yield _error("storage-group-missing", f"there is no volume group {location}", location,
                     f"there are: {names or 'none'}")  # fmt: skip
    elif not group.usable:
        yield _error("storage-group-unusable", f"the volume group {location} is read-only, exported or not whole",
                     location, f"see `vgs {location}`")  # fmt: skip
    else:
        yield from _size_problems(group.free, location)
    yield from _unit_problems(facts)


def _size_problems(size: int, location: str) -> Iterator[Problem]:
    if size < LEAST_BYTES:
        yield _error("storage-too-small", f"{location} has {size >> 20} MiB of room for disks", location,
                     f"name a place with {LEAST_BYTES >> 30} GiB at least")  # fmt: skip


def _unit_problems(facts: Facts) -> Iterator[Problem]:
    if facts.has_storage_unit:
        yield _error("storage-unit-exists", f"something is to be mounted at {MOUNT_POINT} already",
                     f"{UNIT_PATH}:1", "remove the unit, or use a directory")  # fmt: skip


def _export_problems(location: str, what: str) -> Iterator[Problem]:
    if nfs_place(location) is None:
        yield _error(
            f"{what}-location", f"not a server's directory: {location}", location, "write server:/path"
        )


def _directory_problems(location: str, what: str) -> Iterator[Problem]:
    if not is_plain(location) or location == "/":
        yield _error(f"{what}-location", f"not a directory's plain, absolute path: {location}", location,
                     "write it as /srv/disks")  # fmt: skip
    elif not is_lasting(f"{location}/"):
        yield _error(f"{what}-location", f"what is in {location} is gone after a reboot", location,
                     "name a directory on a disk")  # fmt: skip
    elif f"{location}/".startswith(_SYSTEMS_OWN):
        yield _error(f"{what}-location", f"{location} is the system's own", location,
                     "name a directory that no package has: below /srv, /var/lib or /mnt")  # fmt: skip
    elif Path(location).is_relative_to(_DAEMONS_OWN):
        yield _error(f"{what}-location", f"{location} is the toolstack's own", location,
                     f"name one outside of {_DAEMONS_OWN}")  # fmt: skip


def is_plain(path: str) -> bool:
    """Tell whether a path is absolute, says one thing in one way, and can be a mount option."""
    parts = path.split("/")[1:]
    plain = (
        path.startswith("/")
        and "//" not in path
        and path.isprintable()
        and not any(c in path for c in _NOT_IN_PATHS)
    )
    short = all(len(os.fsencode(part)) <= _LONGEST_NAME for part in parts)
    return plain and short and not {"..", "."} & set(parts)


def _error(id_: str, title: str, at: str, remedy: str) -> Problem:
    return Problem(Level.ERROR, id_, title, "", at, remedy)
