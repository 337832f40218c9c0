"""Packages that the plan needs: named per release, installed first, kept at a rollback, removed when asked and safe."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from installer_kit import Countdown, Crash, FakeCommands, make_host, put, snapshot

from kronos_installer import executor
from kronos_installer.detect.release import RELEASES, parse_installed, parse_simulation
from kronos_installer.facts import Facts, read_facts
from kronos_installer.journal import Journal, Phase
from kronos_installer.main import main
from kronos_installer.network.ifupdown.bridge_stanza import NEEDS
from kronos_installer.packages import package_problems, package_steps
from kronos_installer.plan import Plan, make_plan
from kronos_installer.wishes import IsoType, IsoWish, StorageType, StorageWish, Wishes
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

QUIET = Reporter(io.StringIO())
WISHES = Wishes("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
NFS = replace(WISHES, iso_library=IsoWish(IsoType.NFS, "files:/isos"))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path)


def commands(host: Host) -> FakeCommands:
    assert isinstance(host.runner, FakeCommands)
    return host.runner


def call(host: Host, *args: str) -> int:
    return main([*args, "--root", str(host.root)], runner=host.runner)


def plan_for(host: Host) -> Plan:
    return make_plan(read_facts(host, host.runner), NFS)


@pytest.fixture
def facts(host: Host) -> Facts:
    return read_facts(host, host.runner)


def wanted(facts: Facts, wishes: Wishes, network: tuple[tuple[str, ...], ...] = ()) -> list[str]:
    return [name for step in package_steps(facts, wishes, network) for name in step.packages]


def on(facts: Facts, os_id: str, version: str) -> Facts:
    return replace(
        facts, machine=replace(facts.machine, os_id=os_id, os_version=version), programs=frozenset()
    )


@pytest.mark.parametrize(
    ("storage", "packages"),
    [("directory", []), ("device", []), ("lvm", ["lvm2"]), ("nfs", ["nfs-common"]), ("iscsi", ["open-iscsi", "lvm2"])],
)  # fmt: skip
def test_storage_needs_its_programs(facts: Facts, storage: str, packages: list[str]) -> None:
    assert wanted(facts, replace(WISHES, storage=StorageWish(StorageType(storage), "x"))) == packages


def test_nothing_is_installed_that_is_there(host: Host) -> None:
    put(host, "/sbin/mount.nfs", "elf")
    assert wanted(read_facts(host, host.runner), NFS) == []


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_every_release_has_names_for_all_needs(facts: Facts, release) -> None:
    there = on(facts, release.os_id, release.version)
    for storage in StorageType:
        wishes = replace(NFS, storage=StorageWish(storage, "x"))
        names = wanted(there, wishes, (("openvswitch-switch", "/usr/bin/ovs-vsctl"),))
        assert all(names)
        assert ("nfs-utils" in names) == (release.os_id == "fedora")
        assert list(package_problems(there, wishes)) == []


def test_what_a_release_does_not_have_is_refused(facts: Facts) -> None:
    (problem,) = package_problems(on(facts, "fedora", "44"), WISHES, (NEEDS["bridge"][0],))
    assert (problem.id, "/etc/network/if-pre-up.d/bridge" in problem.title) == ("program-missing", True)


def test_they_come_before_all_else(host: Host) -> None:
    assert plan_for(host).steps[0].kind == "packages"
    assert plan_for(host).steps[0].describe() == "install nfs-common"


def test_they_are_installed_without_questions(host: Host) -> None:
    executor.apply(plan_for(host), host, QUIET)
    assert commands(host).packages == {"nfs-common"}
    (install,) = [
        ran for ran in commands(host).ran if " install nfs-common" in ran and "--simulate" not in ran
    ]
    assert install.startswith("apt-get --yes")
    assert executor.not_in_place(host, Journal(host).load()) == []
    commands(host).packages.clear()
    assert executor.not_in_place(host, Journal(host).load()) == ["install nfs-common"]


def test_a_crash_anywhere_is_ended_either_way(tmp_path: Path) -> None:
    world = make_host(tmp_path / "world")
    before, seen = snapshot(world), []
    executor.apply(plan_for(world), replace(world, on_effect=seen.append), QUIET)
    after = snapshot(world)
    for at in range(len(seen)):
        for way, expected in (("apply", after), ("rollback", before)):
            host = make_host(tmp_path / f"{at}{way}")
            with pytest.raises(Crash):
                executor.apply(plan_for(host), replace(host, on_effect=Countdown(at)), QUIET)
            if Journal(host).load().phase is Phase.CLEAN:
                assert snapshot(host) == before
            elif way == "rollback":
                executor.rollback(host, QUIET)
                assert snapshot(host) == expected
            else:
                executor.resume_apply(host, QUIET)
                assert (snapshot(host), commands(host).packages) == (expected, {"nfs-common"})


def test_a_failing_installation_changes_nothing_else(host: Host) -> None:
    before, plan = snapshot(host), plan_for(host)
    commands(host).broken.add("apt-get")
    with pytest.raises(executor.ApplyFailedError):
        executor.apply(plan, host, QUIET)
    assert snapshot(host) == before


def test_half_configured_packages_are_mended(host: Host) -> None:
    plan, done = plan_for(host), commands(host)

    class Interrupted(FakeCommands):
        def __call__(self, argv):
            if (
                "install" in argv
                and "--simulate" not in argv
                and not any("--configure" in ran for ran in self.ran)
            ):
                self.broken = {"apt-get"}
            try:
                return super().__call__(argv)
            finally:
                self.broken = set()

    host = replace(host, runner=Interrupted(host.root, packages=done.packages))
    executor.apply(plan, host, QUIET)
    assert "nfs-common" in commands(host).packages


def test_a_rollback_keeps_them_until_asked(host: Host, capsys) -> None:
    commands(host).packages |= {"base-files"}
    before = snapshot(host)
    assert call(host, "apply", "--yes", "--network-backend", "openvswitch") == 0
    commands(host).packages |= {"later"}
    assert call(host, "rollback", "--yes") == 0
    assert snapshot(host) == before
    assert "openvswitch-switch" in commands(host).packages
    capsys.readouterr()
    assert call(host, "rollback", "--yes", "--remove-packages", "--json") == 0
    assert commands(host).packages == {"base-files", "later"}
    assert json.loads(capsys.readouterr().out)["packages"] == ["openvswitch-switch"]
    assert call(host, "rollback", "--yes", "--remove-packages") == 0
    assert "no package to remove" in capsys.readouterr().out


def test_what_was_there_before_stays(host: Host, capsys) -> None:
    commands(host).packages |= {"openvswitch-switch"}
    assert call(host, "apply", "--yes", "--network-backend", "openvswitch") == 0
    assert call(host, "rollback", "--yes") == 0
    assert call(host, "rollback", "--yes", "--remove-packages") == 0
    assert commands(host).packages == {"openvswitch-switch"}


def test_they_are_kept_while_the_bridge_runs(host: Host, capsys) -> None:
    assert call(host, "apply", "--yes", "--network-backend", "openvswitch") == 0
    assert call(host, "rollback", "--yes") == 0
    put(host, "/sys/class/net/xenbr0/address", "52:54:00:12:34:56\n")
    assert call(host, "rollback", "--yes", "--remove-packages") == 1
    assert "reboot" in capsys.readouterr().err
    assert "openvswitch-switch" in commands(host).packages


def test_outputs_of_package_managers() -> None:
    simulated = """\
NOTE: This is only a simulation!
Reading package lists...
Inst libevent-core-2.1-7 (2.1.12-stable-8 Debian:12.11/oldstable [amd64])
Inst libc6 [2.36-9+deb12u10] (2.36-9+deb12u13 Debian:12.11/oldstable [amd64])
Inst nfs-common (1:2.6.2-4+deb12u1 Debian:12.11/oldstable [amd64])
Conf nfs-common (1:2.6.2-4+deb12u1 Debian:12.11/oldstable [amd64])
"""
    assert parse_simulation(simulated) == ("libevent-core-2.1-7", "nfs-common")
    assert parse_installed("installed a\nconfig-files b\nhalf-configured c\n\n") == {"a"}
