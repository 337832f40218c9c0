"""A captured host in a folder of its own, and the commands it knows: what the set-up's tests stand on."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_installer.detect.grub import read_menu
from kronos_installer.grub_config import CONFIG_PATH, DEFAULT_PATH, FALLBACK_PATH
from kronos_installer.grub_environment import parse_environment
from kronos_installer.grub_layout import DEBIAN, FEDORA
from kronos_installer.host import Host
from kronos_installer.journal import STATE_DIRECTORY
from xapi_shim.base.process import ProcessError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).parent
MENUS = HERE / "menus"
MKCONFIGS = ("grub-mkconfig", "grub2-mkconfig")
# What programs that only look print on the captured host, by their names.
OUTPUTS = HERE / "outputs"
WANTS = "etc/systemd/system/multi-user.target.wants"


@dataclass
class FakeCommands:
    """Does to the folder what the commands do to a host. `broken` ones fail, `deaf` ones do nothing, `menu` overrides grub-mkconfig's."""

    root: Path
    ran: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    deaf: set[str] = field(default_factory=set)
    menu: str = ""
    packages: set[str] = field(default_factory=set)
    default_route: str = "enp0s3"
    neighbours: str = ""

    def __call__(self, argv: Sequence[str]) -> str:
        argv = argv[2:] if argv[0] in ("flock", "env") else argv
        self.ran.append(" ".join(argv))
        if self.broken & {argv[0], " ".join(argv)}:
            if argv[0] in MKCONFIGS:
                (self.root / f"{argv[-1]}.new".lstrip("/")).write_bytes(b"half a menu")
            raise ProcessError(argv, 1, "", "no space left on device")
        if argv[0] in self.deaf:
            return ""
        if argv[0] in MKCONFIGS:
            (self.root / argv[-1].lstrip("/")).write_bytes(
                self._scripted() + (MENUS / self._menu()).read_bytes()
            )
        elif argv[0] == "grub-reboot":
            choose_once(self.root / "boot/grub/grubenv", argv[1])
        elif argv[0] == "grub2-reboot":
            choose_once(self.root / "boot/grub2/grubenv", argv[1])
        elif argv[:2] == ("systemctl", "enable"):
            link = self.root / WANTS / argv[2]
            link.unlink(missing_ok=True)
            link.symlink_to(f"/lib/systemd/system/{argv[2]}")
        return self._told(argv)

    def _scripted(self) -> bytes:
        """What the set-up's script adds to a menu: it prints one line, which grub-mkconfig puts between two."""
        script = self.root / FALLBACK_PATH.lstrip("/")
        found = re.search(r"^echo '(.*)'$", script.read_text(), re.MULTILINE) if script.exists() else None
        if found is None:
            return b""
        return f"### BEGIN {FALLBACK_PATH} ###\n{found[1]}\n### END {FALLBACK_PATH} ###\n\n".encode()

    def _told(self, argv: Sequence[str]) -> str:
        """Return what a program that only looks prints."""
        if argv[:5] == ("ip", "-json", "-4", "route", "show"):
            return json.dumps([{"dst": "default", "gateway": "192.0.2.1", "dev": self._default_route()}])
        if argv[:3] == ("ip", "-json", "neigh"):
            return self.neighbours
        if argv[0] == "xl":
            return "release : 6.1.0\nnr_cpus                : 4\ntotal_memory           : 4095\nfree_memory : 12\n"
        if argv[0] in ("apt-get", "dpkg", "dpkg-query", "dnf", "rpm"):
            return self._package_manager(argv)
        captured = OUTPUTS / f"{argv[0]}.txt"
        return captured.read_text() if captured.exists() else ""

    def _package_manager(self, argv: Sequence[str]) -> str:
        names = [
            word for word in argv[1:] if not word.startswith("-") and "=" not in word and "::" not in word
        ]
        if "--simulate" in argv:
            new = [name for name in names[1:] if name not in self.packages]
            return "".join(f"Inst {name} (1 Debian:12/stable [amd64])\nConf {name} (1)\n" for name in new)
        if names[:1] == ["install"]:
            self.packages |= set(names[1:])
        elif {"--purge", "--erase"} & set(argv):
            self.packages -= set(names)
        elif argv[0] == "dpkg-query" or "--query" in argv:
            return "".join(f"installed {name}\n" for name in sorted(self.packages))
        return ""

    def _default_route(self) -> str:
        """Return the interface that a captured host's /proc/net/route (proc(5)) names, else what was set."""
        table = self.root / "proc/net/route"
        rows = table.read_text().splitlines()[1:] if table.exists() else []
        return next((row.split()[0] for row in rows if row.split()[1] == "00000000"), self.default_route)

    def _menu(self) -> str:
        config, default = (self.root / path.lstrip("/") for path in (CONFIG_PATH, DEFAULT_PATH))
        fedora = (self.root / "boot/grub2").is_dir()
        prefix = "fedora-" if fedora else ""
        # Fedora's reads what /etc/default/grub tells it to.
        told = not fedora or CONFIG_PATH in (self.root / "etc/default/grub").read_text()
        if not config.exists() or not told:
            return "fedora.cfg" if fedora else "debian.cfg"
        texts = [path.read_text() for path in (config, default) if path.exists()]
        is_default = any('GRUB_DEFAULT="xen-' in text for text in texts)
        return self.menu or prefix + ("set-up.cfg" if is_default else "tried-once.cfg")


def choose_once(environment: Path, entry: str) -> None:
    """Do what grub-reboot does: one variable of the block is set, in place."""
    old = environment.read_bytes() if environment.exists() else b"# GRUB Environment Block\n"
    lines = [line for line in old.splitlines() if line.strip(b"#") and not line.startswith(b"next_entry=")]
    text = b"\n".join([*lines, b"next_entry=" + entry.encode(), b""])
    environment.write_bytes(text.ljust(1024, b"#"))


def boot(host: Host) -> str:
    """Do what GRUB does at a boot: obey and clear the one-time choice. Return the entry's title."""
    layout = FEDORA if host.exists(FEDORA.directory) else DEBIAN
    environment = host.at(layout.environment)
    variables = parse_environment(environment.read_text())
    menu = read_menu(host, layout)
    once = variables.get("next_entry", "")
    entry = menu.resolve(once) if once else menu.default_entry(variables)
    assert entry is not None
    if once:
        block = environment.read_bytes().replace(b"next_entry=" + once.encode(), b"next_entry=")
        environment.write_bytes(block.ljust(1024, b"#"))
    return entry.title


def start_xen(host: Host) -> None:
    """Let the host run under Xen from now on."""
    put(host, "/sys/hypervisor/type", "xen\n")


class Crash(BaseException):
    """The power cut."""


def crash_at(last: str) -> Callable[[str], None]:
    """Return what a host announces its effects to: the power is cut at the first that is `last`."""

    def watch(effect: str) -> None:
        if effect == last:
            raise Crash(effect)

    return watch


@dataclass
class Countdown:
    """Crashes at the effect after `left` others."""

    left: int

    def __call__(self, effect: str) -> None:
        if self.left == 0:
            raise Crash(effect)
        self.left -= 1


def no_settling(_directory: Path) -> None:
    """Stand for what test_installer_boot_files has: the tests' own file system is not to be held up."""


def make_fedora(folder: Path) -> Host:
    """Return a host with Fedora's layout below `folder`."""
    root = folder / "host"
    shutil.copytree(HERE / "hosts/fedora", root)
    return Host(root, FakeCommands(root), settle=no_settling)


def make_host(folder: Path, case: Path | None = None) -> Host:
    """Return the base host below `folder`, with a case's files laid over it; an empty file takes one away."""
    root = folder / "host"
    shutil.copytree(HERE / "hosts/base", root, dirs_exist_ok=True)
    if case is not None:
        shutil.copytree(case, root, dirs_exist_ok=True)
        for path in case.rglob("*"):
            if path.is_file() and path.stat().st_size == 0:
                (root / path.relative_to(case)).unlink()
    seal_profiles(root)
    return Host(root, FakeCommands(root), settle=no_settling)


def seal_profiles(root: Path) -> None:
    """Make NetworkManager's profiles root's alone, without which it ignores them: git keeps no modes."""
    for path in root.rglob("NetworkManager/system-connections/*"):
        path.chmod(0o600)


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
