"""Volume groups of a Linux host: lvm(8), wipefs(8), blkdiscard(8), dmsetup(8).

Every lvm command is told its device (`--devices`), so that it opens no other; the host's filters, its devices file
and the copies that LVM keeps of metadata below /etc/lvm are left out. What only reads or activates says so
(`metadata_read_only`): LVM then mends nothing that it finds another host amid writing.
"""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import Completed, ProgramMissingError, run, run_async
from xapi_shim.storage.off_loop import off_loop, off_loop_within
from xapi_shim.storage.volume_groups import Group, GroupState, LvmError, Volume

if TYPE_CHECKING:
    from collections.abc import Sequence

# A device that does not answer keeps a program for as long as its session waits for the target.
TIMEOUT_S: Final = 60.0
# Writing zeros takes as long as writing; the kernel is asked for so much at a time, so that it can be ended.
FILL_TIMEOUT_S: Final = 24 * 3600.0
STEP_BYTES: Final = 64 << 20
# Metadata of a volume take some 300 bytes: room for more volumes than a group of a pool will have.
METADATA_BYTES: Final = 16 << 20
EXTENT_BYTES: Final = 4 << 20
_CONFIG = "backup/backup=0 backup/archive=0 global/system_id_source=none"
_READ_ONLY = f"{_CONFIG} global/metadata_read_only=1"
_GROUP_CREATE, _CREATE, _REMOVE, _RESIZE, _ACTIVATE, _DEACTIVATE = 77, 50, 51, 59, 52, 53


class LinuxVolumeGroups:
    """The real ones. `sysfs` is there for tests."""

    def __init__(self, sysfs: Path = Path("/sys")) -> None:
        self._sysfs = sysfs

    async def signatures(self, device: Path) -> tuple[str, ...]:
        said = await _do(device, ["wipefs", "--json", "--output", "TYPE", str(device)])
        return read_signatures(said)

    async def group_on(self, device: Path) -> str:
        # Of a device that is not LVM's `pvs device` fails; asked for all, it tells of those that are.
        rows = await _report(device, "pv", ["pvs", "--options", "vg_name"])
        return rows[0].get("vg_name", "") if rows else ""

    async def state(self, group: Group) -> GroupState | None:
        groups = await _report(group.device, "vg", ["vgs", "--options", _OF_GROUP])
        mine = next((row for row in groups if row.get("vg_name") == group.name), None)
        if mine is None:
            return None
        return read_state(
            mine, await _report(group.device, "lv", ["lvs", "--options", _OF_VOLUME, group.name])
        )

    async def make_group(self, group: Group) -> None:
        sizes = ["--physicalextentsize", f"{EXTENT_BYTES}b", "--metadatasize", f"{METADATA_BYTES}b"]
        await _change(group, ["vgcreate", "--setautoactivation", "n", *sizes, group.name, str(group.device)],
                      _GROUP_CREATE)  # fmt: skip

    async def remove_group(self, group: Group) -> None:
        await _change(group, ["vgremove", group.name], _REMOVE)
        await _change(group, ["pvremove", str(group.device)], _REMOVE)

    async def create(self, group: Group, name: str, extents: int) -> None:
        # Neither zeroed nor wiped at the beginning, which would need the volume to be active: all of it is, later.
        how = ["--activate", "n", "--zero", "n", "--wipesignatures", "n", "--yes"]
        await _change(
            group, ["lvcreate", *how, "--extents", str(extents), "--name", name, group.name], _CREATE
        )

    async def remove(self, group: Group, name: str) -> None:
        await _change(group, ["lvremove", "--yes", f"{group.name}/{name}"], _REMOVE)

    async def rename(self, group: Group, name: str, new_name: str) -> None:
        await _change(group, ["lvrename", group.name, name, new_name], _CREATE)

    async def set_extents(self, group: Group, name: str, extents: int) -> None:
        resize = ["lvresize", "--force", "--yes", "--extents", str(extents), f"{group.name}/{name}"]
        # Newer ones would look for a file system in what is cut off, for which older ones have no such option.
        done = await _lvm(group.device, [*resize, "--fs", "ignore"], _CONFIG)
        if done.returncode != 0 and "unrecognized option" in done.stderr:
            done = await _lvm(group.device, resize, _CONFIG)
        _check(done, group.name, _RESIZE)

    async def tag(self, group: Group, name: str, *, add: str = "", remove: str = "") -> None:
        tags = [*(["--addtag", add] if add else []), *(["--deltag", remove] if remove else [])]
        await _change(group, ["lvchange", *tags, f"{group.name}/{name}"], _RESIZE)

    async def activate(self, group: Group, name: str) -> Path:
        volume = f"{group.name}/{name}"
        active = await off_loop(group.name, mapped, self._sysfs, group.name)
        # One that is active has the size that it had then: another host may have changed it since.
        how = ["--refresh"] if mapped_name(group.name, name) in active else ["--activate", "y"]
        _check(await _lvm(group.device, ["lvchange", *how, volume], _READ_ONLY), volume, _ACTIVATE)
        return Path("/dev") / group.name / name

    async def deactivate(self, group: Group, name: str) -> None:
        volume = f"{group.name}/{name}"
        _check(
            await _lvm(group.device, ["lvchange", "--activate", "n", volume], _READ_ONLY), volume, _DEACTIVATE
        )

    async def deactivate_all(self, group_name: str) -> None:
        # By dmsetup: it asks the kernel alone, and knows volumes too that another host has removed meanwhile.
        for name in await off_loop(group_name, mapped, self._sysfs, group_name):
            _check(await _program(group_name, ["dmsetup", "remove", "--retry", name]), name, _DEACTIVATE)

    async def zero(self, path: Path, begin: int, end: int) -> None:
        if begin < end:
            part = ["--offset", str(begin), "--length", str(end - begin), "--step", str(STEP_BYTES)]
            await _fill(path, ["blkdiscard", "--zeroout", *part, str(path)])
            await self._flush(path)

    async def copy(self, source: Path, target: Path) -> None:
        await _fill(target, ["dd", f"if={source}", f"of={target}", "bs=4M", "conv=notrunc", "status=none"])
        await self._flush(target)

    async def _flush(self, path: Path) -> None:
        """Have what was written on the device's medium, where it survives the target's power."""
        await off_loop_within(FILL_TIMEOUT_S, str(path), partial(_fsync, path))


_OF_GROUP = "vg_name,vg_extent_size,vg_extent_count,vg_free_count"
_OF_VOLUME = "lv_name,lv_size,lv_tags"


def read_signatures(text: str) -> tuple[str, ...]:
    """Return the types that `wipefs --json` printed. Raises LvmError."""
    try:
        return tuple(str(one["type"]) for one in json.loads(text)["signatures"]) if text.strip() else ()
    except (KeyError, TypeError, ValueError) as error:
        raise LvmError("wipefs", f"it printed something else: {error!r}") from error


def read_report(text: str, kind: str) -> list[dict[str, str]]:
    """Return the rows of kind "pv", "vg", "lv" that an lvm command printed with `--reportformat json`. Raises LvmError."""
    try:
        rows: Any = [row for part in json.loads(text)["report"] for row in part[kind]]
        return [{str(key): str(value) for key, value in row.items()} for row in rows]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise LvmError("lvm", f"it printed something else: {error!r}") from error


def read_state(group: dict[str, str], volumes: Sequence[dict[str, str]]) -> GroupState:
    """Return a group from rows of vgs and lvs, sizes in bytes. Raises LvmError."""
    try:
        return GroupState(
            extent_bytes=int(group["vg_extent_size"]),
            extents=int(group["vg_extent_count"]),
            free_extents=int(group["vg_free_count"]),
            volumes=tuple(
                Volume(
                    row["lv_name"], int(row["lv_size"]), frozenset(filter(None, row["lv_tags"].split(",")))
                )
                for row in sorted(volumes, key=lambda row: row["lv_name"])
            ),
        )
    except (KeyError, ValueError) as error:
        raise LvmError("lvm", f"it told of a group without {error}") from error


def mapped_name(group_name: str, name: str) -> str:
    """Return what the device-mapper calls a volume: `group-volume`, hyphens of names doubled."""
    return f"{group_name.replace('-', '--')}-{name.replace('-', '--')}"


def mapped(sysfs: Path, group_name: str) -> list[str]:
    """Return the device-mapper devices of a group's volumes."""
    begin = mapped_name(group_name, "")
    names = [path.read_text().strip() for path in sysfs.glob("block/dm-*/dm/name")]
    return sorted(name for name in names if name.startswith(begin) and not name.startswith(f"{begin}-"))


def _fsync(path: Path) -> None:
    fd = os.open(path, os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


async def _report(device: Path, kind: str, args: Sequence[str]) -> list[dict[str, str]]:
    command, *rest = args
    form = ["--reportformat", "json", "--units", "b", "--nosuffix"]
    done = await _lvm(device, [command, *form, *rest], _READ_ONLY)
    _check(done, str(device), LvmError.code)
    return read_report(done.stdout, kind)


async def _change(group: Group, args: Sequence[str], code: int) -> None:
    _check(await _lvm(group.device, args, _CONFIG), group.name, code)


async def _lvm(device: Path, args: Sequence[str], config: str) -> Completed:
    command, *rest = args
    return await _program(str(device), [command, "--devices", str(device), "--config", config, *rest])


async def _do(device: Path, argv: Sequence[str]) -> str:
    done = await _program(str(device), argv)
    _check(done, str(device), LvmError.code)
    return done.stdout


async def _program(place: str, argv: Sequence[str]) -> Completed:
    """Run a program that may wait for a device for ever, in a thread of its own. Raises LvmError, NotAnsweringError."""
    try:
        return await off_loop_within(TIMEOUT_S, place, partial(run, argv, check=False))
    except ProgramMissingError as error:
        raise LvmError(place, f"{error.program} is not installed (apt-get, dnf: lvm2)") from error


async def _fill(path: Path, argv: Sequence[str]) -> None:
    """Run a program that writes a volume, and that ends with the call: a task that is cancelled writes no more."""
    try:
        done = await run_async(argv, timeout_s=FILL_TIMEOUT_S, check=False)
    except KronosError as error:
        raise LvmError(str(path), error.message, code=_CREATE) from error
    _check(done, str(path), _CREATE)


def _check(done: Completed, what: str, code: int) -> None:
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise LvmError(
            what, "; ".join(lines) or f"{done.argv[0]} ended with status {done.returncode}", code=code
        )
