"""Block devices and what is on them: lsblk(8) for the tree and what is mounted, wipefs(8) for signatures.

wipefs reads the devices themselves; lsblk knows signatures from udev's database only, which may be old or,
in a container, not there. A device counts as free only when both say nothing of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict

from kronos_installer.detect.readings import ask, json_list, json_object, number_of, text_of, unknown
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host import Runner
    from kronos_installer.host_files import HostFiles
    from kronos_installer.problem import Problem

LSBLK = (
    "lsblk", "--json", "--bytes", "--output",
    "NAME,KNAME,PATH,TYPE,SIZE,RO,RM,MODEL,SERIAL,FSTYPE,PTTYPE,PARTTYPE,MOUNTPOINTS",
)  # fmt: skip
WIPEFS = ("wipefs", "--json")
# The second are those of logical volumes, /dev/GROUP/NAME (lvm(8)).
_ALIASES = ("/dev/disk/by-*/*", "/dev/*/*")
# No place for disks of guests; loop devices are files that are listed with their file systems.
_LEFT_OUT = frozenset({"rom", "loop"})
# Floppies, and memory that looks like a disk (Linux' devices.txt).
_NO_DISK = re.compile(r"/dev/(fd|ram|zram)\d+\Z")
# What a partition for data of Linux is called by MBR and GPT (fdisk(8), the Discoverable Partitions Specification).
# Others may be in use without a signature: an extended partition, GRUB's BIOS boot partition, a firmware's own.
_DATA_PARTITIONS = frozenset({
    "0x83", "0x8e", "0xfd",
    "0fc63daf-8483-4772-8e79-3d69d8477de4", "e6d6d379-f507-44c2-a23c-238f2a3df928",
    "a19d880f-05fc-4d3b-a006-743f0f84911e", "4d21b016-b534-45c2-a9fb-5c16e091fd2d",
})  # fmt: skip
_DEEPEST = 16
_LVM_LAYER = re.compile(r"LVM-[0-9A-Za-z!#]{64}-\w+\s*\Z")


@dataclass(frozen=True)
class BlockDevice:
    """A disk, partition, RAID array, LVM or LUKS volume.

    `path` is its device node, `kind` lsblk's TYPE, `size` in bytes. `signatures` are wipefs' types of file
    systems, partition tables and memberships, None where they could not be read. `mounts` are mount points, or
    "[SWAP]". `children` are the paths of what lies on it. `partition_type`
    is a partition's type in its table. `aliases` are udev's names for it. `internal`: a part of a logical volume
    of LVM's that is for LVM alone, as a thin pool's data is.
    """

    path: str
    kind: str
    size: int
    read_only: bool
    removable: bool
    model: str
    serial: str
    signatures: tuple[str, ...] | None
    mounts: tuple[str, ...]
    children: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    partition_type: str = ""
    internal: bool = False

    def lasting_name(self, named: str) -> str:
        """Return what names this very device after a boot and after disks were changed, where udev knows that.

        A link that the operator `named` it by is as good; the kernel's names go by the order in which disks are found.
        """
        by_identity = (alias for alias in self.aliases if alias.startswith("/dev/disk/by-id/"))
        return named if named in self.aliases else next(by_identity, named)

    @property
    def why_not_free(self) -> str:
        """Return what makes it unfit for new data, as half a sentence; "" where it is free."""
        if self.read_only:
            return "is read-only"
        if self.mounts:
            return (
                f"is mounted at {', '.join(self.mounts)}" if self.mounts != ("[SWAP]",) else "is used as swap"
            )
        if self.children:
            return f"holds {', '.join(self.children)}"
        if self.internal:
            return "is a part of a volume that LVM itself uses"
        if self.signatures is None:
            return "could not be read"
        if self.signatures:
            return f"holds {', '.join(self.signatures)}"
        if self.kind == "part" and self.partition_type.lower() not in _DATA_PARTITIONS:
            return f"is a partition of the type {self.partition_type or 'unknown'}, not one for data of Linux"
        return ""


class BlockDeviceRecord(TypedDict):
    """A BlockDevice as `check --json` prints it; `not_free` is "" for a free one."""

    path: str
    kind: str
    size: int
    model: str
    serial: str
    removable: bool
    read_only: bool
    signatures: list[str] | None
    mounts: list[str]
    children: list[str]
    not_free: str


@dataclass(frozen=True)
class Disks:
    """All block devices, a tree flattened: parents before children."""

    devices: tuple[BlockDevice, ...] = ()

    def find(self, name: str) -> BlockDevice | None:
        """Return the device of a path or of an alias, None where there is none."""
        return next((d for d in self.devices if name == d.path or name in d.aliases), None)

    @property
    def free(self) -> tuple[BlockDevice, ...]:
        """The devices with nothing on them."""
        return tuple(device for device in self.devices if not device.why_not_free)

    def to_json(self) -> list[BlockDeviceRecord]:
        """Return the records for programs."""
        return [
            {"path": d.path, "kind": d.kind, "size": d.size, "model": d.model, "serial": d.serial,
             "removable": d.removable, "read_only": d.read_only, "mounts": list(d.mounts), "children": list(d.children),
             "signatures": None if d.signatures is None else list(d.signatures), "not_free": d.why_not_free}
            for d in self.devices
        ]  # fmt: skip


def read_disks(files: HostFiles, query: Runner) -> tuple[Disks, tuple[Problem, ...]]:
    """Return the devices; what cannot be read becomes a Problem, and counts as in use."""
    try:
        listed = parse_lsblk(query(LSBLK))
    except KronosError as error:
        return Disks(), (
            unknown("disks-unknown", "the host's disks are not known", error, "see why `lsblk --json` fails"),
        )
    paths = [text_of(entry["path"]) for entry in listed]
    signatures, problems = _signatures(query, paths)
    aliases = _aliases(files)
    devices = (_device(e, signatures, aliases) for e in listed)
    return Disks(
        tuple(replace(d, internal=_is_internal(files, e)) for d, e in zip(devices, listed, strict=True))
    ), problems


def parse_lsblk(text: str) -> list[dict[str, Any]]:
    """Return lsblk's entries flattened, parents first, each once, without drives for discs, loops, and those without size.

    `children` of each are paths. Raises UnreadableError.
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in _walk(json_list(json_object(text, "lsblk").get("blockdevices"), "lsblk"), 0):
        path = text_of(entry.get("path"))
        if _NO_DISK.match(path):
            continue
        if path.startswith("/dev/") and entry.get("type") not in _LEFT_OUT and number_of(entry.get("size")):
            found.setdefault(path, entry)
    return list(found.values())


def _walk(entries: list[dict[str, Any]], depth: int) -> Iterator[dict[str, Any]]:
    for entry in entries:
        below = json_list(entry.get("children") or [], "lsblk") if depth < _DEEPEST else []
        yield entry | {"children": [text_of(child.get("path")) for child in below]}
        yield from _walk(below, depth + 1)


def parse_wipefs(text: str) -> dict[str, tuple[str, ...]]:
    """Return the signatures by the last part of the device's path, which is all that wipefs prints.

    Raises UnreadableError.
    """
    found: dict[str, tuple[str, ...]] = {}
    for entry in json_list(json_object(text, "wipefs").get("signatures"), "wipefs"):
        name = text_of(entry.get("device"))
        found[name] = (*found.get(name, ()), text_of(entry.get("type")) or "an unknown signature")
    return found


def _signatures(query: Runner, paths: list[str]) -> tuple[dict[str, tuple[str, ...]], tuple[Problem, ...]]:
    """Ask for all at once; where that fails, one at a time, so that one broken disk does not hide the others."""
    if not paths:
        return {}, ()
    try:
        return _asked(query, paths), ()
    except KronosError:
        pass
    found: dict[str, tuple[str, ...]] = {}
    problems = []
    for path in paths:
        try:
            found |= _asked(query, [path])
        except KronosError as error:
            problems.append(unknown("disk-unreadable", f"what is on {path} is not known, so it counts as in use",
                                    error, f"see why `wipefs --json {path}` fails"))  # fmt: skip
    return found, tuple(problems)


def _asked(query: Runner, paths: list[str]) -> dict[str, tuple[str, ...]]:
    # wipefs prints nothing at all where there is nothing on any of several devices.
    answer = ask(query, [*WIPEFS, *paths])
    if answer is None:
        return {}
    parsed = parse_wipefs(answer) if answer.strip() else {}
    return {path: parsed.get(path.rpartition("/")[2], ()) for path in paths}


def _device(
    entry: dict[str, Any], signatures: dict[str, tuple[str, ...]], aliases: dict[str, tuple[str, ...]]
) -> BlockDevice:
    path = text_of(entry["path"])
    kernel_name = text_of(entry.get("kname"))
    known = signatures.get(path)
    if known is not None:
        told = (text_of(entry.get(key)) for key in ("fstype", "pttype"))
        known = tuple(dict.fromkeys([*known, *(word for word in told if word)]))
    points = entry.get("mountpoints")
    return BlockDevice(
        path=path,
        kind=text_of(entry.get("type")),
        size=number_of(entry.get("size")),
        read_only=_flag(entry.get("ro")),
        removable=_flag(entry.get("rm")),
        model=text_of(entry.get("model")).strip(),
        serial=text_of(entry.get("serial")).strip(),
        signatures=known,
        mounts=tuple(text_of(point) for point in points if point) if isinstance(points, list) else (),
        children=tuple(entry["children"]),
        aliases=aliases.get(kernel_name, ()),
        partition_type=text_of(entry.get("parttype")),
    )


def _is_internal(files: HostFiles, entry: dict[str, Any]) -> bool:
    """Tell whether it is a layer of LVM's: its device mapper uuid has more than the volume's own (dmsetup(8), lvm2)."""
    name = text_of(entry.get("kname"))
    return "/" not in name and bool(_LVM_LAYER.match(files.read(f"/sys/class/block/{name}/dm/uuid")))


def _flag(found: object) -> bool:
    """Read a flag: true and false in newer releases, "1" and "0" in older ones; what is neither is set."""
    return text_of(found).lower() not in ("false", "0", "")


def _aliases(files: HostFiles) -> dict[str, tuple[str, ...]]:
    """Return udev's links by the kernel's name of what they point to."""
    found: dict[str, tuple[str, ...]] = {}
    for link in (link for pattern in _ALIASES for link in files.glob(pattern)):
        where = files.at(link)
        if where.is_symlink():
            name = where.readlink().name
            found[name] = (*found.get(name, ()), link)
    return found
