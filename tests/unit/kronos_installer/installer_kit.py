"""A captured host in a folder of its own, and the commands it knows: what the set-up's tests stand on."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_installer.grub_config import CONFIG_PATH
from kronos_installer.host import Host
from kronos_installer.journal import STATE_DIRECTORY
from xapi_shim.base.process import ProcessError

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
MENUS = HERE / "menus"
# What programs that only look print on the captured host, by their names.
OUTPUTS = HERE / "outputs"
WANTS = "etc/systemd/system/multi-user.target.wants"


@dataclass
class FakeCommands:
    """Does to the folder what the commands do to a host. `broken` ones fail, `menu` overrides update-grub's."""

    root: Path
    ran: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    menu: str = ""
    default_route: str = "enp0s3"

    def __call__(self, argv: Sequence[str]) -> str:
        argv = argv[2:] if argv[0] == "flock" else argv
        self.ran.append(" ".join(argv))
        if argv[0] in self.broken:
            raise ProcessError(argv, 1, "", "no space left on device")
        if argv[0] == "update-grub":
            is_set_up = (self.root / CONFIG_PATH.lstrip("/")).exists()
            menu = self.menu if is_set_up and self.menu else "set-up.cfg" if is_set_up else "debian.cfg"
            # In place, as grub-mkconfig does.
            (self.root / "boot/grub/grub.cfg").write_bytes((MENUS / menu).read_bytes())
        elif argv[:2] == ("systemctl", "enable"):
            (self.root / WANTS / argv[2]).symlink_to(f"/lib/systemd/system/{argv[2]}")
        elif argv[:5] == ("ip", "-json", "-4", "route", "show"):
            return json.dumps([{"dst": "default", "gateway": "192.0.2.1", "dev": self.default_route}])
        elif argv[0] == "xl":
            return "release : 6.1.0\ntotal_memory           : 4095\nfree_memory : 12\n"
        elif (captured := OUTPUTS / f"{argv[0]}.txt").exists():
            return captured.read_text()
        return ""


class Crash(BaseException):
    """The power cut."""


@dataclass
class Countdown:
    """Crashes at the effect after `left` others."""

    left: int

    def __call__(self, effect: str) -> None:
        if self.left == 0:
            raise Crash(effect)
        self.left -= 1


def make_host(folder: Path, case: Path | None = None) -> Host:
    """Return the base host below `folder`, with a case's files laid over it; an empty file takes one away."""
    root = folder / "host"
    shutil.copytree(HERE / "hosts/base", root, dirs_exist_ok=True)
    if case is not None:
        shutil.copytree(case, root, dirs_exist_ok=True)
        for path in case.rglob("*"):
            if path.is_file() and path.stat().st_size == 0:
                (root / path.relative_to(case)).unlink()
    return Host(root, FakeCommands(root))


def put(host: Host, path: str, text: str) -> None:
    """Write a file of the host's."""
    where = host.at(path)
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_text(text)


def snapshot(host: Host) -> dict[str, tuple[str, int, bytes]]:
    """Return all that is on the host but the set-up's own journal: kind, mode, content."""
    found = {}
    for directory, names, files in os.walk(host.root):
        for name in [*names, *files]:
            path = Path(directory, name)
            relative = f"/{path.relative_to(host.root)}"
            if relative.startswith(STATE_DIRECTORY):
                continue
            if path.is_symlink():
                found[relative] = ("link", 0, os.fsencode(path.readlink()))
            elif path.is_dir():
                found[relative] = ("directory", path.stat().st_mode, b"")
            else:
                found[relative] = ("file", path.stat().st_mode, path.read_bytes())
    return found
