"""The tasks `ci.*`: what CI systems ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.exceptions import Exit
from invoke.tasks import task

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from invoke.context import Context


@task(
    help={
        "target": "the releases to build for, separated by commas (all unless given)",
        "json": "print all that is known, as JSON",
        "format": "github: a matrix for fromJSON, on one line; gitlab: a child pipeline",
    }
)
def matrix(_: Context, target: str = "all", json: bool = False, format: str = "") -> None:  # noqa: A002
    """Print what is to be built for each target: image, steps in their order, cache keys."""
    from kronos_packaging import ci_matrix, factory
    from kronos_packaging.declarations import load_components, load_target

    if format not in ("", *ci_matrix.Shape) or (format and json):
        raise Exit(f"ci.matrix: --format is one of {', '.join(ci_matrix.Shape)}, without --json", 2)
    try:
        targets = [load_target(name) for name in factory.target_names(target)]
        entries = ci_matrix.matrix(targets, load_components())
    except KronosError as error:
        raise Exit(f"ci.matrix: {error}", error.exit_status) from error
    if json:
        print(ci_matrix.as_json(entries))
    elif format:
        render = ci_matrix.github if format == ci_matrix.Shape.GITHUB else ci_matrix.gitlab
        print(render(entries).rstrip("\n"))
    else:
        for entry in entries:
            steps = " ".join(step.component for step in entry.steps)
            print(f"{entry.target}\t{entry.format}\t{entry.runner.image}\t{steps}\t{entry.cache_key}")
