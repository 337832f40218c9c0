"""The reference pages: current, complete, and their links lead somewhere."""

import re

import pytest

from kronos_lab.docs_tasks import COVERAGE, REFERENCE, made_coverage, made_pages
from xapi_shim.datamodel.registry import DATAMODEL

PAGES = made_pages()


def test_the_pages_are_current():
    kept = {path.name: path.read_text() for path in REFERENCE.iterdir()}
    stale = sorted(name for name in kept.keys() | PAGES.keys() if kept.get(name) != PAGES.get(name))
    assert stale == [], "run ./inv docs"


def test_the_coverage_page_is_current():
    assert COVERAGE.read_text() == made_coverage(), "run ./inv docs"


@pytest.mark.parametrize("cls", DATAMODEL.classes.values(), ids=lambda cls: cls.name)
def test_a_page_tells_of_every_field_and_message_that_clients_see(cls):
    text = PAGES[f"{cls.name}.md"]
    assert cls.doc in text
    for field in cls.fields:
        assert (f"\n| {field.name} |" in text) is not field.internal, field.name
    for message in cls.messages:
        assert f"\n| {message.name}(" in text, message.name


def test_every_link_leads_to_a_page_or_a_heading():
    headings = set(re.findall(r"^## (\w+)$", PAGES["enums.md"], re.MULTILINE))
    for name, text in PAGES.items():
        for target, heading in re.findall(r"\]\((\w+\.md)#?(\w*)\)", text):
            assert target in PAGES, (name, target)
            assert not heading or heading in headings, (name, heading)


def test_the_rows_of_a_table_have_its_columns():
    for name, text in PAGES.items():
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            assert len({line.count("|") for line in table.splitlines()}) == 1, (name, table)
