"""The host joins a pool, through its own daemon, when all else of the set-up is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from kronos_installer.detect.pool_conf import POOL_CONF, read_pool_conf
from kronos_installer.override import override
from kronos_installer.password_file import read_password
from kronos_installer.patience import Patience
from kronos_installer.pool_membership import leave, look, missing_of_member, session_of
from kronos_installer.remote_client import HTTPS_PORT, OtherCertificateError, look_at
from kronos_installer.steps.step import HostChangedError, Record, Step
from kronos_installer.xenapi_client import XenApiFailureError, XenApiUnreachableError
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.host import Host

# The daemon asks the master, and brings the host's records there.
_JOIN_S = 180.0
_HIDDEN = "(the password)"


class MasterChangedError(KronosError):
    """Who answers at the master's address is not certainly the one that the plan showed."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            f"the password was not sent: {error}",
            resolution="mend that and run 'xapi-host-setup apply'; a master with a new certificate needs a new plan: "
            "rollback first",
        )


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

        Raises PasswordFileError, MasterChangedError, XenApiFailureError as pool.join refuses, GaveUpError.
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

    def _check_free(self, host: Host) -> None:
        if read_pool_conf(host).master not in ("", self.address):
            raise HostChangedError(POOL_CONF)

    def _join(self, host: Host) -> None:
        password = read_password(host, self.password_file)
        try:
            shown = look_at(self.address, HTTPS_PORT).fingerprint
            if shown != self.fingerprint:
                raise OtherCertificateError(self.address, shown)
        except OSError as error:
            raise MasterChangedError(error) from error
        with session_of(host, _JOIN_S) as session:
            host.on_effect("before pool.join")
            try:
                session.call("pool.join", self.address, self.username, password)
            except XenApiFailureError as error:
                said = [part.replace(password, _HIDDEN) for part in (error.code, *error.params)]
                raise XenApiFailureError("pool.join", said) from None
            except XenApiUnreachableError:
                # The daemon starts anew as a member, and may be gone before its answer is here.
                if not self.is_applied(host):
                    raise
            host.on_effect("after pool.join")

    @override
    def undo(self, host: Host, original: Record) -> None:
        """Leave the pool; nothing to do where the host is in none. Raises StillMemberError."""
        del original
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
