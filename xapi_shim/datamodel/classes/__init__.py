"""The declared classes, one module each, named like its class in lower case.

A program that asks for one class (xe) does not pay for the others: a module is imported when its
class is first looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xapi_shim.datamodel.model import ApiClass

# In the order of the XenAPI's history.
# fmt: off
NAMES = (
    "session", "auth", "subject", "role", "task", "event", "pool", "pool_patch", "pool_update", "VM",
    "VM_metrics", "VM_guest_metrics", "VMPP", "VMSS", "VM_appliance", "DR_task", "host", "host_crashdump",
    "host_patch", "host_metrics", "host_cpu", "network", "VIF", "VIF_metrics", "PIF", "PIF_metrics",
    "Bond", "VLAN", "SM", "SR", "sr_stat", "probe_result", "LVHD", "VDI", "VBD", "VBD_metrics", "PBD",
    "crashdump", "VTPM", "console", "user", "data_source", "blob", "message", "secret", "tunnel",
    "network_sriov", "PCI", "PGPU", "GPU_group", "VGPU", "VGPU_type", "PVS_site", "PVS_server",
    "PVS_proxy", "PVS_cache_storage", "Feature", "SDN_controller", "vdi_nbd_server_info", "PUSB",
    "USB_group", "VUSB", "Cluster", "Cluster_host", "Certificate", "Diagnostics", "Repository",
    "Observer", "VM_group", "Host_driver", "Driver_variant", "Caller", "Rate_limit",
)
# fmt: on


class DeclaredClasses(Mapping[str, "ApiClass"]):
    """The classes by name, read-only."""

    def __init__(self) -> None:
        self._known: dict[str, ApiClass | None] = dict.fromkeys(NAMES)

    def __getitem__(self, name: str) -> ApiClass:
        cls = self._known[name]
        if cls is None:
            module = import_module(f"{__name__}.{name.lower()}")
            cls = self._known[name] = cast("ApiClass", module.CLASS)
        return cls

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
