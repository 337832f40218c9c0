"""Jobs run in the order of their needs, at the same time where they may, and none after a failure."""

import threading

import pytest

from kronos_packaging.engine import run_jobs
from kronos_packaging.plan import Action, Job


def job(name, *needs, action=Action.BUILD, target="t"):
    return Job(name, target, action, "", "key", needs)


def test_each_after_those_it_needs_and_only_what_is_to_be_built():
    done = []
    jobs = [job("c", "b"), job("b", "a"), job("a", action=Action.SKIP), job("d", action=Action.UNAVAILABLE)]
    run_jobs(jobs, lambda job: done.append(job.component), 2)
    assert done == ["b", "c"]


def test_targets_do_not_wait_for_each_other():
    done = []
    jobs = [job("a", "b", target="one"), job("b", target="one"), job("a", target="two")]
    run_jobs(jobs, lambda job: done.append((job.target, job.component)), 1)
    assert sorted(done) == [("one", "a"), ("one", "b"), ("two", "a")]
    assert done.index(("one", "b")) < done.index(("one", "a"))


def test_two_at_once():
    together = threading.Barrier(2, timeout=20)
    run_jobs([job("a"), job("b")], lambda _: together.wait(), 2)


def test_nothing_is_begun_after_a_failure():
    done = []

    def work(job):
        done.append(job.component)
        if job.component == "a":
            raise ValueError("alas")

    with pytest.raises(ValueError, match="alas"):
        run_jobs([job("a"), job("b", "a"), job("c")], work, 1)
    assert "b" not in done
    assert len(done) == 1
