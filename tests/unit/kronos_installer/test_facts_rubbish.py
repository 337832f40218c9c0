"""Rubbish in place of any file that the facts are read from: named, and never waited for."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest
from installer_kit import WANTS, FakeCommands, make_host, put

from kronos_installer.detect.gateways import default_routes
from kronos_installer.detect.machine import parse_os_release, read_machine
from kronos_installer.host_files import HostFiles
from kronos_installer.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kronos_installer.host import Host

# So that nearly every reader has something to read.
MORE = {
    **{f"/{WANTS}/{unit}.service": "" for unit in ("chrony", "cloud-init", "docker", "firewalld", "nftables", "NetworkManager")},
    "/boot/loader/entries/a.conf": "title a\nlinux /vmlinuz\n",
    "/boot/xen-4.17-amd64.config": "CONFIG_SHADOW_PAGING=y\n",
    "/etc/NetworkManager/NetworkManager.conf": "[ifupdown]\nmanaged=false\n",
    "/etc/chrony/chrony.conf": "server a\nsourcedir /etc/chrony/sources.d\n",
    "/etc/chrony/sources.d/a.sources": "server b\n",
    "/etc/cloud/cloud.cfg": "preserve_hostname: true\n",
    "/etc/default/ufw": "DEFAULT_INPUT_POLICY=DROP\n",
    "/etc/docker/daemon.json": "{}",
    "/etc/firewalld/firewalld.conf": "DefaultZone=public\n",
    "/etc/nftables.conf": "table inet a {}\n",
    "/etc/selinux/config": "SELINUX=disabled\n",
    "/etc/sysctl.conf": "a=b\n",
    "/etc/ufw/ufw.conf": "ENABLED=yes\n",
    "/etc/xapi/pool.conf": "master",
    "/etc/xensource-inventory": "PRODUCT_BRAND='Kronos'\n",
    "/proc/self/mountinfo": "25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n",
    "/sys/fs/selinux/enforce": "0",
    "/sys/module/kvm_intel/refcnt": "0\n",
}  # fmt: skip
BINARY = bytes(range(256)) * 40
UNBALANCED = b'ID="\nVERSION_ID=\'\n{"a": \n' + b"9" * 5000 + b"\n"


def rich_host(folder: Path) -> Host:
    host = make_host(folder)
    for path, text in MORE.items():
        put(host, path, text)
    return host


def checked(host: Host, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object]]:
    status = main(["check", "--json", "--root", str(host.root)], runner=host.runner)
    return status, json.loads(capsys.readouterr().out)


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """A read that waits for ever ends the test in place of holding it up."""
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture
def read_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """Every file that `check` reads on the rich host."""
    host, seen, read = rich_host(tmp_path / "seen"), set[str](), HostFiles.read_bytes
    assert isinstance(host.runner, FakeCommands)
    with monkeypatch.context() as patched:
        patched.setattr(HostFiles, "read_bytes", lambda files, path: seen.add(path) or read(files, path))
        checked(host, capsys)
    found = sorted(path for path in seen if host.at(path).is_file())
    assert len(found) > 35
    return found


def fifo(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("put_rubbish", [fifo, loop, endless, huge])
def test_what_cannot_be_read_refuses_and_is_named(
    tmp_path: Path,
    read_paths: list[str],
    capsys: pytest.CaptureFixture[str],
    put_rubbish: Callable[[Path], None],
) -> None:
    host = rich_host(tmp_path / "host")
    put(host, "/dev/null", "")
    host.at("/dev/zero").symlink_to("/dev/zero")
    for path in read_paths:
        where = host.at(path)
        kept = where.rename(where.with_name(f".kept-{where.name}"))
        put_rubbish(where)
        status, record = checked(host, capsys)
        # What a step would change is refused by its own words already.
        named = any(f"{name}:1" in json.dumps(record) for name in (path, "/dev/zero"))
        gone = where.name == "address" and put_rubbish is loop  # an interface without an address is none
        assert (status, named) == (3, True) or gone, (path, status, record)
        where.unlink()
        kept.rename(where)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    "content", [BINARY, UNBALANCED, b"", b"9" * 5000], ids=["binary", "quotes", "empty", "digits"]
)
def test_no_content_makes_check_fail(
    tmp_path: Path, read_paths: list[str], capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    host = rich_host(tmp_path / "host")
    for path in read_paths:
        kept = host.at(path).read_bytes()
        host.at(path).write_bytes(content)
        status, record = checked(host, capsys)
        assert status in (0, 3), (path, record)
        assert "facts" in record, path
        host.at(path).write_bytes(kept)


def test_a_masked_file_and_a_folder_say_nothing(tmp_path: Path) -> None:
    host = make_host(tmp_path)
    host.at("/etc/sysctl.conf").symlink_to("/dev/null")
    assert (host.read("/etc/sysctl.conf"), host.read("/etc"), host.read("/etc/hosts/none")) == ("", "", "")


def test_os_release_has_a_second_place_and_may_be_damaged(tmp_path: Path) -> None:
    host = make_host(tmp_path)
    host.at("/etc/os-release").unlink()
    put(host, "/usr/lib/os-release", "ID=debian\nVERSION_ID='12'\n")
    assert (read_machine(host).os_id, read_machine(host).os_version) == ("debian", "12")
    assert parse_os_release('NAME="Debian\nID=debian\n# A=b\nPRETTY_NAME="a \\"b\\""\n') == {
        "ID": "debian", "PRETTY_NAME": 'a "b"',
    }  # fmt: skip


def test_routes_that_lie_too_deep_are_none() -> None:
    assert default_routes("[" * 100_000) == ()
