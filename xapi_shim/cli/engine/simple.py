"""Commands that are one call: their arguments follow from a few words, see `value`.

A word stands for one argument of the message:
    uuid@VDI      the object of class VDI whose uuid the argument `uuid` holds
    uuids@VDI*    objects, commas between their uuids
    name          text
    size:size     bytes with a unit; also :int, :float, :bool, :list, and :map (config:key=value)
    =text         just that text
    $pool $self $null   the pool; the object that the selectors chose; the null ref
A word's `?` says that the argument may be left out, what follows is used instead. A dict is a
record (its values are words again); anything else is a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xapi_shim.cli.engine.command import Command, Context, MissingParameterError, as_bool, register
from xapi_shim.cli.engine.output import map_text, render_minimal
from xapi_shim.cli.engine.selectors import selected
from xapi_shim.cli.engine.values import items, number, size_bytes, whole
from xapi_shim.datamodel.types import NULL_REF

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Word:
    """A parsed word; `default` None where the argument must be there."""

    name: str
    kind: str
    cls: str = ""
    default: str | None = None


def parse(word: str) -> Word:
    """Parse a word that stands for an argument."""
    word, optional, default = word.partition("?")
    name, at, cls = word.partition("@")
    if at:
        many = cls.endswith("*")
        return Word(name, "refs" if many else "ref", cls.rstrip("*"), default if optional else None)
    name, _, kind = word.partition(":")
    return Word(name, kind or "text", default=default if optional else None)


def words(spec: object) -> Iterator[Word]:
    """Yield the arguments that a specification names, in order."""
    if isinstance(spec, str) and not spec.startswith(("=", "$")):
        yield parse(spec)
    elif isinstance(spec, Mapping):
        for one in spec.values():
            yield from words(one)


def value(spec: object, ctx: Context, chosen: str) -> Any:  # noqa: ANN401
    """Return the XenAPI value that a specification stands for. Raises CommandError, ApiError."""
    if isinstance(spec, Mapping):
        return {name: value(one, ctx, chosen) for name, one in spec.items()}
    if not isinstance(spec, str):
        return spec
    if spec.startswith("="):
        return spec[1:]
    if spec.startswith("$"):
        return {"$self": chosen, "$null": NULL_REF}.get(spec) or ctx.pool()
    return argument(parse(spec), ctx)


def argument(word: Word, ctx: Context) -> Any:  # noqa: ANN401
    """Return the value of one argument. Raises CommandError, ApiError."""
    if word.kind == "map":
        return ctx.maps(word.name)
    text = ctx.args.get(word.name, word.default)
    if text is None:
        raise MissingParameterError(word.name)
    match word.kind:
        case "ref":
            return ctx.ref(word.cls, text) if text else NULL_REF
        case "refs":
            return [ctx.ref(word.cls, one) for one in items(text)]
        case "bool":
            return as_bool(word.name, text or "false")
        case "int":
            return whole(word.name, text or "0")
        case "size":
            return size_bytes(word.name, text or "0")
        case "float":
            return number(word.name, text or "0")
        case "list":
            return items(text)
        case _:
            return text


@dataclass(frozen=True)
class Simple:
    """One call, and what is printed of its result: "", "uuid" or "text"."""

    message: str
    args: tuple[object, ...]
    prints: str
    selects: str
    one_only: bool

    def __call__(self, ctx: Context) -> None:
        for chosen in selected(ctx, self.selects, one_only=self.one_only) if self.selects else [""]:
            result = ctx.call(self.message, *(value(arg, ctx, chosen) for arg in self.args))
            if self.prints == "uuid":
                ctx.print_uuid(self.message.partition(".")[0], result)
            elif self.prints:
                show(ctx, result)


def show(ctx: Context, result: Any) -> None:  # noqa: ANN401
    """Print a plain result: a text, a number, a list (a line each), or a map."""
    if isinstance(result, bool):
        ctx.print("true" if result else "false")
    elif isinstance(result, dict):
        ctx.print(map_text(result))
    elif isinstance(result, list):
        texts = [" ".join(one) if isinstance(one, list) else str(one) for one in result]
        ctx.print(render_minimal(texts) if ctx.minimal else "\n".join(texts))
    else:
        ctx.print(str(result))


def simple(
    name: str,
    message: str,
    *args: object,
    prints: str = "",
    selects: str = "",
    one_only: bool = False,
    flags: str = "",
    optional: str = "",
    help: str = "",  # noqa: A002 -- the field's name
) -> None:
    """Register a command that calls `message` with `args`, once for each object that selectors choose."""
    named = [word for arg in args for word in words(arg)]
    required = tuple(w.name for w in named if w.default is None and w.kind != "map")
    also = tuple(
        f"{w.name}:" if w.kind == "map" else w.name for w in named if w.default is not None or w.kind == "map"
    )
    register(
        Command(
            name,
            Simple(message, args, prints, selects, one_only),
            required,
            (*also, *optional.split()),
            selects,
            help or _told(message),
            (message,),
            frozenset(flags.split()),
        )
    )


def _told(message: str) -> str:
    """Return the declaration's own sentence about a message."""
    from xapi_shim.datamodel.derive import all_messages
    from xapi_shim.datamodel.registry import DATAMODEL

    found = all_messages(DATAMODEL).get(message)
    return (found[1].doc if found else "") or f"Call {message}."
