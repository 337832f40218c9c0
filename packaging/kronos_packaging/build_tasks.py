"""The task `build`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.exceptions import Exit
from invoke.tasks import task

from xapi_shim.base.errors import KronosError
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from invoke.context import Context


@task(
    help={
        "target": "the release to build for, such as debian-13; several: separated by commas; or: all",
        "plan": "print what would be done, and do nothing",
        "json": "print what is to be done, or was, as JSON",
        "base-url": "where hosts will find dist/ (as last time, or file://, unless given)",
        "engine": "what builds: local, or ssh:[USER@]HOST[:PORT] (see docs/packaging.md)",
        "partial": "leave out what cannot be built here (as: all)",
        "refresh": "ask the archives again for the newest sources (otherwise once a day)",
    }
)
def build(
    _: Context,
    target: str = "",
    plan: bool = False,
    json: bool = False,
    base_url: str = "",
    engine: str = "",
    refresh: bool = False,
    partial: bool = False,
) -> None:
    """Build the packages and signed repositories of them into dist/."""
    from kronos_packaging import factory, inputs
    from kronos_packaging.engines import engine_named

    tolerant = partial or target == "all"
    try:
        names = factory.target_names(target)
        builder = engine_named(engine)
        if plan:
            read = inputs.read_inputs(names, factory.DIST, Reporter(), tolerant=tolerant, refresh=refresh)
            jobs = inputs.plan_targets(read)
        else:
            jobs = factory.build(
                names, Reporter(), base_url=base_url, tolerant=tolerant, refresh=refresh, engine=builder
            )
    except KronosError as error:
        raise Exit(f"build: {error}", error.exit_status) from error
    except OSError as error:  # a full disk, a folder that is not ours: the system's own words say it
        raise Exit(f"build: {error}", 1) from error
    if json:
        print(inputs.as_json(jobs))
    elif plan:
        for job in jobs:
            print(f"{job.target}\t{job.component}\t{job.action}\t{job.reason}")
