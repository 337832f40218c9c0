"""What storage drivers ask of the host's iSCSI initiator (RFC 7143), and what may be asked of it.

A session is opened by its users, each by a name, and ends with the last of them; one that somebody else
has opened is used, and left as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from xapi_shim.base.iscsi_names import ISCSI_PORT, is_target_name
from xapi_shim.storage.interface import SrConfigError, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MOST_PORT = 65535
# What scsi_id(8) makes of a LUN's device identification page: one digit of its kind, and the rest.
_SCSI_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,254}")
# A record of open-iscsi's is lines of `name = value`, and its buffer for each has 256 bytes.
_CHAP_TEXT = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True)
class Portal:
    """Where an iSCSI server listens; `server` is a name, or an address without brackets."""

    server: str
    port: int = ISCSI_PORT

    def __str__(self) -> str:
        return f"[{self.server}]:{self.port}" if ":" in self.server else f"{self.server}:{self.port}"


@dataclass(frozen=True)
class Target:
    """A target behind a portal."""

    portal: Portal
    name: str

    def __str__(self) -> str:
        return f"{self.name} at {self.portal}"


@dataclass(frozen=True)
class Chap:
    """By what a target knows the host."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Lun:
    """A logical unit of a target, and the block device that it is here; sizes are bytes."""

    number: int
    vendor: str
    serial: str
    size_bytes: int
    scsi_id: str
    device: Path


class IscsiError(StorageError):
    """An initiator's or a target's error; `code` says which."""

    def __init__(self, what: str, detail: str, *, code: int, resolution: str = "") -> None:
        super().__init__(f"{what}: {detail}", resolution=resolution)
        self.what, self.detail, self.code = what, detail, code


class Iscsi(Protocol):
    """The initiator of a host. What it is given was checked by the functions below.

    Every message may raise IscsiError: 140 DNSError, 141 ISCSITarget (it does not answer), 68 ISCSILogin,
    70 ISCSIInitiator, 71 ISCSIDaemon, 83 ISCSIDiscovery, 69 ISCSILogout.
    """

    async def discover(self, portal: Portal, chap: Chap | None) -> tuple[Target, ...]:
        """Return the targets that a portal announces, each with the portal it is to be reached at."""
        ...

    async def open(self, target: Target, chap: Chap | None, user: str) -> None:
        """Have a session for `user`, its LUNs being devices of the host's when this returns."""
        ...

    async def close(self, target: Target, user: str) -> None:
        """End what `open` did; without other users the session, where it is ours."""
        ...

    async def luns(self, target: Target) -> tuple[Lun, ...]:
        """Return the LUNs of a session by number, those with an identity; none without a session."""
        ...


def checked_name(text: str, *, key: str = "targetIQN", code: int = 106) -> str:
    """Return the name of a target. Raises SrConfigError."""
    if not is_target_name(text):
        raise SrConfigError(key, f"not the name of an iSCSI target: {text!r}", code=code)
    return text


def checked_port(text: str, *, key: str = "port", code: int = 142) -> int:
    """Return a TCP port, the usual one for none. Raises SrConfigError 142 (ISCSIPort)."""
    if not text:
        return ISCSI_PORT
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MOST_PORT))):
        raise SrConfigError(key, f"not a port: {text!r}", code=code)
    if not 0 < int(text) <= _MOST_PORT:
        raise SrConfigError(key, f"not a port: {text!r}", code=code)
    return int(text)


def checked_scsi_id(text: str, *, key: str = "SCSIid", code: int = 107) -> str:
    """Return a LUN's identity. Raises SrConfigError 107 (ConfigSCSIid)."""
    if not _SCSI_ID.fullmatch(text):
        raise SrConfigError(key, f"not the identity of a LUN: {text!r}", code=code)
    return text


def checked_chap(device_config: Mapping[str, str]) -> Chap | None:
    """Return what a device_config says of CHAP, None for nothing. Raises SrConfigError 1 (InvalidArg), 115."""
    for key in ("incoming_chapuser", "incoming_chappassword"):
        if device_config.get(key):
            raise SrConfigError(key, "targets are not asked who they are", code=1)
    user, password = device_config.get("chapuser", ""), device_config.get("chappassword", "")
    if not user and not password:
        return None
    for key, text in (("chapuser", user), ("chappassword", password)):
        if not text:
            raise SrConfigError(key, "CHAP needs a user's name and a password", code=115)
        if not _CHAP_TEXT.fullmatch(text):
            raise SrConfigError(key, "1 to 255 visible ASCII characters are wanted", code=1)
    return Chap(user, password)
