"""At start-up: what the host's own system says goes into the host's record, and limits hold again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from xapi_shim.api.guest_agent import publish_settings
from xapi_shim.api.host_clock import settle_clock
from xapi_shim.api.host_crashdump import settle_crashdumps
from xapi_shim.api.host_identity import settle_iscsi_iqn
from xapi_shim.api.host_xen import settle_xen
from xapi_shim.api.pusb import settle_usb
from xapi_shim.api.remote_access import settle_ssh
from xapi_shim.api.server_certificate import alert_if_not_verifying
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Toolstack

log = logging.getLogger(__name__)


async def settle_host(tools: Toolstack) -> None:
    """Read and apply. What the host's system refuses is logged: the daemon serves all the same."""
    for settle in (settle_clock, settle_ssh, settle_xen, publish_settings):
        try:
            await settle(tools)
        except KronosError as error:
            log.warning("%s: %s", settle.__name__, error)
    try:
        settle_iscsi_iqn(tools)
    except (OSError, UnicodeDecodeError) as error:
        log.warning("the iSCSI initiator's name cannot be read: %s", error)
    try:
        settle_crashdumps(tools)
    except OSError as error:
        log.warning("the crash dumps cannot be read: %s", error)
    settle_usb(tools)
    verifies = tools.paths.verify_certificates.exists()
    tools.db.update("host", tools.host, tls_verification_enabled=verifies, https_only=True, ssl_legacy=False)
    alert_if_not_verifying(tools)
    tools.set_login_threads(tools.db.number("pool", tools.pool, "local_auth_max_threads"))
