"""netplan's and networkd's several files: a crash at every effect of apply, ended either way; all of it taken back."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from installer_kit import HERE, Countdown, Crash, make_host, snapshot

from kronos_installer import executor
from kronos_installer.facts import read_facts
from kronos_installer.journal import Journal, Phase
from kronos_installer.plan import make_plan
from kronos_installer.steps.network_step import NetworkStep
from kronos_installer.wishes import Wishes
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host
    from kronos_installer.plan import Plan

QUIET = Reporter(io.StringIO())
WISHES = Wishes("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


def network_only(host: Host) -> Plan:
    """Return the plan's network step alone: the others are tried on the base host."""
    plan = make_plan(read_facts(host, host.runner), WISHES)
    return replace(plan, steps=tuple(step for step in plan.steps if isinstance(step, NetworkStep)))


@pytest.mark.parametrize("stack", ["netplan", "networkd"])
def test_cut_off_anywhere_and_ended_either_way(tmp_path: Path, stack: str) -> None:
    case = HERE / "cases" / stack / "host"
    host = make_host(tmp_path / "whole", case)
    before = snapshot(host)
    seen: list[str] = []
    executor.apply(network_only(host), replace(host, on_effect=seen.append), QUIET)
    after = snapshot(host)
    assert len(set(after) - set(before)) >= 3 - (stack == "netplan")
    executor.rollback(host, QUIET)
    assert snapshot(host) == before
    for at in range(len(seen)):
        for ended, wanted in ((executor.resume_apply, after), (executor.rollback, before)):
            cut = make_host(tmp_path / f"{at}-{ended.__name__}", case)
            with pytest.raises(Crash):
                executor.apply(network_only(cut), replace(cut, on_effect=Countdown(at)), QUIET)
            if Journal(cut).load().phase is Phase.CLEAN:  # cut off before the journal says anything
                assert snapshot(cut) == before
                continue
            ended(cut, QUIET)
            assert snapshot(cut) == wanted, f"crash at effect {at}"
