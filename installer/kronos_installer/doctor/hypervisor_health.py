"""Xen: the host runs under it, in control; what the build and the processor can (xl(1) info)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.doctor.answer import Answer, ask, error, info, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host import Runner
    from kronos_installer.host_files import HostFiles
    from kronos_installer.problem import Problem


@dataclass(frozen=True)
class HypervisorReading:
    """What the kernel says of its hypervisor, and what xl does."""

    type: str
    capabilities: str
    xl: Answer


def read_hypervisor(files: HostFiles, query: Runner) -> HypervisorReading:
    """Read it; xl is asked only under Xen."""
    kind = files.read("/sys/hypervisor/type").strip()
    xl = ask(query, ("xl", "info")) if kind == "xen" else Answer()
    return HypervisorReading(kind, files.read("/proc/xen/capabilities").strip(), xl)


def parse_xl(text: str) -> dict[str, str]:
    """Return `name : value` lines."""
    rows = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, colon, value in rows if colon}


def running_version(reading: HypervisorReading) -> str:
    """Return the running Xen's version, "" where it is not known."""
    return parse_xl(reading.xl.text).get("xen_version", "")


def hypervisor_findings(reading: HypervisorReading) -> Iterator[Problem]:
    """Yield why no guest, or not every kind of guest, can run."""
    if reading.type != "xen":
        yield error("not-under-xen", "the host does not run under Xen", "/sys/hypervisor/type",
                    "reboot; if it comes back without Xen, see 'xapi-host-setup status' and GRUB's menu")  # fmt: skip
    elif "control_d" not in reading.capabilities:
        yield error("not-dom0", "the host is a guest of somebody else's Xen", "/proc/xen/capabilities:1",
                    "set up the machine itself")  # fmt: skip
    elif reading.xl.error:
        yield error(
            "xl-fails", "xl does not answer", reading.xl.error, "systemctl status xenstored xen-init-dom0"
        )
    else:
        told = parse_xl(reading.xl.text).get("virt_caps", "").split()
        if told and "shadow" not in told:
            yield warning("xen-no-shadow-paging", "the running Xen cannot migrate PV guests live, nor run HVM guests without "
                          "nested paging", "xl info: virt_caps", "install the Xen of Kronos' repository: docs/host-setup.md; "
                          "then reboot")  # fmt: skip
        if "hvm" not in told:
            yield info("xen-no-hvm", "only PV guests run: no hardware virtualisation", "xl info: virt_caps",
                       "enable it in the firmware, if it has the setting")  # fmt: skip
        elif "hap" not in told:
            yield info("xen-no-hap", "no nested paging: HVM and PVH guests are slower", "xl info: virt_caps")
