"""Which interface is the host's management interface, and may it be put below a bridge? Pure.

Everything that is not known to mean the same on a bridge is refused, with file and line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.detect.nics import NicKind
from kronos_installer.detect.owners import names_interface
from kronos_installer.network.ifupdown.hooks import hook_place
from kronos_installer.network.ifupdown.layers import Layers, layers_of
from kronos_installer.network.ifupdown.options import (
    CARRIED,
    HOOKS,
    normal,
    parse_hwaddress,
    speaks_of_port,
)
from kronos_installer.network.ifupdown.port_options import disagreements
from kronos_installer.network.ifupdown.text import Keyword
from kronos_installer.network.stack import BRIDGE, AddressType, Management, StackName
from kronos_installer.problem import Level, Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.detect.nics import Nic
    from kronos_installer.network.ifupdown.text import InterfacesText, Option, Statement

_PATTERN = re.compile(r"[*?\[\]/=]")
# What a bridge has not, or would have for itself alone: its port kept what it has.
_HARDWARE = re.compile(
    r"\b(ethtool|mii-tool|ifenslave|iwconfig|wpa_\w+|brctl\s+addif|ip\s+link\b.*\b(mtu|address|txqueuelen|vf|master|xdp)"
    r"|ifconfig\b.*\b(mtu|hw|txqueuelen))\b|/sys/class/net/"
)
_MAKES_INTERFACES = re.compile(r"\b(modprobe\s.*(bonding|8021q)|ifenslave|vconfig|ip\s+link|ifup)\b")


def stanzas_of(statements: Sequence[Statement], interface: str) -> tuple[Statement, ...]:
    """Return the interface's `iface` stanzas in ifupdown's order."""
    return tuple(s for s in statements if s.keyword is Keyword.IFACE and s.words[0] == interface)


def _address_type(stanzas: Sequence[Statement]) -> AddressType:
    """Return the inventory's word: IPv4 where the interface has any, else IPv6."""
    has_ipv4 = any(_method(s) in (("inet", "dhcp"), ("inet", "static")) for s in stanzas)
    return AddressType.IPV4 if has_ipv4 else AddressType.IPV6


def _uses_dhcp(stanzas: Sequence[Statement]) -> bool:
    return any(s.words[2] == "dhcp" or s.option("dhcp") == "1" for s in stanzas)


def _method(stanza: Statement) -> tuple[str, str]:
    return (stanza.words[1], stanza.words[2]) if len(stanza.words) >= 3 else ("", "")


def _refused(id_: str, title: str, at: str, remedy: str, description: str = "") -> Problem:
    return Problem(Level.ERROR, id_, title, description, at, remedy)


def find_management(
    texts: Sequence[InterfacesText], statements: Sequence[Statement], nics: Sequence[Nic], wished: str = ""
) -> tuple[Management | None, tuple[Problem, ...]]:
    """Return the management interface, None when it is not to be told, and all that forbids moving it."""
    problems = list(_general(statements))
    name, unclear = _choose(statements, wished)
    problems += unclear
    if not name or problems:
        return None, tuple(problems)
    stanzas = stanzas_of(statements, name)
    nic = next((nic for nic in nics if nic.name == name), None)
    problems += _hardware(name, nic, stanzas)
    for stanza in stanzas:
        problems += _stanza(stanza, name)
    problems += disagreements(stanzas, nic.kind if nic else NicKind.VIRTUAL)
    problems += _others(statements, name)
    problems += [
        _refused("bridge-exists", f"there is an interface {BRIDGE} already", s.at, "rename or remove it")
        for s in statements
        if s.keyword is Keyword.IFACE and s.words[0] == BRIDGE
    ]
    problems += _cloud_init(texts, stanzas)
    layers = Layers((name,))
    try:
        layers = layers_of(statements, nics, nic) if nic else layers
    except ProblemError as error:
        problems.append(error.problem)
    management = Management(
        stack=StackName.IFUPDOWN,
        interface=name,
        kind=nic.kind if nic else NicKind.VIRTUAL,
        mac=_mac(stanzas, nic.mac if nic else ""),
        ports=layers.ports,
        address_type=_address_type(stanzas),
        uses_dhcp=_uses_dhcp(stanzas),
        at=stanzas[0].at,
        bond=layers.bond,
        vlan=layers.vlan,
    )
    return management, tuple(problems)


def _mac(stanzas: Sequence[Statement], running: str) -> str:
    """Return the Ethernet address that the interface has after a boot."""
    wanted = [o.value for s in stanzas for o in s.options if normal(o.name) == "hwaddress"]
    return parse_hwaddress(wanted[-1]) if wanted else running


def _cloud_init(texts: Sequence[InterfacesText], stanzas: Sequence[Statement]) -> Iterator[Problem]:
    for text in texts:
        comments = "".join(line.raw for line in text.lines if not line.text)
        if "cloud-init" in comments and any(s.path == text.path for s in stanzas):
            yield _refused("cloud-init-network", "cloud-init writes this file anew at every boot", f"{text.path}:1",
                           "write 'network: {config: disabled}' to /etc/cloud/cloud.cfg.d/99-network.cfg and remove "
                           "the comment that names cloud-init")  # fmt: skip


def _general(statements: Sequence[Statement]) -> Iterator[Problem]:
    """Yield what makes any interface's configuration depend on more than its own stanzas."""
    for statement in statements:
        if statement.keyword in (Keyword.MAPPING, Keyword.RENAME):
            yield _refused(f"interfaces-{statement.keyword}", f"{statement.first!r} stanzas are not supported",
                           statement.at, "write the interface's stanza under its own name")  # fmt: skip
        names = statement.words[:1] if statement.keyword is Keyword.IFACE else statement.names
        speaks_of = (Keyword.IFACE, Keyword.AUTO, Keyword.ALLOW, Keyword.NO_AUTO_DOWN, Keyword.NO_SCRIPTS)
        for name in names if statement.keyword in speaks_of else ():
            if _PATTERN.search(name):
                yield _refused("interfaces-pattern", f"the interface pattern {name!r} is not supported",
                               statement.at, "name each interface")  # fmt: skip
        if statement.keyword is Keyword.IFACE and _method(statement) == ("", ""):
            yield _refused("interfaces-inherits", "an iface stanza without family and method is not supported",
                           statement.at, "write out what it inherits")  # fmt: skip


def _choose(statements: Sequence[Statement], wished: str) -> tuple[str, list[Problem]]:
    """Return the interface that is brought up at boot with an address of its own."""
    started = {
        n for s in statements if s.keyword is Keyword.AUTO or s.first == "allow-hotplug" for n in s.names
    }
    started |= {n for s in statements if s.first == "allow-auto" for n in s.names}
    stanzas = [
        s
        for s in statements
        if s.keyword is Keyword.IFACE and s.words[0] != "lo" and "loopback" not in s.words
    ]
    addressed = [s for s in stanzas if _method(s)[1] != "manual"]
    candidates = [s for s in addressed if not wished or s.words[0] == wished]
    names = list(dict.fromkeys(s.words[0] for s in candidates))
    where = ", ".join(s.at for s in candidates or stanzas) or "/etc/network/interfaces:1"
    if not names:
        return "", [_refused("management-unknown", f"ifupdown configures no interface {wished}".rstrip(), where,
                             "set-up supports hosts whose management interface ifupdown configures")]  # fmt: skip
    if len(names) > 1:
        return "", [_refused("management-ambiguous", f"several interfaces have addresses: {', '.join(names)}", where,
                             "say which is the management interface: --management-interface NAME")]  # fmt: skip
    if names[0] not in started:
        return "", [_refused("management-not-started", f"{names[0]} is not brought up at boot", where,
                             f"add 'auto {names[0]}'")]  # fmt: skip
    return names[0], []


def _hardware(name: str, nic: Nic | None, stanzas: Sequence[Statement]) -> Iterator[Problem]:
    at = stanzas[0].at
    if nic is None:
        yield _refused(
            "nic-missing", f"this host has no interface {name}", at, "correct the name, or plug it in"
        )
    elif nic.kind not in (NicKind.ETHERNET, NicKind.BOND, NicKind.VLAN):
        yield _refused("nic-kind", f"{name} is a {nic.kind} interface: it cannot be put below the management bridge",
                       at, "give the addresses to an Ethernet interface, a bond or a VLAN")  # fmt: skip
    elif nic.master:
        yield _refused(
            "nic-enslaved", f"{name} is a member of a {nic.master} already", at, "take it out first"
        )


def _stanza(stanza: Statement, nic: str) -> Iterator[Problem]:
    carried = CARRIED.get(_method(stanza))
    if carried is None or len(stanza.words) > 3:
        yield _refused("interfaces-method", f"the method {' '.join(stanza.words[1:])!r} is not supported", stanza.at,
                       "only inet dhcp/static and inet6 auto/static/dhcp are")  # fmt: skip
        return
    for option in stanza.options:
        at = f"{stanza.path}:{option.line}"
        if option.name in HOOKS:
            yield from _hook(option, nic, at)
        elif normal(option.name) == "hwaddress" and not parse_hwaddress(option.value):
            yield _refused("interfaces-option", f"the Ethernet address {option.value!r} is not known before a boot", at,
                           "write the address itself")  # fmt: skip
        elif speaks_of_port(option.name):
            continue
        elif option.name not in carried:
            yield _refused("interfaces-option", f"the option {option.name!r} is not known to mean the same on a bridge",
                           at, "remove it, or set it in another way")  # fmt: skip
        elif option.name != "description" and names_interface(option.value, nic):
            yield _refused(
                "interfaces-option", f"the option {option.name!r} names {nic}", at, "leave the name out"
            )


def _hook(option: Option, nic: str, at: str) -> Iterator[Problem]:
    if hook_place(option.value, nic) is not None:
        return
    by_variable = "IFACE" in option.value or "LOGICAL" in option.value
    if names_interface(option.value, nic):
        yield _refused("interfaces-hook", f"the {option.name!r} command names {nic}, which will have no addresses", at,
                       "write $IFACE instead if the command means the interface with the addresses")  # fmt: skip
    elif by_variable and option.name == "pre-up":
        yield _refused("interfaces-hook", "a 'pre-up' command that uses $IFACE runs before the bridge exists", at,
                       "make it an 'up' command")  # fmt: skip
    elif option.name == "pre-up" and _MAKES_INTERFACES.search(option.value):
        yield _refused("interfaces-hook", f"the 'pre-up' command makes what {nic} stands on", at,
                       "say it by the options of ifenslave or vlan-interfaces(5), or in a stanza of its own")  # fmt: skip
    elif by_variable and _HARDWARE.search(option.value):
        yield _refused("interfaces-hook", f"the {option.name!r} command sets hardware of $IFACE, which will be a bridge",
                       at, f"move it to a udev rule or systemd.link(5) of {nic}")  # fmt: skip


def _others(statements: Sequence[Statement], nic: str) -> Iterator[Problem]:
    """Yield what else in the configuration stands on the interface: VLANs, bonds, bridges, aliases."""
    for statement in statements:
        if statement.keyword is Keyword.NO_SCRIPTS and nic in statement.names:
            yield _refused("interfaces-no-scripts", f"{nic} is brought up without scripts, a bridge needs them",
                           statement.at, "remove the no-scripts statement")  # fmt: skip
        if statement.keyword is Keyword.ALLOW and statement.first not in ("allow-auto", "allow-hotplug"):
            if nic in statement.names:
                yield _refused("interfaces-allow", f"{nic} is in the class {statement.first!r}", statement.at,
                               "remove it from there")  # fmt: skip
            continue
        if statement.keyword is not Keyword.IFACE or statement.words[0] == nic:
            continue
        if re.match(rf"{re.escape(nic)}[.:]", statement.words[0]):
            yield _refused("interfaces-stacked", f"{statement.words[0]} stands on {nic}", statement.at,
                           "VLANs and aliases on the management interface are not supported so far")  # fmt: skip
        for option in statement.options:
            if normal(option.name) not in ("bond-master", "description") and names_interface(
                option.value, nic
            ):
                yield _refused("interfaces-stacked", f"{option.name!r} of {statement.words[0]} names {nic}",
                               f"{statement.path}:{option.line}", f"{nic} must be used by nothing else")  # fmt: skip
