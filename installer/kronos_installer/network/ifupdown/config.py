"""The host's interfaces(5) configuration as a network stack."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from kronos_installer.host_files import UnsuitableFileError
from kronos_installer.network import openvswitch
from kronos_installer.network.ifupdown import management
from kronos_installer.network.ifupdown.bridge_edit import move_to_bridge
from kronos_installer.network.ifupdown.bridge_stanza import NEEDS
from kronos_installer.network.ifupdown.read import MAIN_FILE, read_interfaces, statements_in_order
from kronos_installer.network.ifupdown.text import InterfacesText, Keyword, Statement
from kronos_installer.network.stack import BridgeKind, StackConfig, StackName
from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kronos_installer.detect.nics import Nic
    from kronos_installer.host_files import FileState, HostFiles
    from kronos_installer.network.stack import Management, NetworkEdit
    from kronos_installer.problem import Problem

_IFUP = ("/usr/sbin/ifup", "/sbin/ifup")
_NAMESAKES = {
    "ifupdown2": ("/usr/share/ifupdown2",),
    "ifupdown-ng": ("/usr/libexec/ifupdown-ng", "/usr/lib/ifupdown-ng"),
}


@dataclass(frozen=True)
class IfupdownConfig(StackConfig):
    """All files of the configuration, and their statements in the order in which ifupdown reads them."""

    stack: ClassVar[StackName] = StackName.IFUPDOWN
    programs: ClassVar[tuple[str, ...]] = tuple(
        path for needs in NEEDS.values() for _, *paths in needs for path in paths
    )
    texts: tuple[InterfacesText, ...]
    statements: tuple[Statement, ...]
    originals: Mapping[str, FileState | None]
    openvswitch_database: bytes = b""

    def configured(self) -> tuple[str, ...]:
        """Return the interfaces that have an `iface` stanza, without lo."""
        names = (s.words[0] for s in self.statements if s.keyword is Keyword.IFACE)
        return tuple(dict.fromkeys(name for name in names if name != "lo"))

    def find_management(
        self, nics: Sequence[Nic], wished: str = ""
    ) -> tuple[Management | None, tuple[Problem, ...]]:
        """Return the interface that is brought up at boot with addresses, and what forbids moving it."""
        return management.find_management(self.texts, self.statements, nics, wished)

    def move_to_bridge(self, management: Management, bridge: BridgeKind) -> NetworkEdit:
        """Return the edit of all files that speak of the interface, and Open vSwitch's. Raises ProblemError."""
        edit = move_to_bridge(self.texts, self.statements, management, bridge)
        if bridge is not BridgeKind.OPENVSWITCH:
            return edit
        if openvswitch.DEFAULTS not in self.originals:
            raise refusal("file-unsuitable", f"{openvswitch.DEFAULTS} is not a regular file",
                          at=f"{openvswitch.DEFAULTS}:1", remedy="replace it by a regular file")  # fmt: skip
        openvswitch.check_no_bridges(self.openvswitch_database)
        before = self.originals[openvswitch.DEFAULTS]
        defaults = openvswitch.keep_database_in_run(before.content.decode("latin-1") if before else "")
        files = {**edit.files, openvswitch.DEFAULTS: defaults.encode("latin-1")}
        return replace(edit, files=files, modes={openvswitch.DEFAULTS: 0o644})


def _check_reader(files: HostFiles, text: InterfacesText) -> None:
    """Raise ProblemError where a namesake of ifupdown reads the file, which gives other meanings to it."""
    stanza = next((s for s in text.statements if s.keyword is Keyword.IFACE and s.words[0] != "lo"), None)
    for name, paths in _NAMESAKES.items():
        if stanza is not None and any(map(files.exists, paths)):
            raise refusal("interfaces-reader", f"{name} reads this file, not ifupdown", at=stanza.at,
                          remedy="install ifupdown, or configure the network by another stack")  # fmt: skip


def read_ifupdown(files: HostFiles) -> IfupdownConfig | None:
    """Return the configuration, None where there is no /etc/network/interfaces or no ifupdown to read it.

    Raises ProblemError, naming file and line, for what ifupdown itself would not take.
    """
    if not files.exists(MAIN_FILE) or not any(map(files.exists, _IFUP)):
        return None
    texts = read_interfaces(files)
    for text in texts:
        _check_reader(files, text)
    originals = {text.path: files.state(text.path) for text in texts}
    with suppress(UnsuitableFileError):  # refused where Open vSwitch is wished
        originals[openvswitch.DEFAULTS] = files.state(openvswitch.DEFAULTS)
    database = files.at(openvswitch.DATABASE)
    content = database.read_bytes() if database.is_file() else b""
    return IfupdownConfig(texts, statements_in_order(texts, files), originals, content)
