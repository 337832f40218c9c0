"""Which plan a command is about: one made now for what was asked, or one that was saved."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_installer.asked import contradictions
from kronos_installer.facts import read_facts
from kronos_installer.plan import Plan, make_plan
from kronos_installer.problem import RefusedError
from kronos_installer.saved_plan import load_plan
from kronos_installer.storage_servers import server_problems
from kronos_installer.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Callable

    from kronos_installer.facts import Facts
    from kronos_installer.flags import Asked
    from kronos_installer.host import Host


def wishes_for(asked: Asked) -> Wishes:
    """Return all wishes, with new uuids for a host that has none. Raises RefusedError for contradictions."""
    problems = contradictions(asked)
    if problems:
        raise RefusedError(problems)
    return Wishes(str(uuid.uuid4()), str(uuid.uuid4()), **asked)


def plan_for(
    host: Host, asked: Asked, saved: str = "", interview: Callable[[Facts], Asked] | None = None
) -> Plan:
    """Return the plan in the file `saved`, or one for what is asked, and what an `interview` adds to it.

    Raises RefusedError, OSError.
    """
    facts = read_facts(host, host.runner)
    if saved:
        plan = load_plan(Path(saved), host, facts)
    else:
        more = interview(facts) if interview else {}
        plan = make_plan(facts, wishes_for(asked | more))
    if problems := tuple(server_problems(plan.wishes)):
        raise RefusedError((*plan.problems, *problems))
    return plan
