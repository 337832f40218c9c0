"""What to build and why: pure, from declarations, the tree's content and what was built before."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kronos_packaging.declarations import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kronos_packaging.declarations import Component, Target
    from kronos_packaging.tree import TreeFile


class Action(StrEnum):
    """What is to be done for one component and target."""

    BUILD = "build"
    SKIP = "skip"


@dataclass(frozen=True)
class Job:
    """One step of a build, with the reason for it; `key` names the result by all that goes into it."""

    component: str
    target: str
    action: Action
    reason: str
    key: str = ""


def content_key(files: Iterable[TreeFile], target: Target, builder: str) -> str:
    """Return the hash of the files, the target and the `builder`'s own version."""
    total = hashlib.sha256(repr((sorted(asdict(target).items()), builder)).encode())
    for file in sorted(files, key=lambda file: file.path):
        total.update(f"{file.path}\0{file.executable:d}\0{len(file.content)}\0".encode())
        total.update(file.content)
    return total.hexdigest()[:24]


def plan_build(
    components: Iterable[Component], target: Target, keys: Mapping[str, str], published: Mapping[str, str]
) -> tuple[Job, ...]:
    """Return the jobs for `target`.

    `keys` are the components' content keys as the tree is now, `published` those of what the
    repository holds.
    """
    jobs = []
    for component in components:
        if component.source is Source.DISTRO:
            jobs.append(
                Job(component.name, target.name, Action.SKIP, f"{component.package} comes from the distro")
            )
            continue
        key = keys[component.name]
        before = published.get(component.name)
        if before == key:
            jobs.append(Job(component.name, target.name, Action.SKIP, "nothing has changed", key))
        else:
            reason = "its sources changed" if before else "not in the repository yet"
            jobs.append(Job(component.name, target.name, Action.BUILD, reason, key))
    return tuple(jobs)
