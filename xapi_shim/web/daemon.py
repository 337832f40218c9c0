"""Puts the parts together, starts them in order and stops them in the opposite one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from xapi_shim.api.binding import bind
from xapi_shim.api.external_auth import ExternalAuth, check_directory, confirm_sessions
from xapi_shim.api.guest_watch import GuestWatch
from xapi_shim.api.host_facts import read_facts
from xapi_shim.api.plugins import OthersError, run_extension
from xapi_shim.api.pool_secret import ensure_pool_secret
from xapi_shim.api.startup import refresh_metrics, start_up
from xapi_shim.api.toolstack import Toolstack
from xapi_shim.database.database import Database
from xapi_shim.database.sqlite_store import SqliteStore
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.directory.nss import NssDirectory
from xapi_shim.directory.winbind import WinbindDirectory
from xapi_shim.network.linux import LinuxNetwork
from xapi_shim.network.simulated import SimulatedNetwork
from xapi_shim.rpc.audit_file import AuditFile
from xapi_shim.rpc.dispatch import Dispatcher, Failure
from xapi_shim.rpc.endpoint import Endpoint
from xapi_shim.rpc.events import Events
from xapi_shim.rpc.roles import fill_roles
from xapi_shim.rpc.sessions import Sessions
from xapi_shim.rpc.tasks import Tasks
from xapi_shim.rpc.wire import Request
from xapi_shim.storage.file_sr import FileSr
from xapi_shim.storage.simulated_sr import SimulatedSr
from xapi_shim.web.certificate import ensure_certificate, server_context
from xapi_shim.web.cli_endpoint import CliEndpoint
from xapi_shim.web.http_actions import HttpActions
from xapi_shim.web.pam_login import PamLogin
from xapi_shim.web.server import Listen, Server
from xapi_shim.xen.interface import XenError
from xapi_shim.xen.simulator import SimulatedXen
from xapi_shim.xen.xl import XlHypervisor

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Authenticator
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


class Daemon:
    """One running toolstack. `tools` is there for tests that act behind its back."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.tools = _assemble(options)
        self.dispatcher = Dispatcher(
            self.tools.db,
            self.tools.sessions,
            self.tools.tasks,
            bind(self.tools, DATAMODEL),
            partial(run_extension, options.paths.extensions),
        )
        self.dispatcher.audit.log = self.tools.audit
        self.watch = GuestWatch(self.tools)
        self.port = 0
        # Set when the process is to end, to be started anew (a restored database).
        self.restart = asyncio.Event()
        self._actions = HttpActions(self.tools, self._login, self.restart.set)
        self._server: Server | None = None
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
        await start_up(self.tools, facts, local_sr_type="dummy" if self.options.simulator else "file")
        await self.watch.settle()
        self._server = Server(
            Endpoint(DATAMODEL, self.dispatcher),
            self._listen(facts.hostname),
            self._actions,
            CliEndpoint(self.dispatcher),
        )
        await self._server.start()
        self.port = self._server.port
        running = (self.watch.run(), self._collect(), check_directory(self.tools))
        self._background = [asyncio.create_task(one) for one in running]
        paths.init_complete.parent.mkdir(parents=True, exist_ok=True)
        paths.init_complete.touch()

    async def _login(self, info: CallInfo, user: str, password: str) -> str:
        """Open a session for an HTTP action's Basic login. Raises as session.login_with_password."""
        request = Request("session.login_with_password", [user, password, "1.0", "http"])
        outcome = await self.dispatcher.serve(request, info.origin)
        if isinstance(outcome, Failure):
            raise OthersError(*outcome.description)
        return str(outcome.value)

    def _listen(self, hostname: str) -> Listen:
        paths, tls = self.options.paths, None
        if self.options.address is not None:
            address = self.tools.db.text("host", self.tools.host, "address")
            ensure_certificate(paths.server_certificate, hostname, [address])
            tls = server_context(paths.server_certificate)
        return Listen(paths.unix_socket, self.options.address, self.options.port, tls)

    async def stop(self) -> None:
        """Close the doors; guests go on running."""
        self.options.paths.init_complete.unlink(missing_ok=True)
        for task in self._background:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._server is not None:
            await self._server.stop()
        self.tools.audit.close()
        self.tools.db.close()

    async def _collect(self) -> None:
        """Drop what is old, and let clients see that the pool is alive."""
        while True:
            await asyncio.sleep(COLLECT_S)
            self.tools.sessions.drop_idle()
            await confirm_sessions(self.tools)
            self.tools.tasks.collect()
            try:
                await refresh_metrics(self.tools)
            except XenError as error:
                log.warning("cannot read the host's memory: %s", error)
            self.tools.db.touch("pool", self.tools.pool)


def _assemble(options: Options) -> Toolstack:
    paths = options.paths
    db = Database(DATAMODEL, SqliteStore(paths.database))
    fill_roles(db)
    sessions = Sessions(db)
    simulated = options.simulator
    authenticate = options.authenticate or PamLogin()
    return Toolstack(
        db=db,
        sessions=sessions,
        tasks=Tasks(db),
        events=Events(db, sessions),
        hypervisor=SimulatedXen() if simulated else XlHypervisor(paths, own_scope=options.under_systemd),
        network=SimulatedNetwork() if simulated else LinuxNetwork(),
        sr_types={"dummy": SimulatedSr, "file": FileSr} if simulated else {"file": FileSr},
        paths=paths,
        audit=AuditFile(paths.audit_log, socket.gethostname()),
        authenticate=authenticate,
        external_auth=ExternalAuth(
            {
                "PAM": NssDirectory(authenticate),
                "AD": WinbindDirectory(paths.samba_config, paths.former_samba_config),
            }
        ),
        login_delay_s=options.login_delay_s,
    )
