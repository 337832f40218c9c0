"""What every message's implementation may use: the database, the drivers, the records of this host."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from xapi_shim.api.external_auth import ExternalAuth, Throttle
from xapi_shim.api.message_store import MessageStore
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.rpc.callers import Callers
from xapi_shim.rpc.timings import Timings
from xapi_shim.rpc.tracing import Tracer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from xapi_shim.base.paths import Paths
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value
    from xapi_shim.host.interface import HostSystem
    from xapi_shim.network.interface import HostNetwork
    from xapi_shim.pool.members import Members
    from xapi_shim.pool.replica import Replica
    from xapi_shim.rpc.audit_file import AuditFile
    from xapi_shim.rpc.call import CallInfo, Handler
    from xapi_shim.rpc.events import Event, Events
    from xapi_shim.rpc.sessions import Sessions
    from xapi_shim.rpc.tasks import Tasks
    from xapi_shim.storage.interface import SrDriver
    from xapi_shim.xen.host_tools import XenHostTools
    from xapi_shim.xen.interface import Hypervisor

    # From a PBD's device_config and the SR's uuid to a driver.
    SrDriverFactory = Callable[[Mapping[str, str], str], SrDriver]


class Authenticator(Protocol):
    """Checks a name and a password."""

    def __call__(self, user: str, password: str) -> Awaitable[bool]: ...


async def _nothing() -> None:
    """Do nothing: no door is open."""


def _not_running() -> None:
    """Do nothing: there is no daemon to end."""


def _ignore(_: int) -> None:
    """Do nothing: nothing is limited."""


@dataclass
class Toolstack:
    """The parts, put together by the daemon's main; `host` and `pool` are refs set at start-up."""

    db: Database
    sessions: Sessions
    tasks: Tasks
    events: Events
    hypervisor: Hypervisor
    network: HostNetwork
    sr_types: Mapping[str, SrDriverFactory]
    paths: Paths
    audit: AuditFile
    authenticate: Authenticator
    external_auth: ExternalAuth
    system: HostSystem
    xen_host: XenHostTools
    # The other hosts, where this is their master; a member has a replica of its master's database instead.
    members: Members | None = None
    replica: Replica | None = None
    # Where hosts of a pool listen.
    port: int = 443
    # How long a wrong password is left waiting, in seconds.
    login_delay_s: float = 5.0
    host: str = NULL_REF
    pool: str = NULL_REF
    # So many check a password of the host's own at once.
    local_throttle: Throttle = field(default_factory=Throttle)
    # Ends the daemon: to be started anew, or not.
    restart: Callable[[], None] = _not_running
    shut_down: Callable[[], None] = _not_running
    # What serves each message, by Class.message; filled when they are bound.
    handlers: dict[str, Handler] = field(default_factory=dict)
    # What is to happen later, by name.
    timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    timings: Timings = field(default_factory=Timings)
    # How many requests came, by method and path of what is served.
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    # What a timer has started and is not done.
    background: set[asyncio.Task[None]] = field(default_factory=set)
    # Chooses how many passwords are checked at once.
    set_login_threads: Callable[[int], None] = _ignore
    # When each guest was last asked by VM.call_plugin, by time.monotonic().
    guest_calls: dict[str, float] = field(default_factory=dict)
    # Has the doors take changed certificates; connections that are open stay as they are.
    renew_tls: Callable[[], Awaitable[None]] = _nothing
    # One at a time may change a guest's domain.
    domain_locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    # What could not be recorded while the master was away, by what it is about.
    owed: dict[tuple[str, ...], Callable[[], None]] = field(default_factory=dict)
    # One at a time may have the host join a pool, or leave it.
    role_lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.events.beside = self._messages_since

    def _messages_since(self, generation: int) -> Sequence[Event]:
        return self.messages.events_since(generation)

    @property
    def master_address(self) -> str:
        """Where the pool's master is, "" where this host is it."""
        return "" if self.replica is None else self.replica.address

    @cached_property
    def callers(self) -> Callers:
        """Who calls, and how much."""
        return Callers(self.db)

    @cached_property
    def tracer(self) -> Tracer:
        """Whose calls are observed."""
        return Tracer(self.db)

    @cached_property
    def messages(self) -> MessageStore:
        """What was sent to people. Raises OSError when it is first read."""
        return MessageStore(self.paths.messages, advance=self.db.advance)


@dataclass(frozen=True)
class Call:
    """One call as its implementation sees it."""

    tools: Toolstack
    info: CallInfo

    @property
    def db(self) -> Database:
        return self.tools.db

    async def perform(self, key: str, *args: Value) -> Value:
        """Do another message for the caller, on the host of the pool whose it is. Raises what it raises."""
        return await self.tools.handlers[key](self.info, list(args))

    async def perform_elsewhere(self, key: str, *args: Value) -> None:
        """Do a message that names a host first on every host but this one. Raises what the first raises that fails."""
        for host in self.others():
            await self.perform(key, host, *args)

    def others(self) -> list[str]:
        """Return the other hosts of the pool; none on a member, whose master sees to them."""
        if self.tools.members is None:
            return []
        return [host for host in self.db.refs("host") if host != self.tools.host]
