"""The QEMU command line of a lab machine: pure, from a description to an argument list."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Neighbour:
    """Another machine on a machine's user network: its address there, and its ports as `QemuSpec.forwards`."""

    address: str
    forwards: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class QemuSpec:
    """A machine to boot. Ports are on the loopback of this host; `forwards` maps them to the guest's."""

    name: str
    folder: Path
    disk: Path
    forwards: tuple[tuple[int, int], ...]
    memory_mib: int = 4096
    cpus: int = 2
    # Machines with the same segment see each other; None is no second NIC.
    segment: str | None = None
    index: int = 0
    kvm: bool = False
    # The machine's address on its user network, where that does not hand it out.
    address: str = ""
    # With one, the user network is at the end of a cable, and both machines at the end of theirs (see segment.py).
    neighbour: Neighbour | None = None
    # Cables in place of QEMU's user network, a NIC each (see far_side.py).
    cables: int = 0
    # A UEFI firmware's code and this machine's own variables; BIOS without.
    firmware: tuple[Path, Path] | None = None
    second_disk: Path | None = None

    def cable(self, number: int) -> tuple[Path, Path]:
        """Return QEMU's end of a cable and the far one."""
        return self.folder / f"cable{number}.qemu", self.folder / f"cable{number}.far"

    @property
    def uplink(self) -> tuple[Path, Path]:
        """QEMU's end of the user network's cable and the far one."""
        return self.folder / "uplink.qemu", self.folder / "uplink.far"

    @property
    def console_socket(self) -> Path:
        return self.folder / "console.sock"

    @property
    def console_log(self) -> Path:
        return self.folder / "console.log"

    @property
    def qmp_socket(self) -> Path:
        return self.folder / "qmp.sock"

    @property
    def pid_file(self) -> Path:
        return self.folder / "qemu.pid"


# Multicast on the loopback: any number of machines on one wire, and nothing leaves this host.
SEGMENT_GROUP = "230.0.0.1"
SEGMENT_BASE_PORT, SEGMENT_PORTS = 17000, 10000


def segment_port(name: str) -> int:
    """Return the port that stands for a segment's name."""
    return SEGMENT_BASE_PORT + int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % SEGMENT_PORTS


def qemu_argv(spec: QemuSpec) -> list[str]:
    """Return the command. The processor is one that Xen, dom0 and PVH guests run on under TCG.

    EPYC models crash dom0 (SMAP), Haswell ones have no SVM; PVH guests need nested paging.
    """
    argv = ["qemu-system-x86_64", "-name", spec.name, "-machine", "q35", "-nodefaults", "-no-user-config"]
    if spec.kvm:
        argv += ["-accel", "kvm", "-cpu", "host"]
    else:
        argv += ["-accel", "tcg,thread=multi", "-cpu", "qemu64,+svm,+npt"]
    argv += [
        "-smp", str(spec.cpus),
        "-m", str(spec.memory_mib),
        "-vga", "std",
        "-display", "none",
        "-drive", f"if=none,id=disk0,file={spec.disk},format=qcow2,cache=unsafe,discard=unmap",
        "-device", "virtio-blk-pci,drive=disk0,addr=0x4,bootindex=0",
        *_first_nic(spec),
        "-device", "virtio-rng-pci,addr=0x6",
        "-chardev", f"socket,id=console,path={spec.console_socket},server=on,wait=off,logfile={spec.console_log}",
        "-serial", "chardev:console",
        "-qmp", f"unix:{spec.qmp_socket},server=on,wait=off",
        "-pidfile", os.fspath(spec.pid_file),
    ]  # fmt: skip
    for number in range(1, spec.cables):
        argv += _cable(
            spec, number, addr=f"{0x7 + number:#x}", mac=f"52:54:00:12:36:{spec.index + number:02x}"
        )
    if spec.second_disk is not None:
        argv += [
            "-drive",
            f"if=none,id=disk1,file={spec.second_disk},format=qcow2,cache=unsafe,discard=unmap",
        ]
        argv += ["-device", "virtio-blk-pci,drive=disk1,addr=0x7"]
    if spec.firmware is not None:
        code, variables = spec.firmware
        argv += ["-drive", f"if=pflash,format=raw,readonly=on,file={code}"]
        argv += ["-drive", f"if=pflash,format=raw,file={variables}"]
    if spec.segment is not None:
        port = segment_port(spec.segment)
        argv += [
            "-netdev", f"socket,id=net1,mcast={SEGMENT_GROUP}:{port},localaddr=127.0.0.1",
            "-device", f"virtio-net-pci,netdev=net1,addr=0x5,mac=52:54:00:12:35:{spec.index:02x},romfile=",
        ]  # fmt: skip
    return argv


def _first_nic(spec: QemuSpec) -> list[str]:
    mac = f"52:54:00:12:34:{spec.index:02x}"
    router = _router(spec, spec.neighbour) if spec.neighbour else []
    if spec.cables:
        return [*router, *_cable(spec, 0, addr="0x3", mac=mac)]
    forwards = _forwards(spec.address, spec.forwards)
    return ["-netdev", f"user,id=net0{forwards}", "-device", _nic("net0", "0x3", mac)]


def _router(spec: QemuSpec, neighbour: Neighbour) -> list[str]:
    """The user network with a cable in place of a NIC: a hub is how QEMU connects two of its own ends."""
    forwards = _forwards(spec.address, spec.forwards) + _forwards(neighbour.address, neighbour.forwards)
    return [
        "-netdev", f"user,id=router{forwards}",
        "-netdev", f"dgram,id=uplink,{_ends(*spec.uplink)}",
        "-netdev", "hubport,id=port0,hubid=0,netdev=router",
        "-netdev", "hubport,id=port1,hubid=0,netdev=uplink",
    ]  # fmt: skip


def _forwards(address: str, ports: tuple[tuple[int, int], ...]) -> str:
    return "".join(f",hostfwd=tcp:127.0.0.1:{here}-{address}:{there}" for here, there in ports)


def _cable(spec: QemuSpec, number: int, *, addr: str, mac: str) -> list[str]:
    name = f"cable{number}"
    return ["-netdev", f"dgram,id={name},{_ends(*spec.cable(number))}", "-device", _nic(name, addr, mac)]


def _ends(ours: Path, far: Path) -> str:
    return f"local.type=unix,local.path={ours},remote.type=unix,remote.path={far}"


def _nic(netdev: str, addr: str, mac: str) -> str:
    return f"virtio-net-pci,netdev={netdev},addr={addr},mac={mac},romfile="
