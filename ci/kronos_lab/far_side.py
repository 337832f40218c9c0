"""The other end of a lab machine's cables: a network namespace of this host with one interface.

QEMU speaks Ethernet over unix datagram sockets (-netdev dgram); a thread passes the frames on to a tap interface
that lives in the namespace. With `vlan` the cables carry 802.1Q frames of that VLAN, and the namespace sees them
untagged, as behind an access port of a switch. All cables are one segment: what the namespace sends goes down
each of them, as the members of an active-backup bond expect.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from xapi_shim.base.process import run

if TYPE_CHECKING:
    from pathlib import Path

# linux/if_tun.h
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
_TPID = b"\x81\x00"
_MACS = 12
_FRAME = 65536


def tagged(frame: bytes, vlan: int) -> bytes:
    """Return the frame with an 802.1Q tag of `vlan` (priority 0)."""
    return frame[:_MACS] + _TPID + struct.pack("!H", vlan) + frame[_MACS:]


def untagged(frame: bytes, vlan: int) -> bytes | None:
    """Return the frame without its tag, None when it is not one of `vlan`."""
    if frame[_MACS : _MACS + 2] != _TPID or len(frame) < _MACS + 4:
        return None
    (tag,) = struct.unpack("!H", frame[_MACS + 2 : _MACS + 4])
    return frame[:_MACS] + frame[_MACS + 4 :] if tag & 0x0FFF == vlan else None


@dataclass(frozen=True)
class Cable:
    """One NIC's cable: where QEMU's end is, and ours."""

    qemu: Path
    far: Path


@dataclass
class FarSide:
    """A context manager: the namespace `name` with the interface `lan` that has `addresses` (CIDR). Needs root."""

    name: str
    addresses: tuple[str, ...]
    cables: tuple[Cable, ...]
    vlan: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        run(["ip", "netns", "delete", self.name], check=False)
        run(["ip", "netns", "add", self.name])
        self._open.callback(run, ["ip", "netns", "delete", self.name], check=False)
        try:
            self._plug()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._open.close()

    def inside(self, *argv: str) -> list[str]:
        """Return the command line that runs `argv` in the namespace."""
        return ["ip", "netns", "exec", self.name, *argv]

    def _plug(self) -> None:
        device = f"{self.name[:12]}-l"
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        self._open.callback(os.close, tap)
        fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH22x", device.encode(), _IFF_TAP | _IFF_NO_PI))
        # An open tap interface may move between namespaces; the descriptor stays with us.
        run(["ip", "link", "set", device, "netns", self.name, "name", "lan"])
        for link in ("lo", "lan"):
            run(["ip", "-n", self.name, "link", "set", link, "up"])
        for address in self.addresses:
            more = ["nodad"] if ":" in address else []
            run(["ip", "-n", self.name, "address", "add", address, "dev", "lan", *more])
        wires = [self._wire(cable) for cable in self.cables]
        thread = threading.Thread(target=self._forward, args=(tap, wires), daemon=True)
        thread.start()
        self._threads.append(thread)

    def _wire(self, cable: Cable) -> tuple[socket.socket, Path]:
        cable.far.unlink(missing_ok=True)
        wire = self._open.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        wire.bind(os.fspath(cable.far))
        wire.settimeout(0)
        return wire, cable.qemu

    def _forward(self, tap: int, wires: list[tuple[socket.socket, Path]]) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(tap, selectors.EVENT_READ)
            for wire, _ in wires:
                selector.register(wire, selectors.EVENT_READ)
            while not self._stop.is_set():
                for key, _ in selector.select(0.5):
                    # A frame that finds its cable unplugged or full is lost, as on any wire.
                    with contextlib.suppress(OSError):
                        if key.fd == tap:
                            self._down(os.read(tap, _FRAME), wires)
                        else:
                            self._up(os.read(key.fd, _FRAME), tap)

    def _down(self, frame: bytes, wires: list[tuple[socket.socket, Path]]) -> None:
        for wire, peer in wires:
            with contextlib.suppress(OSError):
                wire.sendto(tagged(frame, self.vlan) if self.vlan else frame, os.fspath(peer))

    def _up(self, frame: bytes, tap: int) -> None:
        plain = untagged(frame, self.vlan) if self.vlan else frame
        if plain is not None:
            os.write(tap, plain)
