"""What a daemon is made of besides, by its host's role: the master serves its members, a member follows its master."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from xapi_shim.api.host_record import NotInPoolError
from xapi_shim.api.pass_on import PassedOn
from xapi_shim.api.pool_role import (
    become_master,
    master_address,
    read_fingerprints,
    write_fingerprints,
)
from xapi_shim.api.pool_secret import read_pool_secret
from xapi_shim.base.errors import KronosError
from xapi_shim.pool.link import Link
from xapi_shim.pool.members import Members, fingerprints
from xapi_shim.pool.replica import Replica
from xapi_shim.rpc.endpoint import Endpoint
from xapi_shim.web.cli_endpoint import CliEndpoint
from xapi_shim.web.pool_actions import PoolActions
from xapi_shim.web.relay import Relay, RelayingCli, RelayingEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from xapi_shim.api.toolstack import Toolstack
    from xapi_shim.base.paths import Paths
    from xapi_shim.database.database import Database
    from xapi_shim.rpc.dispatch import Dispatcher

log = logging.getLogger(__name__)


class LeftPoolError(KronosError):
    """The host was about to leave its pool when it went down, and has left it now."""

    def __init__(self) -> None:
        super().__init__("this host has left its pool: the daemon is to be started anew")


def take_role(tools: Toolstack, uuid: str) -> None:
    """Give the toolstack what the master, or a member, works with; `uuid` is this host's."""
    paths = tools.paths
    secret = partial(_secret, paths)
    if master := master_address(paths.pool_conf):
        link = Link(master, tools.port, partial(_known, tools), secret)
        tools.replica = Replica(tools.db, link, uuid)
    else:
        tools.members = Members(tools.db, secret, tools.port)


def _secret(paths: Paths) -> str:
    return read_pool_secret(paths.pool_secret).decode()


def _master(db: Database) -> str:
    return next((db.text("pool", pool, "master") for pool in db.refs("pool")), "")


def _known(tools: Toolstack) -> set[str]:
    """Return what certificates the master may show: as told by itself last, and kept."""
    return read_fingerprints(tools.paths) | fingerprints(tools.db, _master(tools.db))


async def fill_replica(tools: Toolstack, replica: Replica, uuid: str, waiting: Callable[[], None]) -> None:
    """Have the pool's database on a member; `waiting` is called now and then while there is no master.

    Raises NotInPoolError, LeftPoolError.
    """
    await replica.fill(waiting)
    leaving = tools.paths.leaving_pool
    if tools.db.find_uuid("host", uuid) is None:
        if leaving.exists():
            become_master(tools.paths)
            raise LeftPoolError
        raise NotInPoolError(uuid)
    leaving.unlink(missing_ok=True)
    tools.db.upstream = replica
    tools.db.on_change(_Keeper(tools))


class _Keeper:
    """Keeps what certificate the master will show, for when it cannot be asked; called after every change."""

    def __init__(self, tools: Toolstack) -> None:
        self._tools, self._kept = tools, read_fingerprints(tools.paths)

    def __call__(self) -> None:
        told = fingerprints(self._tools.db, _master(self._tools.db))
        if told and told != self._kept:
            try:
                write_fingerprints(self._tools.paths, told)
                self._kept = told
            except OSError as error:  # tried again at the next change: this one is made already
                log.error("cannot keep what certificate the master shows: %s", error)


class Doors:
    """What stands behind the doors: who answers calls, xe and the other hosts of the pool."""

    def __init__(self, tools: Toolstack, dispatcher: Dispatcher) -> None:
        dispatcher.master_address = tools.master_address
        self.pool_actions = PoolActions(tools, PassedOn(tools).perform)
        self._relay: Relay | None = None
        model = tools.db.model
        if tools.replica is None:
            self.endpoint, self.cli = Endpoint(model, dispatcher), CliEndpoint(dispatcher)
            return
        known, secret = partial(_known, tools), partial(_secret, tools.paths)
        self._relay = Relay(tools.replica.link, known, secret, tools.host)
        self.endpoint = RelayingEndpoint(model, dispatcher, tools.sessions, self._relay)
        self.cli = RelayingCli(dispatcher, self._relay)

    def close(self) -> None:
        if self._relay is not None:
            self._relay.close()
