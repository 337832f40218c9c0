"""Every message that follows from a declaration, called over the wire on an object of its class."""

import ssl
from xmlrpc.client import ServerProxy

import pytest
from running_daemon import RunningDaemon
from XenAPI import Failure

from xapi_shim.api import MODULES
from xapi_shim.datamodel.derive import all_messages, derived_messages
from xapi_shim.datamodel.model import Kin
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import NULL_REF, Kind

# Messages with a function of their own have tests of their own.
OWN = {key for module in MODULES for key in module.MESSAGES}
KEPT = [cls for cls in DATAMODEL.classes.values() if cls.in_database]
SERVED = [cls for cls in KEPT if cls.state != "removed"]
LISTED = [cls for cls in SERVED if cls.lists_all]
MADE = [cls for cls in SERVED if cls.has_constructor and cls.plain_constructor]
PRESENT = {
    Kind.STRING: "lamp", Kind.SECRET: "lamp", Kind.INT: "7", Kind.FLOAT: 0.5, Kind.BOOL: True,
    Kind.DATETIME: "20260102T03:04:05Z", Kind.REF: NULL_REF,
}  # fmt: skip


def sample(of):
    """Return a value of a type as it travels."""
    match of.kind:
        case Kind.ENUM:
            return DATAMODEL.enums[of.name][-1]
        case Kind.SET:
            return [sample(of.of[0])]
        case Kind.MAP:
            return {sample(of.of[0]): sample(of.of[1])}
        case _:
            return PRESENT[of.kind]


def plain(value):
    return str(value) if type(value).__name__ == "DateTime" else value


def find(api, cls, name):
    return getattr(getattr(api, cls.name), name)


def by_kin(cls, *kins):
    return [
        (message, cls.by_name.get(message.field))
        for message in derived_messages(cls)
        if message.kin in kins and f"{cls.name}.{message.name}" not in OWN and not message.removed
    ]


def ids(cls):
    return cls.name


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One daemon for all: what is put into it goes with it."""
    daemon = RunningDaemon(tmp_path_factory.mktemp("d"))
    daemon.start()
    yield daemon
    daemon.close()


@pytest.fixture
def made(running):
    """Put an object of a class into the database, behind the daemon's back."""

    def make(cls):
        named = {"name_label": "lamp"} if "name_label" in cls.by_name else {}
        return running.do(running.daemon.tools.db.create, cls.name, named)

    return make


@pytest.mark.parametrize("cls", SERVED, ids=ids)
def test_every_field_is_read_and_found(api, made, refused, cls):
    ref = made(cls)
    record = find(api, cls, "get_record")(ref)
    assert record.keys() == {field.name for field in cls.public_fields}
    assert find(api, cls, "get_by_uuid")(record["uuid"]) == ref
    assert refused("UUID_INVALID", find(api, cls, "get_by_uuid"), "none")[1] == cls.name
    assert refused("HANDLE_INVALID", find(api, cls, "get_record"), "OpaqueRef:none")[1] == cls.name
    getters = by_kin(cls, Kin.FIELD_GETTER)
    told = {field.name: find(api, cls, message.name)(ref) for message, field in getters}
    assert {k: plain(v) for k, v in told.items()} == {k: plain(record[k]) for k in told}


@pytest.mark.parametrize("cls", LISTED, ids=ids)
def test_objects_are_listed_and_picked(api, made, refused, cls):
    ref = made(cls)
    uuid = find(api, cls, "get_uuid")(ref)
    assert ref in find(api, cls, "get_all")()
    assert ref in find(api, cls, "get_all_records")()
    where = f'field "uuid" = "{uuid}"'
    assert find(api, cls, "get_all_where")(where) == [ref]
    assert [*find(api, cls, "get_all_records_where")(where)] == [ref]
    refused("INVALID_VALUE", find(api, cls, "get_all_where"), 'field "none" = "x"')
    if "name_label" in cls.by_name and cls.by_name_label:
        assert ref in find(api, cls, "get_by_name_label")("lamp")
        assert find(api, cls, "get_by_name_label")("no such lamp") == []


@pytest.mark.parametrize("cls", SERVED, ids=ids)
def test_every_field_that_clients_may_write_is_written(api, made, refused, cls):
    ref = made(cls)
    for message, field in by_kin(cls, Kin.FIELD_SETTER):
        value = sample(field.type)
        find(api, cls, message.name)(ref, value)
        assert plain(find(api, cls, f"get_{field.name}")(ref)) == value, message.name
    added = {"remove": [], "remove_from": []}
    for message, field in by_kin(cls, Kin.FIELD_ADD):
        is_map = field.type.kind is Kind.MAP
        args = ("key", sample(field.type.of[1])) if is_map else (sample(field.type.of[0]),)
        find(api, cls, message.name)(ref, *args)
        assert args[0] in find(api, cls, f"get_{field.name}")(ref), message.name
        if is_map:
            refused("MAP_DUPLICATE_KEY", find(api, cls, message.name), ref, *args)
        added["remove_from" if is_map else "remove"].append((field, args[0]))
    for prefix, fields in added.items():
        for field, value in fields:
            find(api, cls, f"{prefix}_{field.name}")(ref, value)
            assert value not in find(api, cls, f"get_{field.name}")(ref), field.name


@pytest.mark.parametrize("cls", MADE, ids=ids)
def test_objects_are_made_with_defaults_and_destroyed(api, refused, cls):
    if not by_kin(cls, Kin.CREATE) or not by_kin(cls, Kin.DESTROY):
        return
    needed = {name: sample(cls.by_name[name].type) for name in cls.constructor}
    ref = find(api, cls, "create")(needed)
    record = find(api, cls, "get_record")(ref)
    assert {name: plain(record[name]) for name in needed if name in record} == {
        name: value for name, value in needed.items() if name in record
    }
    find(api, cls, "destroy")(ref)
    refused("HANDLE_INVALID", find(api, cls, "get_record"), ref)


def test_removed_classes_say_so(api, refused):
    gone = [cls for cls in KEPT if cls.state == "removed"]
    assert {cls.name for cls in gone} == {"VMPP", "VIF_metrics", "VBD_metrics"}
    for cls in gone:
        refused("MESSAGE_REMOVED", find(api, cls, "get_all"))


def test_what_is_declared_is_listed_but_what_is_hidden(running):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with ServerProxy(running.url, context=context) as server:
        listed = server.system.listMethods()
    shown = {key: message for key, (_, message) in all_messages(DATAMODEL).items() if not message.hidden}
    wanted = [*shown, *(f"Async.{key}" for key, message in shown.items() if message.is_async)]
    assert sorted(listed) == sorted(set(wanted) - {"session.get_all_records"})


def test_an_unknown_message_is_refused(api):
    with pytest.raises(Failure) as failure:
        api.VM.glow()
    assert failure.value.details == ["MESSAGE_METHOD_UNKNOWN", "VM.glow"]
