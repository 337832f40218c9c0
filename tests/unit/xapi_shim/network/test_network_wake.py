"""Waking a host: the packet, and that it is sent to everybody. It stays on this machine's loopback."""

import asyncio

import pytest

from xapi_shim.network.interface import IpMode, ManagementAddress, NetworkError
from xapi_shim.network.wake import broadcast_address, magic_packet, send_magic_packet

MAC = "52:54:00:AB:cd:01"


class Listener(asyncio.DatagramProtocol):
    def __init__(self):
        self.heard = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, addr):
        self.heard.set_result(data)


async def test_a_packet_reaches_the_whole_network():
    loop = asyncio.get_running_loop()
    transport, listener = await loop.create_datagram_endpoint(Listener, local_addr=("127.255.255.255", 0))
    await send_magic_packet(MAC, "127.255.255.255", transport.get_extra_info("sockname")[1])
    heard = await asyncio.wait_for(listener.heard, 10)
    transport.close()
    assert heard == magic_packet(MAC)
    assert len(heard) == 102
    assert heard[:12] == bytes.fromhex("ffffffffffff525400abcd01")


def test_what_cannot_be_woken():
    for wrong in ("", "52:54:00:ab:cd", "525400abcd01", "52:54:00:ab:cd:zz"):
        with pytest.raises(NetworkError, match="not a MAC address"):
            magic_packet(wrong)


def test_the_network_of_management_is_told():
    own = ManagementAddress("xenbr0", IpMode.STATIC, "192.0.2.10", "255.255.255.128", "")
    assert broadcast_address(own) == "192.0.2.127"
    for without in (None, ManagementAddress("xenbr0", IpMode.NONE, "", "", "", ipv6=("2001:db8::1/64",))):
        with pytest.raises(NetworkError):
            broadcast_address(without)
