"""Class PCI."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="boston", write_role=Role.POOL_ADMIN
    ),
    static("class_id", "string", "Its class, in hexadecimal.", default="", since="boston"),
    static("class_name", "string", "Its class, in words.", default="", since="boston"),
    static("vendor_id", "string", "Its maker, in hexadecimal.", default="", since="boston"),
    static("vendor_name", "string", "Its maker, in words.", default="", since="boston"),
    static("device_id", "string", "Its model, in hexadecimal.", default="", since="boston"),
    static("device_name", "string", "Its model, in words.", default="", since="boston"),
    static("host", "ref(host)", "The host that it is in.", default="OpaqueRef:NULL", since="boston"),
    static("pci_id", "string", "Its address on the bus.", default="", since="boston"),
    dynamic("functions", "int", "How many functions it has.", default=1, since="boston", internal=True),
    dynamic(
        "virtual_functions",
        "set(ref(PCI))",
        "The virtual functions it offers.",
        since="falcon",
        internal=True,
    ),
    static(
        "physical_function",
        "ref(PCI)",
        "The function that offers it, when it is virtual.",
        default="OpaqueRef:NULL",
        since="falcon",
        internal=True,
    ),
    dynamic("attached_VMs", "set(ref(VM))", "The guests that have it now.", since="boston", internal=True),
    dynamic("dependencies", "set(ref(PCI))", "The devices that have to go with it.", since="boston"),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="boston"),
    static(
        "subsystem_vendor_id",
        "string",
        "The board's maker, in hexadecimal.",
        default="",
        since="clearwater-whetstone",
    ),
    static(
        "subsystem_vendor_name",
        "string",
        "The board's maker, in words.",
        default="",
        since="clearwater-whetstone",
    ),
    static(
        "subsystem_device_id",
        "string",
        "The board's model, in hexadecimal.",
        default="",
        since="clearwater-whetstone",
    ),
    static(
        "subsystem_device_name",
        "string",
        "The board's model, in words.",
        default="",
        since="clearwater-whetstone",
    ),
    dynamic(
        "scheduled_to_be_attached_to",
        "ref(VM)",
        "The guest that is about to get it.",
        default="OpaqueRef:NULL",
        since="falcon",
        internal=True,
    ),
    static("driver_name", "string", "The kernel's driver for it.", default="", since="kolkata"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "disable_dom0_access",
        (param("self", "ref(PCI)"),),
        "Hide it from dom0 from the next restart on.",
        result="enum(pci_dom0_access)",
        role=Role.POOL_OPERATOR,
        since="24.14.0",
        state="prototyped",
    ),
    msg(
        "enable_dom0_access",
        (param("self", "ref(PCI)"),),
        "Show it to dom0 from the next restart on.",
        result="enum(pci_dom0_access)",
        role=Role.POOL_OPERATOR,
        since="24.14.0",
        state="prototyped",
    ),
    msg(
        "get_dom0_access_status",
        (param("self", "ref(PCI)"),),
        "Return whether dom0 sees it, now and after a restart.",
        result="enum(pci_dom0_access)",
        role=Role.POOL_OPERATOR,
        since="24.14.0",
        state="prototyped",
    ),
)

CLASS = ApiClass(
    "PCI",
    "A device on a host's PCI bus.",
    FIELDS,
    MESSAGES,
    since="boston",
)
