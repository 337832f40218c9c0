"""Types, defaults, the model's own check, what is derived, and the errors' shape."""

import dataclasses
import sys
from pathlib import Path

import pytest

from xapi_shim.base.process import run
from xapi_shim.datamodel import errors
from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.derive import all_messages, derived_messages
from xapi_shim.datamodel.model import ApiClass, DataModel, Kin, Message, Relation, Role
from xapi_shim.datamodel.permissions import permissions
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import Kind, Type, parse_type, zero

# A class with one field of each sort.
LAMP = ApiClass(
    "Lamp",
    "A lamp.",
    (
        dynamic("uuid", "string"),
        rw("name_label", "string", default="", path=("name", "label"), write_role=Role.VM_ADMIN),
        static("watts", "int"),
        rw("tags", "set(string)", default=[], since="orlando"),
        rw("other_config", "map(string,int)", default={}, key_roles={"folder": Role.VM_OPERATOR}),
        rw("wiring", "string", internal=True),
    ),
    (msg("glow", (param("self", "ref(Lamp)"),)),),
    has_constructor=True,
    constructor=("name_label", "watts"),
    constructor_role=Role.VM_ADMIN,
    since="miami",
)


def text(message):
    params = ", ".join(f"{p.name}: {p.type_text}" for p in message.params)
    marks = [mark for mark, on in (("async", message.is_async), ("hidden", message.hidden)) if on]
    field = [f"field {message.field}"] if message.field else []
    return f"{message.name}({params}) -> {message.result_text} [{', '.join([message.role, *field, *marks])}]"


def model(*classes, enums=None, relations=()):
    return DataModel({cls.name: cls for cls in classes}, enums or {}, relations)


def lamp(**changes):
    return dataclasses.replace(LAMP, **changes)


@pytest.mark.parametrize(
    ("written", "type_"),
    [
        ("string", Type(Kind.STRING)),
        ("enum(on_boot)", Type(Kind.ENUM, "on_boot")),
        ("ref(VM)", Type(Kind.REF, "VM")),
        ("option(int)", Type(Kind.OPTION, of=(Type(Kind.INT),))),
        ("set(set(string))", Type(Kind.SET, of=(Type(Kind.SET, of=(Type(Kind.STRING),)),))),
        (
            "map(ref(VM),map(string,enum(x)))",
            Type(
                Kind.MAP,
                of=(
                    Type(Kind.REF, "VM"),
                    Type(Kind.MAP, of=(Type(Kind.STRING), Type(Kind.ENUM, "x"))),
                ),
            ),
        ),
    ],
)
def test_a_type_is_parsed_and_written_back(written, type_):
    assert parse_type(written) == type_
    assert str(type_) == written


@pytest.mark.parametrize(
    "written",
    ["", "strin", "set", "set()", "set(string", "set(string))", "set(string,int)", "map(string)", "ref", "ref()",
     "string int", "enum(a-b)", "map(string,int,int)", "string(x)"],
)  # fmt: skip
def test_what_is_no_type_is_refused(written):
    with pytest.raises(ValueError, match=r"."):
        parse_type(written)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("string", ""),
        ("secretstring", ""),
        ("int", 0),
        ("float", 0.0),
        ("bool", False),
        ("datetime", "19700101T00:00:00Z"),
        ("ref(VM)", "OpaqueRef:NULL"),
        ("set(int)", []),
        ("map(string,string)", {}),
        ("record(VM)", {}),
        ("option(int)", None),
        ("void", ""),
    ],
)
def test_each_type_has_a_zero(written, value):
    assert zero(parse_type(written)) == value
    assert type(zero(parse_type(written))) is type(value)


def test_defaults_are_fresh_each_time():
    tags = LAMP.by_name["tags"]
    tags.initial().append("x")
    assert tags.initial() == []
    assert LAMP.by_name["watts"].initial() == 0


def test_a_column_joins_the_path():
    assert LAMP.by_name["name_label"].column == "name__label"
    assert LAMP.by_name["watts"].column == "watts"


@pytest.mark.parametrize(
    ("role", "least", "may"),
    [
        (Role.POOL_ADMIN, Role.READ_ONLY, True),
        (Role.VM_ADMIN, Role.VM_ADMIN, True),
        (Role.VM_OPERATOR, Role.VM_ADMIN, False),
        (Role.POOL_ADMIN, Role.LOCAL_ROOT, False),
        (Role.LOCAL_ROOT, Role.LOCAL_ROOT, True),
        (Role.LOCAL_ROOT, Role.POOL_ADMIN, True),
    ],
)
def test_a_role_allows_what_weaker_ones_allow(role, least, may):
    assert role.allows(least) is may


def test_a_sound_model_has_nothing_to_say():
    assert model(LAMP).check() == []
    assert DATAMODEL.check() == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (model(lamp(constructor=("volts",))), "Lamp: constructor names no field volts"),
        (model(lamp(fields=(*LAMP.fields, LAMP.fields[0]))), "Lamp: field uuid twice"),
        (model(lamp(messages=LAMP.messages * 2)), "Lamp: message glow twice"),
        (model(lamp(messages=(msg("dim", field="volts"),))), "Lamp.dim: names no field volts"),
        (model(lamp(messages=(msg("dim", result="enum(level)"),))), "Lamp.dim: unknown enum level"),
        (
            model(lamp(messages=(msg("dim", (param("to", "set(enum(level))"),)),))),
            "Lamp.dim: unknown enum level",
        ),
        (
            model(lamp(fields=(*LAMP.fields, rw("on", "enum(switch)")))),
            "Lamp.on: unknown enum switch",
        ),
        (model(lamp(fields=(*LAMP.fields, rw("on", "switch")))), "Lamp.on: not a type: 'switch'"),
        (
            model(LAMP, relations=(Relation("Lamp", "room", "Room", "lamps"),)),
            "relation to missing field Lamp.room",
        ),
    ],
)
def test_check_names_what_is_wrong(broken, said):
    assert broken.check() == [said]


def test_a_known_enum_and_an_undeclared_class_are_fine():
    fields = (*LAMP.fields, rw("on", "enum(switch)"), rw("room", "ref(Room)"))
    relation = Relation("Room", "wall", "House", "walls")
    assert model(lamp(fields=fields), enums={"switch": ("on", "off")}, relations=(relation,)).check() == []


def test_everything_is_derived_from_one_class():
    assert [text(message) for message in derived_messages(LAMP)] == [
        "get_all() -> set(ref(Lamp)) [read-only]",
        "get_all_where(expr: string) -> set(ref(Lamp)) [read-only, hidden]",
        "get_all_records_where(expr: string) -> map(ref(Lamp),record(Lamp)) [read-only, hidden]",
        "get_all_records() -> map(ref(Lamp),record(Lamp)) [read-only]",
        "get_record(self: ref(Lamp)) -> record(Lamp) [read-only]",
        "get_by_uuid(uuid: string) -> ref(Lamp) [read-only]",
        "create(args: record(Lamp)) -> ref(Lamp) [vm-admin, async]",
        "destroy(self: ref(Lamp)) -> void [vm-admin, async]",
        "get_by_name_label(label: string) -> set(ref(Lamp)) [read-only]",
        "get_uuid(self: ref(Lamp)) -> string [read-only, field uuid]",
        "get_name_label(self: ref(Lamp)) -> string [read-only, field name_label]",
        "set_name_label(self: ref(Lamp), value: string) -> void [vm-admin, field name_label]",
        "get_watts(self: ref(Lamp)) -> int [read-only, field watts]",
        "get_tags(self: ref(Lamp)) -> set(string) [read-only, field tags]",
        "set_tags(self: ref(Lamp), value: set(string)) -> void [pool-admin, field tags]",
        "add_tags(self: ref(Lamp), value: string) -> void [pool-admin, field tags]",
        "remove_tags(self: ref(Lamp), value: string) -> void [pool-admin, field tags]",
        "get_other_config(self: ref(Lamp)) -> map(string,int) [read-only, field other_config]",
        "set_other_config(self: ref(Lamp), value: map(string,int)) -> void [pool-admin, field other_config]",
        "add_to_other_config(self: ref(Lamp), key: string, value: int) -> void [pool-admin, field other_config]",
        "remove_from_other_config(self: ref(Lamp), key: string) -> void [pool-admin, field other_config]",
    ]


def test_a_derived_message_is_as_old_as_what_it_comes_from():
    since = {message.name: message.since for message in derived_messages(LAMP)}
    assert (since["get_all"], since["get_tags"], since["get_watts"]) == ("miami", "orlando", "rio")


def test_roles_of_keys_hold_where_one_key_is_written():
    keyed = {message.name for message in derived_messages(LAMP) if message.key_roles}
    assert keyed == {"add_to_other_config", "remove_from_other_config"}


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"lists_all": False}, {"get_all", "get_all_where", "get_all_records", "get_all_records_where"}),
        ({"by_name_label": False}, {"get_by_name_label"}),
        ({"has_constructor": False}, {"create", "destroy"}),
    ],
)
def test_what_a_class_does_not_offer_is_not_derived(changes, gone):
    def names(cls):
        return {message.name for message in derived_messages(cls)}

    assert names(LAMP) - names(lamp(**changes)) == gone


def test_nothing_is_derived_outside_the_database():
    assert derived_messages(lamp(in_database=False)) == ()


def test_a_message_of_its_own_wins_over_the_derived_one():
    own = Message("destroy", (), doc="Smash it.")
    cls = lamp(messages=(own,))
    assert "destroy" not in {message.name for message in derived_messages(cls)}
    assert all_messages(model(cls))["Lamp.destroy"] == (cls, own)


def test_all_messages_are_found_by_class_and_name():
    every = all_messages(DATAMODEL)
    cls, message = every["VM.start"]
    assert (cls.name, message.kin, message.role) == ("VM", Kin.CUSTOM, Role.VM_OPERATOR)
    assert all_messages(DATAMODEL) is every


def test_the_declarations_hold_together():
    assert DATAMODEL.check() == []
    assert all(name == cls.name for name, cls in DATAMODEL.classes.items())


def test_messages_are_found_one_by_one_and_all_at_once():
    one_by_one, at_once = all_messages(model(LAMP)), all_messages(model(LAMP, lamp(name="Torch")))
    assert one_by_one["Lamp.glow"] == (LAMP, LAMP.messages[0])
    assert one_by_one.get("Lamp.shine") is one_by_one.get("Torch.glow") is None
    assert len(at_once) == 2 * len(one_by_one)
    assert set(at_once) >= set(one_by_one)


def test_a_class_is_imported_when_it_is_asked_for():
    """What xe's start costs hangs on it."""
    program = (
        "import sys\n"
        "from xapi_shim.datamodel.derive import all_messages\n"
        "from xapi_shim.datamodel.registry import DATAMODEL\n"
        "assert 'host' in DATAMODEL.classes and 'VM.start' in all_messages(DATAMODEL)\n"
        "print(*[name for name in sys.modules if name.startswith('xapi_shim.datamodel.classes.')])"
    )
    root = Path(__file__).resolve().parents[4]
    imported = run([sys.executable, "-c", program], cwd=root).stdout.split()
    assert {name.rpartition(".")[2].partition("_")[0] for name in imported} == {"vm"}


def test_all_messages_belong_to_the_model_they_were_asked_for():
    """Models come and go; one that is new must not get what was derived for one that is gone."""
    # Made beforehand, so that the next thing as big as a freed model is the next model.
    for cls in [lamp(name=f"Lamp{number}") for number in range(20)]:
        short_lived = model(cls)
        assert f"{cls.name}.get_all" in all_messages(short_lived)
        del short_lived


def test_every_field_and_message_says_what_it_is():
    silent = [
        f"{cls.name}.{one.name}"
        for cls in DATAMODEL.classes.values()
        for one in (*cls.fields, *cls.messages)
        if not one.doc.strip()
    ]
    assert silent == []


def test_only_messages_that_write_one_field_name_it():
    for key, (cls, message) in all_messages(DATAMODEL).items():
        if message.field and message.kin is Kin.CUSTOM:
            prefixes = ("set_", "add_to_", "remove_from_", "add_", "remove_")
            assert message.name in {prefix + message.field for prefix in prefixes}, key
            assert message.field in cls.by_name, key


def test_permissions_are_named_in_lower_case_by_message_key_and_action():
    made = permissions(DATAMODEL)
    assert made["vm.start"] is Role.VM_OPERATOR
    assert made["vm.add_to_other_config/key:folder"] is Role.VM_OPERATOR
    assert made["http/connect_console/host_console"] is Role.POOL_ADMIN
    assert made["task.destroy/any"] is Role.POOL_OPERATOR
    assert "session.login_with_password" not in made
    assert "vmpp.protect_now" not in made


def test_an_error_is_its_code_and_parameters_in_order():
    error = errors.HandleInvalidError("VM", "OpaqueRef:x")
    assert error.description() == ["HANDLE_INVALID", "VM", "OpaqueRef:x"]
    assert str(error) == "HANDLE_INVALID: class=VM, handle=OpaqueRef:x"


def test_an_error_without_parameters_is_its_code():
    assert str(errors.HostStillBootingError()) == "HOST_STILL_BOOTING"


def test_parameters_beyond_the_documented_ones_are_kept():
    error = errors.TaskCancelledError("OpaqueRef:t", "more")
    assert error.description() == ["TASK_CANCELLED", "OpaqueRef:t", "more"]
    assert str(error) == "TASK_CANCELLED: task=OpaqueRef:t, more"


def test_a_storage_drivers_error_carries_its_number():
    error = errors.SrBackendFailureError(46, "The VDI is not available", "in use")
    assert error.description() == ["SR_BACKEND_FAILURE_46", "", "The VDI is not available", "in use"]
    assert str(error).startswith("SR_BACKEND_FAILURE_46: ")


def test_no_two_errors_share_a_code():
    every = [getattr(errors, name) for name in dir(errors) if name.endswith("Error")]
    codes = [one.code for one in every if one is not errors.XenAPIError]
    assert sorted(codes) == sorted(set(codes))
