"""Debian's own ifquery reads what is written as we do: what comes up at boot, in which order, and all that is said."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from stack_kit import stack_cases, stack_host, wish

from kronos_installer.detect.nics import read_nics
from kronos_installer.network.ifupdown.config import read_ifupdown
from kronos_installer.network.ifupdown.read import MAIN_FILE
from kronos_installer.network.ifupdown.text import Keyword, parse_interfaces
from kronos_installer.network.stack import BRIDGE, BridgeKind

if TYPE_CHECKING:
    from pathlib import Path

CASES = [
    case for case in stack_cases("ifupdown") if (case / "edit.diff").exists() and case.name != "three_files"
]
CASES = [case for case in CASES if "not in use" not in (case / "edit.diff").read_text()]
pytestmark = pytest.mark.skipif(not shutil.which("ifquery"), reason="needs Debian's ifupdown: ifquery")


def ifquery(interfaces: Path, *arguments: str) -> list[str]:
    argv = ["ifquery", f"--interfaces={interfaces}", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_ifquery_reads_it_as_we_do(case: Path, tmp_path: Path) -> None:
    host = stack_host(tmp_path, "ifupdown", case)
    config = read_ifupdown(host)
    assert config is not None
    management, _ = config.find_management(read_nics(host), wish(case, "wished"))
    assert management is not None
    content = config.move_to_bridge(management, BridgeKind(wish(case, "bridge") or "bridge")).files[MAIN_FILE]
    assert content is not None
    new = tmp_path / "interfaces"
    new.write_bytes(content)

    parsed = parse_interfaces(MAIN_FILE, content.decode("latin-1"))
    started = [n for s in parsed.statements if s.keyword is Keyword.AUTO for n in s.names]
    assert ifquery(new, "--list") == started
    # With what ifupdown adds by itself, broadcast addresses for one.
    lines = ifquery(host.at(MAIN_FILE), management.interface)
    # Rules that named the interface name the bridge.
    old = {x.replace(f" {management.interface} ", f" {BRIDGE} ") if "tables " in x else x for x in lines}
    bridge, port = (set(ifquery(new, name)) for name in (BRIDGE, management.interface))
    assert old <= bridge | port
    flushes = {f"up: ip -6 {what} flush dev {management.interface} || true" for what in ("address", "route")}
    assert {line.split("_")[0] for line in bridge - old - flushes} <= {"bridge", "ovs"}
    assert port <= old
    assert {line.split(": ")[0] for line in port & bridge} <= {"mtu"}
