"""A snapshot of all that decides what is to be built, and from which it is then built."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from kronos_packaging.change_source import maintainer
from kronos_packaging.declarations import Format, Source, components_of, load_components, load_target
from kronos_packaging.distro_source import find_source
from kronos_packaging.plan import Action, Job, content_key, plan_build
from kronos_packaging.tree import read_tree
from kronos_packaging.way_of_building import way_of_building
from xapi_shim.base.apt_sources import read_mirror
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_packaging.declarations import Component, Recipe, Target
    from kronos_packaging.distro_source import DistroSource
    from kronos_packaging.tree import TreeFile
    from xapi_shim.base.progress import Reporter

KEYRING = "kronos-archive-keyring.pgp"
STATE = "built.json"


@dataclass(frozen=True)
class Ingredients:
    """What one component's packages are made of."""

    recipe: Recipe
    files: tuple[TreeFile, ...]
    found: DistroSource | None = None
    # Who signs our entry in its changelog.
    maintainer: str = ""
    # Why it cannot be built on this machine.
    unavailable: str = ""

    @property
    def outside(self) -> str:
        """A hash of all that does not come from this tree."""
        parts = [repr(self.recipe), self.maintainer]
        if self.found:
            parts += [self.found.version, *(file.sha256 for file in self.found.files)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class TargetInputs:
    """What is to be built for a target; `unavailable` says why nothing can be, here."""

    target: Target
    components: tuple[Component, ...]
    ingredients: dict[str, Ingredients]
    unavailable: str = ""

    def key(self, component: str) -> str:
        made_of = self.ingredients[component]
        return content_key(made_of.files, self.target, way_of_building(self.target.format), made_of.outside)


@dataclass(frozen=True)
class Inputs:
    """Everything, for all wanted targets, and what the repository holds."""

    targets: tuple[TargetInputs, ...]
    published: dict[str, dict[str, str]]

    def of(self, target: str) -> TargetInputs:
        """Return the inputs of a target by its name."""
        return next(inputs for inputs in self.targets if inputs.target.name == target)


def read_inputs(
    names: list[str], dist: Path, reporter: Reporter, *, tolerant: bool = False, refresh: bool = False
) -> Inputs:
    """Read declarations, tree, the distros' sources and what `dist` holds.

    Raises KronosError. With `tolerant` a target that cannot be built with the archives that this
    machine has is marked unavailable instead.
    """
    components = load_components()
    snapshot: dict[tuple[str, ...], tuple[TreeFile, ...]] = {}
    read = [
        _read_target(load_target(name), components, snapshot, reporter, tolerant=tolerant, refresh=refresh)
        for name in names
    ]
    return Inputs(tuple(read), read_published(dist))


def _read_target(
    target: Target,
    components: tuple[Component, ...],
    snapshot: dict[tuple[str, ...], tuple[TreeFile, ...]],
    reporter: Reporter,
    *,
    tolerant: bool,
    refresh: bool,
) -> TargetInputs:
    wanted = components_of(target, components)
    ingredients = {}
    try:
        if target.format is Format.DEB:
            read_mirror(distribution=target.distribution)
        for component in wanted:
            recipe = component.recipe(target.format)
            assert recipe is not None, component
            if recipe.own_paths not in snapshot:
                snapshot[recipe.own_paths] = read_tree(recipe.own_paths)
            found = None
            if recipe.source is Source.DISTRO:
                found = find_source(target, recipe.package, reporter, refresh=refresh)
            ingredients[component.name] = Ingredients(
                recipe,
                snapshot[recipe.own_paths],
                found,
                maintainer() if found else "",
                _unavailable(component.name, recipe, target, tolerant=tolerant),
            )
    except KronosError as error:
        if not tolerant:
            raise
        return TargetInputs(target, wanted, {}, f"cannot be built here: {error}")
    return TargetInputs(target, wanted, ingredients)


def _unavailable(component: str, recipe: Recipe, target: Target, *, tolerant: bool) -> str:
    """Return why this machine cannot build a component. Raises KronosError then, unless `tolerant`."""
    if target.format is Format.DEB:
        return ""
    from kronos_packaging.build_rpm import unavailable_here

    reason = unavailable_here(recipe)
    if reason and not tolerant:
        raise KronosError(
            f"{component} for {target.name} cannot be built here: {reason}",
            resolution="leave out what cannot be built: --partial",
        )
    return f"cannot be built here: {reason}" if reason else ""


def unavailable_components(inputs: TargetInputs) -> dict[str, str]:
    """Return why each component cannot be built here, "" for those that can; what needs one that cannot, cannot."""
    reasons = {name: made_of.unavailable for name, made_of in inputs.ingredients.items()}
    for _ in inputs.components:
        for component in inputs.components:
            lacking = [need for need in component.needs if reasons[need]]
            if lacking and not reasons[component.name]:
                reasons[component.name] = f"needs {lacking[0]}, which cannot be built here"
    return reasons


def plan_targets(inputs: Inputs) -> tuple[Job, ...]:
    """Return what is to be done for every target, and why."""
    jobs: list[Job] = []
    for one in inputs.targets:
        if one.unavailable:
            jobs += [
                Job(c.name, one.target.name, Action.UNAVAILABLE, one.unavailable) for c in one.components
            ]
            continue
        reasons = unavailable_components(one)
        left = [component for component in one.components if not reasons[component.name]]
        keys = {component.name: one.key(component.name) for component in left}
        published = inputs.published.get(one.target.name, {})
        jobs += plan_build(left, one.target, keys, published)
        jobs += [
            Job(name, one.target.name, Action.UNAVAILABLE, reason)
            for name, reason in reasons.items()
            if reason
        ]
    return tuple(jobs)


def read_published(dist: Path) -> dict[str, dict[str, str]]:
    """Return target to component to key of what the repository in `dist` holds."""
    if not (dist / KEYRING).exists():
        return {}
    try:
        state: dict[str, dict[str, str]] = json.loads((dist / STATE).read_text())
    except (OSError, ValueError):
        return {}
    return {name: built for name, built in state.items() if _repository(dist, name).is_dir()}


def _repository(dist: Path, target: str) -> Path:
    return dist / ("yum" if target.startswith("fedora-") else "apt")


def as_json(jobs: tuple[Job, ...]) -> str:
    """Return the jobs for scripts."""
    return json.dumps([asdict(job) for job in jobs], indent=1)
