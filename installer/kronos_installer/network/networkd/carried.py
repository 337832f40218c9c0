"""What of a .network unit goes to the bridge, what stays with its port: every key that is known, no other.

systemd.network(5) of version 252 to 257.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from kronos_installer.network.networkd.unit_text import parse_boolean

if TYPE_CHECKING:
    from kronos_installer.network.networkd.unit_text import Section, Setting


class Place(Enum):
    """Where a setting belongs afterwards."""

    BRIDGE = "bridge"
    PORT = "port"
    BOTH = "both"
    NOWHERE = "nowhere"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LINK = {
    "MACAddress": Place.PORT, "Multicast": Place.PORT, "AllMulticast": Place.PORT, "Promiscuous": Place.PORT,
    "MTUBytes": Place.BOTH, "RequiredForOnline": Place.BRIDGE, "RequiredFamilyForOnline": Place.BRIDGE,
    "Unmanaged": Place.NOWHERE,
}  # fmt: skip
_NETWORK_PORT = _words("LLDP EmitLLDP VLAN")
_NETWORK_BRIDGE = _words(
    "Description DHCP LinkLocalAddressing IPv6LinkLocalAddressGenerationMode IPv4LLStartAddress IPv4LLRoute "
    "DefaultRouteOnDevice LLMNR MulticastDNS DNSOverTLS DNSSEC DNSSECNegativeTrustAnchors Address Gateway DNS Domains "
    "DNSDefaultRoute UseDomains NTP IPForward IPv4Forwarding IPv6Forwarding IPv6PrivacyExtensions IPv6AcceptRA "
    "IPv6DuplicateAddressDetection IPv6HopLimit IPv4AcceptLocal IPv4RouteLocalnet IPv4ReversePathFilter IPv6MTUBytes "
    "IPv6RetransmissionTimeSec ConfigureWithoutCarrier IgnoreCarrierLoss KeepConfiguration"
)
# Sections that speak of addresses: all of each goes to the bridge.
_SECTIONS = {
    "Address": _words("Address Peer Broadcast Label PreferredLifetime Scope RouteMetric HomeAddress "
                      "DuplicateAddressDetection ManageTemporaryAddress AddPrefixRoute AutoJoin"),
    "Neighbor": _words("Address LinkLayerAddress"),
    "IPv6AddressLabel": _words("Label Prefix"),
    "RoutingPolicyRule": _words(
        "TypeOfService From To FirewallMark Table Priority SourcePort DestinationPort IPProtocol InvertRule Family User "
        "SuppressPrefixLength SuppressInterfaceGroup Type GoTo L3MasterDevice"),
    "NextHop": _words("Id Gateway Family OnLink Blackhole Group"),
    "Route": _words(
        "Gateway GatewayOnLink Destination Source Metric IPv6Preference Scope PreferredSource Table HopLimit Protocol "
        "Type InitialCongestionWindow InitialAdvertisedReceiveWindow QuickAck FastOpenNoCookie TTLPropagate MTUBytes "
        "TCPAdvertisedMaximumSegmentSize TCPCongestionControlAlgorithm TCPRetransmissionTimeoutSec MultiPathRoute "
        "NextHop"),
    "DHCPv4": _words(
        "SendHostname Hostname MUDURL ClientIdentifier VendorClassIdentifier UserClass DUIDType DUIDRawData IAID "
        "Anonymize RequestOptions SendOption SendVendorOption IPServiceType SocketPriority UseDNS RoutesToDNS UseNTP "
        "RoutesToNTP UseSIP UseCaptivePortal UseMTU UseHostname UseDomains UseRoutes RouteMetric RouteTable "
        "RouteMTUBytes QuickAck UseGateway UseTimezone FallbackLeaseLifetimeSec RequestBroadcast MaxAttempts ListenPort "
        "DenyList AllowList SendRelease SendDecline RapidCommit IPv6OnlyMode InitialCongestionWindow "
        "InitialAdvertisedReceiveWindow ServerPort RequestAddress Label"),
    "DHCPv6": _words(
        "MUDURL IAID DUIDType DUIDRawData RequestOptions SendOption SendVendorOption UserClass VendorClass RapidCommit "
        "SendHostname Hostname UseAddress UseDNS UseNTP UseSIP UseCaptivePortal UseHostname UseDomains SendRelease "
        "WithoutRA"),
    "IPv6AcceptRA": _words(
        "Token UseDNS UseDomains RouteTable RouteMetric QuickAck UseMTU UseHopLimit UseReachableTime "
        "UseRetransmissionTime UseICMP6RateLimit UseCaptivePortal UsePREF64 UseGateway UseRoutePrefix "
        "UseAutonomousPrefix UseOnLinkPrefix RouterDenyList RouterAllowList PrefixDenyList PrefixAllowList RouteDenyList "
        "RouteAllowList DHCPv6Client"),
}  # fmt: skip
_SECTIONS["DHCP"] = _SECTIONS["DHCPv4"]  # the name of old


def is_known(section: str) -> bool:
    """Tell whether a section is one of those of which all is known; one without settings may mean something too."""
    return section in ("Match", "Link", "Network") or section in _SECTIONS


def place_of(section: Section, setting: Setting) -> Place | str:
    """Return where a setting goes, or why it can go nowhere."""
    if section.name == "Match":
        return Place.NOWHERE
    if section.name == "Link":
        return _LINK.get(setting.key, _UNKNOWN)
    if section.name == "Network":
        if setting.key in _NETWORK_PORT:
            return Place.PORT
        known = setting.key in _NETWORK_BRIDGE
    else:
        known = setting.key in _SECTIONS.get(section.name, frozenset())
    return (_not_the_same(section.name, setting) or Place.BRIDGE) if known else _UNKNOWN


_UNKNOWN = "is not known to mean the same on a bridge"


def _not_the_same(section: str, setting: Setting) -> str:
    """Return why a value makes another address or size on a bridge, "" if it does not."""
    key, value = setting.key, setting.value
    if key == "IPv6LinkLocalAddressGenerationMode" and value not in ("", "eui64", "none"):
        return "makes addresses from what the NIC has and a bridge has not"
    if section == "IPv6AcceptRA" and key == "Token" and value.startswith("prefixstable"):
        return "makes addresses from the interface's name, which will be another"
    if section in ("DHCPv4", "DHCP") and key == "UseMTU" and value and parse_boolean(value) is not False:
        return "would set the bridge's MTU, but not its port's"
    return ""
