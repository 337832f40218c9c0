"""Builds packages on this machine, each in a clean root of its target."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_packaging.build_deb import ChangedSource, Surroundings, TreeSource, build_source
from kronos_packaging.declarations import Format, Source
from kronos_packaging.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_packaging.build_deb import DebSource
    from kronos_packaging.inputs import TargetInputs
    from kronos_packaging.plan import Job
    from xapi_shim.base.progress import Reporter


@dataclass(frozen=True)
class LocalEngine(Engine):
    """The factory's own engine; with `ccache` compilers' results are kept between builds."""

    ccache: bool = True

    def build(
        self, job: Job, inputs: TargetInputs, needed: tuple[Path, ...], out: Path, reporter: Reporter
    ) -> None:
        """Build in a clean root, without network."""
        if inputs.target.format is Format.RPM:
            from kronos_packaging.build_rpm import build_component

            made_of = inputs.ingredients[job.component]
            build_component(job.component, made_of.recipe, made_of.files, inputs.target, out, reporter)
            return
        # This tree compiles nothing.
        compiles = inputs.ingredients[job.component].recipe.source is not Source.TREE
        around = Surroundings(ccache=self.ccache and compiles)
        build_source(deb_source(job.component, inputs), inputs.target, out, reporter, around, needed=needed)


def deb_source(component: str, inputs: TargetInputs) -> DebSource:
    """Return the Debian source of a component for a target."""
    made_of = inputs.ingredients[component]
    if made_of.found is None:
        return TreeSource(component, made_of.files, inputs.target)
    return ChangedSource(component, made_of.recipe, inputs.target, made_of.found, made_of.maintainer)


def use_ccache() -> bool:
    """Whether compilers' results may be kept: unless $KRONOS_NO_CCACHE is set."""
    return not os.environ.get("KRONOS_NO_CCACHE")
