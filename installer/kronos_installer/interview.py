"""A few questions on a terminal, each only where there is a choice; Enter takes what stands in brackets."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from kronos_installer.checks import check
from kronos_installer.dom0_memory import (
    FOR_XEN_AND_GUESTS_MIB,
    LEAST_MIB,
    checked_size_mib,
    dom0_memory_mib,
    parse_size_mib,
)
from kronos_installer.flags import Asked, parse_iso_library, parse_storage
from kronos_installer.planning import wishes_for
from kronos_installer.problem import Level
from kronos_installer.wish_fields import Field, beyond_rules, fields_of
from kronos_installer.wishes import IsoType, PoolWish, StorageType, Wishes
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kronos_installer.facts import Facts
    from kronos_installer.wishes import IsoWish, StorageWish

NONE = "none"


class NoAnswerError(KronosError):
    """The terminal was closed at a question."""

    exit_status = 4

    def __init__(self) -> None:
        super().__init__("no answer; nothing was changed")


@dataclass(frozen=True)
class Terminal:
    """Where questions are asked and answers come from."""

    input: IO[str]
    output: IO[str]

    def ask(self, question: str, default: str, read: Callable[[str], object]) -> object:
        """Ask until `read` accepts; it raises ValueError or KronosError with what would be right. Raises NoAnswerError."""
        while True:
            print(f"{question} [{default}] ", end="", file=self.output, flush=True)
            line = self.input.readline()
            if not line:
                raise NoAnswerError
            try:
                return read(line.strip() or default)
            except (ValueError, KronosError) as error:
                print(f"  {error}", file=self.output)


def terminal() -> Terminal | None:
    """Return the operator's terminal, None where there is none."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return Terminal(sys.stdin, sys.stderr)


def interview(facts: Facts, terminal: Terminal) -> Asked:
    """Return what the operator chose. Raises NoAnswerError; a host that cannot be set up is asked nothing about."""
    candidates = _candidates(facts)
    _, problems = check(facts, _choosing(candidates[0] if candidates else ""))
    if any(problem.level is Level.ERROR for problem in problems):
        return {}
    asked: Asked = {}
    if len(candidates) == 1:
        asked["management_interface"] = candidates[0]
    elif candidates:
        question = f"Management interface ({', '.join(candidates)})"
        asked["management_interface"] = terminal.ask(question, candidates[0], _one_of(candidates))
    most = facts.memory_mib - FOR_XEN_AND_GUESTS_MIB
    if most > LEAST_MIB:
        computed = dom0_memory_mib(facts.memory_mib)
        asked["dom0_memory_mib"] = terminal.ask(
            f"Memory of dom0, {LEAST_MIB}M to {most}M", f"{computed}M",
            lambda text: checked_size_mib(parse_size_mib(text), facts.memory_mib))  # fmt: skip
    kinds = ", ".join(f"{kind}:…" for kind in StorageType)
    asked["storage"] = terminal.ask(f"Storage for guests' disks ({kinds})", NONE, _place(parse_storage))
    kinds = ", ".join(f"{kind}:…" for kind in IsoType)
    asked["iso_library"] = terminal.ask(f"ISO library ({kinds})", NONE, _place(parse_iso_library))
    master = terminal.ask("Join the pool of this master", NONE, _unless_none(_pool_field("master")))
    if master is not None:
        file = terminal.ask(
            "File with the pool's root password", "/root/pool-password", _pool_field("password_file")
        )
        asked["pool"] = PoolWish(str(master), password_file=str(file))
    return asked


def _candidates(facts: Facts) -> tuple[str, ...]:
    """Return the interfaces to choose from, () where it is clear which one it is."""
    _, problems = check(facts, _choosing(""))
    if not any(problem.id == "management-ambiguous" for problem in problems):
        return ()
    names = sorted({name for stack in facts.stacks for name in stack.configured()})
    return tuple(name for name in names if _would_do(facts, name))


def _would_do(facts: Facts, interface: str) -> bool:
    management, problems = check(facts, _choosing(interface))
    return management is not None and all(problem.level is not Level.ERROR for problem in problems)


def _choosing(interface: str) -> Wishes:
    return wishes_for({"management_interface": interface})


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return text

    return read


def _unless_none(read: Callable[[str], object]) -> Callable[[str], object]:
    return lambda text: None if text == NONE else read(text)


def _place(read: Callable[[str], StorageWish | IsoWish]) -> Callable[[str], object]:
    """Hold what a flag of that kind may say to the rules that flags are held to."""

    def held(text: str) -> StorageWish | IsoWish:
        wish = read(text)
        for field, value in beyond_rules(wish):
            raise ValueError(f"{value!r} cannot be meant, give {field.expected}")
        return wish

    return _unless_none(held)


def _pool_field(key: str) -> Callable[[str], str]:
    field: Field = next(field for field in fields_of(PoolWish) if field.key == key)

    def read(text: str) -> str:
        if not field.accepts(text):
            raise ValueError(f"give {field.expected}")
        return text

    return read
