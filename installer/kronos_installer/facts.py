"""All that a plan is made from: read once, then never looked at again."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from kronos_installer.boot_record import BootRecord, boot_record
from kronos_installer.detect.boot import Boot, read_boot
from kronos_installer.detect.gateways import Gateway, read_gateways
from kronos_installer.detect.grub import Grub, read_grub
from kronos_installer.detect.machine import Machine, read_machine
from kronos_installer.detect.nics import Nic, read_nics
from kronos_installer.detect.owners import Owners, read_owners
from kronos_installer.detect.pool_conf import POOL_CONF
from kronos_installer.detect.programs import read_programs
from kronos_installer.detect.readings import number_of
from kronos_installer.detect.sysctl import Sysctl, read_sysctl
from kronos_installer.detect.system import SystemFacts, SystemRecord, read_system, system_record
from kronos_installer.dom0_memory import MIB
from kronos_installer.grub_config import changed_files
from kronos_installer.host_files import FileState, HostFiles, UnreadableFileError, UnsuitableFileError
from kronos_installer.network.readers import read_stacks
from kronos_installer.network.stack import BRIDGE
from kronos_installer.network.sysctl_carry import SYSCTL_PATH
from kronos_installer.problem import Level, Problem, RefusedError
from xapi_shim.base.errors import KronosError
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from kronos_installer.detect.pool_master import PoolMaster
    from kronos_installer.host import Runner
    from kronos_installer.network.stack import StackConfig

INVENTORY = str(Paths().inventory)
GUEST_KERNELS = str(Paths().guest_boot_files[0])
SERVICE = "xapi.service"
# What mounts guests' disks; systemd names it after its mount point (systemd-escape(1), --path).
STORAGE_UNIT = f"{str(Paths().sr_device).strip('/').replace('/', '-')}.mount"
LEASE_FILES = ("/var/lib/dhcp/dhclient.{}.leases", "/var/lib/dhcp/dhclient6.{}.leases")
_DIRECT_IO = frozenset({"hvm_directio", "pv_directio"})
_UNITS = ("/lib/systemd/system", "/usr/lib/systemd/system", "/etc/systemd/system")


@dataclass(frozen=True)
class Facts:
    """A host. `originals` holds every file that a plan may change, None where there is none.

    `xen_offers` is what a running Xen says that the machine can do (xl(1), virt_caps): below it dom0's kernel sees neither
    vmx nor an IOMMU. `programs` are those of the absolute paths that a stack's bridge may need which are there. `pool_master` is what the
    master of a pool to join told, or why it did not; None where nobody asked it.
    """

    machine: Machine
    memory_mib: int
    cpus: int
    xen_offers: frozenset[str]
    grub: Grub
    boot: Boot
    nics: tuple[Nic, ...]
    gateways: tuple[Gateway, ...]
    owners: Owners
    sysctl: Sysctl
    stacks: tuple[StackConfig, ...]
    programs: frozenset[str]
    originals: dict[str, FileState | None]
    leases: dict[str, str]
    unreadable: tuple[Problem, ...]
    has_service: bool
    service_enabled: bool
    has_guest_kernels: bool
    has_storage_unit: bool
    verifies_certificates: bool
    system: SystemFacts
    pool_master: PoolMaster | Problem | None = None


class InterfaceRecord(TypedDict):
    """An interface as `check --json` prints it. `master`: what it is a member of; `owners`: the stacks that manage it."""

    name: str
    mac: str
    kind: str
    master: str
    owners: list[str]


def _interface_record(nic: Nic, facts: Facts) -> InterfaceRecord:
    owners = [str(stack.stack) for stack in facts.stacks if nic in stack.owned(facts.nics)]
    return {"name": nic.name, "mac": nic.mac, "kind": nic.kind.value, "master": nic.master, "owners": owners}


class FactsRecord(TypedDict):
    """The facts as `check --json` prints them."""

    os: str
    os_name: str
    memory_mib: int
    under_xen: bool
    efi: bool
    secure_boot: bool | None
    virtualization: list[str]
    xen_images: list[str]
    dom0_kernels: list[str]
    kernel_command_line: str
    boot: BootRecord
    interfaces: list[InterfaceRecord]
    gateways: list[dict[str, str | bool]]
    network_files: dict[str, list[str]]
    system: SystemRecord


def facts_record(facts: Facts) -> FactsRecord:
    """Return the facts for programs."""
    machine = facts.machine
    return {
        "os": f"{machine.os_id}-{machine.os_version}",
        "os_name": machine.os_name,
        "memory_mib": facts.memory_mib,
        "under_xen": machine.under_xen,
        "efi": machine.efi,
        "secure_boot": machine.secure_boot,
        "virtualization": sorted(machine.cpu_flags & {"vmx", "svm", "hypervisor"} | facts.xen_offers),
        "xen_images": list(machine.xen_images),
        "dom0_kernels": list(machine.dom0_kernels),
        "kernel_command_line": machine.kernel_command_line,
        "boot": boot_record(facts.grub, facts.boot, facts.cpus),
        "interfaces": [_interface_record(nic, facts) for nic in facts.nics],
        "gateways": [asdict(gateway) for gateway in facts.gateways],
        "network_files": {
            str(stack.stack): sorted(path for path, found in stack.originals.items() if found)
            for stack in facts.stacks
        },
        "system": system_record(facts.system),
    }


def read_facts(files: HostFiles, query: Runner) -> Facts:
    """Read a host. What is not understood becomes a Problem in `unreadable`.

    Raises RefusedError for a file that is there and cannot be read: what it says may matter to all.
    """
    try:
        return _read_facts(files, query)
    except UnreadableFileError as error:
        problem = Problem(
            Level.ERROR, "file-unreadable", error.message, "", f"{error.path}:1", error.resolution
        )
        raise RefusedError((problem,)) from error


def _read_facts(files: HostFiles, query: Runner) -> Facts:
    machine = read_machine(files)
    unreadable: list[Problem] = []
    grub = read_grub(files)
    boot = read_boot(files, grub)
    stacks, unclear = read_stacks(files)
    unreadable += unclear
    size, no_memory = _host_size(machine, boot, query)
    nics = read_nics(files)
    changeable = [*changed_files(grub.files), INVENTORY, POOL_CONF, SYSCTL_PATH]
    changeable += [pattern.format(BRIDGE) for pattern in LEASE_FILES]
    originals: dict[str, FileState | None] = {}
    for stack in stacks:
        originals |= stack.originals
    for path in changeable:
        try:
            originals[path] = files.state(path)
        except UnsuitableFileError as error:
            unreadable.append(Problem(Level.ERROR, "file-unsuitable", str(error), diagnosis=f"{path}:1",
                                      remediation=error.resolution))  # fmt: skip
    return Facts(
        machine=machine,
        memory_mib=size.memory_mib,
        cpus=size.cpus,
        xen_offers=size.offers,
        grub=grub,
        boot=replace(boot, iommu="active") if size.offers & _DIRECT_IO else boot,
        nics=nics,
        gateways=read_gateways(query),
        owners=read_owners(files),
        sysctl=read_sysctl(files),
        stacks=stacks,
        programs=read_programs(files)
        | frozenset(path for stack in stacks for path in stack.programs if files.exists(path)),
        originals=originals,
        leases=_leases(files, nics),
        unreadable=(*unreadable, *no_memory),
        has_service=any(files.exists(f"{place}/{SERVICE}") for place in _UNITS),
        service_enabled=service_enabled(files),
        has_guest_kernels=files.at(GUEST_KERNELS).is_dir(),
        has_storage_unit=any(files.exists(f"{place}/{STORAGE_UNIT}") for place in _UNITS),
        verifies_certificates=files.exists(str(Paths().verify_certificates)),
        system=read_system(files, query),
    )


def service_enabled(files: HostFiles) -> bool:
    """Tell whether a boot target wants the daemon: what `systemctl is-enabled` looks at."""
    return bool(files.glob(f"/etc/systemd/system/*.wants/{SERVICE}"))


def _leases(files: HostFiles, nics: tuple[Nic, ...]) -> dict[str, str]:
    paths = (pattern.format(nic.name) for nic in nics for pattern in LEASE_FILES)
    return {path: files.read_bytes(path).decode("latin-1") for path in paths if files.exists(path)}


class HostSize(NamedTuple):
    """The whole host's memory and logical processors, 0 where it is not known; `offers` as Facts.xen_offers."""

    memory_mib: int
    cpus: int
    offers: frozenset[str]


def _host_size(machine: Machine, boot: Boot, query: Runner) -> tuple[HostSize, list[Problem]]:
    """Return the host's size; below Xen the kernel knows dom0's share only, xl knows all."""
    if not machine.under_xen:
        return HostSize(machine.memory_bytes // MIB, boot.cpus, frozenset()), []
    try:
        told = parse_xl_info(query(["xl", "info"]))
        return told._replace(cpus=told.cpus or boot.cpus), []
    except KronosError as error:
        return HostSize(0, 0, frozenset()), [
            Problem(Level.ERROR, "memory-unknown", "Xen does not say how much memory the host has",
                    diagnosis=str(error), remediation="see why `xl info` fails")]  # fmt: skip


def parse_xl_info(text: str) -> HostSize:
    """Return `total_memory` (MiB), `nr_cpus` and `virt_caps` of `xl info` (xl(1)), 0 and none where it is not said."""
    found = dict(re.findall(r"^(total_memory|nr_cpus|virt_caps)[ \t]*:[ \t]*(.*)$", text, re.MULTILINE))
    offers = frozenset(found.get("virt_caps", "").split())
    return HostSize(number_of(found.get("total_memory")), number_of(found.get("nr_cpus")), offers)
