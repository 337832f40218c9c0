"""ifcfg files: what is on the host comes out on the bridge, or is refused with file and line."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_stack_kit import cases_of, check_case, check_refusal, host_of

from kronos_installer.detect.nics import read_nics
from kronos_installer.network.ifcfg import read_ifcfg
from kronos_installer.network.ifcfg.shell_file import parse_shell_file
from kronos_installer.network.stack import BridgeKind
from kronos_installer.problem import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

CASES = cases_of("ifcfg")
BY_NAME = {case.name: case for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_captured_host(case: Path, tmp_path: Path) -> None:
    check_case(case, tmp_path, read_ifcfg)


@pytest.mark.parametrize(
    "case", [c for c in CASES if (c / "refused.txt").exists()], ids=lambda case: case.name
)
def test_every_refusal_names_file_and_line_and_a_remedy(case: Path) -> None:
    check_refusal(case)


def test_openvswitch_is_refused_clearly(tmp_path: Path) -> None:
    host = host_of(BY_NAME["service_static"], tmp_path)
    config = read_ifcfg(host)
    assert config is not None
    management, _ = config.find_management(read_nics(host))
    assert management is not None
    with pytest.raises(ProblemError) as refused:
        config.move_to_bridge(management, BridgeKind.OPENVSWITCH)
    assert refused.value.problem.id == "openvswitch-unsupported"


def test_the_scripts_need_brctl_where_they_call_it(tmp_path: Path) -> None:
    host = host_of(BY_NAME["service_static"], tmp_path)
    for script, needs in (
        ("brctl addbr", ("bridge-utils", "/usr/sbin/brctl", "/sbin/brctl")),
        ("ip link", ()),
    ):
        host.at("/etc/sysconfig/network-scripts/ifup-eth").write_text(f"{script}\n")
        config = read_ifcfg(host)
        assert config is not None
        management, _ = config.find_management(read_nics(host))
        assert management is not None
        edit = config.move_to_bridge(management, BridgeKind.LINUX)
        assert edit.needs == ((needs,) if needs else ())
        assert {path for _, *paths in edit.needs for path in paths} <= set(config.programs)


def test_a_link_in_a_files_place_is_refused(tmp_path: Path) -> None:
    host = host_of(BY_NAME["service_static"], tmp_path)
    host.at("/etc/sysconfig/network-scripts/ifcfg-x").symlink_to("/srv/x")
    config = read_ifcfg(host)
    assert config is not None
    _, problems = config.find_management(read_nics(host))
    assert {problem.id for problem in problems} == {"file-unsuitable"}


LINES = st.one_of(
    st.sampled_from(
        ["A=1", "B='x y'", 'C="x y"', "D=a'b c'd", "E=", "F=x # comment", "# comment", "", " G=7"]
    ),
    st.text("=B='\" #\t$`;&|<>(){}*~\\xy", max_size=12).map("A{}".format),
    st.text("'\" #\txy", max_size=8).map("C={}".format),
    st.text("'\" #$`\\xy", max_size=6).map("H={}".format),
)


@settings(max_examples=300)
@given(st.lists(LINES, max_size=6))
def test_what_is_accepted_is_what_a_shell_reads(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    try:
        file = parse_shell_file("/f", text)
    except ProblemError as error:
        assert 1 <= int(error.problem.diagnosis.removeprefix("/f:")) <= len(lines)  # noqa: PT017 -- or not
        return
    assert "".join(file.lines) == text
    for assignment in file.assignments:
        script = f'{file.lines[assignment.index]}\nprintf %s "${assignment.name}"'
        found = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True, env={})
        assert found.stdout.decode() == assignment.value
