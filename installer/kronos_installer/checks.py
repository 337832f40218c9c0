"""What stands in the way on this host: pure, from its facts. No ERROR among them: the host can be set up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.boot_checks import boot_problems
from kronos_installer.confirm import confirm_problems
from kronos_installer.detect.release import install_by_hand
from kronos_installer.dom0_memory import SMALLEST_HOST_MIB
from kronos_installer.facts import SERVICE
from kronos_installer.network.owner import find_owner
from kronos_installer.network.stack import BRIDGE, Management, StackName
from kronos_installer.network.sysctl_carry import carry_problems
from kronos_installer.packages import release_problems
from kronos_installer.pool_checks import pool_problems
from kronos_installer.problem import Level, Problem
from kronos_installer.storage import storage_problems
from kronos_installer.system_checks import system_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.facts import Facts
    from kronos_installer.wishes import Wishes


def check(facts: Facts, wishes: Wishes) -> tuple[Management | None, tuple[Problem, ...]]:
    """Return the management interface, if it is clear, and all problems."""
    problems = [*release_problems(facts), *_machine(facts), *boot_problems(facts), *_software(facts)]
    problems += [
        *facts.unreadable,
        *storage_problems(facts, wishes),
    ]
    management: Management | None = None
    if not any(problem.id.startswith("interfaces-") for problem in facts.unreadable):
        management, found = find_owner(facts.stacks, facts.nics, wishes.management_interface)
        problems += found
        if management is not None:
            problems += _network(facts, management)
    interface = management.interface if management else ""
    problems += [
        *confirm_problems(facts.gateways, wishes, interface),
        *system_problems(facts.system, wishes, interface),
        *pool_problems(facts, wishes, management),
    ]
    return management, tuple(problems)


def _error(id_: str, title: str, at: str, remedy: str, description: str = "") -> Problem:
    return Problem(Level.ERROR, id_, title, description, at, remedy)


def _warning(id_: str, title: str, at: str, remedy: str = "") -> Problem:
    return Problem(Level.WARNING, id_, title, "", at, remedy)


def _machine(facts: Facts) -> Iterator[Problem]:
    machine = facts.machine
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
    elif facts.memory_mib == 0 and not any(problem.id == "memory-unknown" for problem in facts.unreadable):
        yield _error(
            "memory-unknown", "the size of the host's memory is not known", "/proc/meminfo:1", "mount /proc"
        )


def _software(facts: Facts) -> Iterator[Problem]:
    if not facts.has_service:
        yield _error(
            "service-missing",
            f"{SERVICE} is not installed",
            "/lib/systemd/system",
            install_by_hand(facts.machine, "xapi"),
        )


def _network(facts: Facts, management: Management) -> Iterator[Problem]:
    nic = management.interface
    if facts.owners.manages_all and management.stack is StackName.IFUPDOWN:
        yield _error("network-owner", f"NetworkManager is told to manage ifupdown's interfaces, {nic} too",
                     facts.owners.manages_all, "set managed=false")  # fmt: skip
    if any(n.name == BRIDGE for n in facts.nics):
        yield _error("bridge-exists", f"there is an interface {BRIDGE} already", f"/sys/class/net/{BRIDGE}",
                     "remove what makes it")  # fmt: skip
    if not management.mac and any(n.name == nic for n in facts.nics):
        yield _error("nic-address", f"{nic} shows no Ethernet address, which {BRIDGE} would get",
                     f"/sys/class/net/{nic}/address:1", "see what 'ip link' shows of it")  # fmt: skip
    for at in facts.owners.firewall_lines:
        yield _warning("firewall-by-script", "rules of a firewall are set by a script: whether they hold for "
                       f"{BRIDGE} as for {nic} is not looked at", at,
                       "have nftables, firewalld, ufw or iptables load the rules")  # fmt: skip
    yield from carry_problems(facts.sysctl, management)
    for mention in facts.owners.mentions_of(nic):
        if re.match(r"\s*interface\b", mention.text):
            yield _error("dhcp-interface", f"a DHCP client's section is for {nic}, the addresses will be {BRIDGE}'s",
                         mention.at, "make the section general, or remove it")  # fmt: skip
        else:
            yield _warning("names-interface", f"names {nic}; traffic of the host will be {BRIDGE}'s", mention.at,
                           f"see whether it should say {BRIDGE} after the reboot")  # fmt: skip
