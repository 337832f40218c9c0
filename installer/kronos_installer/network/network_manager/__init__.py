"""NetworkManager with its own keyfile profiles (nm-settings-keyfile(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.detect.nics import read_nics
from kronos_installer.detect.owners import Mention
from kronos_installer.detect.units import enabled
from kronos_installer.host_files import UnsuitableFileError
from kronos_installer.network.findings import error
from kronos_installer.network.ifupdown.read import read_interfaces
from kronos_installer.network.ifupdown.text import Keyword
from kronos_installer.network.network_manager.config import NetworkManagerConfig
from kronos_installer.network.network_manager.edit import BRIDGE_PROFILE, GUESTS_SNIPPET, PORT_PROFILE
from kronos_installer.network.network_manager.identity import parse_if_inet6
from kronos_installer.network.network_manager.profiles import read_profiles
from kronos_installer.network.network_manager.settings import Settings, read_settings
from kronos_installer.problem import Problem, ProblemError

if TYPE_CHECKING:
    from kronos_installer.host_files import FileState, HostFiles

__all__ = ["NetworkManagerConfig", "read_network_manager"]

_SERVICE = "NetworkManager.service"
_MENTIONS = (
    "/etc/NetworkManager/dispatcher.d/*", "/etc/NetworkManager/dispatcher.d/*/*",
    "/etc/firewalld/zones/*.xml", "/etc/firewalld/direct.xml",
)  # fmt: skip
# A device of NetworkManager.conf(5) on each line.
_LEFT_ALONE = "/var/lib/NetworkManager/no-auto-default.state"
_TRUE = ("true", "yes", "on", "1")


def read_network_manager(files: HostFiles) -> NetworkManagerConfig | None:
    """Read all of it, None where NetworkManager is not started at boot. What cannot be parsed becomes a Problem."""
    if not enabled(files, _SERVICE):
        return None
    unreadable: list[Problem] = []
    settings = Settings(())
    ifupdown: frozenset[str] = frozenset()
    try:
        settings = read_settings(files)
        ifupdown = _ifupdown(files, settings)
    except ProblemError as refused:
        unreadable.append(refused.problem)
    unreadable += _unsupported(settings)
    profiles = read_profiles(files)
    originals: dict[str, FileState | None] = {p.path: p.state for p in profiles.profiles}
    for path in (BRIDGE_PROFILE, PORT_PROFILE, GUESTS_SNIPPET):
        try:
            originals[path] = files.state(path)
        except UnsuitableFileError as unsuitable:
            unreadable.append(error("file-unsuitable", str(unsuitable), f"{path}:1", unsuitable.resolution))
    return NetworkManagerConfig(
        settings=settings,
        profiles=profiles,
        ifupdown=ifupdown,
        addresses=parse_if_inet6(files.read("/proc/net/if_inet6")),
        mentions=tuple(_mentions(files)),
        originals=originals,
        unreadable=tuple(unreadable),
        nics=read_nics(files),
        left_alone=tuple(files.read(_LEFT_ALONE).split()),
    )


def _ifupdown(files: HostFiles, settings: Settings) -> frozenset[str]:
    """Return the interfaces of interfaces(5) where NetworkManager's plug-in of that name is told to leave them alone."""
    plugins = settings.last("main", "plugins")
    managed = settings.last("ifupdown", "managed")
    if plugins is None or "ifupdown" not in plugins.items or (managed and managed.text.strip() in _TRUE):
        return frozenset()
    statements = (s for text in read_interfaces(files) for s in text.statements)
    return frozenset(s.words[0] for s in statements if s.keyword is Keyword.IFACE and s.words)


def _unsupported(settings: Settings) -> list[Problem]:
    found = []
    for group, key, remedy in (
        ("keyfile", "path", "keep connections in /etc/NetworkManager/system-connections"),
        ("main", "configure-and-quit", "let NetworkManager run: remove the setting"),
    ):
        entry = settings.last(group, key)
        if entry and entry.text.strip() not in ("", "no", "false"):
            found.append(
                error("nm-settings", f"[{group}] {key}={entry.value} is not supported", entry.at, remedy)
            )
    return found


def _mentions(files: HostFiles) -> list[Mention]:
    paths = dict.fromkeys(path for pattern in _MENTIONS for path in files.glob(pattern))
    return [
        Mention(f"{path}:{number}", line)
        for path in paths
        if files.at(path).is_file()
        for number, line in enumerate(files.read(path).splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
