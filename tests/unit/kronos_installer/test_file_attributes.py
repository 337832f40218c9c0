"""Access lists and other extended attributes of the host's files, on a real file system: kept, and put back."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import pytest
from installer_kit import make_host, snapshot

from kronos_installer.host_files import FileState
from kronos_installer.journal import STATE_DIRECTORY
from kronos_installer.main import main
from kronos_installer.steps.file_change import FileChange

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

ACCESS_LIST = "system.posix_acl_access"
NOBODY = 2**32 - 1


def access_list(*, group: int) -> bytes:
    """Return rw- for the owner, r-- for user 1000 and `group` for the rest, as the kernel keeps it (acl(5))."""
    entries = [(1, 6, NOBODY), (2, 4, 1000), (4, group, NOBODY), (0x10, 6, NOBODY), (0x20, group, NOBODY)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def attributes(host: Host) -> dict[str, dict[str, bytes]]:
    found = {}
    for path in sorted(host.root.rglob("*")):
        own = path.is_relative_to(host.at(STATE_DIRECTORY))
        if path.is_file() and not path.is_symlink() and not own:
            found[str(path)] = {name: os.getxattr(path, name) for name in os.listxattr(path)}
    return found


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = make_host(tmp_path)
    try:
        os.setxattr(made.at("/etc/network/interfaces"), ACCESS_LIST, access_list(group=4))
    except OSError as error:
        pytest.skip(f"{tmp_path}: {error}: give pytest a --basetemp on a file system with access lists")
    return made


def test_a_changed_file_keeps_its_attributes_and_a_rollback_puts_them_back(host: Host) -> None:
    os.setxattr(host.at("/etc/network/interfaces"), "user.note", b"ours")
    os.setxattr(host.at("/etc/default/grub"), "user.note", b"too")
    before, files = attributes(host), snapshot(host)
    assert main(["apply", "--yes", "--root", str(host.root)], runner=host.runner) == 0
    after = attributes(host)
    interfaces = str(host.at("/etc/network/interfaces"))
    assert host.at("/etc/network/interfaces").stat().st_mode == files["/etc/network/interfaces"][1]
    assert after[interfaces] == before[interfaces]
    os.removexattr(interfaces, "user.note")
    assert main(["rollback", "--yes", "--root", str(host.root)], runner=host.runner) == 0
    assert attributes(host) == before
    assert snapshot(host) == files


def test_a_file_that_was_removed_comes_back_with_its_attributes(host: Host) -> None:
    path = "/etc/network/interfaces"
    before = host.state(path)
    assert before is not None
    change = FileChange(path, None, FileState.from_json(before.to_json()))
    host.remove(path)
    host.write(path, change.before or before)
    assert os.getxattr(host.at(path), ACCESS_LIST) == access_list(group=4)


def test_a_new_mode_is_not_undone_by_the_old_access_list(host: Host) -> None:
    path = "/etc/network/interfaces"
    os.setxattr(host.at(path), "user.note", b"ours")
    after = FileChange(path, b"new\n", host.state(path), 0o600).after
    assert after is not None
    host.write(path, after)
    assert host.at(path).stat().st_mode & 0o7777 == 0o600
    assert os.listxattr(host.at(path)) == ["user.note"]
