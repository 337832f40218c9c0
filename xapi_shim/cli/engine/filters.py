"""Which records a list shows: NAME=VALUE, NAME:KEY=VALUE for maps, NAME:contains=VALUE for sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xapi_shim.cli.engine.command import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.cli.engine.command import Store
    from xapi_shim.cli.engine.records import Parameter


def matches(
    known: Mapping[str, Parameter], row: Mapping[str, Any], name: str, value: str, store: Store
) -> bool:
    """Say whether a record's parameter has the value. Raises CommandError for a name that there is not."""
    base, colon, key = name.partition(":")
    if base not in known:
        raise CommandError(f"Unknown parameter: {base}")
    parameter = known[base]
    if not colon:
        text = parameter.text(row, store)
        return text == value or (parameter.has("^") and text.lower() == value.lower())
    held = parameter.held(row, store)
    if isinstance(held, dict):
        return str(held.get(key, "")) == value if key in held else False
    if isinstance(held, list) and key == "contains":
        return value in parameter.text(row, store).split("; ")
    raise CommandError(f"{base} is neither a map nor a set")
