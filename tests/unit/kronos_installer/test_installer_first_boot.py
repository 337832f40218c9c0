"""Xen's first boot: tried once, made the default only when it has been seen to run, all of it taken back to the byte."""

from __future__ import annotations

import errno
import io
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from installer_kit import (
    HERE,
    MENUS,
    Countdown,
    Crash,
    FakeCommands,
    boot,
    choose_once,
    make_host,
    put,
    snapshot,
    start_xen,
)

from kronos_installer import executor
from kronos_installer.boot_checks import boot_findings, boot_problems
from kronos_installer.boot_fallback import choose_linux_once
from kronos_installer.detect.grub import read_menu
from kronos_installer.facts import Facts, read_facts
from kronos_installer.grub_config import CONFIG_PATH, DEFAULT_PATH, FALLBACK_PATH
from kronos_installer.grub_layout import DEBIAN
from kronos_installer.journal import Journal, Phase
from kronos_installer.plan import make_plan
from kronos_installer.steps.step import step_from_json, step_to_json
from kronos_installer.wishes import Wishes
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kronos_installer.host import Host

QUIET = Reporter(io.StringIO())
WISHES = Wishes("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
LINUX, XEN = "Debian GNU/Linux", "Debian GNU/Linux, with Xen hypervisor"
LVM = HERE / "cases/boot_on_lvm/host"


@dataclass
class Full:
    """No space left, once, at the effect after `left` others."""

    left: int

    def __call__(self, effect: str) -> None:
        self.left -= 1
        if self.left == -1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), effect)


def facts_of(host: Host) -> Facts:
    return read_facts(host, host.runner)


def set_up(host: Host) -> None:
    executor.apply(make_plan(facts_of(host), WISHES), host, QUIET)


def commands_of(host: Host) -> FakeCommands:
    assert isinstance(host.runner, FakeCommands)
    return host.runner


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path)


def test_a_host_whose_xen_does_not_come_up_is_back_on_its_old_kernel(host: Host) -> None:
    assert boot(host) == XEN  # Debian's xen.cfg makes it the default as soon as Xen is installed
    set_up(host)
    assert boot(host) == XEN
    assert boot(host) == LINUX
    with pytest.raises(executor.AfterRebootError, match="does not run under Xen"):
        executor.finish(host, QUIET)
    assert boot(host) == LINUX


def test_xen_is_the_default_once_it_has_been_seen_to_run(host: Host) -> None:
    before = snapshot(host)
    set_up(host)
    assert boot(host) == XEN
    start_xen(host)
    executor.finish(host, QUIET)
    assert [boot(host), boot(host)] == [XEN, XEN]
    assert Journal(host).load().phase is not Phase.CLEAN
    assert executor.not_in_place(host, Journal(host).load()) == []
    executor.rollback(host, QUIET)
    host.at("/sys/hypervisor/type").unlink()
    host.at("/sys/hypervisor").rmdir()
    assert snapshot(host) == before


def test_a_try_that_failed_may_be_repeated(host: Host) -> None:
    set_up(host)
    boot(host)
    assert boot(host) == LINUX
    assert executor.repeat_one_time(host, QUIET) == ["make Xen the next boot, once, in /boot/grub/grubenv"]
    assert boot(host) == XEN


@pytest.mark.parametrize(
    "menu", ["kernel-upgraded-tried-once.cfg", "kernel-upgraded.cfg", "release-upgraded.cfg"]
)
def test_upgrades_between_keep_the_choice(host: Host, menu: str) -> None:
    set_up(host)
    # What a kernel's postinst does: update-grub, which never looks at the environment block.
    put(host, "/boot/grub/grub.cfg", (MENUS / menu).read_text())
    put(host, "/boot/vmlinuz-6.1.0-57-amd64", "kernel\n")
    assert boot(host) == XEN
    start_xen(host)
    commands_of(host).menu = menu.replace("-tried-once", "")
    executor.finish(host, QUIET)
    assert boot(host) == XEN
    assert executor.not_in_place(host, Journal(host).load()) == []


def test_finish_cut_off_anywhere_is_ended_either_way(tmp_path: Path) -> None:
    for way in ("finish", "rollback"):
        for at in range(100):
            host = make_host(tmp_path / f"{way}-{at}")
            before = snapshot(host)
            set_up(host)
            boot(host)
            start_xen(host)
            try:
                executor.finish(replace(host, on_effect=Countdown(at)), QUIET)
            except Crash:
                assert boot(host) in (LINUX, XEN)
                executor.finish(host, QUIET) if way == "finish" else executor.rollback(host, QUIET)
            else:
                break
            if way == "finish":
                assert boot(host) == XEN
                executor.rollback(host, QUIET)
            assert {k: v for k, v in snapshot(host).items() if "hypervisor" not in k} == before, at
        else:
            pytest.fail("finish never came to its end")


def test_what_others_keep_in_the_environment_stays(host: Host) -> None:
    set_up(host)
    boot(host)
    environment = host.at("/boot/grub/grubenv")
    environment.write_bytes(
        environment.read_bytes().replace(b"next_entry=\n", b"next_entry=\nrecordfail=1\n", 1)[:1024]
    )
    executor.rollback(host, QUIET)
    assert environment.read_bytes() == b"# GRUB Environment Block\nrecordfail=1\n".ljust(1024, b"#")


def test_a_choice_that_was_pending_before_comes_back(host: Host) -> None:
    choose_once(host.at("/boot/grub/grubenv"), "1>2")
    before = snapshot(host)
    set_up(host)
    assert boot(host) == XEN
    executor.rollback(host, QUIET)
    assert snapshot(host) == before


def test_no_environment_block_is_left_where_there_was_none(host: Host) -> None:
    host.at("/boot/grub/grubenv").unlink()
    before = snapshot(host)
    set_up(host)
    assert boot(host) == XEN
    executor.rollback(host, QUIET)
    assert snapshot(host) == before


def test_where_grub_cannot_forget_the_choice_xen_is_the_default_at_once(tmp_path: Path) -> None:
    host = make_host(tmp_path, LVM)
    before = snapshot(host)
    set_up(host)
    assert host.read("/boot/grub/grubenv") == before["/boot/grub/grubenv"][2].decode()
    assert not any("grub-reboot" in command for command in commands_of(host).ran)
    assert [boot(host), boot(host)] == [XEN, XEN]
    executor.rollback(host, QUIET)
    assert snapshot(host) == before


def test_grub_reboot_that_does_nothing_undoes_everything(host: Host) -> None:
    before = snapshot(host)
    commands_of(host).deaf.add("grub-reboot")
    with pytest.raises(executor.ApplyFailedError, match="did not make Xen the next boot"):
        set_up(host)
    assert snapshot(host) == before


def test_a_menu_that_ignores_the_choice_undoes_everything(host: Host) -> None:
    before = snapshot(host)
    text = (MENUS / "tried-once.cfg").read_text().replace("save_env next_entry", "true")
    put(host, "/menu", text)
    commands_of(host).menu = str(host.at("/menu"))
    with pytest.raises(executor.ApplyFailedError, match="does not look at next_entry"):
        set_up(host)
    host.at("/menu").unlink()
    assert snapshot(host) == before


def test_a_menu_with_another_default_never_takes_the_old_ones_place(host: Host) -> None:
    seen = set()
    plan = make_plan(facts_of(host), WISHES)
    commands_of(host).menu = "set-up.cfg"
    watched = replace(host, on_effect=lambda _: seen.add(host.read("/boot/grub/grub.cfg")))
    with pytest.raises(executor.ApplyFailedError, match="not a kernel without Xen"):
        executor.apply(plan, watched, QUIET)
    assert seen == {(MENUS / "debian.cfg").read_text()}


def test_steps_survive_the_journal(host: Host) -> None:
    for step in make_plan(facts_of(host), WISHES).steps:
        assert step_from_json(step_to_json(step)) == step


def test_journals_of_former_versions_are_understood(host: Host) -> None:
    record = step_to_json(make_plan(facts_of(host), WISHES).steps[-1])
    old = {key: value for key, value in record.items() if key not in ("layout", "default")} | {"kind": "grub"}
    assert step_from_json(old).describe().endswith("see that Xen is /boot/grub/grub.cfg's default")


def found(host: Host, *, settled: bool = True) -> list[str]:
    return [problem.id for problem in boot_findings(facts_of(host), settled=settled)]


def test_a_host_that_is_set_up_has_no_findings(host: Host) -> None:
    set_up(host)
    assert found(host, settled=False) == []
    start_xen(host)
    executor.finish(host, QUIET)
    assert found(host) == []


def test_findings_of_a_host_that_lost_something(host: Host) -> None:
    set_up(host)
    assert found(host) == ["default-not-xen", "not-under-xen"]
    start_xen(host)
    executor.finish(host, QUIET)
    put(host, "/boot/config-6.1.0-56-amd64", "# CONFIG_XEN_DOM0 is not set\n")
    put(host, "/boot/xen-4.17-amd64.config", "# CONFIG_HVM is not set\nCONFIG_SHADOW_PAGING=y\n")
    assert found(host) == ["kernel-no-dom0", "xen-no-hvm"]
    host.at("/boot/xen-4.17-amd64.gz").rename(host.at("/boot/xen-4.20-amd64.gz"))
    assert found(host) == ["xen-missing", "kernel-no-dom0", "xen-no-hvm"]
    put(host, "/boot/grub/grub.cfg", (MENUS / "no-submenu.cfg").read_text())
    assert found(host)[:2] == ["default-not-xen", "grub-no-xen-entry"]


def test_grub_has_a_way_out_of_a_xen_that_it_cannot_load(host: Host) -> None:
    set_up(host)
    menu = read_menu(host, DEBIAN)
    assert menu.fallback == "0"
    way_out = menu.fallback_entry()
    assert way_out is not None
    assert way_out.boots_linux


def test_a_way_out_is_the_place_of_a_kernel_outside_the_submenus(host: Host) -> None:
    """Somebody's own script comes before the kernels'."""
    menu = host.read("/boot/grub/grub.cfg")
    put(host, "/boot/grub/grub.cfg", f"menuentry 'Rescue' {{\n\tchainloader /rescue\n}}\n{menu}")
    (step,) = [step for step in make_plan(facts_of(host), WISHES).steps if step.target == FALLBACK_PATH]
    assert "set fallback=1" in step.diff()


RESCUE = "menuentry 'Rescue' --id rescue {\n\tlinux /rescue/vmlinuz\n}\n"


def test_a_way_out_is_no_rescue_system_that_comes_before_the_kernels(host: Host) -> None:
    """It boots without Xen, and may know nothing of the host's network."""
    put(host, "/boot/grub/grub.cfg", RESCUE + host.read("/boot/grub/grub.cfg"))
    (step,) = [step for step in make_plan(facts_of(host), WISHES).steps if step.target == FALLBACK_PATH]
    assert "set fallback=1" in step.diff()


def test_a_rescue_system_that_came_before_the_kernels_since_is_named(host: Host) -> None:
    set_up(host)
    put(host, "/boot/grub/grub.cfg", RESCUE + host.read("/boot/grub/grub.cfg"))
    told = [one for one in boot_findings(facts_of(host), settled=False) if one.id == "grub-fallback"]
    assert ["'Rescue'" in one.title for one in told] == [True]


def test_a_menu_that_is_made_anew_by_a_rollback_has_no_way_out_left(host: Host) -> None:
    """A kernel was installed since, so the old menu is not what is put back; the script is taken back after the menu."""
    set_up(host)
    put(host, "/boot/vmlinuz-6.1.0-57-amd64", "a kernel\n")
    executor.rollback(host, QUIET)
    assert not host.exists(FALLBACK_PATH)
    assert "fallback" not in host.read("/boot/grub/grub.cfg")


@pytest.mark.parametrize("fallback", ["2", "7", "1>0", "Debian GNU/Linux"])
def test_a_way_out_that_is_none_is_refused_and_named(host: Host, fallback: str) -> None:
    """A number of Xen's entry, of none, a path, a title, which only Fedora's GRUB knows."""
    commands = commands_of(host)
    put(host, "/boot/way.cfg", f"{(MENUS / 'tried-once.cfg').read_text()}\nset fallback='{fallback}'\n")
    commands.menu = os.fspath(host.at("/boot/way.cfg"))
    with pytest.raises(executor.ApplyFailedError, match="is no entry without Xen"):
        set_up(host)
    commands.menu = ""
    set_up(host)
    text = host.read("/boot/grub/grub.cfg").replace("set fallback=0", f"set fallback='{fallback}'")
    put(host, "/boot/grub/grub.cfg", text)
    assert found(host, settled=False) == ["grub-fallback"]
    put(host, "/boot/grub/grub.cfg", text.replace(f"set fallback='{fallback}'", ""))
    assert found(host, settled=False) == ["grub-fallback"]


@pytest.mark.parametrize(
    ("change", "id_"),
    [({"free_bytes": 100 * 1024}, "boot-full"), ({"free_files": 2}, "boot-full"),
     ({"read_only": (("/var", "/"),)}, "filesystem-read-only"),
     ({"environment_obstacle": "btrfs"}, "grub-no-one-time")],
)  # fmt: skip
def test_room_and_mounts_are_looked_at_before(host: Host, change: dict[str, object], id_: str) -> None:
    facts = facts_of(host)
    assert [p for p in boot_problems(facts) if p.level != "info"] == []
    changed = replace(facts, boot=replace(facts.boot, **change))  # type: ignore[arg-type]
    assert [problem.id for problem in boot_problems(changed)] == [id_]


def test_a_boot_that_fills_up_midway_is_undone(tmp_path: Path) -> None:
    seen: list[str] = []
    first = make_host(tmp_path / "first")
    executor.apply(make_plan(facts_of(first), WISHES), replace(first, on_effect=seen.append), QUIET)
    places = [at for at, effect in enumerate(seen) if effect.startswith("before writing ")]
    assert len(places) > 4
    for at in places:
        host = make_host(tmp_path / str(at))
        before = snapshot(host)
        full = replace(host, on_effect=Full(at))
        with pytest.raises(executor.ApplyFailedError, match="No space left on device"):
            executor.apply(make_plan(facts_of(host), WISHES), full, QUIET)
        assert snapshot(host) == before, seen[at]


def test_the_way_back_is_a_kernel_without_xen_where_the_old_default_was_xen(host: Host) -> None:
    assert choose_linux_once(host) == LINUX
    assert [boot(host), boot(host)] == [LINUX, XEN]


def test_the_way_back_is_no_rescue_system_that_comes_before_the_kernels(host: Host) -> None:
    put(host, "/boot/grub/grub.cfg", RESCUE + host.read("/boot/grub/grub.cfg"))
    assert choose_linux_once(host) == LINUX


def test_the_way_back_needs_no_choice_where_the_default_is_without_xen_or_none_can_be_made(
    tmp_path: Path,
) -> None:
    for host in (
        make_host(tmp_path / "lvm", LVM),
        make_host(tmp_path, HERE / "cases/grub_saved_default/host"),
    ):
        before = snapshot(host)
        assert choose_linux_once(host) == ""
        assert snapshot(host) == before


def test_both_files_are_gone_after_a_rollback(host: Host) -> None:
    set_up(host)
    start_xen(host)
    executor.finish(host, QUIET)
    assert host.exists(CONFIG_PATH)
    assert host.exists(DEFAULT_PATH)
    executor.rollback(host, QUIET)
    assert not host.exists(CONFIG_PATH)
    assert not host.exists(DEFAULT_PATH)


@pytest.mark.parametrize(
    ("mount", "fstab", "refused"),
    [
        ("/var 0:44 nfs4 server:/var", "", True),
        ("/var/lib 8:17 ext4 /dev/sdb1", "UUID=1 /var/lib/ ext4 defaults,_netdev 0 2\n", True),
        ("/usr 0:44 nfs server:/usr", "", True),
        (
            "/var 254:1 ext4 /dev/mapper/var",
            "# /var _netdev\n/dev/mapper/var /var ext4 defaults 0 2\n",
            False,
        ),
        # What the network's root needs is there before systemd is.
        ("/ 0:44 nfs server:/root", "server:/root / nfs _netdev 0 0\n", False),
        ("/srv 0:44 nfs server:/srv", "server:/srv /srv nfs _netdev 0 0\n", False),
    ],
)
def test_a_journal_that_is_there_only_after_the_network_is_refused(
    host: Host, mount: str, fstab: str, refused: bool
) -> None:
    """The boot guard comes before the network and needs it: systemd would drop one of them from the boot."""
    point, device, kind, source = mount.split()
    put(host, "/etc/fstab", fstab)
    put(host, "/proc/self/mountinfo", f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"30 22 {device} / {point} rw - {kind} {source} rw\n")  # fmt: skip
    ids = [problem.id for problem in boot_problems(facts_of(host))]
    assert ("state-over-network" in ids) is refused


@dataclass
class MenuWithoutEntries(FakeCommands):
    """GRUB's scripts find no kernel, and say no word of it."""

    def __call__(self, argv: Sequence[str]) -> str:
        out = super().__call__(argv)
        if "grub-mkconfig" in argv:
            (self.root / argv[-1].lstrip("/")).write_text("set default=0\n")
        return out


def test_a_rollback_puts_no_menu_without_a_kernel_in_the_old_ones_place(host: Host) -> None:
    set_up(host)
    menu = host.read("/boot/grub/grub.cfg")
    put(host, "/boot/vmlinuz-6.1.0-57-amd64", "came since\n")
    lost = replace(host, runner=MenuWithoutEntries(host.root))
    with pytest.raises(executor.UndoIncompleteError, match="no entry without Xen"):
        executor.rollback(lost, QUIET, force=True)
    assert host.read("/boot/grub/grub.cfg") == menu
    executor.rollback(host, QUIET)
    assert Journal(host).load().phase is Phase.CLEAN
