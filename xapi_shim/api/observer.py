"""Observer.*: what is traced, and where traces go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from xapi_shim.datamodel.errors import InvalidValueError
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value

BUGTOOL = "bugtool"
# The programs that the reference traces; of these the daemon is one.
COMPONENTS = ("xapi", "xenopsd", "xapi-clusterd", "smapi")
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,126}")


def _endpoints(values: list[str]) -> list[str]:
    """Return where to send traces, files where nothing is said. Raises INVALID_VALUE [endpoint; value]."""
    for value in values:
        try:
            url = urlsplit(value)
            web = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        except ValueError:
            web = False
        if value != BUGTOOL and not (web and value.isprintable() and " " not in value):
            raise InvalidValueError("endpoint", value)
    return list(dict.fromkeys(values)) or [BUGTOOL]


def _components(values: list[str]) -> list[str]:
    """Raise INVALID_VALUE [component; value]."""
    for value in values:
        if value not in COMPONENTS:
            raise InvalidValueError("component", value)
    return list(dict.fromkeys(values))


def _attributes(values: dict[str, str]) -> dict[str, Value]:
    """Raise INVALID_VALUE [attribute; key]."""
    for key in values:
        if not _KEY.fullmatch(key):
            raise InvalidValueError("attribute", key)
    return dict(values)


def _follow(call: Call) -> None:
    call.tools.tracer.refresh(call.tools.host)


async def create(call: Call, args: dict[str, Value]) -> str:
    """Make an observer. Raises INVALID_VALUE [endpoint, component or attribute; value]."""
    args = Coercion(call.db.model).constructor(call.db.model.classes["Observer"], args)
    ref = call.db.create(
        "Observer",
        {
            **{name: args[name] for name in ("name_label", "name_description", "hosts", "enabled")},
            "attributes": _attributes(cast("dict[str, str]", args["attributes"])),
            "endpoints": cast("Value", _endpoints(cast("list[str]", args["endpoints"]))),
            "components": cast("Value", _components(cast("list[str]", args["components"]))),
        },
    )
    _follow(call)
    return ref


async def destroy(call: Call, self: str) -> None:
    """Forget an observer, and what it has not sent yet."""
    call.db.destroy("Observer", self)
    _follow(call)


async def register(call: Call, self: str, host: str) -> None:  # noqa: ARG001
    """Have this host read its observers anew."""
    _follow(call)


async def set_hosts(call: Call, self: str, value: list[str]) -> None:
    call.db.set("Observer", self, "hosts", list(value))
    _follow(call)


async def set_enabled(call: Call, self: str, value: bool) -> None:  # noqa: FBT001
    call.db.set("Observer", self, "enabled", value)
    _follow(call)


async def set_attributes(call: Call, self: str, value: dict[str, str]) -> None:
    """Choose what is put on each span. Raises INVALID_VALUE [attribute; key]."""
    call.db.set("Observer", self, "attributes", _attributes(value))
    _follow(call)


async def set_endpoints(call: Call, self: str, value: list[str]) -> None:
    """Choose where traces go: `bugtool` for files, or URLs. Raises INVALID_VALUE [endpoint; value]."""
    call.db.set("Observer", self, "endpoints", cast("Value", _endpoints(value)))
    _follow(call)


async def set_components(call: Call, self: str, value: list[str]) -> None:
    """Choose the programs that trace, none for all. Raises INVALID_VALUE [component; value]."""
    call.db.set("Observer", self, "components", cast("Value", _components(value)))
    _follow(call)


MESSAGES = {
    "Observer.create": create,
    "Observer.destroy": destroy,
    "Observer.register": register,
    "Observer.unregister": register,
    "Observer.set_hosts": set_hosts,
    "Observer.set_enabled": set_enabled,
    "Observer.set_attributes": set_attributes,
    "Observer.set_endpoints": set_endpoints,
    "Observer.set_components": set_components,
}
