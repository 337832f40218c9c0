"""The task `build`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from invoke.exceptions import Exit
from invoke.tasks import task

from xapi_shim.base.errors import KronosError
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from invoke.context import Context


@task(
    help={
        "target": "the release to build for, such as debian-13; more than one: separated by commas",
        "plan": "print what would be done, and do nothing",
        "json-output": "print what was done as JSON",
        "base-url": "where clients will find dist/apt (file:// unless given)",
    }
)
def build(
    _: Context, target: str = "", plan: bool = False, json_output: bool = False, base_url: str = ""
) -> None:
    """Build the packages and a signed apt repository of them into dist/."""
    from kronos_packaging import factory

    try:
        names = target.split(",") if target else [factory.default_target()]
        if plan:
            jobs = tuple(job for name in names for job in factory.plan(factory.load_target(name)))
        else:
            jobs = factory.build(names, Reporter(), base_url=base_url)
    except KronosError as error:
        raise Exit(f"build: {error}", error.exit_status) from error
    if json_output:
        print(factory.as_json(jobs))
    elif plan:
        for job in jobs:
            print(f"{job.target}\t{job.component}\t{job.action}\t{job.reason}")
    elif sys.stdout.isatty():
        print(f"{factory.DIST}: {factory.dist_size()} bytes")
