"""Who says that the host is reachable on its new network, and what follows from that: decisions over data. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kronos_installer.journal_state import Phase, State
from kronos_installer.network.stack import BRIDGE
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
    CHANGE_BACK = "take a reconfigure back"
    END_CHANGE_BACK = "let Xen boot by itself again"


@dataclass(frozen=True)
class Sight:
    """What is seen of a host: the running boot, Xen, the seconds that are left, and who answered ("" for nobody).

    `reboot_boot` is the boot that the last rollback, or the last reconfigure that was taken back, wants to end.
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


def is_xen_awaited(state: State, boot_id: str, *, runs_xen: bool) -> bool:
    """Tell whether Xen is tried: with a network that has only been seen to work without it, or with other options.

    What Xen makes of the network's hardware nobody knows before: as the default it could not be got rid of from afar.
    """
    if state.phase is Phase.TRYING:
        # Before the reboot it runs with the old options.
        return runs_xen and boot_id != state.boot_id
    if state.is_back_but_default:
        # Until that boot ends Xen runs with the options that are taken back, if it runs.
        return runs_xen and boot_id not in (state.boot_id, state.reboot_boot)
    # Where Xen is no try (GRUB cannot forget a choice there) an operator who confirmed was not told to do so twice.
    by_gateway = state.is_trying_xen or bool(state.gateways)
    return state.phase is Phase.CONFIRMED and runs_xen and by_gateway and not state.confirmed_xen


def seconds_to_confirm(minutes: int, boots_before: int) -> float:
    """Return how long a boot waits for the confirmation that `boots_before` earlier ones did not get.

    Each halves the time, down to a minute: a host that crashes, or that somebody who cannot reach it keeps switching off
    and on, gets its old network back, too.
    """
    # More than a day's minutes have are none.
    halves: int = 2 ** min(boots_before, _DAY_MINUTES.bit_length())
    return max(60.0, 60.0 * minutes / halves)


def next_action(state: State, sight: Sight) -> Action:
    """Return what to do."""
    match state.phase:
        case Phase.CLEAN:
            return Action.REBOOT if sight.reboot_boot == sight.boot_id else Action.NOTHING
        case Phase.APPLIED if is_awaited(state, sight.boot_id):
            if sight.answer:
                return Action.CONFIRM
            return Action.WAIT if sight.seconds_left > 0 else Action.ROLL_BACK
        case Phase.TRYING | Phase.RECONFIGURING | Phase.CHANGING_BACK:
            return _action_of_reconfigure(state, sight)
        case Phase.CONFIRMED:
            return _action_when_confirmed(state, sight)
        case Phase.FINISHED if sight.boot_id:
            return Action.REBOOT if sight.reboot_boot == sight.boot_id else Action.NOTHING
        case Phase.ROLLING_BACK:
            return Action.ROLL_BACK
        case _:
            return Action.NOTHING


def _action_when_confirmed(state: State, sight: Sight) -> Action:
    if is_xen_awaited(state, sight.boot_id, runs_xen=sight.runs_xen):
        if sight.answer:
            return Action.CONFIRM
        if sight.seconds_left > 0:
            return Action.WAIT
        # The old kernel is the default still, and its network works; without a try Xen is that already.
        return Action.REBOOT if state.is_trying_xen else Action.ROLL_BACK
    if sight.runs_xen:
        return Action.FINISH
    return Action.CHANGE_BACK if state.is_trying_options else Action.NOTHING


def _action_of_reconfigure(state: State, sight: Sight) -> Action:
    """Return what to do about a reconfigure that is not seen to work.

    What changes how Xen boots ends with the boot that it began under, or with the one that tries it: what boots by itself
    is without Xen meanwhile, and the options of before are known to work.
    """
    if not state.is_trying_options or sight.boot_id == state.boot_id:
        return Action.NOTHING
    if state.phase is Phase.CHANGING_BACK and state.confirmed_back:
        return Action.END_CHANGE_BACK
    if state.is_back_but_default:
        return _action_when_back(state, sight)
    if state.phase is Phase.TRYING and sight.runs_xen:
        if sight.answer:
            return Action.CONFIRM
        if sight.seconds_left > 0:
            return Action.WAIT
    return Action.CHANGE_BACK


def _action_when_back(state: State, sight: Sight) -> Action:
    """Return what to do when Xen has its old options again, and what boots by itself is still without it.

    It may be Xen or dom0's kernel that no longer works: they may be newer than those that last ran. So these options are tried
    once, too, where Xen ran when the reconfigure began; a host whose Xen does not come up with them either stays on the kernel
    without it.
    """
    if sight.boot_id == state.reboot_boot:
        return Action.REBOOT
    if not sight.runs_xen:
        stays = state.tried_back or not state.ran_xen
        return Action.NOTHING if stays else Action.CHANGE_BACK
    if sight.answer:
        return Action.END_CHANGE_BACK
    return Action.WAIT if sight.seconds_left > 0 else Action.REBOOT


def gateways_to_answer(gateways: Sequence[Gateway]) -> tuple[str, ...]:
    """Return the addresses that answer: when the plan is made, those that must answer again."""
    return tuple(dict.fromkeys(gateway.address for gateway in gateways if gateway.answers))


def answer_of_gateways(state: State, gateways: Sequence[Gateway]) -> str:
    """Return who answered, "" unless all did that had answered before; one behind the old interface does not count."""
    old = {step.interface for step in state.network_steps}
    heard = [
        one for one in gateways if one.answers and one.interface not in old and one.address in state.gateways
    ]
    missing = set(state.gateways) - {one.address for one in heard}
    # Another link may have a router of the same address (fe80::1): one of them at least is behind the bridge.
    by_bridge = any(one.interface == BRIDGE for one in heard)
    return f"gateway {', '.join(state.gateways)}" if by_bridge and not missing else ""


def why_not_confirmed(state: State) -> str:
    """Return why the new network, or Xen, was not kept, as a sentence's part."""
    wishes = state.wishes
    assert wishes is not None
    return _why_silent(state, wishes, wishes.confirm, wishes.pool.master if wishes.pool else "")


def _why_not_tried(state: State, master: str) -> str:
    wishes = state.wishes
    assert wishes is not None
    by_gateway = wishes.confirm is Confirm.MASTER and not master
    return _why_silent(state, wishes, Confirm.GATEWAY if by_gateway else wishes.confirm, master)


def _why_silent(state: State, wishes: Wishes, confirm: Confirm, master: str) -> str:
    who = {
        Confirm.GATEWAY: f"the gateway ({', '.join(state.gateways)}) did not answer",
        Confirm.OPERATOR: "nobody ran 'xapi-host-setup confirm'",
        Confirm.MASTER: f"the pool's master ({master}) was not reached",
    }
    return f"{who[confirm]} within {wishes.confirm_minutes} minutes"


def why_changed_back(state: State, master: str, *, runs_xen: bool) -> str:
    """Return why a reconfigure was not kept, as a sentence's part. `master` is the pool's now, "" for a pool of its own."""
    match state.phase:
        case Phase.TRYING if runs_xen:
            return f"under Xen {_why_not_tried(state, master)}"
        case Phase.TRYING:
            return "the host came back without Xen"
        case Phase.CONFIRMED:
            return "the host was rebooted before Xen was made what boots by itself"
        case Phase.CHANGING_BACK if state.why_changed_back:
            return state.why_changed_back
        case _:
            return "the host was rebooted before it was through"


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
