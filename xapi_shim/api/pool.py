"""pool.*: who is the master, and what its database needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call


async def is_slave(call: Call, host: str) -> bool:
    """Say whether a host is a member of the pool that is not its master."""
    return host != call.db.text("pool", call.tools.pool, "master")


async def sync_database(call: Call) -> None:
    """Do nothing: every write is durable already, and the other hosts have it when it is acknowledged."""


MESSAGES = {"pool.is_slave": is_slave, "pool.sync_database": sync_database}
