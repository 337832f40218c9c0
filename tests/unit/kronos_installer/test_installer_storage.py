"""Where disks are to be: what is refused, what is planned, and that undo never takes data away."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import Countdown, Crash, put, snapshot
from storage_kit import MOUNTINFO, host_with_disks, mount

from kronos_installer import executor
from kronos_installer.facts import STORAGE_UNIT, Facts, read_facts
from kronos_installer.iscsi_place import IscsiPlace, iscsi_place
from kronos_installer.journal import Journal, Phase
from kronos_installer.main import main
from kronos_installer.password_file import PasswordFileError, is_lasting, read_password
from kronos_installer.plan import make_plan
from kronos_installer.steps.device import FileSystemUnreadableError, held_names
from kronos_installer.steps.file_system_step import FileSystemStep
from kronos_installer.steps.iscsi_lun import read_luns
from kronos_installer.steps.storage_step import NotForgottenError, StorageStep
from kronos_installer.storage import MOUNT_POINT, UNIT_PATH, nfs_place, storage_problems, storage_steps
from kronos_installer.storage_directories import directory_problems
from kronos_installer.storage_servers import answers, server_problems
from kronos_installer.wishes import IsoType, IsoWish, StorageType, StorageWish, Wishes
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kronos_installer.host import Host

QUIET = Reporter(io.StringIO())
WISHES = Wishes(
    installation_uuid="11111111-1111-4111-8111-111111111111",
    control_domain_uuid="22222222-2222-4222-8222-222222222222",
)
DEVICE = replace(WISHES, storage=StorageWish(StorageType.DEVICE, "/dev/sdb"))
LVM = replace(WISHES, storage=StorageWish(StorageType.LVM, "vg0"))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return host_with_disks(tmp_path)


@pytest.fixture
def facts(host: Host) -> Facts:
    return read_facts(host, host.runner)


def disks(type_: StorageType, location: str) -> Wishes:
    return replace(WISHES, storage=StorageWish(type_, location))


def isos(type_: IsoType, location: str) -> Wishes:
    return replace(WISHES, iso_library=IsoWish(type_, location))


def chap(type_: str, location: str, **more: str) -> Wishes:
    return replace(WISHES, storage=StorageWish(StorageType(type_), location, **more))


IQN = "iqn.2001-05.org.example:disks"
LUN = f"san.example::3260:1:{IQN}"
REFUSED = [
    (disks(StorageType.DEVICE, "/dev/sdz"), "storage-device-missing", "/dev/sdb"),
    (disks(StorageType.DEVICE, "sdb"), "storage-device-missing", "sdb"),
    (disks(StorageType.DEVICE, "/dev/sda"), "storage-device-used", "holds /dev/sda1, /dev/sda5"),
    (disks(StorageType.DEVICE, "/dev/sda1"), "storage-device-used", "is mounted at /"),
    (disks(StorageType.DEVICE, "/dev/sda5"), "storage-device-used", "is used as swap"),
    (disks(StorageType.DEVICE, "/dev/sdc"), "storage-device-used", "holds LVM2_member"),
    (disks(StorageType.LVM, "other"), "storage-group-missing", "vg0"),
    (disks(StorageType.ISCSI, "nas"), "storage-location", "SERVER::PORT:LUN:TARGET"),
    (disks(StorageType.ISCSI, f"san:17:3260:0:{IQN}"), "storage-location", "SERVER::"),
    (disks(StorageType.ISCSI, f"san::65536:0:{IQN}"), "storage-location", "SERVER::"),
    (disks(StorageType.ISCSI, f"san::0:0:{IQN}"), "storage-location", "SERVER::"),
    (disks(StorageType.ISCSI, f"a,b:::0:{IQN}"), "storage-location", "SERVER::"),
    (disks(StorageType.ISCSI, "san::::/etc"), "storage-location", "SERVER::"),
    (chap("iscsi", LUN, username="u"), "storage-chap", "password"),
    (chap("iscsi", LUN, password_file="/root/p"), "storage-chap", "name"),
    (chap("iscsi", LUN, username="u", password_file="/run/p"), "storage-password-file", "reboot"),
    (chap("directory", "/srv/disks", username="u"), "storage-chap", "nobody logs in"),
    (disks(StorageType.DIRECTORY, "srv"), "storage-location", "srv"),
    (disks(StorageType.DIRECTORY, "/"), "storage-location", "plain"),
    (disks(StorageType.DIRECTORY, "/srv/../etc"), "storage-location", "plain"),
    (disks(StorageType.DIRECTORY, "//var/lib/xapi/sr"), "storage-location", "plain"),
    (disks(StorageType.DIRECTORY, f"/srv/{'x' * 256}"), "storage-location", "plain"),
    (disks(StorageType.NFS, "nas:/srv//x"), "storage-location", "server:/path"),
    (disks(StorageType.DIRECTORY, "/var/lib/xapi/sr"), "storage-location", "own"),
    (disks(StorageType.DIRECTORY, "/run/disks"), "storage-location", "reboot"),
    (disks(StorageType.DIRECTORY, "/dev/shm/disks"), "storage-location", "reboot"),
    (disks(StorageType.DIRECTORY, "/tmp"), "storage-location", "reboot"),
    (disks(StorageType.DIRECTORY, "/etc"), "storage-location", "system"),
    (disks(StorageType.DIRECTORY, "/boot/disks"), "storage-location", "system"),
    (isos(IsoType.DIRECTORY, "/proc"), "iso-library-location", "system"),
    (isos(IsoType.DIRECTORY, "/var/lib/xapi"), "iso-library-location", "own"),
    (disks(StorageType.NFS, "/srv"), "storage-location", "server:/path"),
    (disks(StorageType.NFS, "nas:srv"), "storage-location", "server:/path"),
    (disks(StorageType.NFS, "-o:/srv"), "storage-location", "server:/path"),
    (disks(StorageType.NFS, "nas:/srv,suid"), "storage-location", "server:/path"),
    (disks(StorageType.NFS, "nas:/srv/../x"), "storage-location", "server:/path"),
    (isos(IsoType.NFS, "nas"), "iso-library-location", "server:/path"),
    (isos(IsoType.DIRECTORY, "isos"), "iso-library-location", "isos"),
]


@pytest.mark.parametrize(("wishes", "id_", "said"), REFUSED)
def test_what_cannot_be(facts: Facts, wishes: Wishes, id_: str, said: str) -> None:
    (problem,) = storage_problems(facts, wishes)
    assert problem.id == id_
    assert said in f"{problem.title} {problem.remediation}"


@pytest.mark.parametrize(
    "wishes",
    [
        WISHES,
        DEVICE,
        LVM,
        disks(StorageType.DIRECTORY, "/srv/disks"),
        disks(StorageType.NFS, "nas.example:/srv"),
        disks(StorageType.NFS, "[fe80::1]:/srv"),
        disks(StorageType.ISCSI, LUN),
        disks(StorageType.ISCSI, f"[fe80::1]:6:::{IQN}"),
        chap("iscsi", LUN, username="u", password_file="/root/p"),
        isos(IsoType.DIRECTORY, "/srv/isos"),
    ],
)
def test_what_can_be(facts: Facts, wishes: Wishes) -> None:
    assert list(storage_problems(facts, wishes)) == []
    assert bool(list(storage_steps(facts, wishes))) == (wishes != WISHES)


def test_a_small_disk_and_a_unit_of_others_are_refused(facts: Facts, host: Host) -> None:
    disk = facts.system.disks.find("/dev/sdb")
    assert disk is not None
    small = replace(facts.system.disks, devices=(replace(disk, size=1 << 30),))
    (problem,) = storage_problems(replace(facts, system=replace(facts.system, disks=small)), DEVICE)
    assert (problem.id, "1024 MiB" in problem.title) == ("storage-too-small", True)
    full = replace(facts.system.volume_groups[0], free=0)
    (problem,) = storage_problems(replace(facts, system=replace(facts.system, volume_groups=(full,))), LVM)
    assert problem.id == "storage-too-small"
    broken = replace(facts.system.volume_groups[0], usable=False)
    (problem,) = storage_problems(replace(facts, system=replace(facts.system, volume_groups=(broken,))), LVM)
    assert problem.id == "storage-group-unusable"
    put(host, UNIT_PATH, "[Mount]\n")
    (problem,) = storage_problems(read_facts(host, host.runner), DEVICE)
    assert problem.id == "storage-unit-exists"


def told(facts: Facts, wishes: Wishes) -> list[str]:
    return [
        f"{'after: ' if step.after_reboot else ''}{step.describe()}" for step in storage_steps(facts, wishes)
    ]


def test_the_steps(facts: Facts) -> None:
    assert told(facts, DEVICE) == [
        "make an ext4 file system on /dev/sdb, which is empty",
        "write /etc/systemd/system/var-lib-xapi-storage.mount",
        "enable var-lib-xapi-storage.mount",
        "after: make the storage repository 'Local storage' (file: location=/var/lib/xapi/storage/sr), the pool's default",
    ]
    assert told(facts, LVM)[0] == "make the logical volume vg0/xapi-storage of the space that is free"
    assert told(facts, LVM)[1] == "make an ext4 file system on /dev/vg0/xapi-storage, which is empty"
    assert told(facts, chap("iscsi", LUN, username="u", password_file="/root/p")) == [
        (
            "after: make the storage repository 'Local storage' (lvmoiscsi: chapuser=u, port=3260, "
            f"target=san.example, targetIQN={IQN}, LUN 1), the pool's default"
        ),
    ]
    both = replace(
        WISHES,
        storage=StorageWish(StorageType.NFS, "[fe80::1]:/srv", "nas"),
        iso_library=IsoWish(IsoType.DIRECTORY, "/srv/isos"),
    )
    assert told(facts, both) == [
        "after: make the storage repository 'nas' (nfs: server=fe80::1, serverpath=/srv), the pool's default",
        "make /srv/isos/",
        "after: make the storage repository 'ISO library' (iso: legacy_mode=true, location=/srv/isos)",
    ]


def test_the_mount_keeps_no_host_from_booting(facts: Facts) -> None:
    steps = list(storage_steps(facts, DEVICE))
    made = next(step for step in steps if isinstance(step, FileSystemStep))
    unit = next(step.diff() for step in steps if step.kind == "file")
    assert f"+What=/dev/disk/by-uuid/{made.uuid}" in unit
    assert "+Options=nofail," in unit
    assert "+WantedBy=multi-user.target" in unit
    assert "RequiredBy" not in unit


def before_reboot(host: Host, wishes: Wishes) -> None:
    """Carry the part of the plan that is about storage out up to the reboot."""
    plan = make_plan(read_facts(host, host.runner), wishes)
    steps = tuple(storage_steps(read_facts(host, host.runner), wishes))
    assert all(step in plan.steps for step in steps)
    executor.apply(replace(plan, steps=steps), host, QUIET)


@pytest.mark.parametrize("wishes", [DEVICE, LVM], ids=["device", "lvm"])
def test_cut_off_anywhere_it_is_ended_either_way(tmp_path: Path, wishes: Wishes) -> None:
    whole = host_with_disks(tmp_path / "whole")
    before = snapshot(whole)
    seen: list[str] = []
    before_reboot(replace(whole, on_effect=seen.append), wishes)
    after = snapshot(whole)
    assert "mkfs.ext4" in " ".join(seen)
    for at in range(len(seen)):
        for way in ("apply", "rollback"):
            host = host_with_disks(tmp_path / f"{way}{at}")
            with pytest.raises(Crash):
                before_reboot(replace(host, on_effect=Countdown(at)), wishes)
            if Journal(host).load().phase is Phase.CLEAN:
                assert snapshot(host) == before, at
            elif way == "rollback":
                executor.rollback(host, QUIET)
                assert snapshot(host) == before, at
            else:
                executor.resume_apply(host, QUIET)
                assert snapshot(host) == after, at
    back: list[str] = []
    executor.rollback(replace(whole, on_effect=back.append), QUIET)
    assert snapshot(whole) == before
    for at in range(len(back)):
        host = host_with_disks(tmp_path / f"back{at}")
        before_reboot(host, wishes)
        with pytest.raises(Crash):
            executor.rollback(replace(host, on_effect=Countdown(at)), QUIET)
        if Journal(host).load().phase is not Phase.CLEAN:
            executor.rollback(host, QUIET)
        assert snapshot(host) == before, at


@pytest.mark.parametrize(("wishes", "device"), [(DEVICE, "/dev/sdb"), (LVM, "/dev/vg0/xapi-storage")])
def test_disks_of_guests_are_never_taken_away(host: Host, wishes: Wishes, device: str) -> None:
    before_reboot(host, wishes)
    made = host.read(device)
    put(host, device, f"{made}sr/disk.qcow2\n")
    with pytest.raises(executor.ChangedSinceError, match=r"sr/disk\.qcow2"):
        executor.rollback(host, QUIET)
    executor.rollback(host, QUIET, force=True)
    assert host.read(device) == f"{made}sr/disk.qcow2\n"
    assert not host.exists(UNIT_PATH)


def test_a_file_system_that_is_not_ours_is_left_alone(host: Host) -> None:
    before_reboot(host, DEVICE)
    put(host, "/dev/sdb", "xfs 33333333-3333-4333-8333-333333333333\n")
    executor.rollback(host, QUIET)
    assert host.read("/dev/sdb").startswith("xfs")


def test_what_is_mounted_is_let_go_of_first(host: Host) -> None:
    before = snapshot(host)
    before_reboot(host, DEVICE)
    mount(host, "/dev/sdb", MOUNT_POINT)
    (host.at(MOUNT_POINT) / "sr").mkdir()
    (host.at(MOUNT_POINT) / "sr/disk").touch()
    with pytest.raises(executor.ChangedSinceError, match="sr/disk"):
        executor.rollback(host, QUIET)
    (host.at(MOUNT_POINT) / "sr/disk").unlink()
    (host.at(MOUNT_POINT) / "sr").rmdir()
    executor.rollback(host, QUIET)
    assert snapshot(host) == before


def test_a_disk_that_is_no_longer_empty_is_not_written(host: Host) -> None:
    plan = make_plan(read_facts(host, host.runner), DEVICE)
    put(host, "/dev/sdb", "ext4 44444444-4444-4444-8444-444444444444\n")
    with pytest.raises(executor.ApplyFailedError, match="/dev/sdb has changed"):
        executor.apply(plan, host, QUIET)
    assert host.read("/dev/sdb") == "ext4 44444444-4444-4444-8444-444444444444\n"


def test_another_disk_that_has_the_name_after_a_power_cut_is_not_written(host: Host) -> None:
    plan = make_plan(read_facts(host, host.runner), DEVICE)
    with pytest.raises(Crash, match=r"before mkfs\.ext4"):
        executor.apply(plan, replace(host, on_effect=crash_before("mkfs.ext4")), QUIET)
    other = "xfs 33333333-3333-4333-8333-333333333333\n"
    put(host, "/dev/sdb", other)
    with pytest.raises(executor.ApplyFailedError, match="/dev/sdb has changed"):
        executor.resume_apply(host, QUIET)
    assert host.read("/dev/sdb") == other


def crash_before(program: str) -> Callable[[str], None]:
    def effect(what: str) -> None:
        if what == f"before {program}":
            raise Crash(what)

    return effect


def renamed_by_the_boot(host: Host) -> str:
    """Let the kernel call the disk sdc, and another one sdb; return the disk's text."""
    made = host.read("/dev/sdb")
    put(host, "/dev/sdc", made)
    put(host, "/dev/sdb", "xfs 33333333-3333-4333-8333-333333333333\n")
    host.at("/dev/disk/by-uuid").mkdir(parents=True)
    host.at(f"/dev/disk/by-uuid/{made.split()[1]}").symlink_to("../../sdc")
    return made


def test_a_disk_is_known_by_its_file_system_whatever_its_name_is(host: Host) -> None:
    before_reboot(host, DEVICE)
    made = renamed_by_the_boot(host)
    assert not any("/dev/sdb" in what for what in executor.not_in_place(host, Journal(host).load()))
    put(host, "/dev/sdc", f"{made}sr/disk.qcow2\n")
    with pytest.raises(executor.ChangedSinceError, match=r"sr/disk\.qcow2"):
        executor.rollback(host, QUIET)
    put(host, "/dev/sdc", made)
    executor.rollback(host, QUIET)
    assert host.read("/dev/sdc") == ""
    assert host.read("/dev/sdb").startswith("xfs")


@pytest.mark.parametrize(
    ("named", "planned"),
    [
        ("/dev/sdb", "by-id/ata-1"),
        ("/dev/disk/by-id/wwn-1", "by-id/wwn-1"),
        ("/dev/disk/by-path/p", "by-path/p"),
    ],
)
def test_a_disk_is_planned_by_a_name_that_lasts(host: Host, named: str, planned: str) -> None:
    for name in ("by-id/wwn-1", "by-id/ata-1", "by-path/p"):
        host.at(f"/dev/disk/{name}").parent.mkdir(parents=True, exist_ok=True)
        host.at(f"/dev/disk/{name}").symlink_to("../../sdb")
    wishes = disks(StorageType.DEVICE, named)
    steps = storage_steps(read_facts(host, host.runner), wishes)
    assert [step.device for step in steps if isinstance(step, FileSystemStep)] == [f"/dev/disk/{planned}"]


def test_a_disk_that_was_changed_for_another_makes_another_plan(host: Host, tmp_path: Path, capsys) -> None:
    host.at("/dev/disk/by-id").mkdir(parents=True)
    link = host.at("/dev/disk/by-id/ata-1")
    link.symlink_to("../../sdb")
    saved = str(tmp_path / "plan")
    root = ["--root", str(host.root)]
    assert main(["plan", "--storage", "device:/dev/sdb", "--save", saved, *root], runner=host.runner) == 0
    link.rename(link.with_name("ata-2"))
    assert main(["apply", "--yes", "--plan", saved, *root], runner=host.runner) == 3
    assert "ata-2" in capsys.readouterr().err


def test_a_volume_group_that_is_gone_has_nothing_to_be_removed(host: Host) -> None:
    before_reboot(host, LVM)
    shutil.rmtree(host.at("/dev/vg0"))
    shutil.rmtree(host.at("/lvm/vg0"))
    executor.rollback(host, QUIET)
    assert Journal(host).load().phase is Phase.CLEAN


def test_a_file_system_that_cannot_be_read_counts_as_full(host: Host) -> None:
    broken = replace(host, runner=lambda argv: "debugfs: Filesystem not open\n")
    with pytest.raises(FileSystemUnreadableError):
        held_names(broken, "/dev/sdb", MOUNT_POINT)


def test_without_the_daemon_a_repository_is_forgotten_by_force_only(host: Host) -> None:
    """Where Xen does not start there is none."""
    step = StorageStep(reason="a test", key="disks", type="file", name="Disks", device_config={})
    with pytest.raises(NotForgottenError, match=r"'Disks' cannot be forgotten: .*rollback --force") as raised:
        step.undo(host, {"defaults": {}})
    assert "reboot into it" in str(raised.value)


def test_steps_come_back_from_the_journal(facts: Facts) -> None:
    for wishes in (
        DEVICE,
        LVM,
        isos(IsoType.NFS, "nas:/isos"),
        chap("iscsi", LUN, username="u", password_file="/p"),
    ):
        for step in storage_steps(facts, wishes):
            assert type(step).from_json({"kind": step.kind, "reason": step.reason, **step.to_json()}) == step


def test_a_step_of_a_former_version_is_read(facts: Facts) -> None:
    (step,) = storage_steps(facts, disks(StorageType.NFS, "nas:/srv"))
    record = {"kind": step.kind, "reason": step.reason, **step.to_json()}
    assert (
        StorageStep.from_json({key: record[key] for key in record if key not in ("lun", "password_file")})
        == step
    )


MOUNTED = (
    "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
    "26 25 0:30 / /mem rw - tmpfs tmpfs rw\n"
    "27 25 8:2 / /dvd ro - iso9660 /dev/sr0 ro\n"
)


@pytest.mark.parametrize(
    ("location", "of_disks", "of_isos"),
    [
        ("/file", "storage-location", "iso-library-location"),
        ("/file/below", "storage-location", "iso-library-location"),
        ("/dangling", "storage-location", "iso-library-location"),
        ("/mem/disks", "storage-location", "iso-library-location"),
        ("/to-mem", "storage-location", "iso-library-location"),
        ("/to-tmp", "storage-location", "iso-library-location"),
        ("/dvd/isos", "storage-read-only", ""),
        ("/dvd/new/isos", "storage-read-only", "iso-library-read-only"),
        ("/", "", ""),
        ("/srv/new/one", "", ""),
    ],
)
def test_directories_are_looked_at_before_anything_is_changed(
    host: Host, location: str, of_disks: str, of_isos: str
) -> None:
    put(host, MOUNTINFO, MOUNTED)
    put(host, "/file", "")
    for path in ("/mem", "/tmp", "/dvd/isos"):
        host.at(path).mkdir(parents=True, exist_ok=True)
    for name, to in (("dangling", "nowhere"), ("to-mem", "mem"), ("to-tmp", "tmp")):
        host.at(f"/{name}").symlink_to(to)
    for wishes, id_ in (
        (disks(StorageType.DIRECTORY, location), of_disks),
        (isos(IsoType.DIRECTORY, location), of_isos),
    ):
        assert [p.id for p in directory_problems(wishes, host)] == [id_] * bool(id_)


def test_check_says_what_apply_would(host: Host, capsys) -> None:
    put(host, "/srv/file", "")
    for command in ("check", "plan"):
        argv = [command, "--json", "--storage", "directory:/srv/file", "--root", str(host.root)]
        assert main(argv, runner=host.runner) == 3
        assert "storage-location" in [p["id"] for p in json.loads(capsys.readouterr().out)["problems"]]


@pytest.mark.parametrize("path", ["/tmp", "/tmp/", "//tmp/a", "/./tmp/a", "/srv/../tmp/a", "/run//a"])
def test_what_a_reboot_empties_is_known_by_any_spelling(path: str) -> None:
    assert not is_lasting(path)
    assert is_lasting(path.replace("tmp", "root").replace("run", "root"))


def test_a_pipe_in_place_of_a_password_is_not_waited_for(host: Host) -> None:
    os.mkfifo(host.at("/pipe"), 0o600)
    with pytest.raises(PasswordFileError, match="no regular file"):
        read_password(host, "/pipe")


def test_servers_are_asked_before_anything_is_changed(host: Host) -> None:
    wishes = replace(disks(StorageType.NFS, "nas:/srv"), iso_library=IsoWish(IsoType.NFS, "nas:/isos"))
    asked: list[tuple[str, int]] = []

    def connect(server: str, port: int) -> str:
        asked.append((server, port))
        return "timed out"

    found = list(server_problems(wishes, host, connect))
    assert [problem.id for problem in found] == ["nfs-unreachable"]
    assert asked == [("nas", 2049)]
    assert list(server_problems(wishes, host, lambda _server, _port: "")) == []
    assert list(server_problems(DEVICE, host, connect)) == []


def test_targets_and_their_passwords_are_asked_before_anything_is_changed(host: Host) -> None:
    asked: list[tuple[str, int]] = []

    def connect(server: str, port: int) -> str:
        asked.append((server, port))
        return "timed out" if len(asked) == 1 else ""

    wishes = chap("iscsi", LUN, username="u", password_file="/root/p")
    found = list(server_problems(wishes, host, connect))
    assert [problem.id for problem in found] == ["iscsi-unreachable", "storage-password-file"]
    put(host, "/root/p", "secret\n")
    host.at("/root/p").chmod(0o640)
    assert [problem.id for problem in server_problems(wishes, host, connect)] == ["storage-password-file"]
    host.at("/root/p").chmod(0o600)
    assert list(server_problems(wishes, host, connect)) == []
    assert asked == [("san.example", 3260)] * 3


@given(st.text(alphabet="san.:[]6,/iq-20105 \n"))
def test_what_is_a_lun_is_plainly_one(text: str) -> None:
    place = iscsi_place(text)
    if place is not None:
        assert place.target.startswith("iqn.")
        assert not set(place.target + place.server) & set(" ,/[]\n")
        assert 0 < place.port < 1 << 16


def test_a_lun_as_rfc_4173_writes_it() -> None:
    assert iscsi_place(LUN) == IscsiPlace("san.example", 3260, 1, IQN)
    assert iscsi_place(f"192.0.2.1::::{IQN}") == IscsiPlace("192.0.2.1", 3260, 0, IQN)
    assert iscsi_place(f"[2001:DB8::1]:6:860:1f:{IQN}") == IscsiPlace("2001:db8::1", 860, 31, IQN)
    assert iscsi_place(f"2001:db8::1:6:860:1:{IQN}") is None


@pytest.mark.parametrize(
    "server", ["[abc]", "[dead]", "[192.0.2.1]", "[]", "[2001:db8::1", "-a", "a_b", "1:2"]
)
def test_what_is_no_server_is_one_for_nobody(server: str) -> None:
    assert nfs_place(f"{server}:/x") is None
    assert iscsi_place(f"{server}:::1:{IQN}") is None


def test_the_luns_of_a_probe_are_read() -> None:
    xml = (
        "<iscsi-target>\n\t<LUN>\n\t\t<vendor>IET</vendor>\n\t\t<LUNid>1</LUNid>\n\t\t<SCSIid> 3600 </SCSIid>\n\t</LUN>"
        "<LUN><LUNid>2</LUNid></LUN></iscsi-target>"
    )
    assert read_luns(xml) == {1: "3600"}
    commented = "<iscsi-target><!-- <LUN><LUNid>1</LUNid><SCSIid>3600</SCSIid></LUN> --></iscsi-target>"
    assert read_luns(commented) == {}


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "no XML",
        "<LUN><LUNid>1</LUNid><SCSIid>a<b</SCSIid></LUN>",
        "<iscsi-target><LUN><LUNid>one</LUNid><SCSIid>3600</SCSIid></LUN></iscsi-target>",
        "<iscsi-target><LUN><LUNid>1</LUNid><SCSIid>36 00</SCSIid></LUN></iscsi-target>",
        '<!DOCTYPE x [<!ENTITY a "1">]><iscsi-target><LUN><LUNid>&a;</LUNid><SCSIid>3600</SCSIid></LUN></iscsi-target>',
    ],
)
def test_what_is_no_list_of_luns_has_none(xml: str) -> None:
    assert read_luns(xml) == {}


def test_a_server_answers_or_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert answers("127.0.0.1", port) == ""
    assert "refused" in answers("127.0.0.1", port)
    assert answers("a..b", port) != ""


@given(st.text(alphabet="nas[]:/.-, o\\%1f"))
def test_what_is_a_servers_directory_is_plainly_one(text: str) -> None:
    place = nfs_place(text)
    if place is not None:
        assert place.path.startswith("/")
        assert not set(place.text) & set(" ,\\%")
        assert not place.text.startswith("-")
        assert nfs_place(place.text) == place


def test_the_unit_is_named_after_its_mount_point() -> None:
    assert STORAGE_UNIT == "var-lib-xapi-storage.mount"
    assert MOUNT_POINT == "/var/lib/xapi/storage"
    assert StorageStep.after_reboot
