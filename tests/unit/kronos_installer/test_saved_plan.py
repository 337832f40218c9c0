"""A saved plan is carried out as it is, or not at all: on a host that changed, from a file that did."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import HERE, make_host, put, snapshot

from kronos_installer import executor
from kronos_installer.facts import read_facts
from kronos_installer.journal import Journal
from kronos_installer.main import main
from kronos_installer.plan import make_plan
from kronos_installer.problem import RefusedError
from kronos_installer.saved_plan import load_plan, save_plan
from kronos_installer.steps.step import step_to_json
from kronos_installer.wishes import Wishes

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

WISHES = Wishes("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
CASES = [case for case in sorted(HERE.glob("cases/*")) if (case / "plan.diff").exists()]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path)


def call(host: Host, *args: str) -> int:
    return main([*args, "--root", str(host.root)], runner=host.runner)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_plan_is_the_same_from_its_file(case: Path, tmp_path: Path) -> None:
    host = make_host(tmp_path, case / "host")
    facts = read_facts(host, host.runner)
    plan = make_plan(facts, WISHES)
    save_plan(plan, host, tmp_path / "plan.json")
    assert load_plan(tmp_path / "plan.json", host, facts) == plan


def test_apply_does_what_was_saved(host: Host, tmp_path: Path, capsys) -> None:
    before = snapshot(host)
    file = tmp_path / "plan.json"
    assert call(host, "plan", "--save", str(file), "--dom0-mem", "1G", "--hostname", "xen1") == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert snapshot(host) == before
    saved = json.loads(file.read_text())
    assert call(host, "apply", "--yes", "--plan", str(file)) == 0
    state = Journal(host).load()
    assert [step_to_json(step) for step in state.steps] == saved["steps"]
    assert state.wishes is not None
    assert (state.wishes.dom0_memory_mib, state.wishes.hostname) == (1024, "xen1")
    assert call(host, "apply", "--yes", "--plan", str(file)) == 0


def test_a_saved_plan_takes_no_wishes(host: Host, tmp_path: Path, capsys) -> None:
    call(host, "plan", "--save", str(tmp_path / "plan.json"))
    assert call(host, "apply", "--yes", "--plan", str(tmp_path / "plan.json"), "--dom0-mem", "1G") == 2


CHANGES = {
    "/etc/network/interfaces": "auto lo\niface lo inet loopback\n\nallow-hotplug enp0s3\niface enp0s3 inet6 auto\n",
    "/etc/xensource-inventory": "INSTALLATION_UUID='33333333-3333-4333-8333-333333333333'\n",
    "/etc/default/grub": 'GRUB_CMDLINE_XEN="loglvl=all"\n',
    "/etc/os-release": "ID=debian\nVERSION_ID=99\n",
    "/proc/cmdline": "root=/dev/vda1\n",
    "/etc/sysctl.d/enp0s3.conf": "net.ipv4.conf.enp0s3.rp_filter = 1\n",
    "/etc/machine-id": "another\n",
    "/proc/meminfo": "MemTotal:        1900000 kB\n",
}


@pytest.mark.parametrize("path", CHANGES)
def test_a_host_that_changed_is_refused(host: Host, tmp_path: Path, capsys, path: str) -> None:
    file = tmp_path / "plan.json"
    assert call(host, "plan", "--save", str(file)) == 0
    put(host, path, CHANGES[path])
    before = snapshot(host)
    capsys.readouterr()
    assert call(host, "apply", "--yes", "--json", "--plan", str(file)) == 3
    assert json.loads(capsys.readouterr().out)["outcome"] == "refused"
    assert snapshot(host) == before


def test_what_changed_is_named(host: Host, tmp_path: Path, capsys) -> None:
    call(host, "plan", "--save", str(tmp_path / "plan.json"))
    put(host, "/etc/network/interfaces", CHANGES["/etc/network/interfaces"])
    assert call(host, "apply", "--yes", "--plan", str(tmp_path / "plan.json")) == 3
    assert "no longer as planned: change /etc/network/interfaces" in capsys.readouterr().err


def test_newer_leases_are_no_change(host: Host, tmp_path: Path, capsys) -> None:
    call(host, "plan", "--save", str(tmp_path / "plan.json"))
    lease = host.at("/var/lib/dhcp/dhclient.enp0s3.leases")
    lease.write_text(lease.read_text() + 'lease {\n  interface "enp0s3";\n}\n')
    assert call(host, "apply", "--yes", "--plan", str(tmp_path / "plan.json")) == 0


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("saved")
    host = make_host(folder)
    facts = read_facts(host, host.runner)
    save_plan(make_plan(facts, WISHES), host, folder / "plan.json")
    return host, facts, folder / "plan.json"


@given(st.data())
def test_a_damaged_file_is_refused(saved, data) -> None:
    host, facts, file = saved
    good = file.read_bytes()
    bad = file.with_name("bad.json")
    shutil.copy(file, bad)
    kind = data.draw(st.sampled_from(["cut", "flip", "other"]))
    place = data.draw(st.integers(0, len(good) - 2))
    if kind == "cut":
        bad.write_bytes(good[:place])
    elif kind == "flip":
        # A blank for a blank says the same.
        same = b" \t\r\n" if good[place] in b" \t\r\n" else good[place : place + 1]
        byte = data.draw(st.integers(0, 255).filter(lambda value: value not in same))
        bad.write_bytes(good[:place] + bytes([byte]) + good[place + 1 :])
    else:
        bad.write_bytes(data.draw(st.binary(max_size=50)))
    with pytest.raises(RefusedError) if bad.read_bytes() != good else nullcontext():
        load_plan(bad, host, facts)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"sha256": 1}', "[" * 100_000, '{"a": ' * 50_000])
def test_other_files_are_refused(host: Host, tmp_path: Path, capsys, text: str) -> None:
    (tmp_path / "plan").write_text(text)
    (tmp_path / "plan").chmod(0o600)
    assert call(host, "apply", "--yes", "--plan", str(tmp_path / "plan")) == 3


@pytest.mark.parametrize("where", ["missing/plan", "a-file/plan", ""])
def test_a_file_that_is_none_is_refused(host: Host, tmp_path: Path, capsys, where: str) -> None:
    (tmp_path / "a-file").write_text("")
    path = str(tmp_path / where)
    before = snapshot(host)
    assert call(host, "apply", "--yes", "--plan", path) == 3
    assert call(host, "plan", "--save", path) == 3
    assert capsys.readouterr().err.count(f"{path}:1") == 2
    assert snapshot(host) == before


def test_two_at_once_are_one(host: Host, capsys) -> None:
    with executor.exclusive(host):
        assert call(host, "apply", "--yes") == 3
    assert "another xapi-host-setup" in capsys.readouterr().err
    assert Journal(host).load().steps == ()


def test_a_file_of_another_version_is_refused(host: Host, tmp_path: Path, capsys) -> None:
    file = tmp_path / "plan"
    call(host, "plan", "--save", str(file))
    file.write_text(file.read_text().replace('"version": "', '"version": "9'))
    assert call(host, "apply", "--yes", "--plan", str(file)) == 3
    assert "version 9" in capsys.readouterr().err


def test_a_file_that_others_may_change_is_refused(host: Host, tmp_path: Path, capsys) -> None:
    file = tmp_path / "plan"
    call(host, "plan", "--save", str(file))
    for mode in (0o660, 0o606, 0o644):
        file.chmod(mode)
        assert call(host, "apply", "--yes", "--plan", str(file)) == 3
    file.chmod(0o600)
    assert call(host, "apply", "--yes", "--plan", str(file)) == 0
