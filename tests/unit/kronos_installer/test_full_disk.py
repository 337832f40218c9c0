"""Files that cannot grow any more, at every size: what is written to them is cut short first, and then refused."""

from __future__ import annotations

import io
import resource
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from installer_kit import make_host, snapshot

from kronos_installer import executor
from kronos_installer.facts import read_facts
from kronos_installer.journal import JOURNAL, RESERVE, Journal, Phase
from kronos_installer.plan import Plan, make_plan
from kronos_installer.wishes import Wishes
from xapi_shim.base.errors import KronosError
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kronos_installer.host import Host

QUIET = Reporter(io.StringIO())
WISHES = Wishes(
    installation_uuid="11111111-1111-4111-8111-111111111111",
    control_domain_uuid="22222222-2222-4222-8222-222222222222",
)


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """setrlimit(2): the write that crosses the limit is a short one, the next one fails (EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def plan_of(host: Host) -> Plan:
    return make_plan(read_facts(host, host.runner), WISHES)


def sizes(folder: Path) -> tuple[int, int]:
    """Return how large the journal is with the plan alone, and at the end of an apply."""
    host = make_host(folder)
    plan = plan_of(host)
    Journal(host).begin(plan)
    begun = host.at(JOURNAL).stat().st_size
    executor.resume_apply(host, QUIET)
    return begun, host.at(JOURNAL).stat().st_size


def test_a_plan_that_does_not_fit_is_not_begun(tmp_path: Path) -> None:
    begun, _ = sizes(tmp_path / "measured")
    for size in (0, begun // 2 - 1, begun // 2, begun // 2 + 1, begun - 1):
        host = make_host(tmp_path / str(size))
        before, plan = snapshot(host), plan_of(host)
        with executor.exclusive(host), pytest.raises(executor.StateDirectoryError), no_file_above(size):
            executor.apply(plan, host, QUIET)
        assert Journal(host).load().phase is Phase.CLEAN
        assert snapshot(host) == before


def test_no_original_is_lost_wherever_the_journal_is_full(tmp_path: Path) -> None:
    begun, ended = sizes(tmp_path / "measured")
    for size in range(begun, ended, (ended - begun) // 24):
        host = make_host(tmp_path / str(size))
        before = snapshot(host)
        Journal(host).begin(plan_of(host))
        with no_file_above(size), pytest.raises(KronosError):
            executor.resume_apply(host, QUIET)
        if Journal(host).load().phase is not Phase.CLEAN:
            executor.rollback(host, QUIET)
        assert snapshot(host) == before


def test_room_is_kept_for_the_way_back_and_given_back_when_it_begins(tmp_path: Path) -> None:
    host = make_host(tmp_path)
    executor.apply(plan_of(host), host, QUIET)
    assert host.at(RESERVE).stat().st_blocks * 512 >= 256 * 1024
    kept: dict[str, bool] = {}
    watched = replace(host, on_effect=lambda what: kept.setdefault(what, host.exists(RESERVE)))
    executor.rollback(watched, QUIET)
    assert "before recording rollback" in kept
    assert not any(kept.values())


def test_a_menu_fails_so_there_is_room_for_its_undo(tmp_path: Path) -> None:
    host = make_host(tmp_path)
    before = snapshot(host)
    host.runner.broken.add("grub-mkconfig")
    kept: dict[str, bool] = {}
    watched = replace(host, on_effect=lambda what: kept.setdefault(what, host.exists(RESERVE)))
    with pytest.raises(executor.ApplyFailedError):
        executor.apply(plan_of(host), watched, QUIET)
    assert kept["before flock"]
    assert not kept["before recording rollback"]
    assert snapshot(host) == before
