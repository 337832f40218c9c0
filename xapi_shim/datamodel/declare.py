"""Short words in which the classes are declared, so that a declaration reads as a table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from xapi_shim.datamodel.model import REQUIRED, Access, Field, Message, NoDefault, Param, Role, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    Maker = Callable[..., Field]


def rw(name: str, type_text: str, doc: str = "", **more: Any) -> Field:
    """Return a field that clients may set."""
    return Field(name, type_text, Access.RW, doc, **more)


def static(name: str, type_text: str, doc: str = "", **more: Any) -> Field:
    """Return a field that is set when the object is made."""
    return Field(name, type_text, Access.STATIC_RO, doc, **more)


def dynamic(name: str, type_text: str, doc: str = "", **more: Any) -> Field:
    """Return a field that only the system sets."""
    return Field(name, type_text, Access.DYNAMIC_RO, doc, **more)


def written_by(role: Role) -> tuple[Maker, Maker, Maker]:
    """Return `rw`, `static` and `dynamic` for a table most of whose fields are written with `role`."""
    return partial(rw, write_role=role), partial(static, write_role=role), partial(dynamic, write_role=role)


def param(name: str, type_text: str, default: Value | NoDefault = REQUIRED) -> Param:
    """Return a message's parameter."""
    return Param(name, type_text, default)


def msg(
    name: str,
    params: tuple[Param, ...] = (),
    doc: str = "",
    *,
    result: str = "void",
    **more: Any,
) -> Message:
    """Return a message."""
    return Message(name, params, result, doc, **more)
