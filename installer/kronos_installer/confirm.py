"""Who says that the host is reachable on its new network, and what follows from that: decisions over data. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kronos_installer.journal_state import Phase, State
from kronos_installer.problem import Level, Problem
from kronos_installer.wishes import Confirm, Wishes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.detect.gateways import Gateway

_DAY_MINUTES = 24 * 60


class Action(StrEnum):
    """What is to be done next after a boot, or after a switch of the running network."""

    NOTHING = "nothing"
    WAIT = "wait"
    CONFIRM = "confirm"
    FINISH = "finish"
    ROLL_BACK = "roll back"
    REBOOT = "reboot"


@dataclass(frozen=True)
class Sight:
    """What is seen of a host: the running boot, Xen, the seconds that are left, and who answered ("" for nobody).

    `reboot_boot` is the boot that the last rollback wants to end.
    """

    boot_id: str
    runs_xen: bool
    seconds_left: float
    answer: str = ""
    reboot_boot: str = ""


def is_awaited(state: State, boot_id: str) -> bool:
    """Tell whether the new network runs, or should, and nobody has confirmed it."""
    if state.phase is not Phase.APPLIED:
        return False
    # Before the reboot the old network runs, unless it was switched.
    return boot_id != state.boot_id or state.is_switched_under(boot_id)


def next_action(state: State, sight: Sight) -> Action:
    """Return what to do."""
    match state.phase:
        case Phase.CLEAN:
            return Action.REBOOT if sight.reboot_boot == sight.boot_id else Action.NOTHING
        case Phase.APPLIED if is_awaited(state, sight.boot_id):
            if sight.answer:
                return Action.CONFIRM
            return Action.WAIT if sight.seconds_left > 0 else Action.ROLL_BACK
        case Phase.CONFIRMED if sight.runs_xen:
            return Action.FINISH
        case Phase.ROLLING_BACK:
            return Action.ROLL_BACK
        case _:
            return Action.NOTHING


def gateways_to_answer(gateways: Sequence[Gateway]) -> tuple[str, ...]:
    """Return the addresses that answer: when the plan is made, those that must answer again."""
    return tuple(dict.fromkeys(gateway.address for gateway in gateways if gateway.answers))


def answer_of_gateways(state: State, gateways: Sequence[Gateway]) -> str:
    """Return who answered, "" unless all did that had answered before; one behind the old interface does not count."""
    old = {step.interface for step in state.network_steps}
    missing = set(state.gateways) - {
        one.address for one in gateways if one.answers and one.interface not in old
    }
    return f"gateway {', '.join(state.gateways)}" if state.gateways and not missing else ""


def why_not_confirmed(state: State) -> str:
    """Return why the new network was taken back, as a sentence's part."""
    wishes = state.wishes
    assert wishes is not None
    who = {
        Confirm.GATEWAY: f"the gateway ({', '.join(state.gateways)}) did not answer",
        Confirm.OPERATOR: "nobody ran 'xapi-host-setup confirm'",
        Confirm.MASTER: f"the pool's master ({wishes.pool.master if wishes.pool else ''}) was not reached",
    }
    return f"{who[wishes.confirm]} within {wishes.confirm_minutes} minutes"


def confirm_problems(gateways: Sequence[Gateway], wishes: Wishes, interface: str) -> Iterator[Problem]:
    """Yield what would make a confirmation impossible or vain. `interface` is the management interface, "" if unknown.

    A gateway behind another interface answers whatever becomes of this one.
    """
    behind = [gateway for gateway in gateways if interface in ("", gateway.interface)]
    if wishes.confirm is Confirm.GATEWAY and not gateways_to_answer(behind):
        silent = ", ".join(gateway.address for gateway in behind)
        where = f" behind {interface}" if interface else ""
        yield Problem(
            Level.ERROR, "no-gateway-answers",
            f"no gateway{where} answers by which the new network could be confirmed",
            "The network is taken back after the reboot unless the gateways answer that answer now.",
            f"gateways of `ip route show default`{where}: {silent}" if silent
            else f"`ip route show default`: no gateway{where}",
            "confirm it yourself after the reboot: --confirm operator",
        )  # fmt: skip
    if not 1 <= wishes.confirm_minutes <= _DAY_MINUTES:
        yield Problem(
            Level.ERROR, "confirm-minutes", f"the network cannot be confirmed within {wishes.confirm_minutes} minutes",
            diagnosis="--confirm-minutes", remediation=f"choose from 1 to {_DAY_MINUTES}",
        )  # fmt: skip
    if wishes.confirm is Confirm.MASTER and wishes.pool is None:
        yield Problem(
            Level.ERROR, "no-master", "the pool's master is to confirm the network, and no pool is to be joined",
            diagnosis="--confirm master", remediation="name the pool, or use --confirm gateway or operator",
        )  # fmt: skip
