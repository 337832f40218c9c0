"""What the operator asks for by flags: a mapping from fields of Wishes to values, only those that were given."""

from __future__ import annotations

import argparse
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from kronos_installer.dom0_memory import parse_size_mib
from kronos_installer.network.stack import BridgeKind
from kronos_installer.wishes import Confirm, IsoType, IsoWish, PoolWish, StorageType, StorageWish
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Callable

Asked = dict[str, Any]
"""Values of the fields of Wishes that somebody chose, by the fields' names."""

Word = TypeVar("Word", bound=StrEnum)
# The flag of each field, for messages.
FLAGS = {
    "management_interface": "--management-interface",
    "network_backend": "--network-backend",
    "dom0_memory_mib": "--dom0-mem",
    "dom0_vcpus": "--dom0-vcpus",
    "confirm": "--confirm",
    "confirm_minutes": "--confirm-minutes",
    "hostname": "--hostname",
    "ntp_servers": "--ntp-server",
    "open_firewall": "--firewall",
    "storage": "--storage",
    "iso_library": "--iso-library",
    "pool": "--join",
}
_PLACE = "TYPE:LOCATION[,name=NAME]"


class FlagError(KronosError):
    """A flag's value, or its company, cannot be meant like that."""

    exit_status = 2


def named(text: str) -> str:
    """Return what was given. An empty text is what a script's variable holds that was never set: it is no "none"."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return text


def add_wish_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every field of Wishes that an operator chooses."""
    parser.add_argument("--answers", type=named, default=argparse.SUPPRESS, metavar="FILE",
                        help="what is wished: an answer file, its https URL, or cloud-init; flags go before it")  # fmt: skip
    parser.add_argument("--insecure-http", action="store_true", help="take the answers over http, too: who is in "
                        "the network between may change them")  # fmt: skip
    add = parser.add_argument_group(
        "wishes", "what is not given is the answer file's, or for the plan to choose"
    )
    add.add_argument("--management-interface", metavar="NIC", help="where several have addresses")
    add.add_argument(
        "--network-backend", choices=_words(BridgeKind), help="what the bridge is made of (bridge)"
    )
    add.add_argument("--dom0-mem", metavar="SIZE", help="memory of dom0, as 1536M or 2G")
    add.add_argument("--dom0-vcpus", type=int, metavar="NUMBER", help="virtual processors of dom0")
    add.add_argument("--confirm", choices=_words(Confirm), help="who says after the reboot that the host is "
                     "reachable, else the old network comes back (gateway)")  # fmt: skip
    add.add_argument("--confirm-minutes", type=int, metavar="MINUTES", help="how long to wait for that (10)")
    add.add_argument("--hostname", metavar="NAME", help="give the host this name")
    add.add_argument(
        "--ntp-server", action="append", metavar="NAME", help="take the time from it; repeatable"
    )
    add.add_argument("--firewall", action=argparse.BooleanOptionalAction,
                     help="open the toolstack's ports in the host's firewall (yes)")  # fmt: skip
    add.add_argument("--storage", metavar=_PLACE, help="a storage repository: " + ", ".join(StorageType))
    add.add_argument(
        "--storage-username", metavar="NAME", help="what an iSCSI target knows the host by (CHAP)"
    )
    add.add_argument("--storage-password-file", metavar="FILE", help="holds the password for that: root's, mode 0600, "
                     "and there until the repository is made, after the reboot")  # fmt: skip
    add.add_argument("--iso-library", metavar=_PLACE, help="an ISO library: " + ", ".join(IsoType))
    pool = parser.add_argument_group("pool").add_mutually_exclusive_group()
    pool.add_argument(
        "--new-pool", action="store_true", help="the host is the master of its own pool (as without --join)"
    )
    pool.add_argument("--join", metavar="MASTER", help="join the pool of this master, last of all")
    parser.add_argument("--username", help="a pool administrator of the pool to join (root)")
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help="holds the administrator's password: root's, mode 0600, and there until "
        "the pool is joined, after the reboot",
    )
    parser.add_argument("--join-fingerprint", type=named, metavar="SHA256", help="the master's certificate: one that shows "
                        "another is not joined, and never sent the password")  # fmt: skip


def _words(words: type[StrEnum]) -> list[str]:
    return [word.value for word in words]


def asked_by_flags(args: dict[str, Any]) -> Asked:
    """Take the wishes' flags out of the parsed command line. Raises FlagError, Dom0MemoryError."""
    readers: dict[str, Callable[[Any], Any]] = {
        "management_interface": str,
        "network_backend": BridgeKind,
        "dom0_memory_mib": parse_size_mib,
        "dom0_vcpus": int,
        "confirm": Confirm,
        "confirm_minutes": int,
        "hostname": str,
        "ntp_servers": tuple,
        "open_firewall": bool,
        "storage": parse_storage,
        "iso_library": parse_iso_library,
    }
    asked: Asked = {}
    for field, read in readers.items():
        value = args.pop(FLAGS[field].removeprefix("--").replace("-", "_"), None)
        if value is not None:
            asked[field] = read(value)
    return asked | _storage_login(args, asked.get("storage")) | _pool(args)


def _storage_login(args: dict[str, Any], storage: StorageWish | None) -> Asked:
    username, password_file = args.pop("storage_username", None), args.pop("storage_password_file", None)
    if username is None and password_file is None:
        return {}
    if storage is None:
        raise FlagError("--storage-username and --storage-password-file are for --storage",
                        resolution="give --storage iscsi:...")  # fmt: skip
    return {"storage": replace(storage, username=username or "", password_file=password_file or "")}


def _pool(args: dict[str, Any]) -> Asked:
    new, master = args.pop("new_pool", False), args.pop("join", None)
    username, password_file = args.pop("username", None), args.pop("password_file", None)
    fingerprint = args.pop("join_fingerprint", None)
    if master is not None:
        return {"pool": PoolWish(master, username or "root", password_file or "", fingerprint or "")}
    if username is not None or password_file is not None or fingerprint is not None:
        raise FlagError("--username, --password-file and --join-fingerprint are for --join",
                        resolution="give --join MASTER")  # fmt: skip
    return {"pool": None} if new else {}


def parse_storage(text: str) -> StorageWish:
    """Read `lvm:guests,name=Fast`. Raises FlagError."""
    return StorageWish(*_place("--storage", text, StorageType, StorageWish.name))


def parse_iso_library(text: str) -> IsoWish:
    """Read `nfs:server:/isos`. Raises FlagError."""
    return IsoWish(*_place("--iso-library", text, IsoType, IsoWish.name))


def _place(flag: str, text: str, words: type[Word], default_name: str) -> tuple[Word, str, str]:
    word, _, rest = text.partition(":")
    location, named, name = rest.partition(",name=")
    if word not in _words(words) or not location or (named and not name):
        raise FlagError(f"{flag} {text!r} is not {_PLACE}",
                        resolution=f"TYPE is one of {', '.join(_words(words))}")  # fmt: skip
    return words(word), location, name or default_name
