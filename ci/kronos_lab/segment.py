"""An Ethernet that the lab's machines are on: a thread passes the frames of each port on to the others.

QEMU speaks Ethernet over unix datagram sockets (-netdev dgram). A cable may carry 802.1Q frames of one VLAN, which the
others see untagged, as behind access ports of a switch.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_TPID = b"\x81\x00"
_MACS = 12
# The lowest bit of a MAC address's first byte: broadcast and multicast (IEEE 802).
_GROUP = 1
# QEMU's user network has addresses of its own that begin so, IPv4 and IPv6.
_ROUTER = (b"\x52\x55", b"\x52\x56")
FRAME = 65536


def tagged(frame: bytes, vlan: int) -> bytes:
    """Return the frame with an 802.1Q tag of `vlan` (priority 0)."""
    return frame[:_MACS] + _TPID + struct.pack("!H", vlan) + frame[_MACS:]


def untagged(frame: bytes, vlan: int) -> bytes | None:
    """Return the frame without its tag, None when it is not one of `vlan`."""
    if frame[_MACS : _MACS + 2] != _TPID or len(frame) < _MACS + 4:
        return None
    (tag,) = struct.unpack("!H", frame[_MACS + 2 : _MACS + 4])
    return frame[:_MACS] + frame[_MACS + 4 :] if tag & 0x0FFF == vlan else None


def for_router(frame: bytes) -> bool:
    """Tell whether QEMU's user network may see the frame: it answers for whatever address it is shown."""
    return bool(frame[0] & _GROUP) or frame.startswith(_ROUTER)


@dataclass(frozen=True)
class Cable:
    """One NIC's cable: where QEMU's end is and ours, and which machine's it is. An uplink leads to QEMU's router."""

    qemu: Path
    far: Path
    machine: str = ""
    is_uplink: bool = False


class Port(Protocol):
    """One end of the segment; frames are untagged."""

    @property
    def machine(self) -> str:
        """Whose port it is: what a machine sends does not come back to it by another port."""

    def fileno(self) -> int: ...

    def receive(self) -> bytes | None:
        """Return a frame, None for one that is nobody's business. Raises OSError."""

    def send(self, frame: bytes) -> None:
        """Send a frame. Raises OSError."""


@dataclass(frozen=True)
class Plug:
    """A cable that is plugged in: our end of it, and the VLAN that its frames are tagged with (0: none)."""

    end: socket.socket
    cable: Cable
    vlan: int = 0

    @property
    def machine(self) -> str:
        return self.cable.machine

    def fileno(self) -> int:
        return self.end.fileno()

    def receive(self) -> bytes | None:
        frame = self.end.recv(FRAME)
        return untagged(frame, self.vlan) if self.vlan else frame

    def send(self, frame: bytes) -> None:
        if self.cable.is_uplink and not for_router(frame):
            return
        self.end.sendto(tagged(frame, self.vlan) if self.vlan else frame, os.fspath(self.cable.qemu))


def plugged(cable: Cable, vlan: int, opened: contextlib.ExitStack) -> Plug:
    """Return the cable plugged in, until `opened` is closed."""
    cable.far.unlink(missing_ok=True)
    end = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    end.bind(os.fspath(cable.far))
    end.settimeout(0)
    return Plug(end, cable, vlan)


def pass_on(frame: bytes, source: Port, ports: Iterable[Port]) -> None:
    """Send a frame to all ports but its machine's. One that finds a cable unplugged or full is lost, as on any wire."""
    for port in ports:
        if port is not source and port.machine != source.machine:
            with contextlib.suppress(OSError):
                port.send(frame)


@dataclass
class Segment:
    """A context manager: cables that are one Ethernet, all tagged with `vlan` (0: none), and `more` ports."""

    cables: tuple[Cable, ...]
    vlan: int = 0
    more: Sequence[Port] = ()
    _stop: threading.Event = field(default_factory=threading.Event)
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        ports = [*self.more, *(plugged(cable, self.vlan, self._open) for cable in self.cables)]
        thread = threading.Thread(target=self._forward, args=(ports,), daemon=True)
        thread.start()
        self._open.callback(thread.join)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._open.close()

    def _forward(self, ports: list[Port]) -> None:
        with selectors.DefaultSelector() as selector:
            for port in ports:
                selector.register(port, selectors.EVENT_READ, port)
            while not self._stop.is_set():
                for key, _ in selector.select(0.5):
                    with contextlib.suppress(OSError):
                        if (frame := key.data.receive()) is not None:
                            pass_on(frame, key.data, ports)
