"""The QEMU command line of a lab machine: pure, from a description to an argument list."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


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
    forwards = "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in spec.forwards)
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
        "-netdev", f"user,id=net0{forwards}",
        "-device", f"virtio-net-pci,netdev=net0,addr=0x3,mac=52:54:00:12:34:{spec.index:02x},romfile=",
        "-device", "virtio-rng-pci,addr=0x6",
        "-chardev", f"socket,id=console,path={spec.console_socket},server=on,wait=off,logfile={spec.console_log}",
        "-serial", "chardev:console",
        "-qmp", f"unix:{spec.qmp_socket},server=on,wait=off",
        "-pidfile", os.fspath(spec.pid_file),
    ]  # fmt: skip
    if spec.segment is not None:
        port = segment_port(spec.segment)
        argv += [
            "-netdev", f"socket,id=net1,mcast={SEGMENT_GROUP}:{port},localaddr=127.0.0.1",
            "-device", f"virtio-net-pci,netdev=net1,addr=0x5,mac=52:54:00:12:35:{spec.index:02x},romfile=",
        ]  # fmt: skip
    return argv
