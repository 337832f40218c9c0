"""What a host is known by in its network: DHCP's identifiers, IPv6 interface identifiers, metrics. Pure.

NetworkManager derives several of them from the interface's name, type or profile, which the move to a bridge changes.
They are written out, so that servers and routers see the same client (nm-settings(5); NetworkManager's nm-device.c).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.network.findings import error, warning
from kronos_installer.network.iaid import interface_iaid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.network.network_manager.keyfile import KeyFile
    from kronos_installer.network.network_manager.settings import Settings
    from kronos_installer.network.network_manager.specs import Device
    from kronos_installer.problem import Problem

# NetworkManager's route metrics by type of interface; a bridge's would be 425.
_METRICS = {"ethernet": 100, "bond": 300, "vlan": 400}
_PERMANENT, _TEMPORARY = 0x80, 0x01
_GLOBAL_SCOPE = 0
_IID_BITS = 64
_EUI64 = ("eui64", "0")
# Those that are hashed from the profile's uuid unless it has a stable-id.
_STABLE = ("stable", "stable-ll", "stable-llt", "stable-uuid")


@dataclass(frozen=True)
class InetAddress:
    """A line of /proc/net/if_inet6: an IPv6 address that the kernel has now."""

    interface: str
    address: int
    prefix: int
    scope: int
    flags: int

    @property
    def interface_identifier(self) -> int:
        """The address' low 64 bits."""
        return self.address & ((1 << _IID_BITS) - 1)

    @property
    def autoconfigured(self) -> bool:
        """Whether it came by SLAAC: public, with a lifetime, of a /64, and not a temporary one."""
        return (
            self.scope == _GLOBAL_SCOPE
            and self.prefix == _IID_BITS
            and not self.flags & (_PERMANENT | _TEMPORARY)
        )


def parse_if_inet6(text: str) -> tuple[InetAddress, ...]:
    """Parse /proc/net/if_inet6 (proc(5)): address, index, prefix, scope and flags in hexadecimal, name."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) == 6:
            address, _, prefix, scope, flags = (int(word, 16) for word in words[:5])
            found.append(InetAddress(words[5], address, prefix, scope, flags))
    return tuple(found)


@dataclass(frozen=True)
class Identity:
    """What to write to the bridge's ipv4 and ipv6 groups in place of what is there, and what is not the same."""

    ipv4: dict[str, str]
    ipv6: dict[str, str]
    problems: tuple[Problem, ...]


def keep_identity(
    file: KeyFile, device: Device, settings: Settings, addresses: Sequence[InetAddress]
) -> Identity:
    """Return what keeps the identity of `device`, whose profile's `file` this is."""
    values = _Values(file, device, settings)
    ipv4 = dict(_ipv4(values)) if values.method("ipv4") == "auto" else {}
    ipv6 = dict(_dhcpv6(values)) if values.method("ipv6") in ("auto", "dhcp") else {}
    problems = list(values.problems())
    if values.method("ipv6") == "auto":
        token, unknown = _interface_identifier(values, addresses)
        ipv6 |= token
        problems += unknown
    ipv4 |= _metric(values, "ipv4")
    ipv6 |= _metric(values, "ipv6")
    ipv4 = {key: value for key, value in ipv4.items() if values.own("ipv4", key) != value}
    ipv6 = {key: value for key, value in ipv6.items() if values.own("ipv6", key) != value}
    return Identity(ipv4, ipv6, tuple(problems))


@dataclass(frozen=True)
class _Values:
    """The effective values of a profile: its own, else the defaults of NetworkManager.conf(5)."""

    file: KeyFile
    device: Device
    settings: Settings

    def method(self, group: str) -> str:
        return self.own(group, "method")

    def own(self, group: str, key: str) -> str:
        return self.file.value(group, key)

    def get(self, group: str, key: str) -> str:
        if own := self.own(group, key):
            return own
        default, _ = self.settings.default(f"{group}.{key}", self.device)
        return default.text if default else ""

    def at(self, group: str, key: str) -> str:
        own = self.file.get(group, key)
        default, _ = self.settings.default(f"{group}.{key}", self.device)
        return own.at if own else default.at if default else self.file.group_at(group)

    def problems(self) -> Iterator[Problem]:
        """Yield what of the identity cannot be carried over."""
        for group, key in _DERIVED:
            default, certain = self.settings.default(f"{group}.{key}", self.device)
            if default and not certain and not self.file.get(group, key):
                yield error("nm-default", f"cannot tell whether the default of {group}.{key} is the interface's",
                            default.at, "write the setting into the connection itself")  # fmt: skip
            value = self.get(group, key)
            if (
                self.method(group) in ("auto", "dhcp")
                and value in _STABLE
                and not self._has_plain_stable_id()
            ):
                yield error("nm-identity", f"{group}.{key}={value} is made from the profile's uuid, the bridge has "
                            "another", self.at(group, key), "give the connection a stable-id, or write the "
                            "identifier itself")  # fmt: skip
            if key == "dhcp-iaid" and value in ("stable", "perm-mac"):
                yield error("nm-identity", f"{group}.{key}={value} is made from what a bridge does not have",
                            self.at(group, key), "write the number itself, or 'mac'")  # fmt: skip

    def _has_plain_stable_id(self) -> bool:
        stable_id = self.get("connection", "stable-id")
        return bool(stable_id) and "$" not in stable_id and stable_id != "default"


_DERIVED = (
    ("ipv4", "dhcp-client-id"), ("ipv4", "dhcp-iaid"), ("ipv6", "dhcp-iaid"), ("ipv6", "dhcp-duid"),
    ("ipv6", "addr-gen-mode"), ("connection", "stable-id"),
)  # fmt: skip


def _ipv4(values: _Values) -> Iterator[tuple[str, str]]:
    client_id = values.get("ipv4", "dhcp-client-id")
    # Without any the internal client takes the Ethernet address, which the bridge has from the NIC.
    yield "dhcp-client-id", client_id if client_id not in ("", "perm-mac") else "mac"
    if client_id in ("duid", "ipv6-duid"):
        iaid = values.get("ipv4", "dhcp-iaid")
        if client_id == "ipv6-duid" and not iaid:
            iaid = values.get("ipv6", "dhcp-iaid")
        yield "dhcp-iaid", _iaid(iaid, values.device.name)


def _dhcpv6(values: _Values) -> Iterator[tuple[str, str]]:
    yield "dhcp-iaid", _iaid(values.get("ipv6", "dhcp-iaid"), values.device.name)
    if duid := values.get("ipv6", "dhcp-duid"):
        yield "dhcp-duid", duid


def _iaid(written: str, interface: str) -> str:
    return written if written not in ("", "ifname") else str(interface_iaid(interface))


def _metric(values: _Values, group: str) -> dict[str, str]:
    has_routes = values.method(group) not in ("", "disabled", "ignore", "link-local")
    if not has_routes or values.get(group, "route-metric") not in ("", "-1"):
        return {}
    return {"route-metric": str(_METRICS[values.device.type])}


def _interface_identifier(
    values: _Values, addresses: Sequence[InetAddress]
) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Return what makes the SLAAC address come out as it is now.

    `stable-privacy` hashes the interface's name in: no setting brings the same address on a bridge but a token, which
    is the same for every prefix. So it is kept where the interface has one such address now.
    """
    mode = values.get("ipv6", "addr-gen-mode")
    if mode in _EUI64:
        return {"addr-gen-mode": "eui64"}, ()
    found = {
        a.interface_identifier for a in addresses if a.interface == values.device.name and a.autoconfigured
    }
    if found == {eui64(values.device.mac)}:
        return {"addr-gen-mode": "eui64"}, ()
    if len(found) == 1:
        token = ipaddress.IPv6Address(found.pop())
        return {"addr-gen-mode": "eui64", "token": str(token)}, ()
    if addresses and not found:  # there is nothing to keep
        return {}, ()
    title = "the IPv6 address that routers' prefixes give will be another"
    why = "It is made from the interface's name, and the bridge has another; " + (
        "the interface has several such addresses." if found else "which it is now is not known."
    )
    return {}, (warning("ipv6-address-changes", title, values.at("ipv6", "addr-gen-mode"),
                        "set ipv6.addr-gen-mode=eui64 beforehand to see which one it would be then", why),)  # fmt: skip


def eui64(mac: str) -> int:
    """Return the interface identifier of an Ethernet address (RFC 4291, appendix A)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    return int.from_bytes(bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:], "big")
