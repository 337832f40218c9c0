"""Keeps the records true to the hypervisor: guests that shut down, reboot, crash or are destroyed.

`decide` is pure; `GuestWatch` reads the hypervisor whenever it says that something may
have changed, and does what was decided. It runs once at start-up too, which is how a
restarted daemon knows the guests that were running all along.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from xapi_shim.api.operations import update_vm
from xapi_shim.api.vm_power import destroy_domain
from xapi_shim.api.vm_start import record_halted, record_running, start_domain
from xapi_shim.datamodel.errors import XenAPIError
from xapi_shim.xen.interface import DomainInfo, RunState, ShutdownReason, XenError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Toolstack
    from xapi_shim.database.database import Database

log = logging.getLogger(__name__)


class Reaction(StrEnum):
    """What to do about one VM."""

    NOTHING = "nothing"
    RECORD_HALTED = "record that it is gone"
    RECORD_RUNNING = "record that it runs"
    RECORD_PAUSED = "record that it is paused"
    DESTROY = "destroy what is left of it"
    RESTART = "start it anew"


@dataclass(frozen=True)
class Recorded:
    """What the database says of a VM."""

    power_state: str
    domid: int
    after_shutdown: str
    after_reboot: str
    after_crash: str


def decide(vm: Recorded, domain: DomainInfo | None) -> Reaction:
    """Return what the difference between a VM's record and its domain asks for."""
    if domain is None or domain.run_state is RunState.DYING:
        alive = vm.power_state in ("Running", "Paused")
        return Reaction.RECORD_HALTED if alive and domain is None else Reaction.NOTHING
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

    async def run(self) -> None:
        """React to every change; an error in one look is logged and the next change looked at."""
        async for _ in self._tools.hypervisor.changes():
            try:
                await self.look()
            except (XenError, XenAPIError):
                log.exception("cannot read the domains")

    async def look(self) -> None:
        """Compare all VMs with their domains and act; guests do not wait for each other."""
        domains = {d.uuid: d for d in await self._tools.hypervisor.domains()}
        for vm in self._tools.db.refs("VM"):
            if self._passed_over(vm):
                continue
            reaction = self._reaction(vm, domains)
            if reaction is not Reaction.NOTHING:
                acting = asyncio.create_task(self._act(vm))
                self._acting[vm] = acting
                acting.add_done_callback(lambda _, vm=vm: self._acting.pop(vm, None))  # type: ignore[misc]

    async def settle(self) -> None:
        """Look once and wait until everything found is dealt with (start-up, tests)."""
        await self.look()
        await asyncio.gather(*self._acting.values())

    def _passed_over(self, vm: str) -> bool:
        db = self._tools.db
        return (
            vm in self._acting
            or not db.exists("VM", vm)
            or db.flag("VM", vm, "is_control_domain")
            or db.flag("VM", vm, "is_a_template")
        )

    def _reaction(self, vm: str, domains: dict[str, DomainInfo]) -> Reaction:
        return decide(_recorded(self._tools.db, vm), domains.get(self._tools.db.text("VM", vm, "uuid")))

    async def _act(self, vm: str) -> None:
        """Look again under the VM's lock, and do what that says.

        A message that is at work on the domain is waited for: what happened meanwhile (a guest
        that crashed as soon as it was started) is found then.
        """
        tools = self._tools
        async with tools.domain_locks[vm]:
            domains = {d.uuid: d for d in await tools.hypervisor.domains()}
            if not tools.db.exists("VM", vm):
                return
            domain = domains.get(tools.db.text("VM", vm, "uuid"))
            reaction = self._reaction(vm, domains)
            if reaction is Reaction.NOTHING:
                return
            log.info("VM %s: %s", tools.db.text("VM", vm, "uuid"), reaction)
            try:
                await self._do(vm, reaction, domain)
            except XenAPIError as error:
                log.error("VM %s: %s: %s", tools.db.text("VM", vm, "uuid"), reaction, error)
        if tools.db.exists("VM", vm):
            update_vm(tools.db, vm)

    async def _do(self, vm: str, reaction: Reaction, domain: DomainInfo | None) -> None:
        tools = self._tools
        if reaction is Reaction.RECORD_HALTED:
            record_halted(tools, vm)
        elif reaction in (Reaction.DESTROY, Reaction.RESTART) and domain is not None:
            tools.db.set("VM", vm, "domid", domain.domid)
            if reaction is Reaction.DESTROY:
                await destroy_domain(tools, vm)
            else:
                await self._restart(vm)
        elif reaction in (Reaction.RECORD_PAUSED, Reaction.RECORD_RUNNING) and domain is not None:
            state = "Paused" if reaction is Reaction.RECORD_PAUSED else "Running"
            record_running(tools, vm, domain.domid, state, started=False)

    async def _restart(self, vm: str) -> None:
        """Replace the domain; the VM's record stays Running all through, unless it cannot be started."""
        tools = self._tools
        domid = tools.db.number("VM", vm, "domid")
        await tools.hypervisor.destroy(domid)
        try:
            await start_domain(tools, vm, paused=False)
        except XenAPIError:
            record_halted(tools, vm)
            raise


def _recorded(db: Database, vm: str) -> Recorded:
    return Recorded(
        db.text("VM", vm, "power_state"),
        db.number("VM", vm, "domid"),
        db.text("VM", vm, "actions_after_shutdown"),
        db.text("VM", vm, "actions_after_reboot"),
        db.text("VM", vm, "actions_after_crash"),
    )
