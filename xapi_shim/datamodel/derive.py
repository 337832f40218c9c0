"""The messages that follow from a class's declaration: getters, setters, records, constructors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from xapi_shim.datamodel.model import Access, ApiClass, Field, Kin, Message, Param, Role
from xapi_shim.datamodel.types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xapi_shim.datamodel.model import DataModel


def derived_messages(cls: ApiClass) -> tuple[Message, ...]:
    """Return every derived message of `cls`; one that the class declares itself is left out."""
    made = [*_whole_class(cls), *_rows(cls)]
    for field in cls.public_fields if cls.in_database else ():
        made += _field(cls, field)
    own = {message.name for message in cls.messages}
    return tuple(message for message in made if message.name not in own)


def _self(cls: ApiClass) -> Param:
    return Param("self", f"ref({cls.name})")


def _whole_class(cls: ApiClass) -> list[Message]:
    """Return get_all and its kin."""
    if not (cls.in_database and cls.lists_all):
        return []
    refs, records = f"set(ref({cls.name}))", f"map(ref({cls.name}),record({cls.name}))"
    expr = (Param("expr", "string"),)
    return [
        _derived(cls, Kin.GET_ALL, (), refs),
        _derived(cls, Kin.GET_ALL_WHERE, expr, refs, hidden=True),
        _derived(cls, Kin.GET_ALL_RECORDS_WHERE, expr, records, hidden=True),
        _derived(cls, Kin.GET_ALL_RECORDS, (), records),
    ]


def _rows(cls: ApiClass) -> list[Message]:
    """Return what finds, reads, makes and destroys one object."""
    if not cls.in_database:
        return []
    ref = f"ref({cls.name})"
    made = [
        _derived(cls, Kin.GET_RECORD, (_self(cls),), f"record({cls.name})"),
        _derived(cls, Kin.GET_BY_UUID, (Param("uuid", "string"),), ref),
    ]
    if cls.has_constructor:
        args = (Param("args", f"record({cls.name})"),)
        role = cls.constructor_role
        made.append(
            Message(
                "create",
                args,
                ref,
                "Make one.",
                role,
                Kin.CREATE,
                is_async=True,
                since=cls.since,
                state=cls.state,
            )
        )
        made.append(
            Message(
                "destroy",
                (_self(cls),),
                "void",
                "Destroy one.",
                role,
                Kin.DESTROY,
                is_async=True,
                since=cls.since,
                state=cls.state,
            )
        )
    if cls.by_name_label and "name_label" in cls.by_name:
        made.append(_derived(cls, Kin.GET_BY_NAME_LABEL, (Param("label", "string"),), f"set({ref})"))
    return made


def _derived(
    cls: ApiClass, kin: Kin, params: tuple[Param, ...], result: str, *, hidden: bool = False
) -> Message:
    return Message(
        kin.value,
        params,
        result,
        "",
        cls.read_role,
        kin,
        is_async=False,
        hidden=hidden,
        since=cls.since,
        state=cls.state,
    )


def _field(cls: ApiClass, field: Field) -> list[Message]:
    """Return a field's getter, and where clients may write it what writes it."""
    made = [_access(cls, field, f"get_{field.name}", Kin.FIELD_GETTER, (), field.type_text, field.read_role)]
    if field.access is not Access.RW:
        return made

    def writer(prefix: str, kin: Kin, *params: Param) -> None:
        made.append(_access(cls, field, f"{prefix}_{field.name}", kin, params, "void", field.write_role))

    writer("set", Kin.FIELD_SETTER, Param("value", field.type_text))
    match field.type.kind:
        case Kind.SET:
            writer("add", Kin.FIELD_ADD, Param("value", str(field.type.of[0])))
            writer("remove", Kin.FIELD_REMOVE, Param("value", str(field.type.of[0])))
        case Kind.MAP:
            key, value = map(str, field.type.of)
            writer("add_to", Kin.FIELD_ADD, Param("key", key), Param("value", value))
            writer("remove_from", Kin.FIELD_REMOVE, Param("key", key))
        case _:
            pass
    return made


def _access(
    cls: ApiClass, field: Field, name: str, kin: Kin, params: tuple[Param, ...], result: str, role: Role
) -> Message:
    keyed = kin in (Kin.FIELD_ADD, Kin.FIELD_REMOVE)
    return Message(
        name,
        (_self(cls), *params),
        result,
        "",
        role,
        kin,
        is_async=False,
        since=field.since,
        state=field.state,
        field=field.name,
        client_cert=field.client_cert and kin is not Kin.FIELD_GETTER,
        key_roles=field.key_roles if keyed else {},
    )


class Messages(Mapping[str, tuple[ApiClass, Message]]):
    """Every message of a model by `Class.message`; those of a class are made when one is first asked for."""

    def __init__(self, model: DataModel) -> None:
        self.model = model
        self._known: dict[str, tuple[ApiClass, Message]] = {}
        self._waiting = dict.fromkeys(model.classes)

    def __getitem__(self, key: str) -> tuple[ApiClass, Message]:
        if key not in self._known:
            self._make(key.partition(".")[0])
        return self._known[key]

    def __iter__(self) -> Iterator[str]:
        for name in tuple(self._waiting):
            self._make(name)
        return iter(self._known)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _make(self, name: str) -> None:
        if name in self._waiting:
            del self._waiting[name]
            cls = self.model.classes[name]
            every = (*cls.messages, *derived_messages(cls))
            self._known.update({f"{name}.{message.name}": (cls, message) for message in every})


# The messages keep their model: were it freed, another could get its id.
_by_model: dict[int, Messages] = {}


def all_messages(model: DataModel) -> Messages:
    """Return every message of `model` by `Class.message`, declared and derived (made once)."""
    if id(model) not in _by_model:
        _by_model[id(model)] = Messages(model)
    return _by_model[id(model)]
