"""interfaces(5): nothing is lost in parsing, and a moved configuration says of the bridge what it said of the NIC."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronos_installer.detect.nics import Nic, NicKind
from kronos_installer.network.ifupdown.bridge_stanza import bridge_options
from kronos_installer.network.ifupdown.config import IfupdownConfig
from kronos_installer.network.ifupdown.management import stanzas_of
from kronos_installer.network.ifupdown.text import Keyword, parse_interfaces, split_lines
from kronos_installer.network.stack import BRIDGE, BridgeKind
from kronos_installer.problem import ProblemError

NIC = Nic("eth0", "52:54:00:00:00:01", NicKind.ETHERNET)
WORDS = ["auto", "iface", "eth0", "eth1", "inet", "inet6", "dhcp", "static", "address", "192.0.2.1/24", "#", "\\",
         "allow-hotplug", "mapping", "source", "gateway", "no-scripts", "lo", "up", "rename"]  # fmt: skip
BLANKS = st.sampled_from([" ", "\t", "  ", "\n", "\n\n", "\\\n", " \\\n\t", "\r\n", "\v"])
NEARLY = st.lists(st.tuples(st.sampled_from(WORDS), BLANKS), max_size=40).map(
    lambda x: "".join(map("".join, x))
)
ANYTHING = st.binary(max_size=200).map(lambda data: data.decode("latin-1"))


@given(st.one_of(NEARLY, ANYTHING))
def test_lines_join_to_the_text(text: str) -> None:
    assert "".join(line.raw for line in split_lines(text)) == text


@given(st.one_of(NEARLY, ANYTHING))
def test_parsed_text_renders_to_the_byte(text: str) -> None:
    try:
        parsed = parse_interfaces("/etc/network/interfaces", text)
    except ProblemError as error:
        path, _, line = error.problem.diagnosis.rpartition(":")
        assert path == "/etc/network/interfaces"
        assert 1 <= int(line) <= text.count("\n") + 1
    else:
        assert parsed.render() == text


OPTIONS = st.sampled_from(
    [
        "address 192.0.2.1/24",
        "gateway 192.0.2.254",
        "dns-nameservers 192.0.2.53",
        "mtu 9000",
        "up logger $IFACE up",
        "# a comment",
        "",
        "netmask 255.255.255.0",
        "address \\\n 192.0.2.7",
    ]
)
INDENTS = st.sampled_from(["\t", "  ", "    ", ""])


@st.composite
def configurations(draw) -> str:
    start = draw(st.sampled_from(["auto eth0\n", "allow-hotplug eth0\n", "auto lo eth0\n", "auto eth0 eth1\n",
                                  "allow-hotplug eth0 eth1\nauto eth0\n", "allow-auto eth0\n"]))  # fmt: skip
    stanzas = []
    for method in draw(st.lists(st.sampled_from(["inet static", "inet6 static"]), min_size=1, max_size=3)):
        indent = draw(INDENTS)
        options = draw(st.lists(OPTIONS, max_size=5))
        stanzas.append(f"iface eth0 {method}\n" + "".join(f"{indent}{option}\n" for option in options))
    other = draw(
        st.sampled_from(
            ["", "iface lo inet loopback\n", "# the end\n", "iface eth1 inet manual\n\tup true\n"]
        )
    )
    text = draw(st.sampled_from([start + "".join(stanzas) + other, other + "".join(stanzas) + start]))
    return text.removesuffix("\n") if draw(st.booleans()) else text


@given(configurations())
def test_bridge_gets_all_that_the_nic_had_and_nothing_else_changes(text: str) -> None:
    parsed = parse_interfaces("/i", text)
    config = IfupdownConfig((parsed,), parsed.statements, {})
    management, problems = config.find_management([NIC])
    assert problems == ()
    assert management is not None
    (content,) = config.move_to_bridge(management, BridgeKind.LINUX).files.values()
    assert content is not None
    new_text = content.decode("latin-1")
    new = parse_interfaces("/i", new_text)
    old_stanzas = stanzas_of(parsed.statements, "eth0")
    bridge = [s for s in new.statements if s.keyword is Keyword.IFACE and s.words[0] == BRIDGE]
    assert [s.words[1:] for s in bridge] == [s.words[1:] for s in old_stanzas]
    # bridge-utils gives the port the first stanza's MTU; that of a later one is said in the port's own.
    has_mtu = ["mtu" in {o.name for o in s.options} for s in old_stanzas]
    starts_port = any(has_mtu) and not has_mtu[0]
    added = [
        tuple(option.split(" ", 1))
        for option in bridge_options("eth0", NIC.mac, BridgeKind.LINUX, starts_port=starts_port)
    ]
    options = [[(o.name, o.value) for o in s.options] for s in bridge]
    assert options[0][: len(added)] == added
    assert [options[0][len(added) :], *options[1:]] == [
        [(o.name, o.value) for o in s.options] for s in old_stanzas
    ]
    started = [name for s in new.statements if s.keyword in (Keyword.AUTO, Keyword.ALLOW) for name in s.names]
    assert started.count(BRIDGE) == 1
    assert ("eth0" in started) is starts_port
    kept = [line for line in text.splitlines() if "eth0" not in line]
    remaining = iter(new_text.splitlines())
    assert all(line in remaining for line in kept)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("address 1\n", 1),
        ("# c \\\nauto lo\naddress x\n", 3),
        ("iface\n", 1),
        ("auto a\\\nb\nx y\n", 3),
        ("a\0", 1),
    ],
)
def test_what_ifupdown_rejects_is_refused_by_line(text: str, line: int) -> None:
    with pytest.raises(ProblemError) as refusal:
        parse_interfaces("/i", text)
    assert refusal.value.problem.diagnosis == f"/i:{line}"


def test_comments_do_not_continue_but_lines_swallow_them() -> None:
    parsed = parse_interfaces("/i", "# x \\\nauto lo \\\n# eth0\n")
    assert parsed.statements[0].words == ("lo", "#", "eth0")


def test_auto_without_names_speaks_of_its_stanza() -> None:
    parsed = parse_interfaces("/i", "iface eth0 inet dhcp\n auto\n mtu 1400\n")
    assert parsed.statements[1].names == ("eth0",)
    assert parsed.statements[0].option("mtu") == "1400"
