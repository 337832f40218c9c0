"""Whatever the interface's stanzas said of its addresses the bridge's say afterwards, and the port keeps the rest."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from kronos_installer.detect.nics import Nic, NicKind
from kronos_installer.network.ifupdown.config import IfupdownConfig
from kronos_installer.network.ifupdown.management import stanzas_of
from kronos_installer.network.ifupdown.options import speaks_of_port
from kronos_installer.network.ifupdown.text import Keyword, parse_interfaces
from kronos_installer.network.openvswitch import DEFAULTS
from kronos_installer.network.stack import BRIDGE, BridgeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kronos_installer.network.ifupdown.text import Statement

MAC = "52:54:00:00:00:01"
# The management interface of each kind, what its stanza must say, and what else the configuration says then.
BOND = "auto bond0\niface bond0 inet manual\n\tbond-slaves eth0 eth1\n\tbond-mode 1\n"
KINDS = {
    "eth0": (NicKind.ETHERNET, (), ""),
    "bond0": (NicKind.BOND, ("bond-slaves eth0 eth1", "bond-mode 802.3ad"), ""),
    "eth0.5": (NicKind.VLAN, (), ""),
    "vlan5": (NicKind.VLAN, ("vlan-raw-device eth0",), "auto eth0\niface eth0 inet manual\n"),
    "bond0.7": (NicKind.VLAN, ("vlan-raw-device bond0",), BOND),
}
NICS = [
    Nic("eth0", MAC, NicKind.ETHERNET),
    Nic("eth1", "52:54:00:00:00:02", NicKind.ETHERNET),
    *(Nic(name, MAC, kind) for name, (kind, _, _) in KINDS.items() if kind is not NicKind.ETHERNET),
]
OF_ADDRESSES = ("address 192.0.2.1/24", "gateway 192.0.2.254", "dns-nameservers 192.0.2.53", "mtu 9000", "metric 7",
                "up ip route add 198.51.100.0/24 via 192.0.2.9 dev $IFACE", "post-down logger $IFACE")  # fmt: skip
OF_PORT = ("ethernet-wol g", "hwaddress 02:00:00:00:00:07", "link-speed 1000", "offload-tso off")
METHODS = ("inet static", "inet6 static")


@st.composite
def configurations(draw) -> tuple[str, list[str]]:
    """Draw the management interface and the texts of a configuration's files, the main file first."""
    name = draw(st.sampled_from(sorted(KINDS)))
    _, needed, others = KINDS[name]
    stanzas = []
    for number in range(draw(st.integers(1, 3))):
        said = draw(st.lists(st.sampled_from(OF_ADDRESSES + OF_PORT), max_size=6))
        options = draw(st.permutations([*said, *(needed if number == 0 else ())]))
        indent = draw(st.sampled_from(["\t", "    ", ""]))
        lines = [
            f"iface {name} {draw(st.sampled_from(METHODS))}",
            *(f"{indent}{option}" for option in options),
        ]
        stanzas.append("\n".join(lines) + draw(st.sampled_from(["\n", "\n\n", "\n# the end\n"])))
    start = draw(st.sampled_from([f"auto {name}\n", f"allow-hotplug {name}\n", f"auto lo {name}\n",
                                  f"allow-hotplug eth1 {name}\nauto {name}\n"]))  # fmt: skip
    inline = draw(st.booleans())
    if inline:
        stanzas[0] += "\tauto\n"
        start = ""
    if draw(st.booleans()):
        return name, [others + start + "source-directory interfaces.d\n", *stanzas]
    return name, [others + "".join(draw(st.permutations([start, *stanzas])))]


def moved(texts: Sequence[str], name: str, bridge: BridgeKind) -> tuple[list[Statement], list[Statement]]:
    """Return the statements before and after."""
    parsed = [parse_interfaces(f"/etc/network/{number}", text) for number, text in enumerate(texts)]
    before = [statement for text in parsed for statement in text.statements]
    originals = dict.fromkeys([DEFAULTS, *(text.path for text in parsed)])
    config = IfupdownConfig(tuple(parsed), tuple(before), originals)
    management, problems = config.find_management(NICS, name)
    assert problems == ()
    assert management is not None
    files = config.move_to_bridge(management, bridge).files
    after = [files.get(text.path, text.render().encode()) for text in parsed]
    new = [parse_interfaces("/i", (content or b"").decode("latin-1")).statements for content in after]
    return before, [statement for statements in new for statement in statements]


def said(stanzas: Sequence[Statement]) -> Counter[tuple[str, ...]]:
    return Counter((*s.words[1:], o.name, o.value) for s in stanzas for o in s.options)


@given(configurations(), st.sampled_from(BridgeKind))
def test_bridge_says_all_that_the_interface_said_of_its_addresses(drawn, bridge: BridgeKind) -> None:
    name, texts = drawn
    before, after = moved(texts, name, bridge)
    old, new, port = stanzas_of(before, name), stanzas_of(after, BRIDGE), stanzas_of(after, name)
    assert [s.words[1:] for s in new] == [s.words[1:] for s in old]
    of_addresses = Counter({what: n for what, n in said(old).items() if not speaks_of_port(what[-2])})
    of_bridge = said(new) - of_addresses
    assert of_addresses + of_bridge == said(new)
    starts_port = any(s.keyword is Keyword.AUTO and name in s.names for s in after)
    flushes = {f"ip -6 {what} flush dev {name} || true" for what in ("address", "route")}
    assert {what[-1] for what in of_bridge if what[-2] == "up"} == (flushes if starts_port else set())
    assert {what[-2].split("_")[0] for what in of_bridge if what[-2] != "up"} == {
        "bridge" if bridge is BridgeKind.LINUX else "ovs"
    }
    assert [s.words[1:] for s in port] == [("inet", "manual")]
    kept = {(o.name, o.value) for s in old for o in s.options if speaks_of_port(o.name)}
    assert {(o.name, o.value) for o in port[0].options} - kept <= {("mtu", "9000")}
    assert kept <= {(o.name, o.value) for o in port[0].options}


@given(configurations(), st.sampled_from(BridgeKind))
def test_port_is_made_before_the_bridge_and_the_rest_is_as_it_was(drawn, bridge: BridgeKind) -> None:
    name, texts = drawn
    before, after = moved(texts, name, bridge)
    started = [n for s in after if s.keyword is Keyword.AUTO for n in s.names]
    assert started.count(BRIDGE) == 1
    kind = KINDS[name][0]
    if kind is not NicKind.ETHERNET or bridge is BridgeKind.OPENVSWITCH or stanzas_of(after, name)[0].options:
        assert started.count(name) == 1
        assert started.index(name) < started.index(BRIDGE)
    else:
        assert name not in started
    others = {s.words[0] for s in before if s.keyword is Keyword.IFACE} - {name}
    assert {s.words[0] for s in after if s.keyword is Keyword.IFACE} == others | {name, BRIDGE}
    for other in others:
        assert said(stanzas_of(after, other)) == said(stanzas_of(before, other))
    names = {n for s in before if s.keyword in (Keyword.AUTO, Keyword.ALLOW) for n in s.names} - {name}
    assert names <= {n for s in after if s.keyword in (Keyword.AUTO, Keyword.ALLOW) for n in s.names}
