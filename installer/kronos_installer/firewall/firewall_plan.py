"""What the firewalls of a host need: edits by kind, as steps and problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.detect.firewall import Firewall, FirewallKind
from kronos_installer.firewall.edit import OPEN_PORTS, Edited
from kronos_installer.firewall.firewalld_edit import edit_firewalld
from kronos_installer.firewall.iptables_edit import edit_iptables
from kronos_installer.firewall.nftables_edit import edit_nftables
from kronos_installer.firewall.ufw_edit import edit_ufw
from kronos_installer.network.stack import BRIDGE
from kronos_installer.problem import Level, Problem
from kronos_installer.steps.checked_file_step import CheckedFileStep
from kronos_installer.steps.file_step import FileStep

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.detect.system import SystemFacts
    from kronos_installer.steps.step import Step
    from kronos_installer.wishes import Wishes


def firewall_problems(system: SystemFacts, wishes: Wishes, nic: str) -> Iterator[Problem]:
    """Yield what the firewalls' edits cannot do."""
    for firewall in system.firewalls:
        yield from _edited(firewall, wishes, nic).problems


def firewall_steps(system: SystemFacts, wishes: Wishes, nic: str) -> Iterator[Step]:
    """Yield a step for each file. Before the reboot they change nothing: a boot loads them."""
    for firewall in system.firewalls:
        edited = _edited(firewall, wishes, nic)
        what = f"let the toolstack's port through, and hold for {BRIDGE} what holds for {nic}"
        # nftables' main file includes the others, and is asked about last.
        for path in sorted(edited.files, key=lambda path: path == next(iter(firewall.files))):
            before = firewall.files.get(path)
            reason, content = f"{firewall.kind}: {what}", edited.files[path]
            check = _check(firewall, path)
            if check:
                yield CheckedFileStep(path=path, content=content, before=before, reason=reason, check=check)
            else:
                yield FileStep(path=path, content=content, before=before, reason=reason)


def _edited(firewall: Firewall, wishes: Wishes, nic: str) -> Edited:
    files = {path: state.content for path, state in firewall.files.items()}
    ports: Sequence[int] = OPEN_PORTS if wishes.open_firewall else ()
    if firewall.kind is FirewallKind.OTHER:
        program = firewall.at.rpartition("/")[2].removesuffix(".service")
        return Edited({}, [Problem(Level.ERROR, "firewall-not-understood", f"{program} sets up a firewall whose rules are not "
                                   f"understood: what they allow on {nic} they would not allow on {BRIDGE}", "",
                                   f"{firewall.at}:1", "have nftables, firewalld, ufw or iptables load the rules")])  # fmt: skip
    if firewall.kind is FirewallKind.FIREWALLD:
        return edit_firewalld(files, firewall.zones, nic, ports)
    edits = {
        FirewallKind.NFTABLES: edit_nftables,
        FirewallKind.UFW: edit_ufw,
        FirewallKind.IPTABLES: edit_iptables,
    }
    return edits[firewall.kind](files, nic, ports)


def _check(firewall: Firewall, path: str) -> tuple[str, ...]:
    if firewall.kind is FirewallKind.NFTABLES:
        return ("nft", "--check", "--file", next(iter(firewall.files)))
    if firewall.kind is FirewallKind.IPTABLES:
        return ("ip6tables-restore" if "6" in path.rpartition("/")[2] else "iptables-restore", "--test", path)
    return ()
