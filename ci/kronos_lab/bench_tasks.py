"""The task `bench`: ours beside its peers, in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.exceptions import Exit
from invoke.tasks import task

from xapi_shim.base.errors import KronosError
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from invoke.context import Context

BENCHES = ("build", "api", "setup")


@task(
    positional=["what"],
    help={
        "what": "build: packages and repositories; api: the daemon and xe, over the simulator; setup: xapi-host-setup, over recorded hosts",
        "target": "the release to build for (this machine's unless given)",
        "runs": "how often each thing is timed",
        "xen": "build Xen too: without ccache, filling it, and with it full (half an hour)",
        "packages": 'the sizes of the repositories to make, between commas (10,000 take long); "": none',
        "json": "print all times as JSON",
    },
)
def bench(
    _: Context,
    what: str,
    target: str = "",
    runs: int = 5,
    xen: bool = False,
    packages: str = "10,1000",
    json: bool = False,
) -> None:
    """Time our work beside its peers': ./inv bench build, api or setup."""
    from kronos_packaging import bench, bench_build, factory

    if what not in BENCHES:
        raise Exit(f"bench: there is no bench {what!r}, only: {', '.join(BENCHES)}", 2)
    if runs < 1:
        raise Exit("bench: --runs is at least 1", 2)
    try:
        if what == "api":
            from kronos_lab import bench_api

            rows, noise = bench_api.measure(runs, Reporter())
        elif what == "setup":
            from kronos_lab import bench_setup

            rows, noise = bench_setup.measure(runs, Reporter())
        else:
            wish = bench_build.wish_for(target or factory.default_target(), runs, xen=xen, packages=packages)
            rows, noise = bench_build.measure(wish, Reporter())
    except KronosError as error:
        raise Exit(f"bench: {error}", error.exit_status) from error
    print(bench.as_json(rows, noise) if json else bench.table(rows, noise), end="\n" if json else "")
