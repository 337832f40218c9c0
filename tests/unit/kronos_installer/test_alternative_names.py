"""The other names of an interface, as udev gave them, and what matches by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from installer_kit import make_host, put

from kronos_installer.detect.nics import Nic, NicKind, read_nics
from kronos_installer.network.networkd.match import Answer, matches
from kronos_installer.network.networkd.unit_text import parse_unit
from kronos_installer.network.networkd.units import Unit

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

LINK = "/usr/lib/systemd/network/99-default.link"
UDEV = f"""I:1
E:ID_NET_NAME_PATH=enp0s3
E:ID_NET_NAME_SLOT=ens3
E:ID_NET_NAME_MAC=enx525400123456
E:ID_NET_LINK_FILE={LINK}
"""


@pytest.fixture
def host(tmp_path: Path) -> Host:
    host = make_host(tmp_path)
    put(host, "/sys/class/net/enp0s3/ifindex", "2\n")
    put(host, "/run/udev/data/n2", UDEV)
    return host


def names(host: Host) -> tuple[str, ...]:
    return next(nic.alternatives for nic in read_nics(host) if nic.name == "enp0s3")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[Link]\nAlternativeNamesPolicy=database onboard slot path\n", ("ens3",)),
        ("[Link]\nAlternativeNamesPolicy=mac slot\n", ("enx525400123456", "ens3")),
        ("[Link]\nAlternativeNamesPolicy=slot\nAlternativeNamesPolicy=\n", ()),
        ("[Link]\nAlternativeName=wan uplink\nAlternativeName=enp0s3\n", ("wan", "uplink")),
        ("[Link]\n# AlternativeName=wan\nNamePolicy=slot path\n", ()),
        ("[Match]\nAlternativeName=wan\n", ()),
        ("AlternativeName=wan\n[Link\n", ()),
        ("[Link]\nAlternativeName=%b ok\n", ("ok",)),
    ],
)
def test_the_link_file_says_which(host: Host, text: str, found: tuple[str, ...]) -> None:
    put(host, LINK, text)
    assert names(host) == found


def test_drop_ins_add_to_it(host: Host) -> None:
    put(host, LINK, "[Link]\nAlternativeNamesPolicy=slot\n")
    put(host, "/etc/systemd/network/99-default.link.d/10-more.conf", "[Link]\nAlternativeName=wan\n")
    assert names(host) == ("wan", "ens3")


def test_without_udevs_database_there_are_none(tmp_path: Path) -> None:
    assert names(make_host(tmp_path)) == ()


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ("ens3", Answer.YES),
        ("ens*", Answer.YES),
        ("ens4", Answer.NO),
        ("!enp*", Answer.YES),
        ("!en*", Answer.NO),
    ],
)
def test_name_matches_any_of_them(condition: str, answer: Answer) -> None:
    nic = Nic("enp0s3", "52:54:00:12:34:56", NicKind.ETHERNET, alternatives=("ens3",))
    unit = Unit("a.network", "/a.network", parse_unit("/a.network", f"[Match]\nName={condition}\n"), ())
    assert matches(unit, nic) is answer
