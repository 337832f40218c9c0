"""secret.introduce: a secret that keeps the uuid it had elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.datamodel.errors import UuidInvalidError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value


async def introduce(call: Call, uuid: str, value: str, other_config: dict[str, str]) -> str:
    """Add a secret. Raises UUID_INVALID [secret; uuid] where the uuid is taken."""
    if call.db.find_uuid("secret", uuid) is not None:
        raise UuidInvalidError("secret", uuid)
    return call.db.create(
        "secret", {"uuid": uuid, "value": value, "other_config": cast("Value", other_config)}
    )


MESSAGES = {"secret.introduce": introduce}
