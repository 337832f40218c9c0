"""A host that is set up, rebooted and watched: its clock, its boots, and a network that follows its files."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from installer_kit import HERE, FakeCommands, make_host, put, snapshot

from kronos_installer import executor
from kronos_installer.facts import read_facts
from kronos_installer.grub_environment import NEXT_ENTRY, parse_environment, without
from kronos_installer.guard import guard
from kronos_installer.plan import Plan, make_plan
from kronos_installer.settle import Surroundings, settle
from kronos_installer.steps.file_step import FileStep
from kronos_installer.wishes import Wishes
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host
    from kronos_installer.journal import State
    from kronos_installer.wishes import Confirm

QUIET = Reporter(io.StringIO())
TWO_FILES = HERE / "cases/configured_in_two_files/host"
LATER = "/etc/xapi-later.conf"
ENVIRONMENT = "/boot/grub/grubenv"
BOOT_ID = "/proc/sys/kernel/random/boot_id"


@dataclass(frozen=True, kw_only=True)
class LaterStep(FileStep):
    """A file that waits for the reboot."""

    kind = "test-later"
    after_reboot = True


@dataclass
class Clock:
    """Seconds since the boot; every pause takes `step` of them. `masters` accept connections."""

    seconds: float = 20
    step: float = 50
    masters: set[str] = field(default_factory=set)

    def around(self) -> Surroundings:
        return Surroundings(lambda: self.seconds, self.pause, self.masters.__contains__)

    def pause(self) -> None:
        self.seconds += self.step


def wishes(confirm: Confirm | None = None) -> Wishes:
    chosen = Wishes("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
    return chosen if confirm is None else replace(chosen, confirm=confirm)


def commands_of(host: Host) -> FakeCommands:
    assert isinstance(host.runner, FakeCommands)
    return host.runner


def plan_for(host: Host, wished: Wishes | None = None) -> Plan:
    """Return the real plan, with a network step of two files, and a step that waits for the reboot."""
    wished = wished or wishes()
    # No master is there to be asked: the plan is made as for a pool of one's own.
    alone = replace(wished, pool=None, confirm=wishes().confirm) if wished.pool else wished
    plan = make_plan(read_facts(host, host.runner), alone)
    later = LaterStep(reason="a test", path=LATER, content=b"later\n", before=None)
    chosen = replace(plan.wishes, pool=wished.pool, confirm=wished.confirm)
    return replace(plan, steps=(*plan.steps, later), wishes=chosen)


def fresh_host(folder: Path) -> Host:
    return make_host(folder, TWO_FILES)


def applied_host(folder: Path, wished: Wishes | None = None) -> Host:
    host = fresh_host(folder)
    executor.apply(plan_for(host, wished), host, QUIET)
    return host


def network_files(host: Host) -> dict[str, tuple[str, int, bytes]]:
    return {path: found for path, found in snapshot(host).items() if path.startswith("/etc/network")}


def follow_files(host: Host) -> None:
    """Bring the network up as the files say."""
    on_bridge = any(b"iface xenbr0" in content for _, _, content in network_files(host).values())
    commands_of(host).default_route = "xenbr0" if on_bridge else "enp0s3"
    shutil.rmtree(host.at("/sys/class/net/xenbr0"), ignore_errors=True)
    if on_bridge:
        host.at("/sys/class/net/xenbr0").mkdir()


def boot(host: Host, *, xen: bool = False, guarded: Host | None = None) -> None:
    """Boot: another boot id, nothing in /run, the guard, then the network; `guarded` is the host as the guard has it."""
    put(host, BOOT_ID, f"boot after {host.boot_id()}\n")
    shutil.rmtree(host.at("/run"), ignore_errors=True)
    host.at("/sys/hypervisor/type").unlink(missing_ok=True)
    if xen:
        put(host, "/sys/hypervisor/type", "xen\n")
    guard(guarded or host, QUIET)
    follow_files(host)


def settled(host: Host, clock: Clock | None = None) -> State:
    return settle(host, (clock or Clock()).around(), QUIET)


def files(host: Host) -> dict[str, tuple[str, int, bytes]]:
    """Return what is on the host's disks, without what every boot makes anew: the choice of the next one, too."""
    anew = ("/run", "/proc", "/sys")
    found = {path: was for path, was in snapshot(host).items() if not path.startswith(anew)}
    kind, mode, block = found[ENVIRONMENT]
    left = without(parse_environment(block.decode()), NEXT_ENTRY)
    return found | {ENVIRONMENT: (kind, mode, repr(left).encode())}
