"""The objects that xe lists: their classes, parameters, and which are shown unless asked.

Parameters follow from the datamodel (`name_label` is `name-label`, a ref shows a uuid);
the few that xe has always named otherwise are in SPECIAL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from xapi_shim.cli.output import Cell
from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import NULL_REF, Kind, Type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.cli.rpc import Client
    from xapi_shim.datamodel.model import Field

NOT_FOUND = "<not in database>"


@dataclass(frozen=True)
class CliClass:
    """A class as xe knows it; `filters` are those that its list always has."""

    name: str
    api: str
    shown: tuple[str, ...]
    filters: tuple[tuple[str, str], ...] = ()


CLASSES: dict[str, CliClass] = {
    c.name: c
    for c in (
        CliClass("pool", "pool", ("uuid", "name-label", "name-description", "master", "default-SR")),
        CliClass("host", "host", ("uuid", "name-label", "name-description")),
        CliClass("host-cpu", "host_cpu", ("uuid", "number", "vendor", "speed", "utilisation")),
        CliClass(
            "vm",
            "VM",
            ("uuid", "name-label", "power-state"),
            (("is-a-template", "false"), ("is-a-snapshot", "false")),
        ),
        CliClass(
            "template",
            "VM",
            ("uuid", "name-label", "name-description"),
            (("is-a-template", "true"), ("is-a-snapshot", "false")),
        ),
        CliClass("network", "network", ("uuid", "name-label", "name-description", "bridge")),
        CliClass("vif", "VIF", ("uuid", "vm-uuid", "device", "network-uuid")),
        CliClass(
            "pif", "PIF", ("uuid", "device", "MAC", "currently-attached", "VLAN", "network-uuid", "host-uuid")
        ),
        CliClass("sr", "SR", ("uuid", "name-label", "name-description", "host", "type", "content-type")),
        CliClass("pbd", "PBD", ("uuid", "host-uuid", "sr-uuid", "device-config", "currently-attached")),
        CliClass(
            "vdi",
            "VDI",
            ("uuid", "name-label", "name-description", "sr-uuid", "virtual-size", "sharable", "read-only"),
        ),
        CliClass("vbd", "VBD", ("uuid", "vm-uuid", "vm-name-label", "vdi-uuid", "empty", "device")),
        CliClass("console", "console", ("uuid", "vm-uuid", "vm-name-label", "protocol", "location")),
        CliClass("task", "task", ("uuid", "name-label", "name-description", "status", "progress")),
    )
}

# xe's name to (field, field of the object it refers to).
SPECIAL: dict[str, dict[str, tuple[str, str]]] = {
    "VM": {"dom-id": ("domid", ""), "memory-actual": ("metrics", "memory_actual"), "start-time": ("metrics", "start_time"),
           "install-time": ("metrics", "install_time"), "VCPUs-number": ("metrics", "VCPUs_number")},
    "VIF": {"vm-uuid": ("VM", "uuid"), "vm-name-label": ("VM", "name_label"), "network-uuid": ("network", "uuid"),
            "network-name-label": ("network", "name_label")},
    "VBD": {"vm-uuid": ("VM", "uuid"), "vm-name-label": ("VM", "name_label"), "vdi-uuid": ("VDI", "uuid"),
            "vdi-name-label": ("VDI", "name_label")},
    "VDI": {"sr-uuid": ("SR", "uuid"), "sr-name-label": ("SR", "name_label"), "vbd-uuids": ("VBDs", "")},
    "PBD": {"host-uuid": ("host", "uuid"), "host-name-label": ("host", "name_label"), "sr-uuid": ("SR", "uuid"),
            "sr-name-label": ("SR", "name_label")},
    "PIF": {"host-uuid": ("host", "uuid"), "host-name-label": ("host", "name_label"), "network-uuid": ("network", "uuid"),
            "network-name-label": ("network", "name_label"), "IP-configuration-mode": ("ip_configuration_mode", ""),
            "IPv6-configuration-mode": ("ipv6_configuration_mode", ""), "IPv6-gateway": ("ipv6_gateway", "")},
    "console": {"vm-uuid": ("VM", "uuid"), "vm-name-label": ("VM", "name_label")},
    "network": {"VIF-uuids": ("VIFs", ""), "PIF-uuids": ("PIFs", "")},
    "host": {"memory-total": ("metrics", "memory_total"), "memory-free": ("metrics", "memory_free"),
             "host-metrics-live": ("metrics", "live"), "control-domain-uuid": ("control_domain", "uuid"),
             "resident-vms": ("resident_VMs", "")},
    "host_cpu": {"host-uuid": ("host", "uuid")},
    "SR": {"host": ("PBDs", "host.name_label")},
}  # fmt: skip
# Values that xe prints in lower case.
LOWER = {("VM", "power_state")}


@dataclass
class Store:
    """The daemon's records, each class fetched once."""

    client: Client
    _classes: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def all(self, cls: str) -> dict[str, dict[str, Any]]:
        if cls not in self._classes:
            self._classes[cls] = self.client.call(f"{cls}.get_all_records")
        return self._classes[cls]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a class: where it comes from, and what may be done to it."""

    name: str
    cls: str
    field: Field
    of_other: str = ""

    @cached_property
    def writable(self) -> bool:
        """Whether param-set may set it."""
        if self.of_other:
            return False
        setter = all_messages(DATAMODEL).get(f"{self.cls}.set_{self.field.name}")
        return setter is not None and not setter[1].removed and len(setter[1].params) == 2

    @property
    def marker(self) -> str:
        shape = {Kind.MAP: "M", Kind.SET: "S"}.get(self.field.type.kind, " ")
        adder = f"{self.cls}.add{'_to' if shape == 'M' else ''}_{self.field.name}" in all_messages(DATAMODEL)
        return f"({shape}{'RW' if self.writable or (shape != ' ' and adder) else 'RO'})"

    def text(self, row: Mapping[str, Any], store: Store) -> str:
        """Return the value as xe prints it."""
        value = row[self.field.name]
        if not self.of_other:
            text = value_text(self.field.type, value, store)
            return text.lower() if (self.cls, self.field.name) in LOWER else text
        return _other_text(self.field.type, value, self.of_other, store)


def _other_text(of: Type, value: Any, wanted: str, store: Store) -> str:  # noqa: ANN401
    """Return a field of what a ref (or the first ref of a set) points to."""
    if of.kind is Kind.SET:
        if not value:
            return NOT_FOUND
        of, value = of.of[0], value[0]
    if of.name not in DATAMODEL.classes:
        return NOT_FOUND
    other = store.all(of.name).get(value)
    if other is None:
        return NOT_FOUND
    name, dot, deeper = wanted.partition(".")
    declared = DATAMODEL.classes[of.name].by_name[name].type
    if dot:
        return _other_text(declared, other[name], deeper, store)
    return value_text(declared, other[name], store)


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
        case _:
            return str(value)


def parameters(cls: CliClass) -> dict[str, Parameter]:
    """Return all parameters of a class by xe's names; uuid, names and the like come first."""
    api = DATAMODEL.classes[cls.api]
    special = SPECIAL.get(cls.api, {})
    renamed = {name for name, _ in special.values()}
    found = {
        field.name.replace("_", "-"): Parameter(field.name.replace("_", "-"), cls.api, field)
        for field in api.public_fields
        if field.name not in renamed or field.name in ("metrics",)
    }
    found.pop("metrics", None)
    for name, (own, other) in special.items():
        found[name] = Parameter(name, cls.api, api.by_name[own], other)
    return found


def cells(cls: CliClass, row: Mapping[str, Any], names: list[str], store: Store) -> list[Cell]:
    """Return the named parameters of a row; names that the class does not have are left out."""
    known = parameters(cls)
    return [Cell(n, known[n].marker, known[n].text(row, store)) for n in names if n in known]
