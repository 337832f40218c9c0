"""A network step of several files: new, changed and removed ones, there and back to the byte, cut off anywhere."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import Countdown, Crash, make_host, put, snapshot

from kronos_installer.host_files import FileState
from kronos_installer.steps.network_step import FileChange, NetworkStep
from kronos_installer.steps.step import HostChangedError, step_from_json, step_to_json

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

CHANGED = "/etc/network/interfaces"
GONE = "/etc/network/interfaces.d/enp0s3"
NEW = "/etc/systemd/network/xenbr0/xenbr0.netdev"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    host = make_host(tmp_path)
    put(host, GONE, "iface enp0s3 inet dhcp\n")
    return host


def step_for(host: Host) -> NetworkStep:
    files = (
        FileChange(NEW, b"[NetDev]\n", host.state(NEW), 0o600),
        FileChange(CHANGED, b"auto lo\n", host.state(CHANGED)),
        FileChange(GONE, None, host.state(GONE)),
        FileChange(f"{NEW}.d", b"beside\n", None),
    )
    return NetworkStep(reason="a test", files=files, interface="enp0s3", switch=(("ip", "link"),))


def test_there_and_back(host: Host) -> None:
    before = snapshot(host)
    step = step_for(host)
    assert not step.is_applied(host)
    original = step.capture(host)
    step.apply(host, original)
    assert host.state(NEW).mode == 0o600  # type: ignore[union-attr]
    assert host.read(CHANGED) == "auto lo\n"
    assert not host.exists(GONE)
    assert step.is_applied(host)
    assert step.changed_since(host, original) == ""
    step.undo(host, original)
    assert snapshot(host) == before
    assert not step.is_applied(host)


def test_it_is_the_same_after_the_journal(host: Host) -> None:
    step = step_for(host)
    assert step_from_json(json.loads(json.dumps(step_to_json(step)))) == step


@pytest.mark.parametrize("path", [CHANGED, GONE, NEW])
def test_a_file_that_is_not_as_planned_is_left_alone(host: Host, path: str) -> None:
    step = step_for(host)
    put(host, path, "somebody else's\n")
    before = snapshot(host)
    with pytest.raises(HostChangedError, match=path):
        step.capture(host)
    assert snapshot(host) == before


@pytest.mark.parametrize("path", [CHANGED, GONE, NEW])
def test_what_was_changed_since_is_named(host: Host, path: str) -> None:
    step = step_for(host)
    original = step.capture(host)
    step.apply(host, original)
    put(host, path, "somebody else's\n")
    assert step.changed_since(host, original) == path
    assert not step.is_applied(host)


@pytest.mark.parametrize("way", ["apply", "undo"])
def test_cut_off_anywhere_it_is_ended_either_way(host: Host, way: str) -> None:
    before = snapshot(host)
    step = step_for(host)
    original = step.capture(host)
    step.apply(host, original)
    after = snapshot(host)
    step.undo(host, original)
    for at in range(100):
        (step.undo if way == "apply" else step.apply)(host, original)
        with_crash = replace(host, on_effect=Countdown(at))
        try:
            (step.apply if way == "apply" else step.undo)(with_crash, original)
        except Crash:
            step.undo(host, original)
            assert snapshot(host) == before, f"crash at effect {at}"
            step.apply(host, original)
            assert snapshot(host) == after, f"crash at effect {at}"
            continue
        assert at > 10
        return
    pytest.fail("it never ended")


def test_all_files_are_shown(host: Host) -> None:
    step = step_for(host)
    shown = step.diff()
    assert f"--- /dev/null\n+++ {NEW}\n" in shown
    assert f"--- {GONE}\n+++ /dev/null\n" in shown
    assert step.describe() == f"write {NEW} (mode 0600), change {CHANGED}, remove {GONE}, write {NEW}.d"


@given(st.binary(max_size=200), st.none() | st.binary(max_size=200), st.none() | st.integers(0, 0o777))
def test_any_content_and_mode_survive_the_journal(
    before: bytes, content: bytes | None, mode: int | None
) -> None:
    change = FileChange("/a", content, FileState(before, 0o640, 1, 2), mode)
    assert FileChange.from_json(json.loads(json.dumps(change.to_json()))) == change
