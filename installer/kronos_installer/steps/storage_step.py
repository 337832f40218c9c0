"""A storage repository of the daemon's, made through XenAPI when the host runs Xen."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from kronos_installer.override import override
from kronos_installer.password_file import read_password
from kronos_installer.pool_membership import uuid_of
from kronos_installer.steps.device import is_mounted
from kronos_installer.steps.iscsi_lun import lun_identity
from kronos_installer.steps.step import Record, Step
from kronos_installer.xenapi_client import XenApiFailureError, XenApiUnreachableError, local_session
from xapi_shim.base.errors import KronosError
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from kronos_installer.host import Host
    from kronos_installer.xenapi_client import Session

NULL = "OpaqueRef:NULL"
# In the SR's sm_config, from its first moment on, and in its and the host's other_config.
TAG = "xapi-host-setup"
# SRExists of the reference's storage managers: there are disks where it is to be made.
EXISTS = "SR_BACKEND_FAILURE_42"
DEFAULTS = ("default_SR", "suspend_image_SR", "crash_dump_SR")
# Making an SR on a server: its mount may take a while.
_TIMEOUT_S = 180.0


class NotMountedError(KronosError):
    """What the repository is to be on is not mounted: its disks would fill the root file system."""

    def __init__(self, mount_point: str) -> None:
        super().__init__(
            f"nothing is mounted at {mount_point}", resolution="see `systemctl status` of its mount unit"
        )


class NotForgottenError(KronosError):
    """The daemon cannot be told, say because the host runs without Xen."""

    def __init__(self, name: str, cause: XenApiUnreachableError) -> None:
        super().__init__(
            f"the storage repository {name!r} cannot be forgotten: {cause.message}",
            resolution="the daemon runs under Xen only: reboot into it; or leave the repository in the daemon's records: "
            "'xapi-host-setup rollback --force'",
        )


@dataclass(frozen=True, kw_only=True)
class StorageStep(Step):
    """Makes the SR `name`, known again by `key`.

    `mount_point` is what must be mounted first, "" for nothing. `default`: guests' disks go there where nobody
    says where. `destroys`: at undo what is empty is removed from its storage too, not only forgotten. On an iSCSI
    target `lun` is the LUN's number, -1 elsewhere, and `password_file` holds the password for CHAP, "" without.
    """

    kind = "storage"
    after_reboot: ClassVar[bool] = True
    key: str
    type: str
    name: str
    device_config: dict[str, str]
    content_type: str = "user"
    shared: bool = False
    default: bool = False
    destroys: bool = False
    mount_point: str = ""
    lun: int = -1
    password_file: str = ""

    @override
    def describe(self) -> str:
        where = ", ".join(f"{key}={value}" for key, value in sorted(self.device_config.items()))
        if self.lun >= 0:
            where = f"{where}, LUN {self.lun:x}"
        role = ", the pool's default" if self.default else ""
        return f"make the storage repository {self.name!r} ({self.type}: {where}){role}"

    @override
    def describe_undo(self) -> str:
        return f"forget the storage repository {self.name!r}; disks in it stay"

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return ()

    @override
    def capture(self, host: Host) -> Record:
        with _session(host) as session:
            pool = _pool(session)
            return {"defaults": {field: session.call(f"pool.get_{field}", pool) for field in DEFAULTS}}

    @override
    def apply(self, host: Host, original: Record) -> None:
        del original
        if self.mount_point and not is_mounted(host, self.mount_point):
            raise NotMountedError(self.mount_point)
        with _session(host) as session:
            sr = self._find(host, session) or self._create(host, session)
            self._plug(host, session, sr)
            for cls, ref in (("SR", sr), ("host", _host(host, session))):
                _set_key(host, session, cls, ref, self._tag, self.type)
            for field in DEFAULTS if self.default else ():
                pool = _pool(session)
                if session.call(f"pool.get_{field}", pool) != sr:
                    _change(host, session, f"pool.set_{field}", pool, sr)

    def _create(self, host: Host, session: Session) -> str:
        """Make the SR; one whose disks are there already, as a former set-up leaves them, is taken up.

        But not a LUN: what is on it may be in use by another pool.
        """
        said = (
            self.name,
            "made by xapi-host-setup",
            self.type,
            self.content_type,
            self.shared,
            {TAG: self.key},
        )
        try:
            config = self._whole_config(host, session)
            sr = _change(host, session, "SR.create", _host(host, session), config, "0", *said)
        except XenApiFailureError as error:
            if error.code != EXISTS or self.lun >= 0:
                raise
            sr = _change(host, session, "SR.introduce", str(uuid.uuid4()), *said)
        return str(sr)

    def _whole_config(self, host: Host, session: Session) -> dict[str, str]:
        """Return the device_config with what only the running host tells. Raises PasswordFileError, LunMissingError."""
        config = dict(self.device_config)
        if self.password_file:
            config["chappassword"] = read_password(host, self.password_file)
        if self.lun >= 0:
            config["SCSIid"] = lun_identity(session, _host(host, session), config, self.lun)
        return config

    def _plug(self, host: Host, session: Session, sr: str) -> None:
        pbds = session.call("SR.get_PBDs", sr)
        if not pbds:
            record = {"host": _host(host, session), "SR": sr, "device_config": self.device_config}
            pbds = [_change(host, session, "PBD.create", record)]
        for pbd in pbds:
            if not session.call("PBD.get_currently_attached", pbd):
                _change(host, session, "PBD.plug", pbd)

    @override
    def check_undo(self, host: Host) -> None:
        """Raise NotForgottenError where the daemon does not answer."""
        with self._session_to_forget(host):
            pass

    @override
    def undo(self, host: Host, original: Record) -> None:
        """Forget the SR. Raises XenApiFailureError while a guest uses a disk of it, NotForgottenError.

        A host that has left a pool has records that begin anew: what is not in them is forgotten.
        """
        with self._session_to_forget(host) as session:
            sr = self._find(host, session)
            for field in DEFAULTS:
                pool, before = _pool(session), original["defaults"][field]
                if sr is not None and session.call(f"pool.get_{field}", pool) == sr:
                    _change(host, session, f"pool.set_{field}", pool, _if_there(session, before))
            if sr is not None:
                self._remove(host, session, sr)
            _set_key(host, session, "host", _host(host, session), self._tag, None)

    @contextmanager
    def _session_to_forget(self, host: Host) -> Iterator[Session]:
        try:
            with _session(host) as session:
                yield session
        except XenApiUnreachableError as error:
            raise NotForgottenError(self.name, error) from error

    def _remove(self, host: Host, session: Session, sr: str) -> None:
        empty = not session.call("SR.get_VDIs", sr)
        for pbd in session.call("SR.get_PBDs", sr):
            _change(host, session, "PBD.unplug", pbd)
        _change(host, session, "SR.destroy" if self.destroys and empty else "SR.forget", sr)

    @override
    def is_applied(self, host: Host) -> bool:
        try:
            with _session(host) as session:
                return self._find(host, session) is not None
        except XenApiUnreachableError:
            return False

    @property
    def _tag(self) -> str:
        return f"{TAG}-{self.key}"

    def _find(self, host: Host, session: Session) -> str | None:
        """Return this host's SR of the key: other hosts of a pool were set up with such a one, too."""
        own = set(session.call("host.get_PBDs", _host(host, session)))
        alone = len(session.call("host.get_all")) == 1
        for ref, one in session.call("SR.get_all_records").items():
            if one["sm_config"].get(TAG) == self.key and (alone or own & set(one["PBDs"])):
                return str(ref)
        return None

    @override
    def to_json(self) -> Record:
        return {
            "key": self.key,
            "type": self.type,
            "name": self.name,
            "device_config": self.device_config,
            "content_type": self.content_type,
            "shared": self.shared,
            "default": self.default,
            "destroys": self.destroys,
            "mount_point": self.mount_point,
            "lun": self.lun,
            "password_file": self.password_file,
        }

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(**{name: value for name, value in record.items() if name != "kind"})


def _session(host: Host) -> AbstractContextManager[Session]:
    return local_session(host.at(str(Paths().unix_socket)), timeout_s=_TIMEOUT_S)


def _change(host: Host, session: Session, method: str, *args: object) -> Any:  # noqa: ANN401 -- any XenAPI value
    host.on_effect(f"before {method}")
    answer = session.call(method, *args)
    host.on_effect(f"after {method}")
    return answer


def _set_key(host: Host, session: Session, cls: str, ref: str, key: str, value: str | None) -> None:
    """Make other_config[key] `value`, None for not there."""
    now = session.call(f"{cls}.get_other_config", ref).get(key)
    if now is not None and now != value:
        _change(host, session, f"{cls}.remove_from_other_config", ref, key)
    if value is not None and now != value:
        _change(host, session, f"{cls}.add_to_other_config", ref, key, value)


def _pool(session: Session) -> str:
    (pool,) = session.call("pool.get_all")
    return str(pool)


def _host(host: Host, session: Session) -> str:
    """Return this host. The session of a member is with its master, so its own uuid tells. Raises NoUuidError."""
    return str(session.call("host.get_by_uuid", uuid_of(host)))


def _if_there(session: Session, sr: str) -> str:
    """Return an SR if there still is such a one, else none."""
    try:
        session.call("SR.get_uuid", sr)
    except XenApiFailureError:
        return NULL
    return sr
