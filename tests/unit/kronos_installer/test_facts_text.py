"""The facts for people and for programs: who owns which interface, and that both forms tell the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import WANTS, FakeCommands, make_host, put

from kronos_installer.facts import facts_record, read_facts
from kronos_installer.main import main
from kronos_installer.report import render_facts

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path)


def test_the_interfaces_have_their_owners(host: Host) -> None:
    found = facts_record(read_facts(host, host.runner))["interfaces"]
    assert [(one["name"], one["owners"], one["master"]) for one in found] == [
        ("enp0s3", ["ifupdown"], ""),
        ("lo", [], ""),
    ]


def test_a_masked_network_manager_owns_nothing(host: Host) -> None:
    put(host, "/etc/network/interfaces", "auto lo\niface lo inet loopback\n")
    put(host, f"/{WANTS}/NetworkManager.service", "[Unit]\n")
    assert facts_record(read_facts(host, host.runner))["interfaces"][0]["owners"] == ["NetworkManager"]
    host.at("/etc/systemd/system/NetworkManager.service").symlink_to("/dev/null")
    assert facts_record(read_facts(host, host.runner))["interfaces"][0]["owners"] == []


def test_text_and_json_tell_the_same(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(host.runner, FakeCommands)
    for unit in ("nftables", "docker"):
        put(host, f"/{WANTS}/{unit}.service", "[Unit]\n")
    put(host, "/etc/nftables.conf", "table inet a {}\n")
    put(host, "/etc/hostname", "yes\n")
    arguments = ["--root", str(host.root)]
    main(["check", "--json", *arguments], runner=host.runner)
    record = json.loads(capsys.readouterr().out)
    main(["check", *arguments], runner=host.runner)
    text = capsys.readouterr().out
    facts = record["facts"]
    system = facts.pop("system")
    told = yaml.safe_load(text[: text.index("\nWARNING ")])
    del told["boot"]["free_bytes"], facts["boot"]["free_bytes"]  # other tests write to the same file system
    assert told == facts | system
    shown = [
        line.split()[1].rstrip(":")
        for line in text.splitlines()
        if line.startswith(("WARNING", "INFO", "ERROR"))
    ]
    assert shown == [problem["id"] for problem in record["problems"]]


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8", max_codepoint=0xFFFF))
)


@given(st.dictionaries(st.from_regex(r"[a-z_]+", fullmatch=True), st.recursive(SCALARS, lambda c: st.lists(
    st.text(st.characters(codec="ascii"))) | st.lists(st.dictionaries(st.sampled_from(["a", "b"]), c)) | st.dictionaries(
    st.sampled_from(["on", "c"]), c))))  # fmt: skip
def test_every_record_is_laid_out_so_that_it_can_be_read_back(record: dict[str, object]) -> None:
    text = render_facts(record | {"system": {"end": "x"}})  # type: ignore[typeddict-item]
    assert yaml.safe_load(text) == {name: v for name, v in record.items() if name != "system"} | {"end": "x"}
