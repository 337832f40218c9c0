"""What to build, in which order, and why: pure, from declarations, contents and what was built before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from kronos_packaging.declarations import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kronos_packaging.declarations import Component, Target
    from kronos_packaging.tree import TreeFile


class Action(StrEnum):
    """What is to be done for one component and target."""

    BUILD = "build"
    SKIP = "skip"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Job:
    """One step of a build, with the reason for it.

    `key` names the result by all that goes into it; `needs` are the components of the same
    target that must be built before.
    """

    component: str
    target: str
    action: Action
    reason: str
    key: str = ""
    needs: tuple[str, ...] = ()


def content_key(files: Iterable[TreeFile], target: Target, builder: str, outside: str = "") -> str:
    """Return the hash of the files, the target, the hash of the `builder` and what is `outside` the tree."""
    told = {f.name: getattr(target, f.name) for f in fields(target)}
    told = {
        name: sorted(value.items()) if isinstance(value, Mapping) else value for name, value in told.items()
    }
    total = hashlib.sha256(repr((sorted(told.items()), builder, outside)).encode())
    for file in sorted(files, key=lambda file: file.path):
        total.update(f"{file.path}\0{file.executable:d}\0{len(file.content)}\0".encode())
        total.update(file.content)
    return total.hexdigest()[:24]


def plan_build(
    components: Iterable[Component], target: Target, keys: Mapping[str, str], published: Mapping[str, str]
) -> tuple[Job, ...]:
    """Return the jobs for `target`, those that others need first.

    `keys` are the components' content keys as everything is now, `published` those of what the
    repository holds. Raises DeclarationError when components need each other in a circle.
    """
    by_name = {component.name: component for component in components}
    try:
        order = list(TopologicalSorter({c.name: sorted(c.needs) for c in by_name.values()}).static_order())
    except CycleError as error:
        circle = " needs ".join(reversed(error.args[1]))
        raise DeclarationError(f"{target.name}: components need each other in a circle: {circle}") from error
    return tuple(_job(by_name[name], target, keys[name], published.get(name)) for name in order)


def _job(component: Component, target: Target, key: str, before: str | None) -> Job:
    if before == key:
        return Job(component.name, target.name, Action.SKIP, "nothing has changed", key, component.needs)
    reason = "its sources changed" if before else "not in the repository yet"
    return Job(component.name, target.name, Action.BUILD, reason, key, component.needs)
