"""Wishes by flags, and as records in journals and saved plans."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import HERE, make_host

from kronos_installer.asked import differing, gather
from kronos_installer.host_files import HostFiles
from kronos_installer.journal import Journal
from kronos_installer.main import main, parser
from kronos_installer.network.stack import BridgeKind
from kronos_installer.wishes import Confirm, IsoType, IsoWish, PoolWish, StorageType, StorageWish, Wishes
from kronos_installer.wishes_record import wishes_from_record, wishes_to_record

ALL_FLAGS = {
    "--dom0-mem": ("2G", "dom0_memory_mib", 2048),
    "--dom0-vcpus": ("2", "dom0_vcpus", 2),
    "--confirm": ("operator", "confirm", Confirm.OPERATOR),
    "--confirm-minutes": ("3", "confirm_minutes", 3),
    "--hostname": ("xen1", "hostname", "xen1"),
    "--ntp-server": ("ntp.example", "ntp_servers", ("ntp.example",)),
    "--storage": (
        "directory:/srv/disks,name=Fast",
        "storage",
        StorageWish(StorageType.DIRECTORY, "/srv/disks", "Fast"),
    ),
    "--iso-library": ("directory:/srv/isos", "iso_library", IsoWish(IsoType.DIRECTORY, "/srv/isos")),
}


def applied_wishes(folder: Path, *flags: str) -> Wishes:
    host = make_host(folder)
    assert main(["apply", "--yes", "--root", str(host.root), *flags], runner=host.runner) == 0
    wishes = Journal(host).load().wishes
    assert wishes is not None
    return wishes


@pytest.mark.parametrize("flag", ALL_FLAGS)
def test_every_flag_is_in_the_journal(tmp_path: Path, capsys, flag: str) -> None:
    value, field, expected = ALL_FLAGS[flag]
    assert getattr(applied_wishes(tmp_path, flag, value), field) == expected


def test_a_pool_to_join_is_understood_and_its_password_looked_for(tmp_path: Path, capsys) -> None:
    host = make_host(tmp_path)
    asked = ["--join", "xen0", "--password-file", "/root/pool"]
    assert main(["plan", "--json", "--root", str(host.root), *asked], runner=host.runner) == 3
    assert [p["id"] for p in json.loads(capsys.readouterr().out)["problems"]] == ["pool-password-file"]


def test_the_firewall_is_opened_unless_it_is_not_to_be(tmp_path: Path, capsys) -> None:
    assert applied_wishes(tmp_path / "a").open_firewall
    assert not applied_wishes(tmp_path / "b", "--no-firewall").open_firewall


@pytest.mark.parametrize(
    "flags",
    [
        ["--storage", "guests"],
        ["--storage", "tape:x"],
        ["--storage", "lvm:"],
        ["--storage", "lvm:guests,name="],
        ["--iso-library", "lvm:guests"],
        ["--username", "root"],
        ["--password-file", "/root/pool"],
        ["--join-fingerprint", "AB" * 32],
    ],
)
def test_flags_that_cannot_be_meant_are_wrong_usage(tmp_path: Path, capsys, flags: list[str]) -> None:
    host = make_host(tmp_path)
    assert main(["plan", "--root", str(host.root), *flags], runner=host.runner) == 2
    assert flags[0] in capsys.readouterr().err


JOIN = ["--join", "xen0", "--password-file", "/root/pool", "--join-fingerprint"]


@pytest.mark.parametrize("text", ["AB", "AB" * 31, "AB" * 33, "AG" * 32, ":".join(["AB"] * 31), "AB:" + "AB" * 31,
                                  "sha1 Fingerprint=" + "AB" * 20, "md5 Fingerprint=" + "AB" * 32, "AB" * 20,
                                  "SHA256:" + "k" * 43, "sha256 Fingerprint=", " ".join(["AB"] * 32), "AB" * 32 + "\n", " "])  # fmt: skip
def test_a_fingerprint_that_is_none_is_refused(tmp_path: Path, capsys, text: str) -> None:
    host = make_host(tmp_path)
    assert main(["plan", "--json", "--root", str(host.root), *JOIN, text], runner=host.runner) == 3
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["id"], problem["diagnosis"]) == ("flag-wrong", "--join")
    assert "SHA-256" in problem["remediation"]


def test_a_fingerprint_that_was_never_set_is_not_none(tmp_path: Path, capsys) -> None:
    host = make_host(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["plan", "--root", str(host.root), *JOIN, ""], runner=host.runner)
    assert ended.value.code == 2
    assert "--join-fingerprint: it is empty" in capsys.readouterr().err


@given(
    st.binary(min_size=32, max_size=32),
    # OpenSSL 3 prints the second of these before it, OpenSSL 1.1 the third.
    st.sampled_from(["", "sha256 Fingerprint=", "SHA256 Fingerprint="]),
    st.sampled_from(["", ":"]),
    st.booleans(),
)
def test_a_fingerprint_is_read_however_it_is_written(
    digest: bytes, before: str, between: str, upper: bool
) -> None:
    shown = digest.hex(":").upper()
    text = shown.replace(":", between)
    given = before + (text if upper else text.lower())
    pool = gather({"join": "xen0", "join_fingerprint": given}, HostFiles(Path("/none")))["pool"]
    assert pool.certificate == shown
    assert PoolWish("xen0").certificate == ""


OF_THE_SET_UP = PoolWish("xen0", "root", "/root/pool", "AB" * 32)
BOUND_TO = ":".join(["AB"] * 32)


@pytest.mark.parametrize(("pool", "before", "after"), [
    (replace(OF_THE_SET_UP, fingerprint=BOUND_TO.lower()), (), ()),
    (replace(OF_THE_SET_UP, fingerprint=""), (), ()),
    (replace(OF_THE_SET_UP, fingerprint="CD" * 32), ("pool",), ()),
    (replace(OF_THE_SET_UP, master="xen1"), ("pool",), ("pool",)),
    (None, ("pool",), ("pool",)),
])  # fmt: skip
def test_a_fingerprint_is_minded_until_the_host_has_joined(
    pool: PoolWish | None, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    wishes = Wishes("a", "b", pool=OF_THE_SET_UP)
    assert differing({"pool": pool}, wishes, BOUND_TO) == before
    assert differing({"pool": pool}, wishes) == after
    assert differing({"hostname": "xen1"}, wishes) == ("hostname",)


TEXT = st.text(max_size=8)
WISHES = st.builds(
    Wishes,
    installation_uuid=TEXT,
    control_domain_uuid=TEXT,
    management_interface=TEXT,
    network_backend=st.sampled_from(BridgeKind),
    dom0_memory_mib=st.integers(),
    confirm=st.sampled_from(Confirm),
    ntp_servers=st.lists(TEXT, max_size=3).map(tuple),
    open_firewall=st.booleans(),
    storage=st.none() | st.builds(StorageWish, st.sampled_from(StorageType), TEXT, TEXT),
    iso_library=st.none() | st.builds(IsoWish, st.sampled_from(IsoType), TEXT, TEXT),
    pool=st.none() | st.builds(PoolWish, TEXT, TEXT, TEXT, TEXT),
)


@given(WISHES)
def test_records_hold_all_of_it(wishes: Wishes) -> None:
    assert wishes_from_record(json.loads(json.dumps(wishes_to_record(wishes)))) == wishes


def test_wishes_of_a_former_version_are_read() -> None:
    wishes = Wishes("a", "b", storage=StorageWish(StorageType.NFS, "nas:/srv", "nas"), pool=PoolWish("xen0"))
    record = wishes_to_record(wishes)
    del record["pool"]["fingerprint"]
    for name in ("username", "password_file"):
        del record["storage"][name]
    assert wishes_from_record(record) == wishes
    del record["storage"]["location"]
    with pytest.raises(TypeError):
        wishes_from_record(record)


@pytest.mark.parametrize(
    "other",
    [
        {"dom0_vcpus": "2"},
        {"dom0_vcpus": True},
        {"confirm": "nobody"},
        {"ntp_servers": "ntp"},
        {"storage": {"type": "lvm"}},
        {"storage": "lvm"},
        {"more": 1},
    ],
)
def test_other_records_are_refused(other: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        wishes_from_record(wishes_to_record(Wishes("a", "b")) | other)


def test_the_manual_names_every_option() -> None:
    manual = (HERE.parents[2] / "packaging/man/xapi-host-setup.8").read_text().replace("\\-", "-")
    (commands,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    actions = [action for sub in commands.choices.values() for action in sub._actions]
    options = {
        word for action in actions if action.help != argparse.SUPPRESS for word in action.option_strings
    }
    said = {*re.findall(r"--[a-z0-9-]*[a-z0-9]", manual)}
    known = {option for option in options if option.startswith("--")} - {"--firewall"}
    assert known <= said, known - said
    assert {word for word in commands.choices if not re.search(rf"\b{word}\b", manual)} == set()
