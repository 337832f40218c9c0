"""Puts the parts together, starts them in order and stops them in the opposite one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from xapi_shim.api.binding import bind
from xapi_shim.api.certificate_expiry import CHECK_EVERY, check_expiry
from xapi_shim.api.certificate_records import settle_own, settle_trusted
from xapi_shim.api.client_certificate import is_known_client
from xapi_shim.api.external_auth import ExternalAuth, check_directory, confirm_sessions
from xapi_shim.api.guest_watch import GuestWatch
from xapi_shim.api.host_facts import read_facts
from xapi_shim.api.host_settle import settle_host
from xapi_shim.api.own_host import pay_owed
from xapi_shim.api.plugins import OthersError, run_extension
from xapi_shim.api.pool_role import finish_leaving, master_address
from xapi_shim.api.pool_secret import ensure_pool_secret
from xapi_shim.api.startup import refresh_metrics, start_up
from xapi_shim.api.toolstack import Toolstack
from xapi_shim.database.database import Database
from xapi_shim.database.sqlite_store import SqliteStore
from xapi_shim.datamodel.errors import CannotContactHostError
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.directory.nss import NssDirectory
from xapi_shim.directory.winbind import WinbindDirectory
from xapi_shim.host.linux import linux_system
from xapi_shim.host.simulated import simulated_system
from xapi_shim.host.tls import server_context
from xapi_shim.network.linux import LinuxNetwork
from xapi_shim.network.simulated import SimulatedNetwork
from xapi_shim.rpc.audit_file import AuditFile
from xapi_shim.rpc.dispatch import Failure
from xapi_shim.rpc.events import Events
from xapi_shim.rpc.metered import MeteredDispatcher
from xapi_shim.rpc.roles import fill_roles
from xapi_shim.rpc.sessions import Sessions
from xapi_shim.rpc.tasks import Tasks
from xapi_shim.rpc.wire import Request
from xapi_shim.storage.file_sr import FileSr
from xapi_shim.storage.iso_sr import IsoSr
from xapi_shim.storage.linux_groups import LinuxVolumeGroups
from xapi_shim.storage.linux_iscsi import LinuxIscsi
from xapi_shim.storage.linux_mounts import LinuxMounts
from xapi_shim.storage.lvmoiscsi_sr import LvmOverIscsiSr
from xapi_shim.storage.nfs_sr import NfsSr
from xapi_shim.storage.simulated_groups import SimulatedVolumeGroups
from xapi_shim.storage.simulated_iscsi import SimulatedIscsi
from xapi_shim.storage.simulated_mounts import SimulatedMounts
from xapi_shim.storage.simulated_sr import SimulatedSr
from xapi_shim.web.http_actions import HttpActions
from xapi_shim.web.membership import Doors, fill_replica, take_role
from xapi_shim.web.pam_login import PamLogin
from xapi_shim.web.ready_mark import ReadyMark
from xapi_shim.web.server import Listen, Server
from xapi_shim.web.trace_export import export
from xapi_shim.xen.host_tools import SimulatedXenHostTools, XlHostTools
from xapi_shim.xen.interface import XenError
from xapi_shim.xen.simulator import SimulatedXen
from xapi_shim.xen.xl import XlHypervisor

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from xapi_shim.api.toolstack import Authenticator, SrDriverFactory
    from xapi_shim.base.paths import Paths
    from xapi_shim.rpc.call import CallInfo

log = logging.getLogger(__name__)

# The reference's interval of garbage collection and of the pool's heartbeat event.
COLLECT_S = 30.0


@dataclass(frozen=True)
class Options:
    """How to run; `address` None listens on the unix socket only."""

    paths: Paths
    simulator: bool
    address: str | None
    port: int
    under_systemd: bool
    authenticate: Authenticator | None = None
    login_delay_s: float = 5.0
    # Told now and then by a member that waits for its pool's master.
    on_waiting: Callable[[], None] = lambda: None


class Daemon:
    """One running toolstack. `tools` is there for tests that act behind its back."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.tools = _assemble(options)
        self.dispatcher = MeteredDispatcher(
            self.tools.db,
            self.tools.sessions,
            self.tools.tasks,
            bind(self.tools, DATAMODEL),
            partial(run_extension, options.paths.extensions),
            self.tools.callers,
            self.tools.timings,
            self.tools.tracer,
        )
        self.dispatcher.audit.log = self.tools.audit
        self.watch = GuestWatch(self.tools)
        self.port = 0
        # Set when the process is to end, to be started anew (a restored database).
        self.restart = asyncio.Event()
        # Set when it is to end for good.
        self.shut_down = asyncio.Event()
        self.tools.restart, self.tools.shut_down = self.restart.set, self.shut_down.set
        self._actions = HttpActions(self.tools, self._login, self.restart.set)
        self._server: Server | None = None
        self._doors: Doors | None = None
        self._renewing = asyncio.Lock()
        self._ready = ReadyMark(options.paths.init_complete)
        self._background: list[asyncio.Task[None]] = []

    @property
    def http_actions(self) -> frozenset[str]:
        """The paths of the HTTP actions that are served."""
        return self._actions.paths

    async def start(self) -> None:
        """Fill the records, find the guests, open the doors. Raises KronosError, OSError."""
        paths = self.options.paths
        ensure_pool_secret(paths.pool_secret)
        facts = read_facts(paths.inventory)
        uuid = facts.inventory.get("INSTALLATION_UUID", "")
        take_role(self.tools, uuid)
        if self.tools.replica is not None:
            await fill_replica(self.tools, self.tools.replica, uuid, self.options.on_waiting)
        await start_up(self.tools, facts, local_sr_type="dummy" if self.options.simulator else "file",
                       is_member=self.tools.replica is not None)  # fmt: skip
        await self.watch.settle()
        await settle_host(self.tools)
        self.tools.tracer.refresh(self.tools.host)
        if self.tools.members is not None:
            self.tools.members.expect(self.tools.host)
        self._doors = Doors(self.tools, self.dispatcher)
        self._actions.for_hosts = self._doors.pool_actions.routes()
        self._server = Server(
            self._doors.endpoint, self._listen(), self._actions, self._doors.cli, self.tools.requests
        )
        await self._server.start()
        self.tools.renew_tls = self._renew_tls
        self.port = self._server.port
        running = [self.watch.run(), self._collect(), check_directory(self.tools)]
        if self.tools.replica is not None:
            self.tools.replica.returned = self._master_returned
            running.append(self.tools.replica.follow())
        self._background = [asyncio.create_task(one) for one in running]
        self._ready.set()

    def _master_returned(self) -> None:
        """Tell the master what it missed, and see what it recorded of this host's guests meanwhile."""
        pay_owed(self.tools)
        self.watch.wake()

    async def _login(self, info: CallInfo, user: str, password: str) -> str:
        """Open a session for an HTTP action's Basic login. Raises as session.login_with_password."""
        request = Request("session.login_with_password", [user, password, "1.0", "http"])
        outcome = await self.dispatcher.serve(request, info.origin)
        if isinstance(outcome, Failure):
            raise OthersError(*outcome.description)
        return str(outcome.value)

    def _listen(self) -> Listen:
        settle_own(self.tools)
        settle_trusted(self.tools)
        tls = self._tls() if self.options.address is not None else None
        known = partial(is_known_client, self.tools)
        return Listen(self.options.paths.unix_socket, self.options.address, self.options.port, tls, known)

    def _tls(self) -> ssl.SSLContext:
        """Return the context of the HTTPS door as of now. Raises OSError, ssl.SSLError."""
        asks = self.tools.db.flag("pool", self.tools.pool, "client_certificate_auth_enabled")
        return server_context(self.options.paths, ask_clients=asks)

    async def _renew_tls(self) -> None:
        """Show changed certificates to those who connect from now on."""
        if self._server is not None and self.options.address is not None:
            # One after the other, each with the files as they are by then.
            async with self._renewing:
                await self._server.renew_tls(self._tls())

    async def stop(self) -> None:
        """Close the doors; guests go on running."""
        self._ready.clear()
        self.tools.events.end()
        if self.tools.members is not None:
            self.tools.members.end()
        for timer in self.tools.timers.values():
            timer.cancel()
        for task in (*self._background, *self.tools.background):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._server is not None:
            await self._server.stop()
        for one in (self._doors, self.tools.replica, self.tools.members):
            if one is not None:
                one.close()
        self.tools.audit.close()
        await export(self.tools.tracer, self.options.paths)
        self.tools.db.close()

    async def _collect(self) -> None:
        """Drop what is old, and let clients see that the pool is alive."""
        checked = datetime.now(UTC)
        check_expiry(self.tools)
        while True:
            await asyncio.sleep(COLLECT_S)
            try:
                if datetime.now(UTC) - checked >= CHECK_EVERY:
                    checked = datetime.now(UTC)
                    check_expiry(self.tools)
                await self._collect_once()
            except Exception:  # the boundary: a disk that is full for a while must not end this for good
                log.exception("cannot drop what is old")

    async def _collect_once(self) -> None:
        self.tools.sessions.drop_idle()
        await confirm_sessions(self.tools)
        if self.tools.members is not None:
            self.tools.tasks.collect()
            self.tools.members.record_dead()
        self.tools.callers.write_access()
        await export(self.tools.tracer, self.options.paths)
        try:
            await refresh_metrics(self.tools)
        except (XenError, CannotContactHostError) as error:
            log.warning("cannot read the host's memory, or tell it: %s", error)
        if self.tools.members is not None:
            self.tools.db.touch("pool", self.tools.pool)
        else:
            # What others have recorded of this host's guests, who may have taken it for dead.
            self.watch.wake()


def _sr_types(paths: Paths, *, simulated: bool) -> dict[str, SrDriverFactory]:
    """Return the kinds of SR by name; the simulator's servers are directories below its root."""
    mounts = SimulatedMounts(paths.root / "srv/nfs") if simulated else LinuxMounts()
    sessions = paths.iscsi_sessions
    iscsi = SimulatedIscsi(paths.root / "srv/iscsi", sessions) if simulated else LinuxIscsi(sessions)
    groups = SimulatedVolumeGroups(paths.root / "dev") if simulated else LinuxVolumeGroups()
    return {
        "file": FileSr,
        "nfs": partial(NfsSr, mounts=mounts, below=paths.sr_mounts),
        "lvmoiscsi": partial(LvmOverIscsiSr, iscsi=iscsi, groups=groups),
        "iso": partial(IsoSr, mounts=mounts, below=paths.sr_mounts),
        **({"dummy": SimulatedSr} if simulated else {}),
    }


def _assemble(options: Options) -> Toolstack:
    paths = options.paths
    login = PamLogin()
    finish_leaving(paths)
    # A member's is its master's; the file is what it was before.
    db = Database(DATAMODEL, None if master_address(paths.pool_conf) else SqliteStore(paths.database))
    fill_roles(db)
    sessions = Sessions(db)
    simulated = options.simulator
    authenticate = options.authenticate or login
    return Toolstack(
        db=db,
        port=options.port,
        sessions=sessions,
        tasks=Tasks(db),
        events=Events(db, sessions),
        hypervisor=SimulatedXen() if simulated else XlHypervisor(paths, own_scope=options.under_systemd),
        network=SimulatedNetwork() if simulated else LinuxNetwork(),
        sr_types=_sr_types(paths, simulated=simulated),
        paths=paths,
        audit=AuditFile(paths.audit_log, socket.gethostname()),
        authenticate=authenticate,
        external_auth=ExternalAuth(
            {
                "PAM": NssDirectory(authenticate),
                "AD": WinbindDirectory(paths.samba_config, paths.former_samba_config),
            }
        ),
        set_login_threads=login.set_threads,
        system=simulated_system() if simulated else linux_system(),
        xen_host=SimulatedXenHostTools() if simulated else XlHostTools(),
        login_delay_s=options.login_delay_s,
    )
