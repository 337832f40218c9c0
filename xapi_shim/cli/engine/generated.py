"""The commands that every class has: CLASS-list, CLASS-param-list, -get, -set, -add, -remove, -clear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xapi_shim.cli.engine.classes import CLASSES, CliClass
from xapi_shim.cli.engine.command import Command, CommandError, Context, MissingParameterError, register
from xapi_shim.cli.engine.filters import matches
from xapi_shim.cli.engine.output import render_minimal, render_records
from xapi_shim.cli.engine.records import Parameter, cells, parameters
from xapi_shim.cli.engine.values import from_text
from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import NULL_REF, Kind, parse_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from xapi_shim.datamodel.types import Type

# Arguments of CLASS-list that are no filters.
NO_FILTER = ("params", "minimal", "all", "multiple", "database")
# Elements of these sets are added under another name than the set's.
ELEMENT = {("pool", "repositories"): "repository", ("Caller", "groups"): "group"}


def _list(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        rows = ctx.store.all(cls.api).values()
        known = parameters(cls)
        # A filter of the user's on the same parameter takes the place of the list's own.
        always = [(k, v) for k, v in cls.filters if k not in ctx.args]
        wanted = [*always, *((k, v) for k, v in ctx.args.items() if k.partition(":")[0] not in NO_FILTER)]
        found = [row for row in rows if all(matches(known, row, n, v, ctx.store) for n, v in wanted)]
        show_records(ctx, cls, found, ctx.args.get("params", ""))

    return run


def show_records(ctx: Context, cls: CliClass, rows: list[dict[str, Any]], params: str) -> None:
    """Print records: the parameters that `params` names ("all", or commas between), or the usual ones."""
    known = parameters(cls)
    names = _columns(cls, known, params)
    asked = bool(params) and params != "all"
    if ctx.minimal:
        shown = [cells(known, row, names[:1], ctx.store, asked=asked) for row in rows]
        ctx.print(render_minimal([one[0].value for one in shown if one]))
        return
    text = render_records([cells(known, row, names, ctx.store, asked=asked) for row in rows])
    ctx.print(text.rstrip("\n") + ("\n\n" if rows else ""))


def _columns(cls: CliClass, known: dict[str, Parameter], params: str) -> list[str]:
    """Return the names to show, in the class's own order, keys of maps after their map."""
    if params == "all" or (not params and not cls.shown):
        return [name for name, parameter in known.items() if not parameter.has("-")]
    wanted = [one.strip() for one in params.split(",")] if params else list(cls.shown)
    order = {name: at for at, name in enumerate(known)}
    bases = {name: name.partition(":")[0] for name in wanted}
    return sorted((n for n in dict.fromkeys(wanted) if bases[n] in order), key=lambda n: order[bases[n]])


def _row(ctx: Context, cls: CliClass) -> tuple[str, dict[str, Any]]:
    ref = ctx.ref(cls.api, ctx.need("uuid"))
    return ref, ctx.call(f"{cls.api}.get_record", ref)


def _parameter(cls: CliClass, name: str) -> Parameter:
    known = parameters(cls)
    if name not in known:
        raise CommandError(f"Unknown parameter: {name}")
    return known[name]


def _param_list(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        _, row = _row(ctx, cls)
        show_records(ctx, cls, [row], "all")

    return run


def _param_get(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        _, row = _row(ctx, cls)
        parameter = _parameter(cls, ctx.need("param-name"))
        key = ctx.args.get("param-key")
        if key is None:
            ctx.print(parameter.text(row, ctx.store))
            return
        held = parameter.held(row, ctx.store)
        if not isinstance(held, dict):
            raise CommandError(f"Field '{parameter.name}' is not a map")
        if key not in held:
            raise CommandError(f"Key {key} not found in map")
        ctx.print(str(held[key]))

    return run


def _param_set(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        ref, _ = _row(ctx, cls)
        changes = [(k, v) for k, v in ctx.args.items() if k not in ("uuid", "minimal")]
        if not changes:
            raise MissingParameterError("<name>=<value>")
        calls = [_setting(cls, ref, name, value, ctx) for name, value in changes]
        for message, *args in (call for some in calls for call in some):
            ctx.call(message, *args)

    return run


def _setting(cls: CliClass, ref: str, name: str, value: str, ctx: Context) -> list[tuple[Any, ...]]:
    """Return the calls that set one parameter, or one key of a map. Raises CommandError."""
    base, colon, key = name.partition(":")
    parameter = _parameter(cls, base)
    if colon and parameter.has("{"):
        if "{=}" in parameter.marks:
            return [(f"{cls.api}.set_property", ref, key, value)]
        if parameter.has("+"):
            field = parameter.field
            return [
                (f"{cls.api}.remove_from_{field}", ref, key),
                (f"{cls.api}.add_to_{field}", ref, key, value),
            ]
    if colon or not parameter.has("=") or parameter.marks.startswith("{=}"):
        raise CommandError(
            f"Parameter {base} is read-only" if not colon else f"{base} is not a map that may be set"
        )
    message = f"{cls.api}.set_{parameter.field}"
    return [(message, ref, from_text(_accepts(message, parameter.type), base, value, ctx))]


def _accepts(message: str, otherwise: Type) -> Type:
    """Return the type of a message's last parameter."""
    found = all_messages(DATAMODEL).get(message)
    return found[1].params[-1].type if found and found[1].params else otherwise


def _param_add(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        ref, row = _row(ctx, cls)
        parameter = _parameter(cls, ctx.need("param-name"))
        if not parameter.has("+"):
            raise CommandError(f"Nothing can be added to parameter {parameter.name}")
        if parameter.has("["):
            _change_set(ctx, cls, ref, row, parameter, "add")
            return
        pairs = [(k, v) for k, v in ctx.args.items() if k not in ("uuid", "param-name", "minimal")]
        if not pairs:
            raise MissingParameterError("<key>=<value>")
        for key, value in pairs:
            ctx.call(f"{cls.api}.add_to_{parameter.field}", ref, key, value)

    return run


def _change_set(
    ctx: Context, cls: CliClass, ref: str, row: dict[str, Any], parameter: Parameter, verb: str
) -> None:
    """Add an element to a set, or remove one, by the message for it or by setting the whole."""
    text = ctx.need("param-key")
    message = f"{cls.api}.{verb}_{ELEMENT.get((cls.api, parameter.name), parameter.field)}"
    of = parameter.type.of[0] if parameter.type.kind is Kind.SET else parse_type("string")
    value = from_text(of, parameter.name, text, ctx)
    if message in all_messages(DATAMODEL):
        ctx.call(message, ref, value)
        return
    have = [one for one in row[parameter.field] if one != value]
    ctx.call(f"{cls.api}.set_{parameter.field}", ref, [*have, value] if verb == "add" else have)


def _param_remove(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        ref, row = _row(ctx, cls)
        parameter = _parameter(cls, ctx.need("param-name"))
        if not parameter.has("+"):
            raise CommandError(f"Nothing can be removed from parameter {parameter.name}")
        if parameter.has("["):
            _change_set(ctx, cls, ref, row, parameter, "remove")
            return
        key = ctx.need("param-key")
        if key not in (parameter.held(row, ctx.store) or {}):
            raise CommandError(f"Key {key} not found in map")
        ctx.call(f"{cls.api}.remove_from_{parameter.field}", ref, key)

    return run


def _param_clear(cls: CliClass) -> Callable[[Context], None]:
    def run(ctx: Context) -> None:
        ref, _ = _row(ctx, cls)
        parameter = _parameter(cls, ctx.need("param-name"))
        empty: dict[Kind, Any] = {Kind.MAP: {}, Kind.SET: [], Kind.STRING: "", Kind.REF: NULL_REF}
        kind = parameter.type.kind
        if kind not in empty or not any(map(parameter.has, "+=*")) or "{=}" in parameter.marks:
            raise CommandError(f"Parameter {parameter.name} cannot be cleared")
        ctx.call(f"{cls.api}.set_{parameter.field}", ref, empty[kind])

    return run


OPERATIONS = {
    "": ("param-list", _param_list, ("uuid",), "List all parameters of one object."),
    "get": ("param-get", _param_get, ("uuid", "param-name"), "Print one parameter, or one key of a map (param-key=)."),
    "s": ("param-set", _param_set, ("uuid",), "Set parameters: NAME=VALUE or NAME:KEY=VALUE."),
    "a": ("param-add", _param_add, ("uuid", "param-name"), "Add an element (param-key=) or keys (KEY=VALUE)."),
    "r": ("param-remove", _param_remove, ("uuid", "param-name", "param-key"), "Remove an element or a key."),
    "c": ("param-clear", _param_clear, ("uuid", "param-name"), "Empty a parameter."),
}  # fmt: skip
STANDARD = ("vm", "template", "snapshot", "host", "sr", "vdi", "vbd", "network", "vif", "pif", "pool")


def register_generated() -> None:
    """Put the generated commands of all classes into the table."""
    for cls in CLASSES.values():
        message = f"{cls.api}.get_all_records"
        told = f"List the objects of class {cls.name}: params=all or a,b,c; NAME=VALUE filters."
        flags = frozenset({"standard"} if cls.name in STANDARD else ())
        register(Command(f"{cls.name}-list", _list(cls), (), ("params",), "", told, (message,), flags))
        for letter, (suffix, make, required, help_) in OPERATIONS.items():
            if letter in ("", "get") or letter in cls.writes:
                optional = ("param-key",) if suffix in ("param-get", "param-add") else ()
                messages = (f"{cls.api}.get_by_uuid", f"{cls.api}.get_record")
                register(Command(f"{cls.name}-{suffix}", make(cls), required, optional, "", help_, messages))
