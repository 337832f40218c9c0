"""A captured host whose disks can be written: devices are files that say what is on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from installer_kit import FakeCommands, make_host, no_settling, put

from kronos_installer.host import Host
from xapi_shim.base.process import ProcessError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

MOUNTINFO = "/proc/self/mountinfo"


@dataclass
class FakeDisks(FakeCommands):
    """Devices hold `ext4 UUID` and a line for each path in the file system; logical volumes' tags are below /lvm."""

    def __call__(self, argv: Sequence[str]) -> str:
        known: dict[str, Callable[[Sequence[str]], str]] = {
            "mkfs.ext4": self._mkfs,
            "blkid": self._blkid,
            "debugfs": self._debugfs,
            "lvs": self._lvs,
            "lvcreate": self._lvcreate,
            "lvremove": self._lvremove,
            "umount": self._umount,
        }
        if argv[0] in known and argv[0] not in self.broken:
            self.ran.append(" ".join(argv))
            return known[argv[0]](argv)
        if argv[0] == "wipefs" and {"--no-act", "--all"} & set(argv):
            self.ran.append(" ".join(argv))
            return self._wipefs(argv)
        return super().__call__(argv)

    def _device(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def _mkfs(self, argv: Sequence[str]) -> str:
        assert f" {argv[-1]} " not in f" {self._mounts()} "
        self._device(argv[-1]).write_text(f"ext4 {argv[argv.index('-U') + 1]}\n")
        return ""

    def _wipefs(self, argv: Sequence[str]) -> str:
        device = self._device(argv[-1])
        if "--all" in argv:
            device.write_text("")
            return ""
        found = device.read_text().split()
        entry = {"device": device.name, "offset": "0x438", "type": found[0] if found else ""}
        return json.dumps({"signatures": [entry]}) if found else ""

    def _blkid(self, argv: Sequence[str]) -> str:
        found = self._device(argv[-1]).read_text().split()
        if not found:
            raise ProcessError(argv, 2, "", "")
        return f"{found[1]}\n"

    def _debugfs(self, argv: Sequence[str]) -> str:
        folder = argv[2].removeprefix("ls -p ").strip("/")
        paths = ["lost+found", *self._device(argv[-1]).read_text().splitlines()[1:]]
        below = [path.split("/") for path in paths]
        names = (
            {parts[0] for parts in below}
            if not folder
            else {p[1] for p in below if p[0] == folder and len(p) > 1}
        )
        return "".join(f"/11/040755/0/0/{name}//\n" for name in (".", "..", *sorted(names)))

    def _lvs(self, argv: Sequence[str]) -> str:
        group = self.root / "lvm" / argv[-1].removeprefix('vg_name="').removesuffix('"')
        if argv[-2] != "--select" and not group.exists():
            raise ProcessError(argv, 5, "", f'Volume group "{argv[-1]}" not found')
        return "".join(f"  {path.name}|{path.read_text()}\n" for path in sorted(group.glob("*")))

    def _lvcreate(self, argv: Sequence[str]) -> str:
        name, group = argv[argv.index("--name") + 1], argv[-1]
        put(Host(self.root, self), f"/dev/{group}/{name}", "")
        put(Host(self.root, self), f"/lvm/{group}/{name}", argv[argv.index("--addtag") + 1])
        return ""

    def _lvremove(self, argv: Sequence[str]) -> str:
        for folder in ("dev", "lvm"):
            (self.root / folder / argv[-1]).unlink()
        return ""

    def _mounts(self) -> str:
        return (self.root / MOUNTINFO.lstrip("/")).read_text()

    def _umount(self, argv: Sequence[str]) -> str:
        left = [line for line in self._mounts().splitlines() if f" {argv[-1]} " not in line]
        put(Host(self.root, self), MOUNTINFO, "".join(f"{line}\n" for line in left))
        return ""


def host_with_disks(folder: Path) -> Host:
    """Return the base host with an empty /dev/sdb and an empty volume group vg0."""
    made = make_host(folder)
    for path, text in (("/dev/sdb", ""), (MOUNTINFO, "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n")):
        put(made, path, text)
    for path in ("/dev/vg0", "/lvm/vg0", "/var/lib/xapi"):
        made.at(path).mkdir(parents=True, exist_ok=True)
    return Host(made.root, FakeDisks(made.root), settle=no_settling)


def mount(host: Host, device: str, at: str) -> None:
    """Do what systemd does at the boot."""
    host.at(at).mkdir(parents=True)
    put(host, MOUNTINFO, host.read(MOUNTINFO) + f"99 25 8:16 / {at} rw - ext4 {device} rw\n")
