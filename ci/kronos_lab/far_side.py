"""The other end of a lab machine's cables: a network namespace of this host with one interface, a port of the segment.

With `vlan` the cables carry 802.1Q frames of that VLAN. What the namespace sends goes down each of them, as the members of
an active-backup bond expect.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from dataclasses import dataclass, field
from typing import Self

from kronos_lab.segment import FRAME, Cable, Segment
from xapi_shim.base.process import run

# linux/if_tun.h
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000


@dataclass(frozen=True)
class Tap:
    """The segment's port that is the namespace's interface."""

    descriptor: int
    machine: str = "the namespace"

    def fileno(self) -> int:
        return self.descriptor

    def receive(self) -> bytes:
        return os.read(self.descriptor, FRAME)

    def send(self, frame: bytes) -> None:
        os.write(self.descriptor, frame)


@dataclass
class FarSide:
    """A context manager: the namespace `name` with the interface `lan` that has `addresses` (CIDR). Needs root."""

    name: str
    addresses: tuple[str, ...]
    cables: tuple[Cable, ...]
    vlan: int = 0
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
        self._open.enter_context(Segment(self.cables, self.vlan, (Tap(tap),)))
