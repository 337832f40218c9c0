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
from kronos_installer.saved_plan import load_plan, saved_wishes
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


def wishes_for(asked: Asked) -> Wishes:
    """Return all wishes, with new uuids for a host that has none. Raises RefusedError for contradictions."""
    problems = contradictions(asked)
    if problems:
        raise RefusedError(problems)
    return Wishes(str(uuid.uuid4()), str(uuid.uuid4()), **asked)


def with_pool_master(
    facts: Facts, wishes: Wishes, host: Host, ask_master: AskMaster = read_pool_master
) -> Facts:
    """Return the facts with what the master of the pool tells that is to be joined, if there is such a one."""
    pool = wishes.pool
    if pool is None or any(name_problems(pool, facts.system.hostname.name)):
        return facts
    return replace(facts, pool_master=ask_master(host, pool))


def plan_for(
    host: Host,
    asked: Asked,
    saved: str = "",
    interview: Callable[[Facts], Asked] | None = None,
    ask_master: AskMaster = read_pool_master,
) -> Plan:
    """Return the plan in the file `saved`, or one for what is asked, and what an `interview` adds to it.

    Raises RefusedError, OSError.
    """
    facts = read_facts(host, host.runner)
    if saved:
        wishes = saved_wishes(Path(saved))
        plan = load_plan(Path(saved), host, with_pool_master(facts, wishes, host, ask_master))
    else:
        wishes = wishes_for(asked | (interview(facts) if interview else {}))
        plan = make_plan(with_pool_master(facts, wishes, host, ask_master), wishes)
    if problems := tuple(server_problems(plan.wishes, host)):
        raise RefusedError((*plan.problems, *problems))
    return plan
