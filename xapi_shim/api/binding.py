"""Binds the modules' functions to the declared messages, and refuses to start when they disagree."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, cast

from xapi_shim.api import MODULES
from xapi_shim.api.other_hosts import check_position, host_position
from xapi_shim.api.pass_on import MAKES_SR, pass_on, place_of, plug_elsewhere
from xapi_shim.api.toolstack import Call
from xapi_shim.api.work_place import RECORDS_ONLY
from xapi_shim.datamodel.derive import all_messages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from xapi_shim.api.toolstack import Toolstack
    from xapi_shim.datamodel.model import DataModel, Message, Value
    from xapi_shim.rpc.call import CallInfo, Handler

    Implementation = Callable[..., Awaitable[Value]]


class BindingError(TypeError):
    """An implementation does not match its declaration."""


def bind(tools: Toolstack, model: DataModel) -> dict[str, Handler]:
    """Return a handler for every implemented message.

    Raises BindingError naming each one whose parameters differ from the declaration, and what
    contradicts itself in the declarations.
    """
    declared = all_messages(model)
    wrong = model.check()
    handlers: dict[str, Handler] = {}
    for module in MODULES:
        for key, function in cast("dict[str, Implementation]", module.MESSAGES).items():
            if key not in declared:
                wrong.append(f"{key}: not declared")
                continue
            if key in handlers:
                wrong.append(f"{key}: implemented twice")
            message = declared[key][1]
            wrong += _differences(key, message, function)
            handlers[key] = _handler(tools, key, message, function)
    if wrong:
        raise BindingError("; ".join(wrong))
    tools.handlers.update(handlers)
    return handlers


def _takes_names(function: Implementation) -> bool:
    """Say whether a function takes all of its parameters by name, `**values`: those that are a record's fields."""
    return [one.kind for one in inspect.signature(function).parameters.values()][1:] == [
        inspect.Parameter.VAR_KEYWORD
    ]


def _differences(key: str, message: Message, function: Implementation) -> list[str]:
    if _takes_names(function):
        return []
    have = list(inspect.signature(function).parameters)[1:]
    # Python's own words take an underscore.
    want = [f"{p.name}_" if p.name in ("class", "from") else p.name for p in message.params]
    return [] if have == want else [f"{key}: takes {have}, declared with {want}"]


def _handler(tools: Toolstack, key: str, message: Message, function: Implementation) -> Handler:
    named = tuple(p.name for p in message.params) if _takes_names(function) else ()
    position = None if key in RECORDS_ONLY else host_position(key, message)

    async def handle(info: CallInfo, args: list[Value]) -> Value:
        if (place := place_of(tools, key, args)) is not None:
            result = await pass_on(tools, place, key, message, args, info)
        else:
            check_position(tools, args, position)
            given = dict(zip(named, args, strict=True)) if named else {}
            result = await function(Call(tools, info), *(() if named else args), **given)
        if key == MAKES_SR:
            await plug_elsewhere(Call(tools, info), cast("str", result))
        return result

    return handle
