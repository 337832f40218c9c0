"""Keeps the records true to the hypervisor: guests that shut down, reboot, crash or are destroyed.

`decide` is pure; `GuestWatch` reads the hypervisor whenever it says that something may
have changed, and does what was decided. It runs once at start-up too, which is how a
restarted daemon knows the guests that were running all along. The hypervisor tells of a
change once: whatever kept a look from seeing it or acting on it is followed by another.

In a pool each host watches its own guests, and the master those that run nowhere. A VM whose domain is here
although it is recorded to run on another host is one too many: this host was taken for dead, and the VM was
started there. Two that write one disk destroy it, so the domain here is paused; which of them is to go is for
people to say (xl), and nothing is lost until they have. When that other host records that it does not run the VM,
the domain here is recorded as any other.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from xapi_shim.api.operations import update_vm
from xapi_shim.api.own_host import belongs_here, is_reserved_elsewhere, is_resident_here, runs_elsewhere
from xapi_shim.api.vm_power import destroy_domain
from xapi_shim.api.vm_start import record_devices, record_halted, record_running, start_domain
from xapi_shim.base.errors import KronosError
from xapi_shim.datamodel.errors import XenAPIError
from xapi_shim.xen.interface import Devices, DomainInfo, RunState, ShutdownReason

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Toolstack

log = logging.getLogger(__name__)

# How soon to look again after trouble, in seconds; doubled each time up to the longest.
RETRY_S = 0.5
LONGEST_RETRY_S = 60.0


class Reaction(StrEnum):
    """What to do about one VM."""

    NOTHING = "nothing"
    RECORD_HALTED = "record that it is gone"
    RECORD_RUNNING = "record that it runs"
    RECORD_PAUSED = "record that it is paused"
    DESTROY = "destroy what is left of it"
    RESTART = "start it anew"
    LOOK_AGAIN = "wait until it is gone"
    HOLD = "pause what is one too many: it runs on another host"


@dataclass(frozen=True)
class Recorded:
    """What the database says of a VM: `elsewhere` that it runs on another host, `foreign` that its record is not ours."""

    power_state: str
    domid: int
    after_shutdown: str
    after_reboot: str
    after_crash: str
    elsewhere: bool = False
    foreign: bool = False


def decide(vm: Recorded, domain: DomainInfo | None) -> Reaction:
    """Return what the difference between a VM's record and its domain asks for."""
    if vm.elsewhere:
        running = domain is not None and domain.run_state is RunState.RUNNING
        return Reaction.HOLD if running else Reaction.NOTHING
    if domain is None and vm.foreign:
        return Reaction.NOTHING
    if domain is None or domain.run_state is RunState.DYING:
        if vm.power_state not in ("Running", "Paused"):
            return Reaction.NOTHING
        # Xen tells when a domain dies, not when the last of its memory is given back.
        return Reaction.RECORD_HALTED if domain is None else Reaction.LOOK_AGAIN
    if domain.run_state is RunState.SHUTDOWN:
        return _after(vm, domain.shutdown_reason)
    state = "Paused" if domain.run_state is RunState.PAUSED else "Running"
    if vm.power_state == state and vm.domid == domain.domid:
        return Reaction.NOTHING
    return Reaction.RECORD_PAUSED if state == "Paused" else Reaction.RECORD_RUNNING


def _after(vm: Recorded, reason: ShutdownReason | None) -> Reaction:
    if reason is ShutdownReason.REBOOT:
        return Reaction.RESTART if vm.after_reboot == "restart" else Reaction.DESTROY
    if reason is ShutdownReason.POWEROFF:
        return Reaction.RESTART if vm.after_shutdown == "restart" else Reaction.DESTROY
    if reason is ShutdownReason.SUSPEND:
        return Reaction.NOTHING
    if "restart" in vm.after_crash:
        return Reaction.RESTART
    if vm.after_crash == "preserve":
        return Reaction.NOTHING if vm.power_state == "Paused" else Reaction.RECORD_PAUSED
    return Reaction.DESTROY


class GuestWatch:
    """Follows the hypervisor's changes until cancelled."""

    def __init__(self, tools: Toolstack) -> None:
        self._tools = tools
        self._acting: dict[str, asyncio.Task[None]] = {}
        self._wanted = asyncio.Event()
        # VMs at which a look found another at work; what that one read may be older than the change.
        self._missed: set[str] = set()
        # How often in a row each VM's reaction failed; "" is the reading of the domains.
        self._failures: dict[str, int] = {}

    async def run(self) -> None:
        """React to every change; an error in one look is logged, and another look taken soon."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                try:
                    await self.look()
                except (KronosError, XenAPIError):
                    log.exception("cannot read the domains, or write what they say")
                    self._retry("")

    def wake(self) -> None:
        """Have a look taken soon."""
        self._wanted.set()

    async def _listen(self) -> None:
        async for _ in self._tools.hypervisor.changes():
            self._wanted.set()

    def _retry(self, vm: str) -> None:
        """Have a look taken again, the later the more often it failed."""
        failures = self._failures[vm] = self._failures.get(vm, 0) + 1
        delay = min(RETRY_S * 2 ** min(failures - 1, 30), LONGEST_RETRY_S)
        asyncio.get_running_loop().call_later(delay, self._wanted.set)

    async def look(self) -> None:
        """Compare all VMs with their domains and act; guests do not wait for each other."""
        domains = {d.uuid: d for d in await self._tools.hypervisor.domains()}
        self._failures.pop("", None)
        for vm in self._tools.db.refs("VM"):
            if vm in self._acting:
                self._missed.add(vm)
            elif self._passed_over(vm) or self._reaction(vm, domains) is Reaction.NOTHING:
                self._failures.pop(vm, None)
            else:
                self._acting[vm] = asyncio.create_task(self._act(vm))

    async def settle(self) -> None:
        """Look once and wait until everything found is dealt with (start-up, tests)."""
        await self.look()
        await asyncio.gather(*self._acting.values())
        await self._settle_devices()

    async def _settle_devices(self) -> None:
        """Record what guests' domains have: a daemon that was killed may have left it half-way. Raises XenError."""
        db = self._tools.db
        with db.transaction():
            for vbd in db.refs("VBD"):
                if not is_reserved_elsewhere(self._tools, vbd):
                    db.set("VBD", vbd, "reserved", value=False)
        guests = [
            vm
            for vm in db.refs("VM")
            if db.number("VM", vm, "domid") > 0
            and is_resident_here(self._tools, vm)
            and not self._passed_over(vm)
        ]
        found = await self._tools.hypervisor.devices({db.number("VM", vm, "domid") for vm in guests})
        with db.transaction():
            for vm in guests:
                record_devices(db, vm, found.get(db.number("VM", vm, "domid"), Devices()))
                update_vm(db, vm)

    def _passed_over(self, vm: str) -> bool:
        db = self._tools.db
        return db.flag("VM", vm, "is_control_domain") or db.flag("VM", vm, "is_a_template")

    def _reaction(self, vm: str, domains: dict[str, DomainInfo]) -> Reaction:
        return decide(_recorded(self._tools, vm), domains.get(self._tools.db.text("VM", vm, "uuid")))

    async def _act(self, vm: str) -> None:
        """Look again under the VM's lock, and do what that says; look once more after what failed or was missed."""
        try:
            async with self._tools.domain_locks[vm]:
                again = await self._act_locked(vm)
        except (KronosError, XenAPIError) as error:
            # Records too may refuse: a full disk, a master that does not answer.
            log.error("VM %s: %s", vm, error)
            again = True
        finally:
            del self._acting[vm]
            if vm in self._missed:
                self._missed.discard(vm)
                self._wanted.set()
        if again:
            self._retry(vm)
        else:
            self._failures.pop(vm, None)

    async def _act_locked(self, vm: str) -> bool:
        """Do what a fresh look says; return whether to look again. Raises XenError, XenAPIError.

        A message that was at work on the domain was waited for: what happened meanwhile (a guest
        that crashed as soon as it was started) is found then.
        """
        tools = self._tools
        domains = {d.uuid: d for d in await tools.hypervisor.domains()}
        if not tools.db.exists("VM", vm):
            return False
        uuid = tools.db.text("VM", vm, "uuid")
        reaction = self._reaction(vm, domains)
        if reaction in (Reaction.NOTHING, Reaction.LOOK_AGAIN):
            return reaction is Reaction.LOOK_AGAIN
        log.info("VM %s: %s", uuid, reaction)
        try:
            await self._do(vm, reaction, domains.get(uuid))
        finally:  # a restart that fails leaves another state, too
            if tools.db.exists("VM", vm):
                update_vm(tools.db, vm)
        return False

    async def _do(self, vm: str, reaction: Reaction, domain: DomainInfo | None) -> None:
        tools = self._tools
        if reaction is Reaction.RECORD_HALTED:
            record_halted(tools, vm)
        elif reaction is Reaction.HOLD and domain is not None:
            await tools.hypervisor.pause(domain.domid)
        elif reaction in (Reaction.DESTROY, Reaction.RESTART) and domain is not None:
            tools.db.set("VM", vm, "domid", domain.domid)
            if reaction is Reaction.DESTROY:
                await destroy_domain(tools, vm)
            else:
                await self._restart(vm)
        elif reaction in (Reaction.RECORD_PAUSED, Reaction.RECORD_RUNNING) and domain is not None:
            state = "Paused" if reaction is Reaction.RECORD_PAUSED else "Running"
            found = await tools.hypervisor.devices([domain.domid])
            record_running(tools, vm, domain.domid, state, found.get(domain.domid, Devices()))

    async def _restart(self, vm: str) -> None:
        """Replace the domain; the VM's record stays Running all through, unless it cannot be started."""
        tools = self._tools
        domid = tools.db.number("VM", vm, "domid")
        if tools.replica is not None:
            # A start cannot be recorded while the master is away: till then the guest stays as it is.
            await tools.replica.catch_up()
        await tools.hypervisor.destroy(domid)
        try:
            await start_domain(tools, vm, paused=False, again=True)
        except XenAPIError:
            record_halted(tools, vm)
            raise


def _recorded(tools: Toolstack, vm: str) -> Recorded:
    db = tools.db
    return Recorded(
        db.text("VM", vm, "power_state"),
        db.number("VM", vm, "domid"),
        db.text("VM", vm, "actions_after_shutdown"),
        db.text("VM", vm, "actions_after_reboot"),
        db.text("VM", vm, "actions_after_crash"),
        elsewhere=runs_elsewhere(tools, vm),
        foreign=not belongs_here(tools, vm),
    )
