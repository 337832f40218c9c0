"""The commands that every class has: CLASS-list, CLASS-param-list, -get, -set, -add, -remove, -clear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xapi_shim.cli.command import COMMANDS, Command, Context, UsageError
from xapi_shim.cli.output import render_minimal, render_records
from xapi_shim.cli.records import CLASSES, CliClass, Parameter, cells, parameters
from xapi_shim.datamodel.types import NULL_REF, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from xapi_shim.datamodel.types import Type

# Arguments of CLASS-list that are no filters.
NO_FILTER = ("params", "minimal", "all", "database")


def _list(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        known = parameters(cls)
        wanted = [*cls.filters, *((k, v) for k, v in ctx.args.items() if k not in NO_FILTER)]
        for name, _ in wanted:
            if name.partition(":")[0] not in known:
                raise UsageError(f"Unknown parameter: {name}")
        rows = [
            row
            for row in ctx.store.all(cls.api).values()
            if all(_matches(known, row, n, v, ctx) for n, v in wanted)
        ]
        names = list(cls.shown)
        if "params" in ctx.args:
            names = (
                list(known)
                if ctx.args["params"] == "all"
                else [n for n in ctx.args["params"].split(",") if n]
            )
        if ctx.minimal:
            first = names[0] if "params" in ctx.args and names else "uuid"
            ctx.print(render_minimal([c.value for row in rows for c in cells(cls, row, [first], ctx.store)]))
        else:
            ctx.print(
                render_records([cells(cls, row, names, ctx.store) for row in rows]).rstrip("\n")
                + ("\n\n" if rows else "")
            )

    run.__doc__ = f"List objects of class {cls.name}: params=all or a,b,c; NAME=VALUE filters."
    return run


def _matches(known: dict[str, Parameter], row: dict[str, Any], name: str, value: str, ctx: Context) -> bool:
    base, colon, key = name.partition(":")
    if colon:
        held = row[known[base].field.name]
        return isinstance(held, dict) and held.get(key) == value
    return known[base].text(row, ctx.store) == value


def _row(ctx: Context, cls: CliClass) -> tuple[str, dict[str, Any]]:
    uuid = ctx.need("uuid")
    ref = ctx.ref(cls.api, uuid)
    return ref, ctx.store.all(cls.api)[ref]


def _parameter(cls: CliClass, name: str) -> Parameter:
    known = parameters(cls)
    if name not in known:
        raise UsageError(f"Unknown parameter: {name}")
    return known[name]


def _param_list(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        _, row = _row(ctx, cls)
        ctx.print(render_records([cells(cls, row, list(parameters(cls)), ctx.store)]).rstrip("\n") + "\n\n")

    return run


def _param_get(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        _, row = _row(ctx, cls)
        parameter = _parameter(cls, ctx.need("param-name"))
        if "param-key" not in ctx.args:
            ctx.print(parameter.text(row, ctx.store))
            return
        held = row[parameter.field.name]
        if not isinstance(held, dict):
            raise UsageError(f"{parameter.name} is not a map")
        if ctx.args["param-key"] not in held:
            raise UsageError(f"Key {ctx.args['param-key']} not found in map")
        ctx.print(str(held[ctx.args["param-key"]]))

    return run


def _param_set(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        ref, _ = _row(ctx, cls)
        changes = [(k, v) for k, v in ctx.args.items() if k != "uuid"]
        if not changes:
            raise UsageError("Required parameter not found: NAME=VALUE")
        parsed = []
        for name, value in changes:
            base, colon, key = name.partition(":")
            parameter = _parameter(cls, base)
            if colon:
                if parameter.field.type.kind is not Kind.MAP:
                    raise UsageError(f"{base} is not a map")
            elif not parameter.writable:
                raise UsageError(f"Parameter {base} is read-only")
            parsed.append((parameter, key if colon else None, value))
        for parameter, map_key, value in parsed:
            if map_key is None:
                ctx.call(
                    f"{cls.api}.set_{parameter.field.name}", ref, from_text(parameter.field.type, value, ctx)
                )
            else:
                ctx.call(f"{cls.api}.remove_from_{parameter.field.name}", ref, map_key)
                ctx.call(f"{cls.api}.add_to_{parameter.field.name}", ref, map_key, value)

    return run


def _param_add(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        ref, _ = _row(ctx, cls)
        parameter = _parameter(cls, ctx.need("param-name"))
        if parameter.field.type.kind is Kind.SET:
            ctx.call(f"{cls.api}.add_{parameter.field.name}", ref, ctx.need("param-key"))
            return
        if parameter.field.type.kind is not Kind.MAP:
            raise UsageError(f"{parameter.name} is neither a map nor a set")
        for key, value in ctx.args.items():
            if key not in ("uuid", "param-name"):
                ctx.call(f"{cls.api}.add_to_{parameter.field.name}", ref, key, value)

    return run


def _param_remove(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        ref, _ = _row(ctx, cls)
        parameter = _parameter(cls, ctx.need("param-name"))
        verb = "remove" if parameter.field.type.kind is Kind.SET else "remove_from"
        ctx.call(f"{cls.api}.{verb}_{parameter.field.name}", ref, ctx.need("param-key"))

    return run


def _param_clear(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        ref, _ = _row(ctx, cls)
        parameter = _parameter(cls, ctx.need("param-name"))
        empty: dict[Kind, Any] = {Kind.MAP: {}, Kind.SET: [], Kind.STRING: "", Kind.REF: NULL_REF}
        if parameter.field.type.kind not in empty or not parameter.writable:
            raise UsageError(f"Parameter {parameter.name} cannot be cleared")
        ctx.call(f"{cls.api}.set_{parameter.field.name}", ref, empty[parameter.field.type.kind])

    return run


def from_text(of: Type, text: str, ctx: Context) -> Any:  # noqa: ANN401
    """Return a value from xe's text. Raises UsageError."""
    match of.kind:
        case Kind.BOOL:
            if text.lower() not in ("true", "false"):
                raise UsageError(f"true or false expected, not {text!r}")
            return text.lower() == "true"
        case Kind.FLOAT:
            try:
                return float(text)
            except ValueError:
                raise UsageError(f"a number expected, not {text!r}") from None
        case Kind.INT:
            return str(size_bytes(text))
        case Kind.REF:
            return NULL_REF if text in ("", NULL_REF) else ctx.ref(of.name, text)
        case Kind.SET:
            return [
                from_text(of.of[0], one.strip(), ctx)
                for one in text.split(";" if ";" in text else ",")
                if one.strip()
            ]
        case Kind.MAP:
            raise UsageError("set a map's keys one by one: NAME:KEY=VALUE")
        case _:
            return text


UNITS = {"": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def size_bytes(text: str) -> int:
    """Return a whole number, with one of xe's units after it or none. Raises UsageError."""
    digits = text.rstrip("BKMGTibytes")
    unit = text[len(digits) :].strip()
    if not digits.strip().removeprefix("-").isdigit() or unit not in UNITS:
        raise UsageError(f"a whole number (and KiB, MiB, GiB or TiB) expected, not {text!r}")
    return int(digits) * UNITS[unit]


OPERATIONS = {
    "param-list": (_param_list, ("uuid",), "List all parameters of one object."),
    "param-get": (
        _param_get,
        ("uuid", "param-name"),
        "Print one parameter, or one key of a map (param-key=).",
    ),
    "param-set": (_param_set, ("uuid",), "Set parameters: NAME=VALUE or NAME:KEY=VALUE."),
    "param-add": (_param_add, ("uuid", "param-name"), "Add an element (param-key=) or keys (KEY=VALUE)."),
    "param-remove": (_param_remove, ("uuid", "param-name", "param-key"), "Remove an element or a key."),
    "param-clear": (_param_clear, ("uuid", "param-name"), "Empty a parameter."),
}


def register() -> None:
    """Put the generated commands of all classes into the table."""
    for cls in CLASSES.values():
        run = _list(cls)
        COMMANDS[f"{cls.name}-list"] = Command(f"{cls.name}-list", run, help=run.__doc__ or "")
        for suffix, (make, required, told) in OPERATIONS.items():
            name = f"{cls.name}-{suffix}"
            COMMANDS[name] = Command(name, make(cls), required, help=told)
