"""The pages of docs/xenapi: what the datamodel declares, a page a class, rendered as Markdown."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from xapi_shim.datamodel import errors
from xapi_shim.datamodel.derive import derived_messages
from xapi_shim.datamodel.history import RELEASES, history
from xapi_shim.datamodel.model import Access, Field, Kin, NoDefault, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xapi_shim.datamodel.model import ApiClass, DataModel, Message, Param

NOTE = "Made from the datamodel by `./inv docs`: change the declaration, not this page."
INDEX = """\
Every class has `get_record` and `get_by_uuid`, and where it is listed `get_all`, `get_all_records`,
`get_all_where` and `get_all_records_where`; named ones have `get_by_name_label`. Every field has `get_f`; one
that is RW has `set_f`, a set `add_f` and `remove_f`, a map `add_to_f` and `remove_from_f`. A page lists what
a class has besides. The session comes first in every call and is not written. A role may do all that the
roles after it may: {roles}. Which messages work: [xenapi-coverage.md](../xenapi-coverage.md).
"""


def pages(model: DataModel) -> dict[str, str]:
    """Return the text of every page by its file's name."""
    made = {f"{cls.name}.md": _class_page(cls, model) for cls in model.classes.values()}
    return {"README.md": _index(model), "enums.md": _enums(model), "errors.md": _errors(), **made}


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _table(head: str, rows: Iterable[tuple[str, ...]]) -> list[str]:
    columns = head.split(", ")
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *lines] if lines else ["None."]


def _index(model: DataModel) -> str:
    rows = ((f"[{c.name}]({c.name}.md)", _since(c), c.doc) for c in model.classes.values())
    releases = ((code, name, f"{api[0]}.{api[1]}") for code, (name, api) in RELEASES.items())
    roles = ", ".join(role for role in Role if role is not Role.LOCAL_ROOT)
    return _text(
        [
            "# XenAPI reference", "", NOTE, "", INDEX.format(roles=roles), *_table("class, since, what", rows), "",
            "Values: [enums](enums.md). Failures: [errors](errors.md).", "", "## Releases", "",
            *_table("code name, product, API", releases),
        ]
    )  # fmt: skip


def _enums(model: DataModel) -> str:
    """Return the enums, each under a heading that types link to."""
    return _text(["# Enums", "", NOTE, *_each_enum(model)])


def _each_enum(model: DataModel) -> Iterator[str]:
    for name, values in model.enums.items():
        yield from ("", f"## {name}", "", ", ".join(f"`{value}`" for value in values))


def _errors() -> str:
    classes = {one for one in vars(errors).values() if isinstance(one, type)}
    ours = sorted((one for one in classes if issubclass(one, errors.XenAPIError)), key=lambda one: one.code)
    rows = ((one.code, ", ".join(one.names)) for one in ours if one is not errors.XenAPIError)
    return _text(["# Errors", "", NOTE, "", *_table("code, parameters", rows)])


def _class_page(cls: ApiClass, model: DataModel) -> str:
    other_ends = _other_ends(cls, model)
    public = cls.public_fields
    fields = (_field_row(cls, field, other_ends.get(field.name, "")) for field in public)
    messages = (_message_row(cls, message) for message in cls.messages)
    return _text(
        [
            f"# {cls.name}", "", NOTE, "", f"{cls.doc} ({_since(cls)})", "", _derived(cls), "",
            "## Fields", "", *_table("field, type, access, default, since, what", fields), "",
            "## Messages", "", *_table("message, result, role, since, what", messages),
        ]
    )  # fmt: skip


def _derived(cls: ApiClass) -> str:
    whole = [m for m in derived_messages(cls) if not m.kin.value.startswith("field_")]
    made = [f"`{m.name}`" + (f" ({m.role})" if m.kin in (Kin.CREATE, Kin.DESTROY) else "") for m in whole]
    told = f"Derived: {', '.join(made)}." if made else "Nothing is derived: its objects are not kept."
    return f"{told} Makers give {', '.join(cls.constructor)}." if cls.constructor else told


def _other_ends(cls: ApiClass, model: DataModel) -> dict[str, str]:
    ends: dict[str, str] = {}
    for rel in model.relations:
        if rel.one == cls.name:
            ends[rel.field_one] = f"{rel.many}.{rel.field_many}"
        if rel.many == cls.name:
            ends[rel.field_many] = f"{rel.one}.{rel.field_one}"
    return ends


def _field_row(cls: ApiClass, field: Field, other_end: str) -> tuple[str, ...]:
    access = f"RW ({field.write_role})" if field.access is Access.RW else field.access.value
    keys = ", ".join(f"`{key}`: {role}" for key, role in field.key_roles.items())
    what = field.doc
    if other_end:
        what += f" Other end: {other_end}."
    if keys:
        what += f" Keys: {keys}."
    return (field.name, _linked(field.type_text), access, _default(field), _since(cls, field), what)


def _message_row(cls: ApiClass, message: Message) -> tuple[str, ...]:
    marks = [
        word
        for word, on in (
            ("not async", not message.is_async),
            ("hidden", message.hidden),
            ("without session", not message.session),
        )
        if on
    ]
    what = message.doc + (f" ({', '.join(marks)})" if marks else "")
    if message.errors:
        what += f" Errors: {', '.join(message.errors)}."
    call = f"{message.name}({', '.join(map(_param, message.params))})"
    return (call, _linked(message.result_text), message.role, _since(cls, message), what)


def _param(param: Param) -> str:
    return f"{param.name}: {_linked(param.type_text)}" + ("" if param.required else f" = {_default(param)}")


def _default(one: Field | Param) -> str:
    return "" if isinstance(one.default, NoDefault) else f"`{json.dumps(one.default)}`"


def _since(cls: ApiClass, member: Field | Message | None = None) -> str:
    """Return the release, and what came after it where that is more than the publication."""
    told = history(cls, member)
    if len(told) == 1 and told[0][0] == "published":
        return told[0][1]
    return ", ".join(f"{change} {release}" for change, release in told)


def _linked(type_text: str) -> str:
    of_classes = re.sub(r"(ref|record)\((\w+)\)", r"\1([\2](\2.md))", type_text)
    return re.sub(r"enum\((\w+)\)", r"enum([\1](enums.md#\1))", of_classes)
