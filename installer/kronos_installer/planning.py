"""Which plan a command is about: one made now for what was asked, or one that was saved."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_installer.asked import contradictions
from kronos_installer.detect.pool_master import PoolMaster, read_pool_master
from kronos_installer.facts import read_facts
from kronos_installer.plan import Plan, make_plan
from kronos_installer.pool_checks import name_problems
from kronos_installer.problem import Problem, RefusedError
from kronos_installer.saved_plan import bound_wishes, load_plan
from kronos_installer.storage_directories import directory_problems
from kronos_installer.storage_servers import server_problems
from kronos_installer.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Callable

    from kronos_installer.facts import Facts
    from kronos_installer.flags import Asked
    from kronos_installer.host import Host
    from kronos_installer.host_files import HostFiles
    from kronos_installer.wishes import PoolWish

    AskMaster = Callable[[HostFiles, PoolWish], PoolMaster | Problem]
    Compare = Callable[[PoolWish], PoolWish]


def wishes_for(asked: Asked) -> Wishes:
    """Return all wishes, with new uuids for a host that has none. Raises RefusedError for contradictions."""
    problems = contradictions(asked)
    if problems:
        raise RefusedError(problems)
    return Wishes(str(uuid.uuid4()), str(uuid.uuid4()), **asked)


def with_compared_master(wishes: Wishes, facts: Facts, compare: Compare | None) -> Wishes:
    """Return the wishes with the certificate that who is asked by `compare` has found to be the master's.

    Nobody is asked about a certificate whose fingerprint was given. Raises what `compare` raises.
    """
    pool = wishes.pool
    if (
        compare is None
        or pool is None
        or pool.fingerprint
        or any(name_problems(pool, facts.system.hostname.name))
    ):
        return wishes
    return replace(wishes, pool=compare(pool))


def with_pool_master(
    facts: Facts, wishes: Wishes, host: Host, ask_master: AskMaster = read_pool_master
) -> Facts:
    """Return the facts with what the master of the pool tells that is to be joined, if there is such a one."""
    pool = wishes.pool
    if pool is None or any(name_problems(pool, facts.system.hostname.name)):
        return facts
    return replace(facts, pool_master=ask_master(host, pool))


def place_problems(wishes: Wishes, host: Host) -> tuple[Problem, ...]:
    """Return what is wrong with the servers and the directories that are wished for."""
    return (*server_problems(wishes, host), *directory_problems(wishes, host))


def plan_for(
    host: Host,
    asked: Asked,
    saved: str = "",
    interview: Callable[[Facts], Asked] | None = None,
    ask_master: AskMaster = read_pool_master,
    compare: Compare | None = None,
) -> Plan:
    """Return the plan in the file `saved`, or one for what is asked, and what an `interview` adds to it.

    `compare` asks about the certificate of a pool's master. Raises RefusedError, OSError, and what those two raise.
    """
    facts = read_facts(host, host.runner)
    if saved:
        facts = with_pool_master(facts, bound_wishes(Path(saved)), host, ask_master)
        plan = load_plan(Path(saved), host, facts)
    else:
        wishes = wishes_for(asked | (interview(facts) if interview else {}))
        wishes = with_compared_master(wishes, facts, compare)
        plan = make_plan(with_pool_master(facts, wishes, host, ask_master), wishes)
    if problems := place_problems(plan.wishes, host):
        raise RefusedError((*plan.problems, *problems))
    return plan
