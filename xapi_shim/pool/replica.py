"""A member's copy of the pool's database: filled at the start, kept up by asking the master what is new."""

from __future__ import annotations

import asyncio
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError
from xapi_shim.database.replication import operations_document, parse_batch
from xapi_shim.datamodel.errors import CannotContactHostError, XenAPIError
from xapi_shim.pool.link import LinkError
from xapi_shim.pool.remote_error import raise_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xapi_shim.database.database import Database
    from xapi_shim.database.replication import Batch, Operation
    from xapi_shim.pool.link import Link

log = logging.getLogger(__name__)

PATH = "/remote_db_access_v2"
# The master answers a question for what is new after so long when there is nothing.
WAIT_S = 20.0
# It takes a little longer to come.
LATE_S = 30.0
COMMIT_S = 30.0
RETRY_S, LONGEST_RETRY_S = 0.5, 10.0


def _retry_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row: a power beyond a float's is not computed."""
    return min(RETRY_S * 2.0 ** min(failures, 30), LONGEST_RETRY_S)


class Replica:
    """Keeps `db` what the master's is; `host` is who asks, a uuid, for the master to see that he lives."""

    def __init__(self, db: Database, link: Link, host: str) -> None:
        self.db, self.link, self._host = db, link, host
        # Commits block the whole daemon: while the master is known not to answer, none is tried.
        self._reachable = True
        # Told when the master answers again: it was not told something, and may have taken this host for dead.
        self.returned: Callable[[], None] = lambda: None
        self._missed = False
        # Of its own: who waits for news must not keep others' calls waiting.
        self._threads = ThreadPoolExecutor(4, "replica")

    @property
    def address(self) -> str:
        """The master's."""
        return self.link.address

    def commit(self, operations: Sequence[Operation]) -> Batch:
        """See Upstream. Raises CANNOT_CONTACT_HOST [master], and what the master says."""
        if not self._reachable:
            raise CannotContactHostError(self.link.address)
        asked = {**self._at(), "id": str(uuid.uuid4()), "operations": operations_document(operations)}
        try:
            # The id lets the master tell a repetition from another commit.
            return self._parsed(self.link.post(PATH, asked, timeout_s=COMMIT_S, repeatable=True))
        except LinkError as error:
            self._reachable, self._missed = False, True
            log.error("the master does not take a change: %s", error)
            raise CannotContactHostError(self.link.address) from error

    async def catch_up(self) -> None:
        """Be what the master is at a moment after the call. Raises KronosError, XenAPIError."""
        while True:
            batch = await self._ask(0.0)
            # Others ask at the same time: what one of them has brought need not be asked for again.
            if self.db.absorb(batch) or self._has(batch):
                return

    def _has(self, batch: Batch) -> bool:
        return self.db.epoch == batch.epoch and self.db.replicated >= batch.generation

    async def fill(self, waiting: Callable[[], None]) -> None:
        """Have all of the database; until there is a master that answers, `waiting` is called now and then."""
        failures = 0
        while True:
            try:
                await self.catch_up()
            except (KronosError, XenAPIError) as error:
                failures += 1
                log.warning("waiting for the pool's master: %s", error)
                waiting()
                await asyncio.sleep(_retry_s(failures))
            else:
                return

    async def follow(self) -> None:
        """Take what is new until cancelled; a master that does not answer is asked again."""
        failures = 0
        while True:
            try:
                # After a failure at once: who waits for changes waits for this.
                self.db.absorb(await self._ask(WAIT_S if self._reachable else 0.0))
                failures = 0
                if self._missed:
                    self._missed = False
                    # What came just now may be older than what the master did not answer.
                    await self.catch_up()
                    self.returned()
            except (KronosError, XenAPIError) as error:
                self._reachable, self._missed = False, True
                log.log(logging.WARNING if failures == 0 else logging.DEBUG, "the master: %s", error)
                failures += 1
                await asyncio.sleep(_retry_s(failures))
            except Exception:  # the boundary: who hears of changes may fail, and is not to end this for good
                log.exception("what is new with the master")
                await asyncio.sleep(LONGEST_RETRY_S)

    async def _ask(self, wait_s: float) -> Batch:
        asked = {**self._at(), "wait_s": wait_s}
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(
            self._threads,
            lambda: self.link.post(PATH, asked, timeout_s=wait_s + LATE_S, repeatable=True),
        )
        batch = self._parsed(answer)
        self._reachable = True
        return batch

    def _at(self) -> dict[str, object]:
        return {"host": self._host, "epoch": self.db.epoch, "since": self.db.replicated}

    def _parsed(self, answer: object) -> Batch:
        raise_error(answer)
        return parse_batch(self.db.model, answer)

    def close(self) -> None:
        """End what is asked just now."""
        self.link.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
