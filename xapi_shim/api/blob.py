"""blob.* and the messages that attach a blob to an object: records of files, empty until one is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.rpc.dates import NEVER

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value

DEFAULT_TYPE = "application/octet-stream"
# Whose fields `blobs` may name a blob.
OWNERS = ("VM", "host", "pool", "network", "SR")


async def create(call: Call, mime_type: str, public: bool) -> str:  # noqa: FBT001
    """Make room for a file."""
    return _create(call, mime_type, public=public)


def _create(call: Call, mime_type: str, *, public: bool) -> str:
    values: dict[str, Value] = {
        "mime_type": mime_type or DEFAULT_TYPE,
        "public": public,
        "size": 0,
        "last_updated": NEVER,
    }
    return call.db.create("blob", values)


async def destroy(call: Call, self: str) -> None:
    """Forget a file, and its name at the object that it is attached to."""
    db = call.db
    with db.transaction():
        for cls in OWNERS:
            for ref in db.refs(cls):
                blobs = db.mapping(cls, ref, "blobs")
                if self in blobs.values():
                    left = {name: blob for name, blob in blobs.items() if blob != self}
                    db.set(cls, ref, "blobs", cast("Value", left))
        db.destroy("blob", self)


def _attach(call: Call, cls: str, ref: str, name: str, mime_type: str, *, public: bool) -> str:
    """Make a blob and note it under `name`. Raises MAP_DUPLICATE_KEY [class; blobs; ref; name]."""
    db = call.db
    db.assert_key_free(cls, ref, "blobs", name)
    with db.transaction():
        blob = _create(call, mime_type, public=public)
        db.set(cls, ref, "blobs", cast("Value", {**db.mapping(cls, ref, "blobs"), name: blob}))
    return blob


async def vm_new_blob(call: Call, vm: str, name: str, mime_type: str, public: bool) -> str:  # noqa: FBT001
    return _attach(call, "VM", vm, name, mime_type, public=public)


async def host_new_blob(call: Call, host: str, name: str, mime_type: str, public: bool) -> str:  # noqa: FBT001
    return _attach(call, "host", host, name, mime_type, public=public)


async def pool_new_blob(call: Call, pool: str, name: str, mime_type: str, public: bool) -> str:  # noqa: FBT001
    return _attach(call, "pool", pool, name, mime_type, public=public)


async def network_new_blob(call: Call, network: str, name: str, mime_type: str, public: bool) -> str:  # noqa: FBT001
    return _attach(call, "network", network, name, mime_type, public=public)


async def sr_new_blob(call: Call, sr: str, name: str, mime_type: str, public: bool) -> str:  # noqa: FBT001
    return _attach(call, "SR", sr, name, mime_type, public=public)


MESSAGES = {
    "blob.create": create,
    "blob.destroy": destroy,
    "VM.create_new_blob": vm_new_blob,
    "host.create_new_blob": host_new_blob,
    "pool.create_new_blob": pool_new_blob,
    "network.create_new_blob": network_new_blob,
    "SR.create_new_blob": sr_new_blob,
}
