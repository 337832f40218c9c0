"""PVS_site.*, PVS_server.*, PVS_proxy.* and PVS_cache_storage.*: what a proxy for provisioning servers would need.

The proxy itself is a program for Open vSwitch that no distribution has: `PVS_proxy.status` stays `stopped`.
Hosts on bridges refuse what is introduced, as the reference does there.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, cast

from xapi_shim.datamodel.errors import (
    InvalidDeviceError,
    InvalidIpAddressSpecifiedError,
    NotImplementedError_,
    OpenvswitchNotActiveError,
    PvsCacheStorageAlreadyPresentError,
    PvsCacheStorageIsInUseError,
    PvsProxyAlreadyPresentError,
    PvsServerAddressInUseError,
    PvsSiteContainsRunningProxiesError,
    PvsSiteContainsServersError,
    ValueNotSupportedError,
)
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value

PORTS = range(1, 1 << 16)


def _check_open_vswitch(call: Call) -> None:
    """Raise OPENVSWITCH_NOT_ACTIVE [] on a host whose networks are Linux's bridges."""
    software = call.db.mapping("host", call.tools.host, "software_version")
    if software.get("network_backend") != "openvswitch":
        raise OpenvswitchNotActiveError


def _running(db: Database, site: str) -> list[str]:
    proxies = db.items("PVS_site", site, "proxies")
    return [proxy for proxy in proxies if db.flag("PVS_proxy", proxy, "currently_attached")]


async def introduce_site(
    call: Call,
    name_label: str,
    name_description: str,
    PVS_uuid: str,  # noqa: N803 -- the declared name
) -> str:
    """Make the record of a site of provisioning servers. Raises OPENVSWITCH_NOT_ACTIVE []."""
    _check_open_vswitch(call)
    values = {"name_label": name_label, "name_description": name_description, "PVS_uuid": PVS_uuid}
    return call.db.create("PVS_site", cast("dict[str, Value]", values))


async def forget_site(call: Call, self: str) -> None:
    """Forget a site without servers, and its caches.

    Raises PVS_SITE_CONTAINS_RUNNING_PROXIES [refs], PVS_SITE_CONTAINS_SERVERS [refs].
    """
    db = call.db
    if running := _running(db, self):
        raise PvsSiteContainsRunningProxiesError(*running)
    if servers := db.items("PVS_site", self, "servers"):
        raise PvsSiteContainsServersError(*servers)
    with db.transaction():
        for cache in db.items("PVS_site", self, "cache_storage"):
            db.destroy("PVS_cache_storage", cache)
        db.destroy("PVS_site", self)


def check_ports(first: int, last: int) -> None:
    """Raise VALUE_NOT_SUPPORTED [field; value; why] for what is no range of ports."""
    for name, port in (("first_port", first), ("last_port", last)):
        if port not in PORTS:
            raise ValueNotSupportedError(name, str(port), "Port out of range")
    if last < first:
        raise ValueNotSupportedError("last_port", str(last), "last_port smaller than first_port")


async def introduce_server(
    call: Call, addresses: list[str], first_port: int, last_port: int, site: str
) -> str:
    """Make the record of a provisioning server.

    Raises OPENVSWITCH_NOT_ACTIVE [], INVALID_IP_ADDRESS_SPECIFIED [addresses], PVS_SERVER_ADDRESS_IN_USE
    [addresses], VALUE_NOT_SUPPORTED, HANDLE_INVALID.
    """
    db = call.db
    _check_open_vswitch(call)
    for address in addresses:
        try:
            IPv4Address(address)
        except ValueError as error:
            raise InvalidIpAddressSpecifiedError("addresses") from error
    taken = {address for one in db.refs("PVS_server") for address in db.items("PVS_server", one, "addresses")}
    if in_use := [address for address in addresses if address in taken]:
        raise PvsServerAddressInUseError(*in_use)
    check_ports(first_port, last_port)
    db.assert_exists("PVS_site", site)
    values: dict[str, Value] = {
        "addresses": cast("Value", list(dict.fromkeys(addresses))),
        "first_port": first_port,
        "last_port": last_port,
        "site": site,
    }
    return db.create("PVS_server", values)


async def forget_server(call: Call, self: str) -> None:
    call.db.destroy("PVS_server", self)


async def create_cache(call: Call, args: dict[str, Value]) -> str:
    """Say where a host is to keep what a site's servers send; its disk is made when a proxy starts.

    Raises HANDLE_INVALID, PVS_CACHE_STORAGE_ALREADY_PRESENT [site; host].
    """
    db = call.db
    values = Coercion(db.model).constructor(db.model.classes["PVS_cache_storage"], args)
    host, site, sr = (cast("str", values[name]) for name in ("host", "site", "SR"))
    db.assert_exists("host", host)
    db.assert_exists("SR", sr)
    db.assert_exists("PVS_site", site)
    for cache in db.items("PVS_site", site, "cache_storage"):
        if db.text("PVS_cache_storage", cache, "host") == host:
            raise PvsCacheStorageAlreadyPresentError(site, host)
    return db.create("PVS_cache_storage", values)


async def destroy_cache(call: Call, self: str) -> None:
    """Drop a cache. Raises PVS_CACHE_STORAGE_IS_IN_USE [cache] while a proxy of its site runs."""
    if _running(call.db, call.db.text("PVS_cache_storage", self, "site")):
        raise PvsCacheStorageIsInUseError(self)
    call.db.destroy("PVS_cache_storage", self)


async def create_proxy(call: Call, site: str, VIF: str) -> str:  # noqa: N803 -- the declared name
    """Say that an interface is to be served by a site's servers through a proxy, which is stopped.

    Raises OPENVSWITCH_NOT_ACTIVE [], PVS_PROXY_ALREADY_PRESENT [refs], HANDLE_INVALID, INVALID_DEVICE [device].
    """
    db = call.db
    _check_open_vswitch(call)
    if there := [one for one in db.refs("PVS_proxy") if db.text("PVS_proxy", one, "VIF") == VIF]:
        raise PvsProxyAlreadyPresentError(*there)
    db.assert_exists("PVS_site", site)
    db.assert_exists("VIF", VIF)
    device = db.text("VIF", VIF, "device")
    if device != "0":
        raise InvalidDeviceError(device)
    if db.flag("VIF", VIF, "currently_attached"):
        raise NotImplementedError_("PVS_proxy.create for an interface in use")
    return db.create("PVS_proxy", {"site": site, "VIF": VIF})


async def destroy_proxy(call: Call, self: str) -> None:
    call.db.destroy("PVS_proxy", self)


MESSAGES = {
    "PVS_site.introduce": introduce_site,
    "PVS_site.forget": forget_site,
    "PVS_server.introduce": introduce_server,
    "PVS_server.forget": forget_server,
    "PVS_cache_storage.create": create_cache,
    "PVS_cache_storage.destroy": destroy_cache,
    "PVS_proxy.create": create_proxy,
    "PVS_proxy.destroy": destroy_proxy,
}
