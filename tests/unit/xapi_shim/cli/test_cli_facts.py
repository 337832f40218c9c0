"""xe's commands and parameters against the facts of the reference's xe, where those are at hand."""

import json
from pathlib import Path

import pytest

from xapi_shim.cli.engine.classes import CLASSES
from xapi_shim.cli.engine.interpreter import commands
from xapi_shim.cli.engine.records import parameters

FACTS_PATH = Path(__file__).resolve().parents[4].parent / "shared/xenapi/xe_commands.json"
SELECTORS = {"Vm_selectors": "vm", "Host_selectors": "host", "Sr_selectors": "sr"}
FLAGS = {"Hidden", "Standard", "Deprecated"}
# The facts name an optional parameter "" here, and without its colon there.
MEANT = {("gpu-group-destroy", ""), ("host-set-power-on-mode", "power-on-config")}

pytestmark = pytest.mark.skipif(
    not FACTS_PATH.is_file(), reason=f"the facts to compare with are missing: looked for {FACTS_PATH}"
)


@pytest.fixture(scope="module")
def facts():
    return json.loads(FACTS_PATH.read_text())


def test_the_commands_are_the_references(facts):
    explicit = {one["name"] for one in facts["explicit"]}
    generated = {f"{one['cli_class']}-{op}" for one in facts["generated_classes"] for op in one["ops"]}
    assert commands().keys() == explicit | generated


def test_explicit_commands_take_the_references_parameters(facts):
    wrong = []
    for one in facts["explicit"]:
        ours = commands()[one["name"]]
        optional = {word for word in one["optn"] if (one["name"], word) not in MEANT}
        mine = {word for word in ours.optional if (one["name"], word.rstrip(":")) not in MEANT}
        selects = next((SELECTORS[flag] for flag in one["flags"] if flag in SELECTORS), "")
        flags = {flag.lower() for flag in one["flags"] if flag in FLAGS}
        expected = (set(one["reqd"]), optional, selects, flags)
        if expected != (set(ours.required), mine, ours.selects, set(ours.flags)):
            wrong.append((one["name"], expected, ours))
    assert wrong == []


def marker(fact):
    if fact.get("get_set"):
        return "(SRW)" if fact.get("add_to_set") else "(SRO)"
    if fact.get("get_map"):
        return "(MRW)" if fact.get("add_to_map") else "(MRO)"
    return "( RW)" if fact.get("set") else "( RO)"


def test_lists_and_parameters_are_the_references(facts):
    for one in facts["generated_classes"]:
        ours = CLASSES[one["cli_class"]]
        assert ours.shown == set(one["list_fields"])
        assert [list(pair) for pair in ours.filters] == one["default_filters"]
        fields = facts["record_fields"][one["record"]]
        known = parameters(ours)
        assert list(known) == [field["name"] for field in fields]
        for field in fields:
            mine = known[field["name"]]
            assert mine.marker.split(" [")[0] == marker(field), (ours.name, field)
            assert mine.has("=") == any(field.get(how) for how in ("set", "set_map", "set_in_map"))
            for mark, how in (("!", "expensive"), ("~", "deprecated"), ("-", "hidden")):
                assert mine.has(mark) == bool(field.get(how)), (ours.name, field)
