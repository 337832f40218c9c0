"""What xl(1) does to a running guest's devices and to its share of the processors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.xen.interface import DeviceBusyError, DeviceExistsError, DeviceMissingError, Devices, XenError
from xapi_shim.xen.xl_config import check_scheduling, cpu_list, disk_spec, vif_spec
from xapi_shim.xen.xl_text import complaint, parse_devices, says_device_exists, says_no_device

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from xapi_shim.base.process import Completed
    from xapi_shim.xen.interface import Disk, HypervisorInfo, Scheduling, Trigger, Vif

# Of xen-utils: Xen's own script knows Linux's bridges only.
_SWITCH_SCRIPT = "vif-openvswitch"
_INTERFACES = Path("/sys/class/net")
# The schedulers that know weights and caps; xl has a command for each.
_SCHEDULERS = ("credit", "credit2")


class XlDevices(ABC):
    """The part of XlHypervisor for devices; the rest of it says how xl is run."""

    @abstractmethod
    async def info(self) -> HypervisorInfo: ...

    @abstractmethod
    async def _guest_program(
        self, command: str, domid: int, *args: str, options: tuple[str, ...] = (), scope: bool = False
    ) -> Completed:
        """Run an xl command on a guest; with `scope` what it starts outlives the daemon.

        Raises DomainMissingError, XenError.
        """

    @abstractmethod
    async def _listing(self, command: str, domids: Collection[int]) -> str:
        """Return what `xl block-list` or `xl network-list` prints. Raises XenError."""

    async def set_scheduling(self, domid: int, scheduling: Scheduling) -> None:
        check_scheduling(scheduling)
        shares = [
            *(["-w", str(scheduling.weight)] if scheduling.weight is not None else []),
            *(["-c", str(scheduling.cap)] if scheduling.cap is not None else []),
        ]
        if shares:
            scheduler = dict((await self.info()).build).get("xen_scheduler", "")
            if scheduler not in _SCHEDULERS:
                raise XenError(f"the scheduler {scheduler} knows no weights")
            # Its domid is an option's value, and so goes last.
            done = await self._guest_program(f"sched-{scheduler}", domid, options=(*shares, "-d"))
            _check(done)
        if scheduling.cpus:
            _check(await self._guest_program("vcpu-pin", domid, "all", cpu_list(scheduling.cpus)))

    async def send_sysrq(self, domid: int, key: str) -> None:
        if len(key) != 1 or not key.isascii() or not key.isalnum():
            raise XenError(f"not a key of SysRq: {key!r}")
        _check(await self._guest_program("sysrq", domid, key))

    async def send_trigger(self, domid: int, trigger: Trigger) -> None:
        done = await self._guest_program("trigger", domid, trigger.value)
        # xl ends well whatever became of it.
        if done.returncode != 0 or done.stderr.strip():
            raise XenError(f"xl trigger of domain {domid}: {complaint(done.stderr)}")

    async def devices(self, domids: Collection[int]) -> Mapping[int, Devices]:
        if not domids:
            return {}
        disks = parse_devices(await self._listing("block-list", domids))
        vifs = parse_devices(await self._listing("network-list", domids))
        return {
            domid: Devices(
                frozenset(disk_name(devid) for devid in disks.get(domid, ())), frozenset(vifs.get(domid, ()))
            )
            for domid in domids
        }

    async def attach_disk(self, domid: int, disk: Disk) -> None:
        # A qemu may be started for it.
        done = await self._guest_program("block-attach", domid, disk_spec(disk), scope=True)
        _check(done, disk.device)

    async def detach_disk(self, domid: int, device: str, *, force: bool) -> None:
        done = await self._guest_program("block-detach", domid, device, options=("--force",) if force else ())
        if done.returncode != 0 and not says_no_device(done.stderr) and not force:
            raise DeviceBusyError(device, complaint(done.stderr))
        _check(done, device)

    async def attach_vif(self, domid: int, vif: Vif) -> None:
        done = await self._guest_program("network-attach", domid, *vif_spec(with_script(vif)).split(","))
        _check(done, str(vif.devid))

    async def detach_vif(self, domid: int, devid: int) -> None:
        """See Hypervisor.detach_vif; libxl takes it by force from a guest that does not answer in time."""
        _check(await self._guest_program("network-detach", domid, str(devid)), str(devid))


def with_script(vif: Vif, interfaces: Path = _INTERFACES) -> Vif:
    """Return the interface with the script for its bridge: a bridge of Linux has a folder of that name in sysfs."""
    link = interfaces / vif.bridge
    is_other = link.exists() and not (link / "bridge").is_dir()
    return replace(vif, script=_SWITCH_SCRIPT) if is_other else vif


def _check(done: Completed, device: str = "") -> None:
    """Raise what a failed command's words mean."""
    if done.returncode == 0:
        return
    if device and says_device_exists(done.stderr):
        raise DeviceExistsError(device)
    if device and says_no_device(done.stderr):
        raise DeviceMissingError(device)
    at = done.argv.index("xl")
    raise XenError(f"{' '.join(done.argv[at : at + 2])}: {complaint(done.stderr)}")


def disk_name(devid: int) -> str:
    """Return the name of a disk's number (xen-vbd-interface(7)), the number itself for other kinds."""
    if devid >> 8 == 202 and not devid & 15:
        return f"xvd{chr(ord('a') + (devid & 255) // 16)}"
    return str(devid)
