"""Wake-on-LAN: what a sleeping host's network card listens for (AMD, Magic Packet Technology, 1995)."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Interface

from xapi_shim.base.identifiers import is_mac
from xapi_shim.network.interface import ManagementAddress, NetworkError

# The discard service: nobody answers, the card listens to any.
PORT = 9


def magic_packet(mac: str) -> bytes:
    """Return the bytes that wake a card: six of FF, then its address sixteen times. Raises NetworkError."""
    if not is_mac(mac):
        raise NetworkError(f"not a MAC address: {mac!r}")
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16


def broadcast_address(management: ManagementAddress | None) -> str:
    """Return the broadcast address of the management network. Raises NetworkError where that has none."""
    if management is None or not management.ip:
        raise NetworkError("the host has no IPv4 address to wake others from")
    return str(IPv4Interface(f"{management.ip}/{management.netmask}").network.broadcast_address)


async def send_magic_packet(mac: str, broadcast: str, port: int = PORT) -> None:
    """Send it to all of a network. Raises NetworkError."""
    packet = magic_packet(mac)
    try:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(broadcast, port), allow_broadcast=True
        )
    except OSError as error:
        raise NetworkError(f"cannot send to {broadcast}: {error}") from error
    transport.sendto(packet)
    transport.close()
