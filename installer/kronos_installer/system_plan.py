"""Steps about the system besides its boot and its network: firewall, hostname, time servers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.detect.hostname import HOSTNAME, HOSTS
from kronos_installer.detect.system import SystemFacts, time_file
from kronos_installer.detect.time_sync import TimeService
from kronos_installer.firewall.firewall_plan import firewall_steps
from kronos_installer.hostname_edit import edit_hosts, hostname_file
from kronos_installer.steps.file_step import FileStep
from kronos_installer.time_edit import time_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.steps.step import Step
    from kronos_installer.wishes import Wishes


def system_steps(system: SystemFacts, wishes: Wishes, nic: str) -> Iterator[Step]:
    """Yield the steps, before those of the network: none changes what runs, a boot makes them true."""
    yield from firewall_steps(system, wishes, nic)
    yield from hostname_steps(system, wishes)
    yield from time_steps(system, wishes)


def hostname_steps(system: SystemFacts, wishes: Wishes) -> Iterator[Step]:
    """Yield what gives the host its name; hosts(5) first, so that the name resolves whenever it is the host's."""
    if not wishes.hostname:
        return
    hosts = _text(system, HOSTS)
    old = system.hostname.name or system.hostname.running
    yield from _file(
        system, HOSTS, edit_hosts(hosts, old, wishes.hostname), "the new name resolves without a network"
    )
    yield from _file(
        system, HOSTNAME, hostname_file(wishes.hostname), "the host's name, from the next boot on"
    )


def time_steps(system: SystemFacts, wishes: Wishes) -> Iterator[Step]:
    """Yield what has the clock follow the wished servers."""
    path = time_file(system.time_sync)
    if not wishes.ntp_servers or not path:
        return
    own = system.time_sync.service is TimeService.TIMESYNCD or bool(system.time_sync.sources)
    text = time_config(system.time_sync.service, wishes.ntp_servers, _text(system, path), own_file=own)
    yield from _file(system, path, text, "the time is taken from these servers, from the next boot on")


def _text(system: SystemFacts, path: str) -> str:
    before = system.originals.get(path)
    return before.content.decode("latin-1") if before else ""


def _file(system: SystemFacts, path: str, text: str, reason: str) -> Iterator[Step]:
    content, before = text.encode("latin-1"), system.originals.get(path)
    if path not in system.unsuitable and (before is None or before.content != content):
        yield FileStep(path=path, content=content, before=before, reason=reason)
