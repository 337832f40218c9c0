"""What stands in the way on this host: pure, from its facts. No ERROR among them: the host can be set up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.dom0_memory import SMALLEST_HOST_MIB
from kronos_installer.facts import SERVICE
from kronos_installer.grub_config import CONFIG_PATH, parse_serial_console
from kronos_installer.network.owner import find_owner
from kronos_installer.network.stack import BRIDGE, Management
from kronos_installer.problem import Level, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.facts import Facts
    from kronos_installer.grub_config import SerialConsole

# What is as true of a host that is set up as of one that is to be.
LASTING = frozenset({"xen-no-shadow-paging"})
SUPPORTED = {("debian", "12"), ("debian", "13")}


def check(facts: Facts, wished_nic: str = "") -> tuple[Management | None, tuple[Problem, ...]]:
    """Return the management interface, if it is clear, and all problems."""
    problems = [*_machine(facts), *_boot(facts), *_software(facts), *facts.unreadable]
    management: Management | None = None
    if not any(problem.id.startswith("interfaces-") for problem in facts.unreadable):
        claims = list(_foreign(facts))
        management, found = find_owner(facts.stacks, facts.nics, wished_nic)
        # Who else owns the network says more than "ifupdown configures none".
        problems += claims + [p for p in found if not claims or p.id != "management-unknown"]
        if management is not None:
            problems += _network(facts, management)
    return management, tuple(problems)


def _error(id_: str, title: str, at: str, remedy: str, description: str = "") -> Problem:
    return Problem(Level.ERROR, id_, title, description, at, remedy)


def _warning(id_: str, title: str, at: str, remedy: str = "") -> Problem:
    return Problem(Level.WARNING, id_, title, "", at, remedy)


def _machine(facts: Facts) -> Iterator[Problem]:
    machine = facts.machine
    if (machine.os_id, machine.os_version) not in SUPPORTED:
        yield _error("os-unsupported", f"{machine.os_id or 'this system'} {machine.os_version} is not supported yet",
                     "/etc/os-release:1", "use Debian 12 or 13")  # fmt: skip
    if "lm" not in machine.cpu_flags:
        yield _error(
            "cpu-unsupported",
            "the processor is not a 64-bit x86 one",
            "/proc/cpuinfo:1",
            "use another machine",
        )
    elif not machine.under_xen and not machine.cpu_flags & {"vmx", "svm"}:
        yield _warning("cpu-no-virtualization", "no hardware virtualisation: only PV guests will run",
                       "/proc/cpuinfo: neither vmx nor svm", "enable it in the firmware, if it has the setting")  # fmt: skip
    if 0 < facts.memory_mib < SMALLEST_HOST_MIB:
        yield _error("memory-too-small", f"{facts.memory_mib} MiB of memory are too little for Xen, dom0 and a guest",
                     "/proc/meminfo:1", f"{SMALLEST_HOST_MIB} MiB are the least")  # fmt: skip
    elif facts.memory_mib == 0 and not facts.unreadable:
        yield _error(
            "memory-unknown", "the size of the host's memory is not known", "/proc/meminfo:1", "mount /proc"
        )
    if machine.secure_boot:
        yield _error("secure-boot", "Secure Boot is on, and GRUB will not start an unsigned Xen then",
                     "the EFI variable SecureBoot is 1", "turn Secure Boot off in the firmware")  # fmt: skip


def _boot(facts: Facts) -> Iterator[Problem]:
    grub, machine = facts.grub, facts.machine
    if not grub.has_update_grub or not grub.menu:
        yield _error("grub-missing", "the host does not boot by a GRUB that update-grub configures",
                     "/usr/sbin/update-grub, /boot/grub/grub.cfg", "only GRUB is supported so far")  # fmt: skip
    elif not grub.has_xen_script:
        yield _error("grub-no-xen", "GRUB's script that makes Xen entries is missing", "/etc/grub.d/20_linux_xen",
                     "reinstall grub-common")  # fmt: skip
    if not machine.xen_images:
        yield _error(
            "xen-missing", "Xen is not installed", "/boot: no xen-*.gz", "apt-get install xen-system-amd64"
        )
    for path in machine.xen_without_shadow_paging:
        yield _warning(
            "xen-no-shadow-paging", "this Xen cannot migrate PV guests live, nor run HVM guests without nested paging",
            f"{path}: no CONFIG_SHADOW_PAGING=y", "install the Xen of Kronos' repository: docs/host-setup.md")  # fmt: skip
    if not machine.dom0_kernels:
        yield _error("kernel-no-dom0", "no installed kernel can be Xen's dom0", "/boot/config-*: no CONFIG_XEN_DOM0=y",
                     "apt-get install linux-image-amd64")  # fmt: skip
    if grub.next_entry:
        yield _warning("grub-next-entry", f"the next boot is already promised to {grub.next_entry!r}",
                       "/boot/grub/grubenv:2", "grub-editenv - unset next_entry")  # fmt: skip
    for assignment in grub.assignments:
        ours = assignment.at.startswith(f"{CONFIG_PATH}:")
        if not ours and re.match(r"GRUB_CMDLINE_(XEN|LINUX_XEN)", assignment.name):
            yield _warning("grub-own-xen-options", f"{assignment.name} is set already; it is kept and added to",
                           assignment.at)  # fmt: skip
    try:
        serial_console(facts)
    except ValueError as error:
        yield _warning(
            "serial-port", f"Xen cannot drive {error}: no console there after the reboot", "/proc/cmdline:1"
        )


def serial_console(facts: Facts) -> SerialConsole | None:
    """Return the serial console in use. Below Xen the kernel has none of its own, GRUB's defaults still name it.

    Raises ValueError for a port that Xen cannot drive.
    """
    text = facts.machine.kernel_command_line
    if facts.machine.under_xen:
        text = "\n".join(a.value for a in facts.grub.assignments if a.name.startswith("GRUB_CMDLINE_LINUX"))
    return parse_serial_console(text)


def _software(facts: Facts) -> Iterator[Problem]:
    if not facts.has_service:
        yield _error(
            "service-missing", f"{SERVICE} is not installed", "/lib/systemd/system", "apt-get install xapi"
        )


def _foreign(facts: Facts) -> Iterator[Problem]:
    """Yield other network managers' claims on the interfaces that ifupdown does not configure, or all."""
    configured = {name for stack in facts.stacks for name in stack.configured()}
    for nic in facts.nics:
        for claim in facts.owners.claims_on(nic.name):
            read = claim.manager in {stack.stack for stack in facts.stacks}
            if (
                not read
                and nic.kind in ("ethernet", "bond", "vlan", "bridge")
                and (claim.manager != "NetworkManager" or nic.name not in configured)
            ):
                yield _error("network-owner", f"{claim.manager} owns {nic.name}", claim.at,
                             "only ifupdown is supported so far: /etc/network/interfaces")  # fmt: skip
    ethernet = [nic.name for nic in facts.nics if nic.kind == "ethernet"]
    if facts.owners.network_manager and not configured & set(ethernet) and ethernet:
        yield _error("network-owner", f"NetworkManager owns {', '.join(ethernet)}",
                     "/etc/systemd/system/multi-user.target.wants/NetworkManager.service:1",
                     "only ifupdown is supported so far: /etc/network/interfaces")  # fmt: skip


def _network(facts: Facts, management: Management) -> Iterator[Problem]:
    nic = management.interface
    if facts.owners.manages_all:
        yield _error("network-owner", f"NetworkManager is told to manage ifupdown's interfaces, {nic} too",
                     facts.owners.manages_all, "set managed=false")  # fmt: skip
    if any(n.name == BRIDGE for n in facts.nics):
        yield _error("bridge-exists", f"there is an interface {BRIDGE} already", f"/sys/class/net/{BRIDGE}",
                     "remove what makes it")  # fmt: skip
    for mention in facts.owners.mentions_of(nic):
        if re.match(r"\s*interface\b", mention.text):
            yield _error("dhcp-interface", f"a DHCP client's section is for {nic}, the addresses will be {BRIDGE}'s",
                         mention.at, "make the section general, or remove it")  # fmt: skip
        else:
            yield _warning("names-interface", f"names {nic}; traffic of the host will be {BRIDGE}'s", mention.at,
                           f"see whether it should say {BRIDGE} after the reboot")  # fmt: skip
