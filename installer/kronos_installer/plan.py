"""Facts and wishes in, ordered steps out. Pure: the same in, the same out, nothing changed.

The order keeps the host reachable when power fails between any two steps: what nobody reads
yet comes first; the network configuration is all new or all old after a boot, and works with and
without Xen; the boot default comes last, when all that Xen's boot needs is there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kronos_installer import identity
from kronos_installer.boot_steps import boot_steps, dom0_size
from kronos_installer.checks import check
from kronos_installer.confirm import gateways_to_answer
from kronos_installer.dead_man import dead_man_steps
from kronos_installer.detect.pool_conf import POOL_CONF
from kronos_installer.detect.pool_master import PoolMaster
from kronos_installer.facts import GUEST_KERNELS, INVENTORY, LEASE_FILES, SERVICE
from kronos_installer.network.owner import config_of
from kronos_installer.network.stack import BRIDGE, StackName
from kronos_installer.network.sysctl_carry import SYSCTL_PATH, carry
from kronos_installer.packages import package_problems, package_steps
from kronos_installer.problem import Level, Problem, ProblemError, RefusedError
from kronos_installer.steps.directory_step import DirectoryStep
from kronos_installer.steps.file_step import FileStep
from kronos_installer.steps.network_step import FileChange, NetworkStep
from kronos_installer.steps.pool_join_step import PoolJoinStep
from kronos_installer.steps.service_step import ServiceStep
from kronos_installer.storage import storage_steps
from kronos_installer.system_plan import system_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.facts import Facts
    from kronos_installer.network.stack import Management, NetworkEdit
    from kronos_installer.steps.step import Step
    from kronos_installer.wishes import Wishes

NETWORK_NOTICE = (
    "The running network is not touched. At the reboot the host is away for as long as the reboot takes; "
    f"then {BRIDGE} has the addresses."
)


@dataclass(frozen=True)
class Plan:
    """What will be done. `problems` has no ERROR.

    `wishes` are the ones it was made for, with the management interface and dom0's memory that were chosen.
    """

    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]
    wishes: Wishes
    # Those that answer now, and must again on the new network (kronos_installer.confirm).
    gateways: tuple[str, ...] = ()

    @property
    def needs_reboot(self) -> bool:
        """Whether a part of it waits for the next boot."""
        return any(step.needs_reboot for step in self.steps)


def make_plan(facts: Facts, wishes: Wishes) -> Plan:
    """Return the plan. Raises RefusedError with all problems, Dom0MemoryError and Dom0VcpusError for impossible wishes."""
    management, problems = check(facts, wishes)
    if management is None or any(problem.level is Level.ERROR for problem in problems):
        raise RefusedError(problems)
    dom0 = dom0_size(facts, wishes.dom0_memory_mib, wishes.dom0_vcpus)
    try:
        edit = config_of(facts.stacks, management).move_to_bridge(management, wishes.network_backend)
    except ProblemError as error:
        raise RefusedError((*problems, error.problem)) from error
    storage = tuple(storage_steps(facts, wishes))
    if unmet := tuple(package_problems(facts, wishes, edit.needs)):
        raise RefusedError((*problems, *unmet))
    steps = (
        *package_steps(facts, wishes, edit.needs),
        *_identity_steps(facts, wishes, management),
        *_lease_steps(facts, management),
        *_sysctl_steps(facts, management),
        *_service_steps(facts),
        *system_steps(facts.system, wishes, management.interface),
        *dead_man_steps(),
        *(step for step in storage if not step.after_reboot),
        _network_step(facts, edit, management),
        *boot_steps(facts, dom0),
        # What is made before the join joins along, and the pool's defaults stay the pool's.
        *(step for step in storage if step.after_reboot),
        *_pool_steps(facts, wishes),
    )
    chosen = replace(
        wishes,
        management_interface=management.interface,
        dom0_memory_mib=dom0.memory_mib,
        dom0_vcpus=dom0.vcpus,
    )
    return Plan(steps, problems, chosen, gateways_to_answer(facts.gateways))


def _file(facts: Facts, path: str, content: str, reason: str, *, shared: bool = False) -> FileStep:
    before = facts.originals[path]
    return FileStep(path=path, content=content.encode("latin-1"), before=before, reason=reason, shared=shared)


def _identity_steps(facts: Facts, wishes: Wishes, management: Management) -> Iterator[Step]:
    before = facts.originals[INVENTORY]
    old = before.content.decode("latin-1") if before else ""
    new = identity.merge_inventory(
        old,
        {"MANAGEMENT_INTERFACE": BRIDGE, "MANAGEMENT_ADDRESS_TYPE": management.address_type},
        {
            "PRODUCT_BRAND": "Kronos",
            "PRODUCT_NAME": "kronos",
            "PLATFORM_NAME": "Kronos",
            "INSTALLATION_UUID": wishes.installation_uuid,
            "CONTROL_DOMAIN_UUID": wishes.control_domain_uuid,
        },
    )
    if new != old:
        yield _file(
            facts, INVENTORY, new, "the host's and dom0's uuids, and its management interface", shared=True
        )
    if facts.originals[POOL_CONF] is None:
        yield _file(
            facts, POOL_CONF, identity.POOL_CONF, "the host is the master of its own pool", shared=True
        )
    if not facts.has_guest_kernels:
        yield DirectoryStep(path=GUEST_KERNELS, reason="where guests' kernels may be taken from")


def _lease_steps(facts: Facts, management: Management) -> Iterator[Step]:
    """Yield what lets dhclient ask as the same client on the bridge.

    ifupdown runs it with `-i`: its DUID, which servers know it by, is in the lease file of
    the interface's name; without it a new one is made up, and another address may come.
    """
    if not management.uses_dhcp or management.stack is not StackName.IFUPDOWN:
        return
    for pattern in LEASE_FILES:
        leases = facts.leases.get(pattern.format(management.interface))
        if leases:
            text = leases.replace(f'interface "{management.interface}"', f'interface "{BRIDGE}"')
            yield _file(
                facts, pattern.format(BRIDGE), text, "the DHCP client's identity and lease", shared=True
            )


def _sysctl_steps(facts: Facts, management: Management) -> Iterator[Step]:
    """Yield what has the bridge behave as the interface does, before there is a bridge that would behave otherwise."""
    carried = carry(facts.sysctl, management)
    if carried.settings:
        reason = f"what sysctl.d(5) sets of {management.interface} is set of {BRIDGE} too"
        yield _file(facts, SYSCTL_PATH, carried.content(management.interface), reason)


def _service_steps(facts: Facts) -> Iterator[Step]:
    if not facts.service_enabled:
        yield ServiceStep(unit=SERVICE, reason="the toolstack's daemon starts at every boot into Xen")


def _pool_steps(facts: Facts, wishes: Wishes) -> Iterator[Step]:
    if wishes.pool is not None:
        assert isinstance(facts.pool_master, PoolMaster)
        yield PoolJoinStep(
            master=wishes.pool.master,
            address=facts.pool_master.address,
            username=wishes.pool.username,
            password_file=wishes.pool.password_file,
            fingerprint=facts.pool_master.fingerprint,
            reason="the host becomes a member of that pool, with what it has",
        )


def _network_step(facts: Facts, edit: NetworkEdit, management: Management) -> Step:
    changes = [
        FileChange(path, content, facts.originals[path], edit.modes.get(path))
        for path, content in edit.files.items()
    ]
    return NetworkStep(
        reason=f"{management.interface} becomes a port of {BRIDGE}, which takes over its addresses",
        files=tuple(changes),
        interface=management.interface,
        switch=edit.switch,
        switch_back=edit.switch_back,
    )
