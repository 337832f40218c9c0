"""Runs planned jobs: in the order of their needs, as many at once as wanted; what builds them is given."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Protocol

from kronos_packaging.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kronos_packaging.inputs import TargetInputs
    from kronos_packaging.plan import Job
    from xapi_shim.base.progress import Reporter

JobId = tuple[str, str]


class Engine(Protocol):
    """Builds one component's packages: on this machine, or on a node of somebody's build system."""

    def build(
        self, job: Job, inputs: TargetInputs, needed: tuple[Path, ...], out: Path, reporter: Reporter
    ) -> None:
        """Leave the packages of `job` and their build.log in `out`.

        `needed` are the folders of the packages that its build needs. Raises KronosError.
        """


class Work(Protocol):
    """What is done for a job that is to be built."""

    def __call__(self, job: Job) -> None: ...


def run_jobs(jobs: Iterable[Job], work: Work, at_once: int) -> None:
    """Do the `work` of all jobs that are to be built, each after those it needs.

    After a failure nothing new is begun; what runs is waited for, and the first error is raised.
    """
    wanted = {(job.target, job.component): job for job in jobs if job.action is Action.BUILD}
    graph: TopologicalSorter[JobId] = TopologicalSorter(
        {
            name: [(job.target, need) for need in job.needs if (job.target, need) in wanted]
            for name, job in wanted.items()
        }
    )
    graph.prepare()
    waiting: list[JobId] = []
    running: dict[Future[None], JobId] = {}
    failure: BaseException | None = None
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        while graph.is_active():
            waiting += graph.get_ready()
            while waiting and failure is None and len(running) < at_once:
                name = waiting.pop(0)
                running[pool.submit(work, wanted[name])] = name
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                failure = failure or future.exception()
                graph.done(name)
    if failure is not None:
        raise failure
