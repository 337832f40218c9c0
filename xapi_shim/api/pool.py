"""pool.*: this pool of one host."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call


async def is_slave(call: Call, host: str) -> bool:  # noqa: ARG001
    return False


async def sync_database(call: Call) -> None:
    """Do nothing: every write is durable already, and there is no other host."""


MESSAGES = {"pool.is_slave": is_slave, "pool.sync_database": sync_database}
