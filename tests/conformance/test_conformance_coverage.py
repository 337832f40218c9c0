"""Every message that is declared and not implemented, by count: the list is in docs/xenapi-coverage.md."""

import re
from collections import Counter

import pytest

from kronos_lab.cache import REPO
from xapi_shim.api.missing import MissingError, reasons
from xapi_shim.web.xe_coverage import coverage_text

LIST = REPO / "docs/xenapi-coverage.md"


def test_the_list_of_what_is_not_implemented_is_true(running):
    """The list is made by ./inv docs from what is declared; this is what a running daemon says."""
    section = LIST.read_text().partition("## Not implemented")[2]
    named = re.findall(r"`([A-Za-z_]+\.[A-Za-z_0-9]+)`", section)
    assert len(named) == len(set(named))
    assert set(running.daemon.dispatcher.unimplemented()) == set(named)


def test_each_of_them_waits_for_something(running):
    missing = running.daemon.dispatcher.unimplemented()
    parts = Counter(group.part for group in reasons(missing).values())
    headings = re.findall(r"^### (.*) \((\d+)\)$", LIST.read_text(), re.MULTILINE)
    assert {part: int(count) for part, count in headings} == parts
    with pytest.raises(MissingError, match=r"VM\.start waits for nothing"):
        reasons([*missing, "VM.start"])
    with pytest.raises(MissingError, match=f"{missing[0]} waits for .*, and is served"):
        reasons(missing[1:])


def test_each_of_them_answers_not_implemented(running, api, refused):
    bound = running.daemon.dispatcher.bound
    for name in running.daemon.dispatcher.unimplemented():
        message = bound[name].message
        if any(p.type_text.startswith(("ref(", "record(", "set(", "map(", "enum(")) for p in message.params):
            continue  # its arguments would be refused first
        values = {
            "string": "x",
            "int": "1",
            "bool": True,
            "float": 1.0,
            "secretstring": "x",
            "datetime": "20260101T00:00:00Z",
        }
        if not message.session:
            continue
        method = api
        for part in name.split("."):
            method = getattr(method, part)
        refused("NOT_IMPLEMENTED", method, *(values[p.type_text] for p in message.params))


def test_the_page_of_xes_commands_is_true(running):
    """After a change: python3 -m xapi_shim.web.xe_coverage > docs/xe-coverage.md"""
    page = coverage_text(running.daemon.dispatcher, running.daemon.http_actions)
    assert (REPO / "docs/xe-coverage.md").read_text() == page
