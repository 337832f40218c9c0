"""ifcfg files of Red Hat's systems, read by initscripts' network.service or by NetworkManager's ifcfg-rh plug-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.detect.owners import Mention
from kronos_installer.detect.units import enabled
from kronos_installer.host_files import UnsuitableFileError
from kronos_installer.network.findings import error
from kronos_installer.network.ifcfg.config import IfcfgConfig
from kronos_installer.network.ifcfg.edit import BRIDGE_FILE, BRIDGE_SIDES
from kronos_installer.network.ifcfg.interfaces import FOLDER, read_interfaces_of
from kronos_installer.network.ifcfg.shell_file import ShellFile, parse_shell_file
from kronos_installer.network.network_manager.edit import GUESTS_SNIPPET
from kronos_installer.network.network_manager.identity import parse_if_inet6
from kronos_installer.network.network_manager.settings import Settings, read_settings
from kronos_installer.problem import Problem, ProblemError

if TYPE_CHECKING:
    from kronos_installer.host_files import FileState, HostFiles

__all__ = ["IfcfgConfig", "read_ifcfg"]

_GLOBAL = "/etc/sysconfig/network"
_NETWORK_MANAGER = "NetworkManager.service"
_PLUGIN = "/usr/lib*/NetworkManager/*/libnm-settings-plugin-ifcfg-rh.so"
# network.service is made from a script of System V's: a link in a runlevel starts it.
_NETWORK_SERVICE = (
    "/etc/rc.d/rc[2345].d/S??network", "/etc/rc[2345].d/S??network", "/etc/systemd/system/*.wants/network.service",
)  # fmt: skip
_OWN_FILES = (f"{FOLDER}/keys-*", "/etc/dhcp/dhclient*-*.conf", "/etc/dhclient*-*.conf")
_MENTIONS = (
    "/sbin/ifup-local", "/sbin/ifdown-local", "/sbin/ifup-pre-local", "/etc/NetworkManager/dispatcher.d/*",
    "/etc/firewalld/zones/*.xml", "/etc/firewalld/direct.xml", "/etc/sysconfig/static-routes*",
)  # fmt: skip


def read_ifcfg(files: HostFiles) -> IfcfgConfig | None:
    """Read all of it, None where nobody reads ifcfg files at boot, or there are none.

    What cannot be parsed becomes a Problem.
    """
    unreadable: list[Problem] = []
    settings, global_file = Settings(()), ShellFile(_GLOBAL, (), ())
    try:
        settings = read_settings(files)
        global_file = parse_shell_file(_GLOBAL, files.read(_GLOBAL))
    except ProblemError as refused:
        unreadable.append(refused.problem)
    network_service = any(files.glob(pattern) for pattern in _NETWORK_SERVICE)
    interfaces, problems = read_interfaces_of(
        files, network_manager=_plugin_is_on(files, settings), network_service=network_service
    )
    if not interfaces and not problems:
        return None
    unreadable += problems
    originals: dict[str, FileState | None] = {}
    for interface in interfaces:
        originals |= {interface.path: interface.state} | interface.sides
    for path in (BRIDGE_FILE, *BRIDGE_SIDES, GUESTS_SNIPPET):
        try:
            originals[path] = files.state(path)
        except UnsuitableFileError as unsuitable:
            unreadable.append(error("file-unsuitable", str(unsuitable), f"{path}:1", unsuitable.resolution))
    return IfcfgConfig(
        interfaces=interfaces,
        settings=settings,
        global_file=global_file,
        addresses=parse_if_inet6(files.read("/proc/net/if_inet6")),
        mentions=tuple(_mentions(files)),
        own_files=tuple(path for pattern in _OWN_FILES for path in files.glob(pattern)),
        scripts_use_brctl="brctl" in files.read(f"{FOLDER}/ifup-eth"),
        originals=originals,
        unreadable=tuple(unreadable),
    )


def _plugin_is_on(files: HostFiles, settings: Settings) -> bool:
    """Tell whether NetworkManager reads ifcfg files: it does up to Fedora 40, where the plug-in is installed."""
    if not enabled(files, _NETWORK_MANAGER) or not files.glob(_PLUGIN):
        return False
    plugins = settings.last("main", "plugins")
    return plugins is None or "ifcfg-rh" in plugins.items


def _mentions(files: HostFiles) -> list[Mention]:
    return [
        Mention(f"{path}:{number}", line)
        for pattern in _MENTIONS
        for path in files.glob(pattern)
        for number, line in enumerate(files.read(path).splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
