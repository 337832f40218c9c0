"""The declarations against the facts of the reference's datamodel, where those are at hand."""

import importlib
import json
import pkgutil
from itertools import chain
from pathlib import Path

import pytest

from xapi_shim.datamodel import classes, errors
from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.history import RELEASES, history
from xapi_shim.datamodel.model import Access, DataModel, Kin, NoDefault, Role
from xapi_shim.datamodel.registry import API_VERSION, DATAMODEL, SCHEMA_VERSION

REPO = Path(__file__).resolve().parents[4]
# `shared` lies beside the checkout, or farther up for a second worktree.
PLACES = [folder / "shared/xenapi/datamodel_facts.json" for folder in REPO.parents]
FACTS_PATH = next((place for place in PLACES if place.is_file()), PLACES[0])

pytestmark = pytest.mark.skipif(
    not FACTS_PATH.is_file(), reason=f"the facts to compare with are missing: looked for {FACTS_PATH}"
)

# Differences that are meant, as the comparison prints them, each with its reason.
MEANT: dict[str, str] = {
    "relation subject.roles: 'unknown type', not 'many-to-many'": (
        "the facts' two ends are one set of another class's refs, which their tool cannot name"
    ),
}

# What the facts say and declarations do not: no behaviour here follows from it.
NOT_DECLARED = {
    "class": {
        "lifecycle",  # compared with the history
        "allowed_roles",  # every message names its own
        "implicit_msg_allowed_roles",
    },
    "field": {
        "lifecycle",  # compared with the history
        "relation",  # compared as the model's relations
        "tags",
        "has_effect",  # said by the setter being a message of its own
        "ignore_foreign_key",
    },
    "message": {
        "lifecycle",  # compared with the history
        "field",  # compared for derived messages only
        "tags",
        "forward_to",
        "secret",
        "custom_marshaller",
        "no_current_operations",
    },
    "param": {"since"},
}


def declared():
    """Return every declared class, whether it is served or not."""
    modules = [
        importlib.import_module(f"{classes.__name__}.{one.name}")
        for one in pkgutil.iter_modules(classes.__path__)
    ]
    found = [module.CLASS for module in modules if hasattr(module, "CLASS")]
    return DataModel({cls.name: cls for cls in found}, DATAMODEL.enums, DATAMODEL.relations)


DECLARED = declared()


def roles(names):
    """Return (least role, host certificates too) for a list of roles."""
    if not names:
        return Role.LOCAL_ROOT, False
    ladder = [role for role in Role if role is not Role.LOCAL_ROOT]
    have = {Role(name) for name in names}
    for least in reversed(ladder):
        reach = set(ladder[: ladder.index(least) + 1])
        if have == reach:
            return least, False
        if have == reach | {Role.CLIENT_CERT}:
            return least, True
    raise AssertionError(f"not a ladder: {names}")


def key_roles(fact):
    return {key: roles(names)[0] for key, names in fact.get("map_keys_roles", {}).items()}


def fact_of_field(fact):
    # The fields of `event` name no setter's roles: nobody sets them.
    least, client_cert = roles(fact.get("setter_roles", []))
    return {
        "type": fact["type"],
        "qualifier": fact["qualifier"],
        "default": fact.get("default", "REQUIRED"),
        "path": tuple(fact.get("path", ())),
        "since": fact["since"],
        "state": fact["state"],
        "persist": fact.get("persist", True),
        "internal_only": fact.get("internal_only", False),
        "setter_roles": (least, client_cert),
        "getter_roles": roles(fact["getter_roles"])[0],
        "map_keys_roles": key_roles(fact),
    }


def ours_of_field(field):
    return {
        "type": field.type_text,
        "qualifier": field.access.value,
        "default": plain_default(field.default),
        "path": field.path,
        "since": field.since,
        "state": field.state,
        "persist": field.persist,
        "internal_only": field.internal,
        "setter_roles": (field.write_role, field.client_cert),
        "getter_roles": field.read_role,
        "map_keys_roles": dict(field.key_roles),
    }


def plain_default(default):
    return "REQUIRED" if isinstance(default, NoDefault) else default


def fact_of_message(fact):
    return {
        "kind": fact["kind"],
        "params": [(p["name"], p["type"], p.get("default", "REQUIRED")) for p in fact["params"]],
        "result": fact["result"],
        "session": fact["session"],
        "async": fact["async"],
        "roles": roles(fact["roles"]),
        "since": fact["since"],
        "state": fact["state"],
        "errors": fact.get("errors", []),
        "hide_from_docs": fact.get("hide_from_docs", False),
        "pool_internal": fact.get("pool_internal", False),
        "map_keys_roles": key_roles(fact),
    }


def ours_of_message(message):
    return {
        "kind": message.kin.value,
        "params": [(p.name, p.type_text, plain_default(p.default)) for p in message.params],
        "result": message.result_text,
        "session": message.session,
        "async": message.is_async,
        "roles": (message.role, message.client_cert),
        "since": message.since,
        "state": message.state,
        "errors": list(message.errors),
        "hide_from_docs": message.hidden,
        "pool_internal": message.pool_internal,
        "map_keys_roles": dict(message.key_roles),
    }


def fact_of_class(fact):
    makes = fact["gen_constructor_destructor"]
    return {
        "since": fact["since"],
        "state": fact["state"],
        "in_database": fact["in_database"],
        "persist": fact["persist"],
        "gen_events": fact["gen_events"],
        "gen_constructor_destructor": makes,
        # Without a derived constructor nothing is made of the arguments.
        "constructor_args": fact["constructor_args"] if makes else [],
    }


def ours_of_class(cls):
    return {
        "since": cls.since,
        "state": cls.state,
        "in_database": cls.in_database,
        "persist": cls.persist,
        "gen_events": cls.events,
        "gen_constructor_destructor": cls.has_constructor,
        "constructor_args": list(cls.constructor),
    }


def differences(name, fact, ours):
    return [f"{name}: {key}: {fact[key]!r}, not {ours[key]!r}" for key in fact if fact[key] != ours[key]]


def missing(name, fact, ours):
    yield from (f"{name}.{one}: not declared" for one in fact if one not in ours)
    yield from (f"{name}.{one}: not in the facts" for one in ours if one not in fact)


def unmeant(found):
    return [one for one in found if one not in MEANT]


@pytest.fixture(scope="module")
def facts():
    return json.loads(FACTS_PATH.read_text())


@pytest.fixture(scope="module")
def by_class(facts):
    return {fact["name"]: fact for fact in facts["classes"]}


def messages_of(name):
    return {message.name: message for cls, message in all_messages(DECLARED).values() if cls.name == name}


each_class = pytest.mark.parametrize("name", DECLARED.classes)


@each_class
def test_class_is_as_the_facts_say(by_class, name):
    assert (
        unmeant(differences(name, fact_of_class(by_class[name]), ours_of_class(DECLARED.classes[name]))) == []
    )


@each_class
def test_fields_are_the_facts_in_their_order(by_class, name):
    fact = {one["name"]: fact_of_field(one) for one in by_class[name]["fields"]}
    ours = {one.name: ours_of_field(one) for one in DECLARED.classes[name].fields}
    found = list(missing(name, fact, ours))
    for one in fact.keys() & ours.keys():
        found += differences(f"{name}.{one}", fact[one], ours[one])
    assert unmeant(found) == []
    assert list(ours) == list(fact)


@each_class
def test_messages_declared_and_derived_are_the_facts(by_class, name):
    fact = {one["name"]: fact_of_message(one) for one in by_class[name]["messages"]}
    ours = {key: ours_of_message(message) for key, message in messages_of(name).items()}
    found = list(missing(name, fact, ours))
    for one in fact.keys() & ours.keys():
        found += differences(f"{name}.{one}", fact[one], ours[one])
    assert unmeant(found) == []


@each_class
def test_only_custom_messages_are_declared_and_the_rest_name_their_field(by_class, name):
    custom = {one["name"] for one in by_class[name]["messages"] if one["kind"] == "custom"}
    assert {message.name for message in DECLARED.classes[name].messages} == custom
    fields = {
        one["name"]: one.get("field", "") for one in by_class[name]["messages"] if one["kind"] != "custom"
    }
    columns = {field.name: field.column for field in DECLARED.classes[name].fields}
    for one, message in messages_of(name).items():
        if one in fields:
            assert fields[one] in ("", message.field, columns.get(message.field)), one


@each_class
def test_the_history_of_everything_is_the_facts(by_class, name):
    cls, fact = DECLARED.classes[name], by_class[name]
    found = differences(
        name, {"lifecycle": fact["lifecycle"]}, {"lifecycle": [list(step) for step in history(cls)]}
    )
    members = (
        ("fields", {field.name: field for field in cls.fields}),
        ("messages", messages_of(name)),
    )
    for kind, ours in members:
        for one in fact[kind]:
            told = [list(step) for step in history(cls, ours[one["name"]])]
            found += differences(
                f"{name}.{one['name']}", {"lifecycle": one["lifecycle"]}, {"lifecycle": told}
            )
    assert unmeant(found) == []


def test_the_releases_are_the_facts(facts):
    named = {one["code_name"]: one for one in facts["releases"] if one["code_name"]}
    assert {
        name: (one["branding"], (one["api_major"], one["api_minor"])) for name, one in named.items()
    } == RELEASES


@each_class
def test_listing_all_is_exposed_where_the_facts_expose_it(facts, name):
    cls = DECLARED.classes[name]
    derived = any(message.kin is Kin.GET_ALL for message in messages_of(name).values())
    assert derived == (name in facts["expose_get_all_classes"])
    assert cls.lists_all or name not in facts["expose_get_all_classes"]


def test_enums_and_their_values_are_the_facts(facts):
    assert {name: list(values) for name, values in DATAMODEL.enums.items()} == facts["enums"]


def test_relations_are_the_facts(facts):
    ours = {
        (rel.one, rel.field_one, rel.many, rel.field_many): "many-to-many"
        if rel.many_to_many
        else "one-to-many"
        for rel in DATAMODEL.relations
    }
    fact = {tuple(one[:4]): one[4] for one in facts["relations"]}
    assert ours.keys() == fact.keys()
    found = [
        f"relation {key[0]}.{key[1]}: {fact[key]!r}, not {ours[key]!r}"
        for key in ours
        if ours[key] != fact[key]
    ]
    assert unmeant(found) == []


def test_errors_have_the_codes_and_parameters_of_the_facts(facts):
    ours = {cls.code: list(cls.names) for cls in error_classes()}
    wanted = facts["errors"] | {code: [] for code in facts["error_codes_without_params_doc"]}
    found = list(missing("errors", wanted, ours))
    found += [
        f"{code}: {wanted[code]}, not {names}"
        for code, names in ours.items()
        if wanted.get(code, names) != names
    ]
    assert unmeant(found) == []


def test_every_error_that_a_message_lists_is_a_class():
    codes = {cls.code for cls in error_classes()}
    listed = chain.from_iterable(message.errors for _, message in all_messages(DECLARED).values())
    assert set(listed) <= codes


def error_classes():
    every = (getattr(errors, name) for name in dir(errors))
    root = errors.XenAPIError
    return [one for one in every if isinstance(one, type) and issubclass(one, root) and one is not root]


def test_every_role_list_is_a_least_role(facts):
    for cls in facts["classes"]:
        for one in chain(cls["fields"], cls["messages"]):
            for key in ("roles", "setter_roles", "getter_roles"):
                roles(one.get(key, []))
            key_roles(one)


def test_the_vocabulary_is_the_facts(facts):
    assert [role.value for role in Role if role is not Role.LOCAL_ROOT] == facts["roles"]
    messages = [one for cls in facts["classes"] for one in cls["messages"]]
    assert {one["kind"] for one in messages} == {kin.value for kin in Kin}
    assert {f["qualifier"] for cls in facts["classes"] for f in cls["fields"]} == {a.value for a in Access}


def test_versions_are_the_facts(facts):
    meta = facts["meta"]
    assert (int(meta["api_version_major"]), int(meta["api_version_minor"])) == API_VERSION
    assert (int(meta["schema_major"]), int(meta["schema_minor"])) == SCHEMA_VERSION


def test_nothing_of_the_facts_is_overlooked(facts):
    """A new word in the facts is either compared or said not to matter."""
    classes = facts["classes"]
    fields, messages = ([one for cls in classes for one in cls[key]] for key in ("fields", "messages"))
    params = [one for message in messages for one in message["params"]]
    compared = {
        "class": (classes, fact_of_class(classes[0]).keys() | {"name", "fields", "messages"}),
        "field": (fields, fact_of_field(fields[0]).keys() | {"name"}),
        "message": (messages, fact_of_message(messages[0]).keys() | {"name"}),
        "param": (params, {"name", "type", "default"}),
    }
    for kind, (every, known) in compared.items():
        assert {key for one in every for key in one} == known | NOT_DECLARED[kind], kind


def test_every_class_is_served(by_class):
    assert DATAMODEL.classes.keys() == DECLARED.classes.keys() == by_class.keys()


def test_what_is_served_is_declared_and_all_of_it_holds_together():
    assert DECLARED.check() == []
    assert all(one.doc for cls in DECLARED.classes.values() for one in (*cls.fields, *cls.messages))
    assert all(DECLARED.classes[name] is cls for name, cls in DATAMODEL.classes.items())


def test_every_meant_difference_has_a_reason():
    assert all(MEANT.values())
