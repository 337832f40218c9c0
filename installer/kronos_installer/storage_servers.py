"""Whether the servers that are wished for answer, asked before anything is changed: the one look beyond the host itself."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from kronos_installer.iscsi_place import iscsi_place
from kronos_installer.password_file import PasswordFileError, read_password
from kronos_installer.problem import Level, Problem
from kronos_installer.storage import nfs_places
from kronos_installer.time_limit import within
from kronos_installer.wishes import StorageType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kronos_installer.host_files import HostFiles
    from kronos_installer.wishes import StorageWish, Wishes

# RFC 7530, 3.1: NFS listens on TCP port 2049; version 3 does by convention.
NFS_PORT = 2049
_TIMEOUT_S = 10.0


def answers(server: str, port: int) -> str:
    """Connect by TCP; return why that fails, "" when it does not."""

    def connect() -> str:
        with socket.create_connection((server, port), timeout=_TIMEOUT_S):
            return ""

    try:
        return within(_TIMEOUT_S, connect)
    except (OSError, UnicodeError) as error:
        return str(error) or type(error).__name__


def server_problems(
    wishes: Wishes, files: HostFiles, connect: Callable[[str, int], str] = answers
) -> Iterator[Problem]:
    """Yield the servers that do not answer, and a password for one of them that is not to be had."""
    places = tuple(nfs_places(wishes))
    for server in dict.fromkeys(place.server for place in places):
        if why := connect(server, NFS_PORT):
            yield Problem(Level.ERROR, "nfs-unreachable", f"the NFS server {server} does not answer: {why}", "",
                          f"{server}:{NFS_PORT}", "see that it runs and that no firewall is between")  # fmt: skip
    if wishes.storage is not None and wishes.storage.type is StorageType.ISCSI:
        yield from _target_problems(wishes.storage, files, connect)


def _target_problems(
    wish: StorageWish, files: HostFiles, connect: Callable[[str, int], str]
) -> Iterator[Problem]:
    place = iscsi_place(wish.location)
    if place is not None and (why := connect(place.server, place.port)):
        yield Problem(Level.ERROR, "iscsi-unreachable", f"the iSCSI server {place.server} does not answer: {why}", "",
                      f"{place.server}:{place.port}", "see that it runs and that no firewall is between")  # fmt: skip
    if wish.password_file:
        try:
            read_password(files, wish.password_file)
        except PasswordFileError as error:
            yield Problem(Level.ERROR, "storage-password-file",
                          f"the target's password is not to be had: {error.message}", "", f"{wish.password_file}:1",
                          error.resolution)  # fmt: skip
