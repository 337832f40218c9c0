"""The parameters of the classes: where each comes from, and how its value is printed.

Most follow from the datamodel (`name-label` is `name_label`, `vm-uuid` the uuid of `VM`, a ref shows
a uuid); the few that xe has always named otherwise are in ELSEWHERE.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from xapi_shim.cli.engine.command import ApiError
from xapi_shim.cli.engine.fields_devices import FIELDS as DEVICES
from xapi_shim.cli.engine.fields_main import FIELDS as MAIN
from xapi_shim.cli.engine.output import Cell, map_text
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import NULL_REF, Kind, Type, parse_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xapi_shim.cli.engine.classes import CliClass
    from xapi_shim.cli.engine.command import Store
    from xapi_shim.datamodel.model import ApiClass

NOT_FOUND = "<not in database>"
EXPENSIVE = "<expensive field>"
MARKS = "{}[]+=!~-^*"

# xe's name to the path of fields that leads to the value, or to the message that answers it ("Class.message").
ELSEWHERE: dict[str, dict[str, str]] = {
    "VM": {"dom-id": "domid", "memory-actual": "metrics.memory_actual", "start-time": "metrics.start_time",
           "install-time": "metrics.install_time", "VCPUs-number": "metrics.VCPUs_number", "live": "guest_metrics.live",
           "VCPUs-utilisation": "metrics.VCPUs_utilisation", "hvm": "metrics.hvm", "nomigrate": "metrics.nomigrate",
           "nested-virt": "metrics.nested_virt", "current-domain-type": "metrics.current_domain_type",
           "numa-optimised": "metrics.numa_optimised", "numa-nodes": "metrics.numa_nodes",
           "numa-node-memory": "metrics.numa_node_memory", "last-boot-record": "last_booted_record",
           "guest-metrics-last-updated": "guest_metrics.last_updated", "console-uuids": "consoles",
           "can-use-hotplug-vbd": "guest_metrics.can_use_hotplug_vbd", "memory": "guest_metrics.memory",
           "can-use-hotplug-vif": "guest_metrics.can_use_hotplug_vif", "disks": "guest_metrics.disks",
           "networks": "guest_metrics.networks", "other": "guest_metrics.other", "services": "guest_metrics.services",
           "allowed-VBD-devices": "VM.get_allowed_VBD_devices", "allowed-VIF-devices": "VM.get_allowed_VIF_devices",
           "possible-hosts": "VM.get_possible_hosts", "cooperative": "VM.get_cooperative", "vtpms": "VTPMs"},
    "VIF": {"io_read_kbs": "metrics.io_read_kbs", "io_write_kbs": "metrics.io_write_kbs"},
    "VBD": {"io_read_kbs": "metrics.io_read_kbs", "io_write_kbs": "metrics.io_write_kbs",
            "attachable": "VBD.assert_attachable"},
    "VDI": {"vbd-uuids": "VBDs", "crashdump-uuids": "crash_dumps", "metadata-of-pool": "metadata_of_pool"},
    "PIF": {"vlan-master-of": "VLAN_master_of", "vlan-slave-of": "VLAN_slave_of", "bond-master-of": "bond_master_of",
            "io_read_kbs": "metrics.io_read_kbs", "io_write_kbs": "metrics.io_write_kbs",
            "carrier": "metrics.carrier", "vendor-id": "metrics.vendor_id", "vendor-name": "metrics.vendor_name",
            "device-id": "metrics.device_id", "device-name": "metrics.device_name", "speed": "metrics.speed",
            "duplex": "metrics.duplex", "pci-bus-path": "metrics.pci_bus_path"},
    "host": {"memory-total": "metrics.memory_total", "memory-free": "metrics.memory_free",
             "memory-free-computed": "host.compute_free_memory", "host-metrics-live": "metrics.live",
             "control-domain-uuid": "control_domain", "API-version-vendor-implementation":
             "API_version_vendor_implementation"},
    "SR": {"host": "PBDs.host.name_label"},
    "pool": {"supported-sr-types": "SR.get_supported_types", "license-state": "pool.get_license_state"},
    "network": {"VIF-uuids": "VIFs", "PIF-uuids": "PIFs"},
    "PBD": {"host": "host.uuid"},
    "subject": {"roles": "roles.name_label"},
    "message": {"class": "cls"},
    "PGPU": {"pci-uuid": "PCI.uuid", "vendor-name": "PCI.vendor_name", "device-name": "PCI.device_name",
             "pci-id": "PCI.pci_id", "dependencies": "PCI.dependencies"},
    "VGPU": {"type-model-name": "type.model_name"},
    "GPU_group": {"VGPU-uuids": "VGPUs", "PGPU-uuids": "PGPUs"},
    "VGPU_type": {"max-resolution": "max_resolution_x", "VGPU-uuids": "VGPUs"},
    "PVS_site": {"pvs-uuid": "PVS_uuid", "pvs-cache-storage-uuids": "cache_storage", "pvs-server-uuids": "servers",
                 "pvs-proxy-uuids": "proxies"},
    "PVS_server": {"pvs-site-uuid": "site"},
    "PVS_proxy": {"pvs-site-uuid": "site"},
    "PVS_cache_storage": {"pvs-site-uuid": "site"},
    "VUSB": {"usb-group-uuid": "USB_group.uuid", "usb-group-name-label": "USB_group.name_label"},
    "Host_driver": {"variants": "variants.name", "variants-dev-status": "variants.status", "info": "info",
                    "variants-uuid": "variants", "variants-hw-present": "variants.hardware_present",
                    "active-variant": "active_variant.name", "selected-variant": "selected_variant.name"},
    "Driver_variant": {"driver-uuid": "driver", "driver-name": "driver.name", "host-uuid": "driver.host",
                       "hw-present": "hardware_present", "active": "driver.active_variant",
                       "selected": "driver.selected_variant"},
    "pool_patch": {"hosts": "host_patches.host", "update": "pool_update"},
    "Cluster": {"live-hosts": "live_hosts", "cluster-hosts": "cluster_hosts"},
    "VTPM": {"secret": "contents"},
    "network_sriov": {"remaining-capacity": "network_sriov.get_remaining_capacity"},
    "PCI": {"driver-name": "driver_name"},
}  # fmt: skip
# Parameters of a pool that are its hosts'.
OF_HOSTS = {
    ("pool", name)
    for name in ("https-only", "ssh-enabled", "ssh-enabled-timeout", "ssh-expiry", "console-idle-timeout",
                 "ssh-auto-mode")
}  # fmt: skip
# Whether what the path leads to is the object itself.
IS_IT = {("Driver_variant", "active"), ("Driver_variant", "selected")}
# Values that xe prints in lower case.
LOWER = {("VM", "power-state")}


@dataclass(frozen=True)
class Parameter:
    """One parameter: its name and marks, and the path of (field, type) to its value, None where unknown."""

    name: str
    marks: str
    cls: str
    path: tuple[tuple[str, Type], ...] | None
    message: str = ""

    @property
    def marker(self) -> str:
        """What is printed behind the name."""
        shape = "M" if "{" in self.marks else "S" if "[" in self.marks else " "
        writes = "+" in self.marks if shape != " " else "=" in self.marks
        return f"({shape}{'RW' if writes else 'RO'})" + (" [DEPRECATED]" if "~" in self.marks else "")

    @property
    def field(self) -> str:
        """The object's own field."""
        return self.path[0][0] if self.path else self.name.replace("-", "_")

    @property
    def type(self) -> Type:
        """The type of the object's own field."""
        return self.path[0][1] if self.path else parse_type("string")

    def has(self, mark: str) -> bool:
        return mark in self.marks

    def text(self, row: Mapping[str, Any], store: Store) -> str:
        """Return the value as xe prints it."""
        if self.message:
            return self._asked(row, store)
        if (self.cls, self.name) in OF_HOSTS:
            return "; ".join(dict.fromkeys(self._of_hosts(store)))
        if self.path is None:
            return NOT_FOUND
        text = _walk(row, self.path, store)
        if (self.cls, self.name) in IS_IT:
            return "true" if text == row["uuid"] else "false"
        return text.lower() if (self.cls, self.name) in LOWER else text

    def _asked(self, row: Mapping[str, Any], store: Store) -> str:
        """Return what the message says of the object."""
        cls, _, name = self.message.partition(".")
        try:
            of_object = [] if cls != self.cls else [store.api.call(f"{cls}.get_by_uuid", row["uuid"])]
            answer = store.api.call(self.message, *of_object)
        except ApiError:
            return "false" if name.startswith("assert_") else NOT_FOUND
        if name.startswith("assert_"):
            return "true"
        if isinstance(answer, dict):
            return map_text(answer)
        return "; ".join(map(str, answer)) if isinstance(answer, list) else str(answer)

    def _of_hosts(self, store: Store) -> list[str]:
        """Return what the hosts have of a parameter that a pool only sets."""
        field = DATAMODEL.classes["host"].by_name[self.field]
        return [value_text(field.type, row[field.name], store) for row in store.all("host").values()]

    def held(self, row: Mapping[str, Any], store: Store) -> Any:  # noqa: ANN401
        """Return the value itself, maps and sets as they are; None where it is not to be had."""
        for at, (name, of) in enumerate(self.path or ()):
            value = row.get(name)
            if at + 1 == len(self.path or ()):
                return value
            if of.kind is not Kind.REF:
                return None
            row = store.all(of.name).get(str(value), {})
        return None


def _walk(row: Mapping[str, Any], path: tuple[tuple[str, Type], ...], store: Store) -> str:
    name, of = path[0]
    value = row[name]
    if len(path) == 1:
        return value_text(of, value, store)
    refs = value if of.kind is Kind.SET else [value]
    cls = (of.of[0] if of.kind is Kind.SET else of).name
    if not refs:
        return NOT_FOUND if path[-1][0] != "name_label" or cls != "role" else ""
    if cls not in DATAMODEL.classes or (refs[0] == NULL_REF and len(refs) == 1):
        return NOT_FOUND
    rows = store.all(cls)
    texts = [_walk(rows[ref], path[1:], store) if ref in rows else NOT_FOUND for ref in refs]
    return "; ".join(dict.fromkeys(texts))


def value_text(of: Type, value: Any, store: Store) -> str:  # noqa: ANN401
    """Return a value as xe prints it: refs as uuids, sets by semicolons, maps as `key: value`."""
    match of.kind:
        case Kind.BOOL:
            return "true" if value else "false"
        case Kind.REF:
            if value == NULL_REF or of.name not in DATAMODEL.classes:
                return NOT_FOUND
            other = store.all(of.name).get(value)
            return str(other["uuid"]) if other else NOT_FOUND
        case Kind.SET:
            return "; ".join(value_text(of.of[0], one, store) for one in value)
        case Kind.MAP:
            return "; ".join(f"{k}: {value_text(of.of[1], v, store)}" for k, v in sorted(value.items()))
        case Kind.FLOAT:
            return f"{value:.3f}"
        case _:
            return str(value)


@cache
def parameters(cls: CliClass) -> dict[str, Parameter]:
    """Return all parameters of a class by xe's names, in xe's order."""
    words = (MAIN.get(cls.api) or DEVICES[cls.api]).split()
    made = (_parameter(cls.api, word) for word in words)
    return {parameter.name: parameter for parameter in made}


def _parameter(api: str, word: str) -> Parameter:
    # A name's own hyphens stand before a letter; the mark "-" is last.
    name = word.rstrip(MARKS) if not word[-1].isalnum() else word
    marks = word[len(name) :]
    wanted = ELSEWHERE.get(api, {}).get(name, "")
    _, dot, rest = wanted.partition(".")
    if dot and (rest.startswith(("get_", "assert_", "compute_"))):
        return Parameter(name, marks, api, None, wanted)
    return Parameter(name, marks, api, _path(api, wanted) if wanted else _guess(api, name))


def _path(api: str, dotted: str) -> tuple[tuple[str, Type], ...] | None:
    """Return the fields of a dotted path with their types, None when one is not declared."""
    steps: list[tuple[str, Type]] = []
    for name in dotted.split("."):
        field = DATAMODEL.classes[api].by_name.get(name) if api in DATAMODEL.classes else None
        if field is None:
            return None
        steps.append((name, field.type))
        api = (field.type.of[0] if field.type.kind is Kind.SET else field.type).name
    return tuple(steps)


def _guess(api: str, name: str) -> tuple[tuple[str, Type], ...] | None:
    """Return where a parameter's name says that its value is."""
    cls = DATAMODEL.classes.get(api)
    if cls is None:
        return None
    own = name.replace("-", "_")
    if found := _field(cls, (own,)):
        return _path(api, found)
    for ending, of_other in (("_uuids", ""), ("_uuid", ".uuid"), ("_name_label", ".name_label")):
        base = own.removesuffix(ending)
        if base != own and (found := _field(cls, (base, f"{base}s"))):
            return _path(api, found + of_other)
    for other in ("metrics", "guest_metrics"):
        if other in cls.by_name and (path := _path(api, f"{other}.{own}")):
            return path
    return None


def _field(cls: ApiClass, names: Iterable[str]) -> str:
    """Return the declared field that has one of the names, in any letter case; "" for none."""
    declared = {field.name.lower(): field.name for field in cls.public_fields}
    return next((declared[name.lower()] for name in names if name.lower() in declared), "")


def cells(
    known: Mapping[str, Parameter], row: Mapping[str, Any], names: Iterable[str], store: Store, *, asked: bool
) -> list[Cell]:
    """Return the named parameters of a row; what costs a call of its own only when asked for by name."""
    found = []
    for name in names:
        base, colon, key = name.partition(":")
        parameter = known[base]
        if colon:
            text = str((parameter.held(row, store) or {}).get(key, ""))
        else:
            text = EXPENSIVE if parameter.has("!") and not asked else parameter.text(row, store)
        found.append(Cell(name, parameter.marker, text))
    return found
