"""Which network stack carries the host's management addresses. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.network.stack import StackName
from kronos_installer.problem import Level, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.detect.nics import Nic
    from kronos_installer.network.stack import Management, StackConfig

Found = tuple["Management | None", tuple[Problem, ...]]


def find_owner(stacks: Sequence[StackConfig], nics: Sequence[Nic], wished: str = "") -> Found:
    """Return the management interface as its stack has it, None when it is not clear, and all that forbids moving it."""
    # A stack that does not know the interface has nothing to say of it, unless none knows it.
    asked = [stack for stack in stacks if wished in ("", *stack.configured())] or stacks
    answers = [stack.find_management(nics, wished) for stack in asked]
    found = [(management, problems) for management, problems in answers if management is not None]
    if not found:
        return None, tuple(_without_repeats(answers)) or (_unknown(wished),)
    if len(found) > 1:
        return None, (_ambiguous([management for management, _ in found]),)
    management, problems = found[0]
    return management, (*problems, *_rivals(stacks, management))


def config_of(stacks: Sequence[StackConfig], management: Management) -> StackConfig:
    """Return the configuration that the management interface was found in."""
    return next(stack for stack in stacks if stack.stack is management.stack)


def _without_repeats(answers: Sequence[Found]) -> Iterator[Problem]:
    """Yield all problems; that a stack has no such interface counts only where no stack says more."""
    problems = [problem for _, found in answers for problem in found]
    telling = [problem for problem in problems if problem.id != "management-unknown"]
    yield from telling or problems[:1]


def _rivals(stacks: Sequence[StackConfig], management: Management) -> Iterator[Problem]:
    names = {management.interface, *management.ports}
    for stack in stacks:
        shared = names & set(stack.configured())
        if stack.stack is not management.stack and shared:
            yield Problem(
                Level.ERROR, "network-owner",
                f"both {management.stack} and {stack.stack} configure {', '.join(sorted(shared))}",
                "What one of them does the other undoes, now or at a boot.", management.at,
                f"take {management.interface} out of the configuration of one of them",
            )  # fmt: skip
        # The files of ifcfg are NetworkManager's own connections, which it does not make up others beside.
        made_up = names & set(stack.automatic()) - shared
        if stack.stack is not management.stack and made_up and management.stack is not StackName.IFCFG:
            yield Problem(
                Level.ERROR, "network-owner",
                f"{management.stack} configures {management.interface}, and {stack.stack} connects "
                f"{', '.join(sorted(made_up))} by itself",
                "Without a profile of its own it makes one up for DHCP, now or at a boot.", management.at,
                f"tell {stack.stack} to leave it alone: unmanaged-devices in /etc/NetworkManager/conf.d",
            )  # fmt: skip


def _ambiguous(found: Sequence[Management]) -> Problem:
    names = ", ".join(f"{management.interface} ({management.stack})" for management in found)
    return Problem(
        Level.ERROR, "management-ambiguous", f"several interfaces have addresses: {names}", "",
        ", ".join(management.at for management in found),
        "say which is the management interface: --management-interface NAME",
    )  # fmt: skip


def _unknown(wished: str) -> Problem:
    return Problem(
        Level.ERROR, "management-unknown", f"nothing configures an interface {wished}".rstrip(), "",
        "/etc/network/interfaces, /etc/netplan, /etc/systemd/network, /etc/NetworkManager",
        "configure the management interface by ifupdown, netplan, systemd-networkd or NetworkManager",
    )  # fmt: skip
