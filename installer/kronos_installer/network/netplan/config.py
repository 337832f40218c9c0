"""netplan's configuration on the host, read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kronos_installer.detect.nics import Nic, NicKind, read_nics
from kronos_installer.detect.precedence import in_order
from kronos_installer.host_files import FileState, HostFiles, UnsuitableFileError
from kronos_installer.network.netplan import edit, management
from kronos_installer.network.netplan.definitions import Definition, definitions_for, read_definitions
from kronos_installer.network.netplan.document import Document, parse_document
from kronos_installer.network.networkd import cloud_init
from kronos_installer.network.networkd.edit import GUESTS_UNIT
from kronos_installer.network.networkd.links import Link, read_links
from kronos_installer.network.networkd.units import DIRECTORIES, Unit, read_units
from kronos_installer.network.stack import BridgeKind, Management, NetworkEdit, StackConfig, StackName
from kronos_installer.override import override
from kronos_installer.problem import Problem, ProblemError, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A file hides those of the same name in the folders after its own.
_FOLDERS = ("/run/netplan", "/etc/netplan", "/lib/netplan", "/usr/lib/netplan")
_GENERATORS = ("/usr/lib/systemd/system-generators/netplan", "/lib/systemd/system-generators/netplan")


@dataclass(frozen=True)
class NetplanConfig(StackConfig):
    """All files in the order in which netplan reads them, and what they come to together.

    `networkd_units`, `link_files` and `drop_ins` are what networkd reads beside that; `mtus` are the running interfaces', in bytes.
    """

    stack: ClassVar[StackName] = StackName.NETPLAN
    programs: ClassVar[tuple[str, ...]] = (edit.OVS_VSCTL,)
    originals: Mapping[str, FileState | None]
    nics: tuple[Nic, ...]
    documents: tuple[Document, ...]
    definitions: tuple[Definition, ...]
    networkd_units: tuple[Unit, ...]
    link_files: tuple[Unit, ...]
    drop_ins: tuple[str, ...]
    links: Mapping[str, Link]
    mtus: Mapping[str, int]
    tell_cloud_init: bool
    unreadable: tuple[Problem, ...] = ()

    @override
    def configured(self) -> tuple[str, ...]:
        nics = [nic for nic in self.nics if nic.kind is not NicKind.LOOPBACK]
        return tuple(nic.name for nic in nics if definitions_for(self.definitions, nic)[0] is not None)

    @override
    def find_management(
        self, nics: Sequence[Nic], wished: str = ""
    ) -> tuple[Management | None, tuple[Problem, ...]]:
        if self.unreadable:
            return None, self.unreadable
        return management.find_management(self, nics, wished)

    @override
    def move_to_bridge(self, management: Management, bridge: BridgeKind) -> NetworkEdit:
        return edit.move_to_bridge(self, management, bridge)


def read_netplan(files: HostFiles) -> NetplanConfig | None:
    """Read all of it; None where netplan is not installed, or its files define nothing. Raises OSError."""
    paths = in_order(files, _FOLDERS, "*.yaml")
    if not paths or not any(map(files.exists, _GENERATORS)):
        return None
    problems: list[Problem] = []
    originals: dict[str, FileState | None] = {}
    for path in (*paths, edit.NEW_FILE, edit.DROP_IN, GUESTS_UNIT, cloud_init.DISABLE_PATH):
        try:
            originals[path] = _state(files, path)
        except ProblemError as error:
            problems.append(error.problem)
    documents: tuple[Document, ...] = ()
    definitions: tuple[Definition, ...] = ()
    units: tuple[Unit, ...] = ()
    link_files: tuple[Unit, ...] = ()
    tell_cloud_init = False
    try:
        documents = tuple(
            parse_document(path, state.content) for path in paths if (state := originals.get(path))
        )
        definitions = read_definitions(documents)
        units = read_units(files, ".network")
        link_files = read_units(files, ".link")
        tell_cloud_init = cloud_init.must_be_told(files)
        _check_new(originals)
    except ProblemError as error:
        problems.append(error.problem)
    if not problems and not definitions:
        return None
    nics = read_nics(files)
    return NetplanConfig(
        originals=originals,
        nics=nics,
        documents=documents,
        definitions=definitions,
        networkd_units=units,
        link_files=link_files,
        drop_ins=tuple(p for d in DIRECTORIES for p in files.glob(f"{d}/10-netplan-*.network.d/*.conf")),
        links=read_links(files, nics),
        mtus={
            n.name: int(mtu)
            for n in nics
            if (mtu := files.read(f"/sys/class/net/{n.name}/mtu").strip()).isdigit()
        },
        tell_cloud_init=tell_cloud_init,
        unreadable=tuple(problems),
    )


def _state(files: HostFiles, path: str) -> FileState | None:
    try:
        return files.state(path)
    except UnsuitableFileError as error:
        raise refusal("netplan-unsuitable", "a part of the network configuration cannot be put back", at=f"{path}:1",
                      description=str(error), remedy=error.resolution) from error  # fmt: skip


def _check_new(originals: Mapping[str, FileState | None]) -> None:
    for path in (edit.NEW_FILE, edit.DROP_IN, GUESTS_UNIT):
        if originals.get(path) is not None:
            raise refusal("bridge-exists", "the file that the set-up would write is there already", at=f"{path}:1",
                          remedy="remove or rename it")  # fmt: skip
