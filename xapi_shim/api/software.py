"""host.software_version: what the host runs, which clients compare."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from xapi_shim import __date__, __version__
from xapi_shim.api.host_errors import host_errors
from xapi_shim.api.host_facts import read_facts
from xapi_shim.datamodel.registry import API_VERSION, SCHEMA_VERSION

if TYPE_CHECKING:
    from xapi_shim.api.host_facts import HostFacts
    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value
    from xapi_shim.xen.interface import HypervisorInfo

# Clients compare these: the platform's version that the API's level corresponds to.
PRODUCT = {"product_brand": "Kronos", "product_version": "8.4.0", "product_version_text": "8.4"}
PLATFORM = {"platform_name": "XCP", "platform_version": "3.4.0"}


def software_version(facts: HostFacts, info: HypervisorInfo, network_backend: str) -> dict[str, Value]:
    return {
        **PRODUCT,
        **PLATFORM,
        "xapi": f"{API_VERSION[0]}.{API_VERSION[1]}",
        "xapi_build": __version__,
        "xen": info.version,
        "linux": facts.kernel,
        "network_backend": network_backend,
        "db_schema": f"{SCHEMA_VERSION[0]}.{SCHEMA_VERSION[1]}",
        "hostname": facts.hostname,
        "build_number": __version__,
        "date": __date__,
        "distribution": f"{facts.os_name} {facts.os_version}".strip(),
    }


async def refresh_pack_info(call: Call, host: str) -> None:
    """Read anew what this host runs."""
    tools = call.tools
    with host_errors():
        info, network = await asyncio.gather(tools.hypervisor.info(), tools.network.read())
    version = software_version(read_facts(tools.paths.inventory), info, network.backend)
    call.db.set("host", host, "software_version", version)


MESSAGES = {"host.refresh_pack_info": refresh_pack_info}
