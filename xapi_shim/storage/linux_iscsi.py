"""The iSCSI initiator of a Linux host: open-iscsi's iscsiadm(8) and iscsid(8), and the sessions' devices in sysfs.

**Passwords.** `iscsiadm --op update --value` has a password among its arguments, which any process sees. So iscsiadm
makes a record with what iscsid.conf says, and the password is written into the record's file: open-iscsi's own place
for it, mode 0600 in a directory of mode 0700, which iscsiadm then reads for the login, and iscsid when it is started
anew beside a session. The file is written aside and renamed.

**Whose session it is.** A record of ours says so in a comment and is never logged in to at boot. A session that is
there without such a record is somebody else's, the host's own disks perhaps: it is used as it is, and neither its
record nor it are touched. A record without a session is made ours. Who uses a session of ours is kept in files below
/run, by what the users are called, so that a daemon that starts anew knows them; those of a probe in memory, since
they end with it.

Lookups read sysfs only: nothing here waits for a target but `discover`, `open` and `close`.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xapi_shim.base.atomic_file import write_atomic
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import ProgramMissingError, run_async
from xapi_shim.storage.iscsi import Chap, IscsiError, Lun, Portal, Target
from xapi_shim.storage.iscsi_records import OURS, discovery_record, node_record, read_targets
from xapi_shim.storage.iscsi_sysfs import block_of, disks, find_session, read_luns, same_form
from xapi_shim.storage.off_loop import off_loop
from xapi_shim.storage.uevents import listening, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xapi_shim.base.process import Completed

TIMEOUT_S: Final = 60.0
# A target that is there answers a connection in far less.
CONNECT_S: Final = 10.0
# How long the disks of a session may take from their discovery to their device nodes.
DEVICES_S: Final = 30.0
_RESOLUTION = "apt-get install open-iscsi, or dnf install iscsi-initiator-utils"
# Debian's place for records and Fedora's.
RECORDS: Final = (Path("/etc/iscsi"), Path("/var/lib/iscsi"))
# iscsiadm(8), EXIT STATUS.
_NO_ANSWER, _NOT_FOUND, _NO_DAEMON, _REFUSED = (4, 8), 21, 20, 24
_TARGET, _LOGIN, _LOGOUT, _PROGRAM, _DAEMON, _DISCOVERY = 141, 68, 69, 70, 71, 83


class LinuxIscsi:
    """The real one. `users` is where the users of sessions are kept; `sysfs` and `records` are there for tests."""

    def __init__(self, users: Path, sysfs: Path = Path("/sys"), records: Sequence[Path] = RECORDS) -> None:
        self._users, self._sysfs, self._records = users, sysfs, tuple(records)
        self._probes: defaultdict[Target, set[str]] = defaultdict(set)
        self._addresses: dict[Target, str] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def discover(self, portal: Portal, chap: Chap | None) -> tuple[Target, ...]:
        at = await _answering(portal)
        discovery = ["--mode", "discoverydb", "--type", "sendtargets", "--portal", str(at)]
        async with self._locks[str(at)]:
            there = self._discovery_files(at)
            ours = not there or _are_ours(there)
            if ours:
                await _iscsiadm(str(portal), [*discovery, "--op", "new"], _DISCOVERY)
            try:
                for path in self._discovery_files(at) if ours else ():
                    _rewrite(path, discovery_record(path.read_text(), chap))
                # nonpersistent: what is found is only told; records of others stay as they are.
                said = await _iscsiadm(
                    str(portal), [*discovery, "--discover", "--op", "nonpersistent"], _DISCOVERY
                )
            finally:
                if ours:
                    await _iscsiadm(
                        str(portal), [*discovery, "--op", "delete"], _DISCOVERY, fine=(_NOT_FOUND,)
                    )
        return read_targets(said)

    async def open(self, target: Target, chap: Chap | None, user: str) -> None:
        async with self._locks[target.name]:
            at = await _answering(target.portal)
            if self._session(target) is None:
                self._addresses[target] = at.server
                if self._session(target) is None:
                    await self._log_in(target, at, chap)
            at = Portal(self._address(target) or at.server, at.port)
            try:
                await self._have_devices(target)
            except BaseException:
                if not self._users_of(target):
                    await self._log_out(target, at)
                raise
            self._add_user(target, at, user)

    async def _log_in(self, target: Target, at: Portal, chap: Chap | None) -> None:
        node = ["--mode", "node", "--targetname", target.name, "--portal", str(at)]
        await _iscsiadm(str(target), [*node, "--op", "new"], _LOGIN)
        for path in self._node_files(target, at):
            _rewrite(path, node_record(path.read_text(), chap))
        try:
            await _iscsiadm(str(target), [*node, "--login"], _LOGIN)
        except BaseException:
            if self._session(target) is None:
                with suppress(IscsiError):
                    await _iscsiadm(str(target), [*node, "--op", "delete"], _LOGIN)
            raise

    async def _have_devices(self, target: Target) -> None:
        """Return when all LUNs of a session are devices, and udev has looked at them."""
        session = self._session(target)
        if session is None:
            raise IscsiError(str(target), "the session did not stay", code=_LOGIN)
        with listening() as wire:
            number = session.name.removeprefix("session")
            # It asks for LUNs that came since, too, and returns when the kernel knows them all.
            await _iscsiadm(str(target), ["--mode", "session", "--sid", number, "--rescan"], _LOGIN)
            await wait_until(lambda: all(block_of(unit) for unit in disks(session)), wire, DEVICES_S)
        # A device that udev has open cannot be had alone, as LVM wants it.
        await _run(str(target), ["udevadm", "settle", f"--timeout={DEVICES_S:g}"], _PROGRAM)

    async def close(self, target: Target, user: str) -> None:
        async with self._locks[target.name]:
            address = self._address(target)
            self._probes[target].discard(user)
            self._file_of(target, user).unlink(missing_ok=True)
            if address is not None and not self._users_of(target):
                await self._log_out(target, Portal(address, target.portal.port))
                self._addresses.pop(target, None)
                with suppress(OSError):
                    self._folder_of(target).rmdir()

    async def _log_out(self, target: Target, at: Portal) -> None:
        """End a session of ours and remove its record."""
        if not _are_ours(self._node_files(target, at)):
            return
        node = ["--mode", "node", "--targetname", target.name, "--portal", str(at)]
        await _iscsiadm(str(target), [*node, "--logout"], _LOGOUT, fine=(_NOT_FOUND,))
        await _iscsiadm(str(target), [*node, "--op", "delete"], _LOGOUT, fine=(_NOT_FOUND,))

    async def luns(self, target: Target) -> tuple[Lun, ...]:
        return await off_loop(str(target), self._read_luns, target)

    def _read_luns(self, target: Target) -> tuple[Lun, ...]:
        session = self._session(target)
        return read_luns(session) if session is not None else ()

    # -- users ------------------------------------------------------------------------------

    def _folder_of(self, target: Target) -> Path:
        # A name of a target is no file's name: it may be as long as one and hold what shells take for something.
        return self._users / hashlib.sha256(str(target).encode()).hexdigest()[:32]

    def _file_of(self, target: Target, user: str) -> Path:
        return self._folder_of(target) / user

    def _add_user(self, target: Target, at: Portal, user: str) -> None:
        if user.startswith("probe-"):
            self._probes[target].add(user)
            return
        self._folder_of(target).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file_of(target, user).write_text(at.server)

    def _users_of(self, target: Target) -> list[str]:
        with suppress(FileNotFoundError):
            return [*self._probes[target], *(path.name for path in self._folder_of(target).iterdir())]
        return [*self._probes[target]]

    def _address(self, target: Target) -> str | None:
        """Return the address at which a target's session is, None where no user has one."""
        if target in self._addresses:
            return self._addresses[target]
        with suppress(OSError, StopIteration):
            return next(self._folder_of(target).iterdir()).read_text()
        return None

    # -- records ----------------------------------------------------------------------------

    def _node_files(self, target: Target, at: Portal) -> list[Path]:
        """Return the files of a node's record: `nodes/<name>/<address>,<port>[,<group>][/<interface>]`."""
        return [
            path
            for root in self._records
            for place in _named(root / "nodes" / target.name, at)
            for path in (sorted(place.iterdir()) if place.is_dir() else [place])
        ]

    def _discovery_files(self, at: Portal) -> list[Path]:
        places = [place for root in self._records for place in _named(root / "send_targets", at)]
        return [path for place in places if (path := place / "st_config").is_file()]

    def _session(self, target: Target) -> Path | None:
        """Return a target's session, where a user has one."""
        address = self._address(target)
        return (
            find_session(self._sysfs, target.name, Portal(address, target.portal.port)) if address else None
        )


def _named(folder: Path, at: Portal) -> list[Path]:
    with suppress(OSError):
        return [path for path in sorted(folder.iterdir()) if _is_portal(path.name.split(","), at)]
    return []


def _is_portal(parts: Sequence[str], at: Portal) -> bool:
    return len(parts) > 1 and (same_form(parts[0]), parts[1]) == (at.server, str(at.port))


def _are_ours(files: Sequence[Path]) -> bool:
    """Say whether a record, in these files, is one that we made."""
    return bool(files) and all(OURS in path.read_text(errors="replace") for path in files)


def _rewrite(path: Path, text: str) -> None:
    write_atomic(path, text.encode(), mode=0o600)


async def _answering(portal: Portal) -> Portal:
    """Return a portal by its address. Raises IscsiError 140 (DNSError), 141 (ISCSITarget) where nobody answers there."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_S):
            found = await loop.getaddrinfo(portal.server, portal.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise IscsiError(portal.server, f"no address is known: {error}", code=140) from error
    address = str(found[0][4][0])
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(address, portal.port)
        writer.close()
    except OSError as error:
        raise IscsiError(str(portal), f"it does not answer: {str(error) or 'no connection in time'}", code=_TARGET,
                         resolution="see that the target runs and can be reached") from error  # fmt: skip
    return Portal(same_form(address), portal.port)


async def _iscsiadm(what: str, args: Sequence[str], code: int, *, fine: Sequence[int] = ()) -> str:
    done = await _run(what, ["iscsiadm", *args], code)
    status = done.returncode
    if status == 0 or status in fine:
        return done.stdout
    said = "; ".join(line.strip() for line in done.stderr.splitlines() if line.strip())
    detail = said or f"iscsiadm ended with status {status}"
    if status in _NO_ANSWER:
        code = _TARGET
    elif status == _NO_DAEMON:
        code = _DAEMON
    elif status == _REFUSED:
        raise IscsiError(what, f"the target refuses the login: {detail}", code=_LOGIN,
                         resolution="see chapuser and chappassword")  # fmt: skip
    raise IscsiError(what, detail, code=code)


async def _run(what: str, argv: Sequence[str], code: int) -> Completed:
    try:
        return await run_async(argv, timeout_s=TIMEOUT_S, check=False)
    except ProgramMissingError as error:
        raise IscsiError(
            what, f"{error.program} is not installed", code=_PROGRAM, resolution=_RESOLUTION
        ) from error
    except KronosError as error:
        raise IscsiError(what, error.message, code=code) from error
