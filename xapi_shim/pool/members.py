"""The master's side of replicas and of calls passed on: who was heard of when, and one link to each member."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

from xapi_shim.database.replication import (
    Put,
    ReplicationError,
    batch_document,
    batch_since,
    parse_operations,
    perform,
)
from xapi_shim.datamodel.errors import (
    CannotContactHostError,
    InternalErrorError,
    VdiInUseError,
    VmNotResidentHereError,
)
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.pool.link import Link, LinkError
from xapi_shim.pool.remote_error import raise_error
from xapi_shim.pool.replica import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from xapi_shim.database.database import Database
    from xapi_shim.database.replication import Operation
    from xapi_shim.datamodel.model import Value
    from xapi_shim.rpc.call import CallInfo

PERFORM = "/pool/perform"
# A member that was not heard of for so long is dead (protocol facts, section 7).
DEAD_S = 600.0
# One that lives asks again when it has its answer.
HEARD_S = WAIT_S + 5.0
# So many changes of members are known by their ids, for one that is sent twice.
IDS_KEPT = 4096
# So many calls are passed on at once.
MAX_CALLS = 256


class Members:
    """Serves the replicas of `db`, and calls its other hosts at `port`."""

    def __init__(self, db: Database, secret: Callable[[], str], port: int) -> None:
        self.db, self._secret, self._port = db, secret, port
        self._links: dict[str, Link] = {}
        self._heard: dict[str, float] = {}
        self._ended = False
        self._ids: deque[str] = deque(maxlen=IDS_KEPT)
        self._threads = ThreadPoolExecutor(MAX_CALLS, "member")

    async def serve(self, document: object) -> dict[str, object]:
        """Answer a replica: do what it commits, or wait for what is new. Raises XenAPIError, InternalErrorError."""
        match document:
            case {
                "host": str(host),
                "epoch": str(epoch),
                "since": int(since),
                "id": str(one),
                "operations": operations,
            }:
                self._note(host)
                self._commit(one, operations, since if epoch == self.db.epoch else -1)
                return batch_document(batch_since(self.db, epoch, since))
            case {
                "host": str(host),
                "epoch": str(epoch),
                "since": int(since),
                "wait_s": int() | float() as wait_s,
            }:
                self._note(host)
                if (epoch, since) == (self.db.epoch, self.db.generation):
                    await self._changed(min(float(wait_s), WAIT_S))
                # Who asked may be gone by now: that he lives was said by the question.
                return batch_document(batch_since(self.db, epoch, since))
            case _:
                raise InternalErrorError("not a question of a replica")

    def _commit(self, one: str, operations: object, since: int) -> None:
        """Do `operations` unless they were done already under this id; the replica is at `since`."""
        if one in self._ids:
            return
        try:
            parsed = parse_operations(self.db.model, operations)
            check_disks(self.db, parsed, since)
            check_guests(self.db, parsed)
            perform(self.db, parsed)
        except ReplicationError as error:
            raise InternalErrorError(str(error)) from error
        self._ids.append(one)

    async def _changed(self, wait_s: float) -> None:
        """Return at the next change, or after `wait_s`."""
        if wait_s <= 0 or self._ended:
            return
        changed = asyncio.Event()
        self.db.on_change(changed.set)
        try:
            async with asyncio.timeout(wait_s):
                await changed.wait()
        except TimeoutError:
            pass
        finally:
            self.db.remove_listener(changed.set)

    # -- who is alive --------------------------------------------------------------------------

    def _note(self, uuid: str) -> None:
        """Note that a member was heard of; one that counted as dead lives again."""
        self._heard[uuid] = time.monotonic()
        self._record(uuid, live=True)

    def record_dead(self) -> None:
        """Record who was not heard of for too long."""
        now = time.monotonic()
        for uuid, at in self._heard.items():
            if now - at > DEAD_S:
                self._record(uuid, live=False)
                if host := self.db.find_uuid("host", uuid):
                    self.cut(host)

    def hears(self, host: str) -> bool:
        """Say whether a member was heard of since it had to ask again: its daemon runs."""
        at = self._heard.get(self.db.text("host", host, "uuid"))
        return at is not None and time.monotonic() - at < HEARD_S

    def cut(self, host: str) -> None:
        """Let go of a host: who waits for what it does is told CANNOT_CONTACT_HOST."""
        if link := self._links.pop(host, None):
            link.close()

    def expect(self, own: str) -> None:
        """At start-up: the other hosts count as dead until they are heard of; `own` is this host's ref."""
        for host in self.db.refs("host"):
            if host != own:
                self._record(self.db.text("host", host, "uuid"), live=False)

    def _record(self, uuid: str, *, live: bool) -> None:
        host = self.db.find_uuid("host", uuid)
        if host is not None:
            metrics = self.db.text("host", host, "metrics")
            if self.db.exists("host_metrics", metrics):
                self.db.set("host_metrics", metrics, "live", live)

    # -- calls passed on -----------------------------------------------------------------------

    async def perform(self, host: str, name: str, args: Sequence[Value], info: CallInfo) -> object:
        """Have `host` do a call; return its result as JSON says it.

        Raises CANNOT_CONTACT_HOST [host], and what the host says.
        """
        asked = {
            "message": name,
            "args": list(args),
            "session": info.session,
            "role": info.role,
            "task": info.task,
            "address": info.origin.address,
            "user_agent": info.origin.user_agent,
        }
        link, loop = self._link(host), asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(
                self._threads, lambda: link.post(PERFORM, asked, timeout_s=None, repeatable=False)
            )
        except LinkError as error:
            raise CannotContactHostError(host) from error
        raise_error(answer)
        match answer:
            case {"value": value}:
                return cast("object", value)
            case _:
                raise InternalErrorError(f"{name}: what the host answers is no result")

    def _link(self, host: str) -> Link:
        """Return the link to a host. Raises CANNOT_CONTACT_HOST [host] for one without an address."""
        address = self.db.text("host", host, "address")
        if not address:
            raise CannotContactHostError(host)
        link = self._links.get(host)
        if link is None or link.address != address:
            self.cut(host)
            link = Link(address, self._port, lambda: fingerprints(self.db, host), self._secret)
            self._links[host] = link
        return link

    def end(self) -> None:
        """Answer who waits for news: there will be none."""
        self._ended = True
        self.db.advance()

    def close(self) -> None:
        for link in self._links.values():
            link.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


def check_disks(db: Database, operations: Iterable[Operation], since: int) -> None:
    """Raise VDI_IN_USE [vdi; operation] for a disk that is to be kept for a guest, and was given to another.

    A replica that is at `since` cannot have known: it checked against the drives as they were then.
    """
    drives = db.tables["VBD"].rows
    for one in operations:
        match one:
            case Put("VBD", ref, "reserved", True) if ref in drives and db.exists(
                "VDI", db.text("VBD", ref, "VDI")
            ):
                vdi = db.text("VBD", ref, "VDI")
            case _:
                continue
        for other in db.items("VDI", vdi, "VBDs"):
            taken = db.flag("VBD", other, "reserved") or db.flag("VBD", other, "currently_attached")
            if other != ref and taken and drives[other].modified > since:
                raise VdiInUseError(vdi, "attach")


def check_guests(db: Database, operations: Iterable[Operation]) -> None:
    """Raise VM_NOT_RESIDENT_HERE [vm; host] for a guest that is to be recorded on a host, and is on another."""
    for one in operations:
        match one:
            case Put("VM", ref, "resident_on", str(host)) if db.exists("host", host) and db.exists("VM", ref):
                if db.text("VM", ref, "resident_on") not in (host, NULL_REF):
                    raise VmNotResidentHereError(ref, host)
            case _:
                continue


def fingerprints(db: Database, host: str) -> set[str]:
    """Return the SHA-256 of the certificates that a host may show to others of its pool."""
    own = db.items("host", host, "certificates") if db.exists("host", host) else []
    return {
        db.text("Certificate", ref, "fingerprint_sha256")
        for ref in own
        if db.text("Certificate", ref, "type") == "host_internal"
    }
