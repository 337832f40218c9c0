"""Class PIF."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    static("device", "string", write_role=Role.POOL_OPERATOR),
    static("network", "ref(network)", write_role=Role.POOL_OPERATOR),
    static("host", "ref(host)", write_role=Role.POOL_OPERATOR),
    static("MAC", "string", write_role=Role.POOL_OPERATOR),
    static("MTU", "int", write_role=Role.POOL_OPERATOR),
    static("VLAN", "int", write_role=Role.POOL_OPERATOR),
    rw("device_name", "string", internal=True, write_role=Role.POOL_OPERATOR),
    dynamic("metrics", "ref(PIF_metrics)", write_role=Role.POOL_OPERATOR),
    dynamic("physical", "bool", default=False, since="miami", write_role=Role.POOL_OPERATOR),
    dynamic("currently_attached", "bool", default=True, since="miami", write_role=Role.POOL_OPERATOR),
    dynamic(
        "ip_configuration_mode", "enum(ip_configuration_mode)", default="None", since="miami",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("IP", "string", default="", since="miami", write_role=Role.POOL_OPERATOR),
    dynamic("netmask", "string", default="", since="miami", write_role=Role.POOL_OPERATOR),
    dynamic("gateway", "string", default="", since="miami", write_role=Role.POOL_OPERATOR),
    dynamic("DNS", "string", default="", since="miami", write_role=Role.POOL_OPERATOR),
    dynamic(
        "bond_slave_of", "ref(Bond)", default="OpaqueRef:NULL", since="miami", write_role=Role.POOL_OPERATOR,
    ),
    dynamic("bond_master_of", "set(ref(Bond))", since="miami", write_role=Role.POOL_OPERATOR),
    dynamic(
        "VLAN_master_of", "ref(VLAN)", default="OpaqueRef:NULL", since="miami",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("VLAN_slave_of", "set(ref(VLAN))", since="miami", write_role=Role.POOL_OPERATOR),
    dynamic("management", "bool", default=False, since="miami", write_role=Role.POOL_OPERATOR),
    rw("other_config", "map(string,string)", default={}, since="miami", write_role=Role.POOL_OPERATOR),
    dynamic("disallow_unplug", "bool", default=False, since="orlando", write_role=Role.POOL_OPERATOR),
    dynamic("tunnel_access_PIF_of", "set(ref(tunnel))", since="cowley", write_role=Role.POOL_OPERATOR),
    dynamic("tunnel_transport_PIF_of", "set(ref(tunnel))", since="cowley", write_role=Role.POOL_OPERATOR),
    dynamic(
        "ipv6_configuration_mode", "enum(ipv6_configuration_mode)", default="None", since="tampa",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("IPv6", "set(string)", default=[], since="tampa", write_role=Role.POOL_OPERATOR),
    dynamic("ipv6_gateway", "string", default="", since="tampa", write_role=Role.POOL_OPERATOR),
    dynamic(
        "primary_address_type", "enum(primary_address_type)", default="IPv4", since="tampa",
        write_role=Role.POOL_OPERATOR,
    ),
    static("managed", "bool", default=True, since="vgpu-productisation", write_role=Role.POOL_OPERATOR),
    dynamic("properties", "map(string,string)", default={}, since="creedence", write_role=Role.POOL_OPERATOR),
    dynamic("capabilities", "set(string)", default=[], since="dundee", write_role=Role.POOL_OPERATOR),
    dynamic(
        "igmp_snooping_status", "enum(pif_igmp_status)", default="unknown", since="inverness",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "sriov_physical_PIF_of", "set(ref(network_sriov))", since="kolkata", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "sriov_logical_PIF_of", "set(ref(network_sriov))", since="kolkata", write_role=Role.POOL_OPERATOR,
    ),
    dynamic("PCI", "ref(PCI)", default="OpaqueRef:NULL", since="kolkata", write_role=Role.POOL_OPERATOR),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create_VLAN",
        (param("device", "string"), param("network", "ref(network)"), param("host", "ref(host)"), param("VLAN", "int")),
        result="ref(PIF)", role=Role.POOL_OPERATOR, errors=("VLAN_TAG_INVALID",), state="deprecated",
    ),
    msg(
        "destroy", (param("self", "ref(PIF)"),), role=Role.POOL_OPERATOR, errors=("PIF_IS_PHYSICAL",),
        state="deprecated",
    ),
    msg(
        "reconfigure_ip",
        (param("self", "ref(PIF)"), param("mode", "enum(ip_configuration_mode)"), param("IP", "string"), param("netmask", "string"), param("gateway", "string"), param("DNS", "string")),
        role=Role.POOL_OPERATOR, errors=("CLUSTERING_ENABLED",), since="miami",
    ),
    msg(
        "reconfigure_ipv6",
        (param("self", "ref(PIF)"), param("mode", "enum(ipv6_configuration_mode)"), param("IPv6", "string"), param("gateway", "string"), param("DNS", "string")),
        role=Role.POOL_OPERATOR, errors=("CLUSTERING_ENABLED",), since="tampa",
    ),
    msg(
        "set_primary_address_type",
        (param("self", "ref(PIF)"), param("primary_address_type", "enum(primary_address_type)")),
        role=Role.POOL_OPERATOR, since="tampa",
    ),
    msg("scan", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, since="miami"),
    msg(
        "introduce",
        (param("host", "ref(host)"), param("MAC", "string"), param("device", "string"), param("managed", "bool", True)),
        result="ref(PIF)", role=Role.POOL_OPERATOR, since="miami",
    ),
    msg(
        "forget", (param("self", "ref(PIF)"),), role=Role.POOL_OPERATOR,
        errors=("PIF_TUNNEL_STILL_EXISTS", "CLUSTERING_ENABLED"), since="miami",
    ),
    msg(
        "unplug", (param("self", "ref(PIF)"),), role=Role.POOL_OPERATOR,
        errors=("HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN", "VIF_IN_USE", "PIF_DOES_NOT_ALLOW_UNPLUG", "PIF_HAS_FCOE_SR_IN_USE"),
        since="miami",
    ),
    msg(
        "set_disallow_unplug", (param("self", "ref(PIF)"), param("value", "bool")), role=Role.POOL_OPERATOR,
        errors=("OTHER_OPERATION_IN_PROGRESS", "CLUSTERING_ENABLED"), since="orlando",
    ),
    msg(
        "plug", (param("self", "ref(PIF)"),), role=Role.POOL_OPERATOR,
        errors=("TRANSPORT_PIF_NOT_CONFIGURED",), since="miami",
    ),
    msg(
        "pool_introduce",
        (param("device", "string"), param("network", "ref(network)"), param("host", "ref(host)"), param("MAC", "string"), param("MTU", "int"), param("VLAN", "int"), param("physical", "bool"), param("ip_configuration_mode", "enum(ip_configuration_mode)"), param("IP", "string"), param("netmask", "string"), param("gateway", "string"), param("DNS", "string"), param("bond_slave_of", "ref(Bond)"), param("VLAN_master_of", "ref(VLAN)"), param("management", "bool"), param("other_config", "map(string,string)"), param("disallow_unplug", "bool", False), param("ipv6_configuration_mode", "enum(ipv6_configuration_mode)", "None"), param("IPv6", "set(string)", []), param("ipv6_gateway", "string", ""), param("primary_address_type", "enum(primary_address_type)", "IPv4"), param("managed", "bool", True), param("properties", "map(string,string)", {})),
        result="ref(PIF)", role=Role.POOL_OPERATOR, hidden=True,
    ),
    msg(
        "db_introduce",
        (param("device", "string"), param("network", "ref(network)"), param("host", "ref(host)"), param("MAC", "string"), param("MTU", "int"), param("VLAN", "int"), param("physical", "bool"), param("ip_configuration_mode", "enum(ip_configuration_mode)"), param("IP", "string"), param("netmask", "string"), param("gateway", "string"), param("DNS", "string"), param("bond_slave_of", "ref(Bond)"), param("VLAN_master_of", "ref(VLAN)"), param("management", "bool"), param("other_config", "map(string,string)"), param("disallow_unplug", "bool", False), param("ipv6_configuration_mode", "enum(ipv6_configuration_mode)", "None"), param("IPv6", "set(string)", []), param("ipv6_gateway", "string", ""), param("primary_address_type", "enum(primary_address_type)", "IPv4"), param("managed", "bool", True), param("properties", "map(string,string)", {})),
        result="ref(PIF)", role=Role.POOL_OPERATOR, since="orlando",
    ),
    msg("db_forget", (param("self", "ref(PIF)"),), role=Role.POOL_OPERATOR, since="orlando"),
    msg(
        "set_property", (param("self", "ref(PIF)"), param("name", "string"), param("value", "string")),
        role=Role.POOL_OPERATOR, since="creedence",
    ),
)

CLASS = ApiClass(
    "PIF",
    "A physical network interface of a host, or a VLAN or bond on it.",
    FIELDS,
    MESSAGES,
)
