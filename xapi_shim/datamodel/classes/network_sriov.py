"""Class network_sriov."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    static(
        "physical_PIF",
        "ref(PIF)",
        "The interface that is shared out.",
        default="OpaqueRef:NULL",
        since="kolkata",
    ),
    static(
        "logical_PIF",
        "ref(PIF)",
        "The interface that stands for the shared network.",
        default="OpaqueRef:NULL",
        since="kolkata",
    ),
    dynamic(
        "requires_reboot",
        "bool",
        "Whether the host has to be restarted for it.",
        default=False,
        since="kolkata",
    ),
    dynamic(
        "configuration_mode",
        "enum(sriov_configuration_mode)",
        "How the kernel was told.",
        default="unknown",
        since="kolkata",
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (param("pif", "ref(PIF)"), param("network", "ref(network)")),
        "Share out an interface on a network.",
        result="ref(network_sriov)",
        role=Role.POOL_OPERATOR,
        since="kolkata",
    ),
    msg(
        "destroy",
        (param("self", "ref(network_sriov)"),),
        "Stop sharing the interface out.",
        role=Role.POOL_OPERATOR,
        since="kolkata",
    ),
    msg(
        "get_remaining_capacity",
        (param("self", "ref(network_sriov)"),),
        "Return how many more guests it can serve.",
        result="int",
        role=Role.READ_ONLY,
        since="kolkata",
    ),
)

CLASS = ApiClass(
    "network_sriov",
    "An interface whose virtual functions are given to guests.",
    FIELDS,
    MESSAGES,
    since="kolkata",
)
