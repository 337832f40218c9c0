"""The host joins a pool, through its own daemon, when all else of the set-up is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from kronos_installer.detect.pool_conf import POOL_CONF, read_pool_conf
from kronos_installer.detect.pool_master import LOOK_THERE, inner_fingerprints
from kronos_installer.host_files import FileState
from kronos_installer.override import override
from kronos_installer.password_file import read_password
from kronos_installer.patience import Patience
from kronos_installer.pool_membership import leave, look, missing_of_member, session_of
from kronos_installer.remote_client import HTTPS_PORT, OtherCertificateError, look_at, remote_session
from kronos_installer.steps.step import HostChangedError, Record, Step
from kronos_installer.xenapi_client import XenApiFailureError, XenApiUnreachableError
from xapi_shim.base.errors import KronosError
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from kronos_installer.host import Host

# The daemon asks the master, and brings the host's records there.
_JOIN_S = 180.0
_HIDDEN = "(the password)"
# What the daemon goes by when it logs in to the master.
_MASTER_TO_JOIN = str(Paths().master_to_join)


class MasterUnclearError(KronosError):
    """The master does not tell what the daemon has to know of it."""

    def __init__(self, master: str, error: ValueError) -> None:
        super().__init__(f"the host has not joined the pool of {master}: {error}",
                         resolution="see that it runs the toolstack of this host's version, and run 'xapi-host-setup apply'")  # fmt: skip


class MasterChangedError(KronosError):
    """Who answers at the master's address is not certainly the one that the plan showed."""

    def __init__(self, error: OSError) -> None:
        remedy = "mend that and run 'xapi-host-setup apply'"
        if isinstance(error, OtherCertificateError):
            remedy = (
                f"look on the master itself ({LOOK_THERE}): where it shows what the plan did, another host answers in its "
                f"place: {remedy}; where it has got a new certificate make a new plan: 'xapi-host-setup rollback' first"
            )
        super().__init__(f"the password was not sent: {error}", resolution=remedy)


@dataclass(frozen=True, kw_only=True)
class PoolJoinStep(Step):
    """Makes the host a member of the pool of `master`.

    `address` is the IP address at which it answered when the plan was made, which pool.conf has then; `fingerprint` the
    SHA-256 of the certificate that it showed. The password is in `password_file` and nowhere else.
    """

    kind = "pool-join"
    after_reboot: ClassVar[bool] = True
    master: str
    address: str
    username: str
    password_file: str
    fingerprint: str
    patience: Patience = field(default=Patience(), compare=False, repr=False)

    @override
    def describe(self) -> str:
        address = f" ({self.address})" if self.address != self.master else ""
        return f"join the pool of {self.master}{address} as {self.username}"

    @override
    def describe_undo(self) -> str:
        return f"leave the pool of {self.master}; guests' disks on this host stay as files"

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return ()

    @override
    def capture(self, host: Host) -> Record:
        self._check_free(host)
        return {}

    @override
    def apply(self, host: Host, original: Record) -> None:
        """Join, and wait until the pool has this host alive.

        Raises PasswordFileError, MasterChangedError, MasterUnclearError, XenApiUnreachableError, GaveUpError,
        XenApiFailureError as pool.join refuses.
        """
        del original
        if not self.is_applied(host):
            self._check_free(host)
            self._join(host)
        self.patience.wait_until(
            f"this host is a member of the pool of {self.master}",
            lambda: missing_of_member(look(host), self.address),
            host.say,
        )
        self._forget_master(host)

    def _check_free(self, host: Host) -> None:
        if read_pool_conf(host).master not in ("", self.address):
            raise HostChangedError(POOL_CONF)

    def _join(self, host: Host) -> None:
        password = read_password(host, self.password_file)
        try:
            shown = look_at(self.address, HTTPS_PORT).fingerprint
            if shown != self.fingerprint:
                raise OtherCertificateError(self.address, shown, self.fingerprint)
        except OSError as error:
            raise MasterChangedError(error) from error
        try:
            self._name_master(host, password)
            self._join_by_daemon(host, password)
        except XenApiFailureError as error:
            self._forget_master(host)
            said = [part.replace(password, _HIDDEN) for part in (error.code, *error.params)]
            raise XenApiFailureError(error.method, said) from None

    def _name_master(self, host: Host, password: str) -> None:
        """Tell the daemon which certificates the master may show to it: it logs in over a connection of its own.

        Hosts of a pool are shown another certificate than clients. The master says which, over a connection whose
        certificate is the plan's.
        """
        try:
            with remote_session(
                self.address, self.username, password, self.fingerprint, HTTPS_PORT
            ) as session:
                inner = inner_fingerprints(session)
        except XenApiUnreachableError as error:
            if isinstance(error.__cause__, OtherCertificateError):
                raise MasterChangedError(error.__cause__) from error
            raise
        except ValueError as error:
            raise MasterUnclearError(self.master, error) from error
        content = "".join(f"{one}\n" for one in (self.address, *inner)).encode()
        host.write(_MASTER_TO_JOIN, FileState(content, mode=0o600))

    def _forget_master(self, host: Host) -> None:
        # Where it is not there a write that was cut off may have left something beside it.
        host.remove(_MASTER_TO_JOIN)

    def _join_by_daemon(self, host: Host, password: str) -> None:
        with session_of(host, _JOIN_S) as session:
            host.on_effect("before pool.join")
            try:
                session.call("pool.join", self.address, self.username, password)
            except XenApiUnreachableError:
                # The daemon starts anew as a member, and may be gone before its answer is here.
                if not self.is_applied(host):
                    raise
            host.on_effect("after pool.join")

    @override
    def undo(self, host: Host, original: Record) -> None:
        """Leave the pool; nothing to do where the host is in none. Raises StillMemberError."""
        del original
        self._forget_master(host)
        if read_pool_conf(host).master:
            leave(host, self.patience, host.say)

    @override
    def is_applied(self, host: Host) -> bool:
        return read_pool_conf(host).master == self.address

    @override
    def to_json(self) -> Record:
        return {
            "master": self.master,
            "address": self.address,
            "username": self.username,
            "password_file": self.password_file,
            "fingerprint": self.fingerprint,
        }

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(**{name: value for name, value in record.items() if name != "kind"})
