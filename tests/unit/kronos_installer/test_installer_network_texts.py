"""What holds of every text: networkd's units and netplan's files, as hypothesis makes them up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from hypothesis import given
from hypothesis import strategies as st

from kronos_installer.network.netplan.definitions import read_definitions
from kronos_installer.network.netplan.document import parse_document, plain
from kronos_installer.network.netplan.text_edit import without_keys
from kronos_installer.network.networkd.unit_text import Section, Setting, parse_unit, render_unit
from kronos_installer.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal_of(read: Callable[[], object]) -> str:
    """Return the file and line of a refusal, line 0 where nothing is refused."""
    try:
        read()
    except ProblemError as error:
        return error.problem.diagnosis
    return "0"


NAMES = st.from_regex(r"[A-Z][A-Za-z0-9]{0,12}", fullmatch=True)
VALUES = st.text(
    st.characters(codec="latin-1", exclude_characters="\n\r\\", exclude_categories=["Cc", "Zs"]), max_size=20
)
SECTIONS = st.lists(
    st.builds(
        lambda name, settings: Section(name, "", tuple(Setting(key, value, "") for key, value in settings)),
        NAMES,
        st.lists(st.tuples(NAMES, VALUES), max_size=4),
    ),
    max_size=4,
)


@given(SECTIONS)
def test_a_unit_reads_back_as_it_was_written(sections: list[Section]) -> None:
    found = parse_unit("/u", render_unit(tuple(sections), "# comment\n"))
    assert [(s.name, [(x.key, x.value) for x in s.settings]) for s in found] == [
        (s.name, [(x.key, x.value) for x in s.settings]) for s in sections
    ]


@given(st.text(max_size=200))
def test_any_text_is_a_unit_or_refused_by_file_and_line(text: str) -> None:
    assert refusal_of(lambda: parse_unit("/u", text)).removeprefix("/u:").isdigit()


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
BODIES = st.dictionaries(
    st.sampled_from(["dhcp4", "addresses", "mtu", "routes", "nameservers", "match"]),
    st.recursive(
        WORDS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
        max_leaves=6,
    ),
    min_size=1,
)


@given(BODIES, st.sets(st.sampled_from(["dhcp4", "addresses", "routes", "nameservers"])),
       st.sampled_from([True, False, None]), st.sampled_from([2, 4]), st.booleans())  # fmt: skip
def test_keys_are_taken_out_and_all_else_stays(
    body: dict[str, object], gone: set[str], flow: bool | None, indent: int, commented: bool
) -> None:
    tree = {"network": {"version": 2, "ethernets": {"lan": body, "other": {"dhcp4": "no"}}}}
    text = yaml.safe_dump(tree, default_flow_style=flow, indent=indent, allow_unicode=True, sort_keys=False)
    lines = [f"{line}\n" for line in text.splitlines()]
    if (
        commented
        and "".join(lines) == text
        and '"' not in text
        and "'" not in text
        and "|" not in text
        and ">" not in text
    ):
        text = "".join(f"# of line {number}\n{line}" for number, line in enumerate(lines))
    try:
        old = parse_document("/n", text.encode())
        place = next(d for d in read_definitions([old]) if d.id == "lan").places[0]
        new = without_keys(place, gone)
    except ProblemError:
        return
    assert {line for line in new.splitlines() if line.startswith("#")} <= set(text.splitlines())
    found = {
        d.id: {k: plain(v) for k, v in d.keys.items()}
        for d in read_definitions([parse_document("/n", new.encode())])
    }
    was = {d.id: {k: plain(v) for k, v in d.keys.items()} for d in read_definitions([old])}
    was["lan"] = {key: value for key, value in was["lan"].items() if key not in gone}
    assert found == was


@given(st.binary(max_size=200))
def test_any_bytes_are_a_netplan_file_or_refused_by_file_and_line(content: bytes) -> None:
    assert refusal_of(lambda: read_definitions([parse_document("/n", content)])).removeprefix("/n:").isdigit()
