"""What a CI system is to build: one entry per target, from declarations and the tree alone, without network."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import jinja2

from kronos_packaging.declarations import ROOM, Format, components_of
from kronos_packaging.plan import content_key, plan_build
from kronos_packaging.tree import read_tree
from kronos_packaging.way_of_building import way_of_building

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kronos_packaging.declarations import Component, Target

TEMPLATES = ROOM / "templates"
# Where packages of releases without apt are made: the factory itself needs a machine with apt.
DEBIAN_IMAGE = "debian:12"


class Shape(StrEnum):
    """Whom the matrix is for."""

    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True)
class Step:
    """One component's build, after those of the components it `needs`."""

    component: str
    needs: tuple[str, ...]
    key: str


@dataclass(frozen=True)
class Runner:
    """What a target's build needs of the machine: an image whose apt names the release's archive, and root."""

    image: str
    architecture: str
    root: bool = True
    namespaces: bool = True


@dataclass(frozen=True)
class Entry:
    """What is built for one target.

    `steps` are in the order in which they are done. `cache_key` changes with all that is in this
    tree, `cache_prefix` finds the newest other cache of the target.
    """

    target: str
    format: Format
    runner: Runner
    steps: tuple[Step, ...]
    cache_prefix: str
    cache_key: str
    command: tuple[str, ...]


def matrix(targets: Iterable[Target], components: tuple[Component, ...]) -> tuple[Entry, ...]:
    """Return an entry for each of `targets`. Raises DeclarationError."""
    return tuple(_entry(target, components_of(target, components)) for target in targets)


def _entry(target: Target, components: tuple[Component, ...]) -> Entry:
    keys = {}
    for component in components:
        recipe = component.recipe(target.format)
        assert recipe is not None, component
        keys[component.name] = content_key(
            read_tree(recipe.own_paths), target, way_of_building(target.format), repr(recipe)
        )
    steps = tuple(Step(job.component, job.needs, job.key) for job in plan_build(components, target, keys, {}))
    prefix = f"kronos-{target.name}-"
    whole = hashlib.sha256("".join(step.key for step in steps).encode()).hexdigest()[:16]
    return Entry(
        target=target.name,
        format=target.format,
        runner=Runner(image_of(target), target.architecture),
        steps=steps,
        cache_prefix=prefix,
        cache_key=prefix + whole,
        command=("./inv", "build", "--target", target.name),
    )


def image_of(target: Target) -> str:
    """Return the container image whose apt knows where the target's packages come from."""
    return f"{target.distribution}:{target.release}" if target.format is Format.DEB else DEBIAN_IMAGE


def as_json(entries: tuple[Entry, ...]) -> str:
    """Return all that is known, for scripts."""
    return json.dumps([asdict(entry) for entry in entries], indent=1)


def github(entries: tuple[Entry, ...]) -> str:
    """Return one line that `fromJSON` makes a `strategy.matrix` of."""
    rows = [
        {
            "target": entry.target,
            "image": entry.runner.image,
            "components": " ".join(step.component for step in entry.steps),
            "cache_key": entry.cache_key,
            "cache_prefix": entry.cache_prefix,
        }
        for entry in entries
    ]
    return json.dumps({"include": rows})


def gitlab(entries: tuple[Entry, ...]) -> str:
    """Return a child pipeline: a job for each target, and one that publishes what they built."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    # Every value goes through tojson, and JSON is YAML.
    environment = jinja2.Environment(
        loader=loader, undefined=jinja2.StrictUndefined, autoescape=jinja2.select_autoescape()
    )
    template = environment.get_template("gitlab-child.yml.j2")
    names = [f"build {entry.target}" for entry in entries]
    return template.render(jobs=list(zip(names, entries, strict=True)), names=names, image=DEBIAN_IMAGE)
