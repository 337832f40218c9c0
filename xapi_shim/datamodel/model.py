"""What a XenAPI declaration is made of: fields, messages, classes; all frozen data.

A datamodel is declared once (the modules of `classes/`); the wire messages, record
shapes, roles, `xe` commands and the database's tables are derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from xapi_shim.datamodel.types import Kind, Type, parse_type, zero

# What a field's value or a default may be; mirrors JSON.
Value = str | int | float | bool | None | Sequence["Value"] | Mapping[str, "Value"]


class NoDefault:
    """The type of REQUIRED."""


REQUIRED = NoDefault()


class Role(StrEnum):
    """The roles, most powerful first: each may do all that those after it may."""

    POOL_ADMIN = "pool-admin"
    POOL_OPERATOR = "pool-operator"
    VM_POWER_ADMIN = "vm-power-admin"
    VM_ADMIN = "vm-admin"
    VM_OPERATOR = "vm-operator"
    CLIENT_CERT = "client-cert"
    READ_ONLY = "read-only"
    # For messages that no role carries: local root, the pool's secret, emergencies.
    LOCAL_ROOT = "_local_root"

    def allows(self, least: Role) -> bool:
        """Say whether this role may do what needs at least `least`."""
        if least is Role.LOCAL_ROOT:
            return self is Role.LOCAL_ROOT
        return self is Role.LOCAL_ROOT or _ORDER[self] <= _ORDER[least]


_ORDER = {role: place for place, role in enumerate(Role)}


class Access(StrEnum):
    """Who writes a field: anybody with the role; the constructor only; the system only."""

    RW = "RW"
    STATIC_RO = "StaticRO"
    DYNAMIC_RO = "DynamicRO"


class Kin(StrEnum):
    """How a message came to be: written for its class, or derived from a declaration."""

    CUSTOM = "custom"
    GET_RECORD = "get_record"
    GET_BY_UUID = "get_by_uuid"
    GET_BY_NAME_LABEL = "get_by_name_label"
    GET_ALL = "get_all"
    GET_ALL_WHERE = "get_all_where"
    GET_ALL_RECORDS = "get_all_records"
    GET_ALL_RECORDS_WHERE = "get_all_records_where"
    CREATE = "create"
    DESTROY = "destroy"
    FIELD_GETTER = "field_getter"
    FIELD_SETTER = "field_setter"
    FIELD_ADD = "field_add"
    FIELD_REMOVE = "field_remove"


_NO_KEYS: Mapping[str, Role] = MappingProxyType({})


@dataclass(frozen=True)
class Field:
    """One field of a class's records.

    `path` is the namespaced name (("name", "label")); empty means (name,).
    `default` is what a constructor call may leave out; REQUIRED if it may not.
    """

    name: str
    type_text: str
    access: Access
    doc: str
    default: Value | NoDefault = REQUIRED
    path: tuple[str, ...] = ()
    since: str = "rio"
    state: str = "published"
    persist: bool = True
    internal: bool = False
    write_role: Role = Role.POOL_ADMIN
    read_role: Role = Role.READ_ONLY
    # Whether hosts' client certificates may write too, besides the write_role.
    client_cert: bool = False
    key_roles: Mapping[str, Role] = dataclass_field(default_factory=lambda: _NO_KEYS)

    @cached_property
    def type(self) -> Type:
        """The parsed `type_text`."""
        return parse_type(self.type_text)

    @property
    def column(self) -> str:
        """The database's name: the path joined by double underscores."""
        return "__".join(self.path) if self.path else self.name

    def initial(self) -> Value:
        """Return a fresh default, or the type's zero when there is none."""
        if isinstance(self.default, NoDefault):
            return zero(self.type)  # type: ignore[return-value]
        if isinstance(self.default, Mapping):
            return dict(self.default)
        if isinstance(self.default, Sequence) and not isinstance(self.default, str):
            return list(self.default)
        return self.default


@dataclass(frozen=True)
class Param:
    """One positional parameter; one with a default may be left out at the end of a call."""

    name: str
    type_text: str
    default: Value | NoDefault = REQUIRED

    @cached_property
    def type(self) -> Type:
        """The parsed `type_text`."""
        return parse_type(self.type_text)

    @property
    def required(self) -> bool:
        return isinstance(self.default, NoDefault)


@dataclass(frozen=True)
class Message:
    """One thing a client may ask of a class. The session parameter is not listed."""

    name: str
    params: tuple[Param, ...] = ()
    result_text: str = "void"
    doc: str = ""
    role: Role = Role.POOL_ADMIN
    kin: Kin = Kin.CUSTOM
    is_async: bool = True
    session: bool = True
    errors: tuple[str, ...] = ()
    since: str = "rio"
    state: str = "published"
    hidden: bool = False
    pool_internal: bool = False
    # Whether hosts' client certificates may call it too, besides the role.
    client_cert: bool = False
    # The field this message reads or writes, where that is all it does.
    field: str = ""
    key_roles: Mapping[str, Role] = dataclass_field(default_factory=lambda: _NO_KEYS)

    @cached_property
    def result(self) -> Type:
        """The parsed `result_text`."""
        return parse_type(self.result_text)

    @property
    def removed(self) -> bool:
        return self.state == "removed"


@dataclass(frozen=True)
class ApiClass:
    """One class: its fields, its own messages, and what is derived for it."""

    name: str
    doc: str
    fields: tuple[Field, ...]
    messages: tuple[Message, ...] = ()
    since: str = "rio"
    state: str = "published"
    in_database: bool = True
    persist: bool = True
    events: bool = True
    # Whether get_all, get_all_records and the two `where` forms are on the wire.
    lists_all: bool = True
    # Whether objects are found by their name_label, where they have one.
    by_name_label: bool = True
    # Whether create and destroy are derived, with these constructor arguments and least role.
    has_constructor: bool = False
    constructor: tuple[str, ...] = ()
    constructor_role: Role = Role.POOL_ADMIN
    # Whether a row is all that create makes and destroy removes; if not, they need an implementation.
    plain_constructor: bool = True
    read_role: Role = Role.READ_ONLY

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by name."""
        return {f.name: f for f in self.fields}

    @cached_property
    def public_fields(self) -> tuple[Field, ...]:
        """The fields that records on the wire carry."""
        return tuple(f for f in self.fields if not f.internal)


@dataclass(frozen=True)
class Relation:
    """`one.field_one` is a ref (or set) whose other end is the derived set `many.field_many`."""

    one: str
    field_one: str
    many: str
    field_many: str
    many_to_many: bool = False

    @property
    def is_loop(self) -> bool:
        """Whether both ends are the same field."""
        return (self.one, self.field_one) == (self.many, self.field_many)


@dataclass(frozen=True)
class DataModel:
    """The whole: classes, enums and relations, checked against each other by `check`."""

    classes: Mapping[str, ApiClass]
    enums: Mapping[str, tuple[str, ...]]
    relations: tuple[Relation, ...]

    def check(self) -> list[str]:
        """Return what is inconsistent: unknown enums or classes, doubles, bad constructors, bad relations.

        A ref may point to a class that is not declared (yet).
        """
        wrong: list[str] = []
        for cls in self.classes.values():
            wrong += self._check_class(cls)
        for rel in self.relations:
            for name, attr in ((rel.one, rel.field_one), (rel.many, rel.field_many)):
                if name in self.classes and attr not in self.classes[name].by_name:
                    wrong.append(f"relation to missing field {name}.{attr}")
        return wrong

    def _check_class(self, cls: ApiClass) -> list[str]:
        wrong = [
            f"{cls.name}: constructor names no field {a}" for a in cls.constructor if a not in cls.by_name
        ]
        names = [f.name for f in cls.fields]
        wrong += [f"{cls.name}: field {n} twice" for n in {n for n in names if names.count(n) > 1}]
        calls = [m.name for m in cls.messages]
        wrong += [f"{cls.name}: message {n} twice" for n in {n for n in calls if calls.count(n) > 1}]
        for attr in cls.fields:
            wrong += [f"{cls.name}.{attr.name}: {why}" for why in self._check_text(attr.type_text)]
        for message in cls.messages:
            if message.field and message.field not in cls.by_name:
                wrong.append(f"{cls.name}.{message.name}: names no field {message.field}")
            for text in (message.result_text, *(p.type_text for p in message.params)):
                wrong += [f"{cls.name}.{message.name}: {why}" for why in self._check_text(text)]
        return wrong

    def _check_text(self, text: str) -> list[str]:
        try:
            return self._check_type(parse_type(text))
        except ValueError as error:
            return [str(error)]

    def _check_type(self, of: Type) -> list[str]:
        if of.kind is Kind.ENUM and of.name not in self.enums:
            return [f"unknown enum {of.name}"]
        return [why for inner in of.of for why in self._check_type(inner)]
