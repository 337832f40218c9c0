"""What open-iscsi prints and keeps, and what LUNs say of themselves: text and bytes to values. Pure.

What targets say is hostile until it is read here: names, pages of identification.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Final

from xapi_shim.storage.interface import SrConfigError
from xapi_shim.storage.iscsi import Chap, Portal, Target, checked_name, checked_port
from xapi_shim.storage.mounts import checked_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The comment in a record of ours; open-iscsi skips it, and drops it where it writes the record itself.
OURS: Final = "# xapi: made and removed by the toolstack\n"
# For a day a guest waits for its target, and no write of its is lost; then it is told of an error (iscsid.conf's
# own word for a host's root disk). One attempt to log in: whoever waits for the target tries again.
_SESSION: Final = {
    "node.startup": "manual",
    "node.conn[0].startup": "manual",
    "node.session.timeo.replacement_timeout": "86400",
    "node.session.initial_login_retry_max": "1",
}
_FOUND = re.compile(r"(?P<server>\[[^\]]*\]|[^\[\]:,\s]+):(?P<port>[0-9]+),(?:-1|[0-9]+) (?P<name>\S+)")
# SPC-4, 7.8.5: designators of the logical unit, in the order in which scsi_id(8) prefers them.
_NAA, _EUI64, _T10, _VENDOR = 3, 2, 1, 0
_BINARY, _ASCII = 1, 2
_PLAIN = frozenset(string.ascii_letters + string.digits + "#+-.:=@_")


def read_targets(text: str) -> tuple[Target, ...]:
    """Return what `iscsiadm --mode discovery` printed, a target a line: `portal:port,group name`."""
    found: dict[Target, None] = {}
    for line in text.splitlines():
        match = _FOUND.fullmatch(line.strip())
        if match is None:
            continue
        try:
            server = checked_server(match["server"])
            target = Target(Portal(server, checked_port(match["port"])), checked_name(match["name"]))
        except SrConfigError:
            continue  # nothing that could be logged in to
        found[target] = None
    return tuple(found)


def node_record(text: str, chap: Chap | None) -> str:
    """Return a node's record (iscsiadm(8)) as ours: logged in by the daemon alone, with its CHAP."""
    return _with(text, {**_SESSION, **_chap("node.session", chap)})


def discovery_record(text: str, chap: Chap | None) -> str:
    """Return a SendTargets record as ours."""
    return _with(text, _chap("discovery.sendtargets", chap))


def _chap(prefix: str, chap: Chap | None) -> Mapping[str, str]:
    if chap is None:
        return {}  # what iscsid.conf says stays
    return {
        f"{prefix}.auth.authmethod": "CHAP",
        f"{prefix}.auth.username": chap.user,
        f"{prefix}.auth.password": chap.password,
    }


def _with(text: str, values: Mapping[str, str]) -> str:
    """Return a record with `values` instead of what it says of them."""
    kept = [line for line in text.splitlines() if line.partition("=")[0].strip() not in values and line]
    own = [f"{name} = {value}" for name, value in values.items()]
    end = next((at for at, line in enumerate(kept) if line.startswith("# END RECORD")), len(kept))
    lines = [*kept[:end], *own, *kept[end:]]
    return "".join(f"{line}\n" for line in lines if f"{line}\n" != OURS) + OURS


def lun_identity(page_83: bytes, serial: str, vendor: str, model: str) -> str:
    """Return the SCSIid of a LUN as udev and the reference write it, "" for one that has none.

    `page_83` is its page of device identification, `serial` its unit's serial number, as sysfs gives them.
    """
    best = min(_designators(page_83), default=None)
    if best is not None:
        _, kind, code_set, value = best
        if code_set == _BINARY:
            return f"{kind}{value.hex()}"
        said = _plain(value)
        return (
            f"{kind}{_plain(vendor.encode())}{_plain(model.encode())}{said}"
            if kind == _VENDOR
            else f"{kind}{said}"
        )
    if serial:
        return f"S{_plain(vendor.encode())}{_plain(model.encode())}{_plain(serial.encode())}"
    return ""


def _designators(page: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield the rank, kind, code set and value of what identifies the unit itself."""
    if len(page) < 4 or page[1] != 0x83:
        return
    rest = page[4 : 4 + int.from_bytes(page[2:4], "big")]
    while len(rest) >= 4:
        code_set, kind, association = rest[0] & 0x0F, rest[1] & 0x0F, (rest[1] >> 4) & 3
        value, rest = rest[4 : 4 + rest[3]], rest[4 + rest[3] :]
        if association or not value or code_set not in (_BINARY, _ASCII):
            continue
        rank = _rank(kind, value)
        if rank is not None:
            yield rank, kind, code_set, value


def _rank(kind: int, value: bytes) -> int | None:
    if kind == _NAA:
        # The longest first: IEEE Registered Extended, IEEE Registered, others.
        return {6: 0, 5: 1}.get(value[0] >> 4, 2)
    return {_EUI64: 3, _T10: 4, _VENDOR: 5}.get(kind)


def _plain(value: bytes) -> str:
    """Return text that may stand in a file's name, blanks as underscores: what udev makes of it."""
    words = "_".join(value.rstrip(b"\0").decode("ascii", "replace").split())
    return "".join(character if character in _PLAIN else "_" for character in words)
