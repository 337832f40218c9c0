"""The classes that xe lists: their names, the parameters that a list shows, the commands that they have."""

from __future__ import annotations

from typing import NamedTuple


class CliClass(NamedTuple):
    """A class as xe knows it.

    `shown` are the parameters of a list unless `params=` asks for others, all of them when empty;
    `filters` are those that a list always has. `writes` names the commands besides -list,
    -param-list and -param-get: s for -param-set, a -param-add, r -param-remove, c -param-clear.
    """

    name: str
    api: str
    shown: frozenset[str]
    writes: str
    filters: tuple[tuple[str, str], ...]


def _cls(name: str, api: str, writes: str, shown: str = "", **filters: str) -> CliClass:
    always = tuple((key.replace("_", "-"), value) for key, value in filters.items())
    return CliClass(name, api, frozenset(shown.split()), writes, always)


_TABLE = (
    _cls("pool", "pool", "sarc", "uuid name-label name-description master default-SR"),
    _cls("pif", "PIF", "sarc", "uuid device VLAN MAC network-uuid currently-attached host-uuid"),
    _cls("bond", "Bond", "sc", "uuid master slaves"),
    _cls("vlan", "VLAN", "", "uuid tagged-PIF untagged-PIF tag"),
    _cls("tunnel", "tunnel", "sarc", "uuid transport-PIF access-PIF status"),
    _cls("vif", "VIF", "sarc", "uuid device vm-uuid network-uuid"),
    _cls("network", "network", "sarc", "uuid name-label name-description bridge"),
    _cls("console", "console", "sarc", "uuid vm-uuid vm-name-label protocol location"),
    _cls("vm", "VM", "sarc", "name-label uuid power-state", is_a_template="false"),
    _cls("template", "VM", "sarc", "name-label name-description uuid", is_a_template="true", is_a_snapshot="false"),
    _cls("snapshot", "VM", "sarc", "name-label name-description uuid snapshot_of snapshot_time is-vmss-snapshot", is_a_snapshot="true"),
    _cls("host", "host", "sarc", "uuid name-label name-description"),
    _cls("host-cpu", "host_cpu", "", "uuid number vendor speed utilisation"),
    _cls("host-crashdump", "host_crashdump", "", "uuid host timestamp size"),
    _cls("patch", "pool_patch", "c", "uuid name-label name-description size hosts after-apply-guidance"),
    _cls("update", "pool_update", "c", "uuid name-label name-description version installation-size hosts after-apply-guidance"),
    _cls("vdi", "VDI", "sarc", "uuid name-label name-description virtual-size read-only sharable sr-uuid"),
    _cls("vbd", "VBD", "sarc", "uuid vm-uuid vm-name-label vdi-uuid device empty"),
    _cls("sr", "SR", "sarc", "uuid name-label name-description host type content-type"),
    _cls("sm", "SM", "c", "uuid type name-label name-description vendor copyright configuration"),
    _cls("pbd", "PBD", "sarc", "uuid host-uuid sr-uuid device-config currently-attached"),
    _cls("task", "task", "sarc", "uuid name-label name-description status progress"),
    _cls("subject", "subject", "c", "uuid subject-identifier other-config roles"),
    _cls("vmss", "VMSS", "sarc", "uuid name-label name-description enabled type retained-snapshots frequency schedule last-run-time VMs"),
    _cls("message", "message", "", ""),
    _cls("secret", "secret", "sc", ""),
    _cls("appliance", "VM_appliance", "sc", ""),
    _cls("vm-group", "VM_group", "sc", "uuid name-label name-description placement vm-uuids"),
    _cls("pgpu", "PGPU", "sarc", "uuid pci-uuid vendor-name device-name gpu-group-uuid"),
    _cls("gpu-group", "GPU_group", "sarc", "uuid name-label name-description"),
    _cls("vgpu", "VGPU", "sarc", "uuid vm-uuid device gpu-group-uuid"),
    _cls("vgpu-type", "VGPU_type", "", "uuid vendor-name model-name max-resolution max-heads"),
    _cls("drtask", "DR_task", "", ""),
    _cls("pvs-site", "PVS_site", "sc", "uuid name-label name-description pvs-uuid pvs-server-uuids"),
    _cls("pvs-server", "PVS_server", "c", "uuid addresses pvs-site-uuid"),
    _cls("pvs-proxy", "PVS_proxy", "", "uuid vif-uuid pvs-site-uuid currently-attached cache-sr-uuid"),
    _cls("pvs-cache-storage", "PVS_cache_storage", "", "uuid host-uuid sr-uuid pvs-site-uuid size"),
    _cls("feature", "Feature", "", "uuid name-label name-description enabled experimental version host-uuid"),
    _cls("sdn-controller", "SDN_controller", "", "uuid protocol address port"),
    _cls("pusb", "PUSB", "sc", "uuid path product-id product-desc vendor-id vendor-desc serial version description speed"),
    _cls("usb-group", "USB_group", "sarc", "uuid name-label name-description"),
    _cls("vusb", "VUSB", "sarc", "uuid vm-uuid usb-group-uuid"),
    _cls("network-sriov", "network_sriov", "", "uuid physical-pif logical-pif requires-reboot configuration-mode"),
    _cls("cluster", "Cluster", "sarc", "uuid cluster-hosts cluster-token cluster-stack allowed-operations current-operations pool-auto-join cluster-config other-config"),
    _cls("cluster-host", "Cluster_host", "c", "uuid cluster pif host enabled allowed-operations current-operations other-config"),
    _cls("certificate", "Certificate", "", "uuid type name host not-before not-after fingerprint purpose"),
    _cls("repository", "Repository", "sc", "uuid name-label name-description binary-url source-url update hash up-to-date gpgkey-path origin"),
    _cls("hostdriver-variant", "Driver_variant", "", "uuid driver-name name version priority host-uuid driver-uuid active selected status hw-present"),
    _cls("hostdriver", "Host_driver", "", "uuid name host-uuid active-variant selected-variant variants variants-uuid"),
    _cls("vtpm", "VTPM", "c", "uuid vm-uuid profile"),
    _cls("observer", "Observer", "sarc", "uuid name-label name-description host-uuids endpoints enabled"),
    _cls("pci", "PCI", "sarc", "uuid vendor-name device-name pci-id"),
    _cls("caller", "Caller", "sarc", "uuid name-label name-description user-agent client-ip last-access groups rate-limit"),
    _cls("rate-limit", "Rate_limit", "sc", "uuid name-label callers burst-size fill-rate"),
)  # fmt: skip

CLASSES: dict[str, CliClass] = {cls.name: cls for cls in _TABLE}
