"""Which LUN of a target is meant: asked of the daemon, which alone logs in to targets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from kronos_installer.xenapi_client import XenApiFailureError
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.xenapi_client import Session

# ConfigSCSIid of the reference's storage managers: its third parameter has the target's LUNs, as XML.
LUNS = "SR_BACKEND_FAILURE_107"
_NUMBER, _IDENTITY = re.compile(r"[0-9]{1,5}"), re.compile(r"\S+")


class LunMissingError(KronosError):
    """The target has no such LUN, or none with an identity."""

    def __init__(self, target: str, lun: int, there: dict[int, str]) -> None:
        found = ", ".join(f"{number:x}" for number in sorted(there)) or "none"
        super().__init__(f"{target} has no LUN {lun:x}", resolution=f"there are: {found}; see the target")


def read_luns(xml: str) -> dict[int, str]:
    """Return the identities of LUNs by number, of what a probe told; none of what is not XML."""
    try:
        told = fromstring(xml)
    except (ParseError, DefusedXmlException):
        return {}
    pairs = [
        (lun.findtext("LUNid", "").strip(), lun.findtext("SCSIid", "").strip()) for lun in told.iter("LUN")
    ]
    return {
        int(number): name for number, name in pairs if _NUMBER.fullmatch(number) and _IDENTITY.fullmatch(name)
    }


def lun_identity(session: Session, host: str, device_config: dict[str, str], lun: int) -> str:
    """Return a LUN's SCSIid. Raises LunMissingError, XenApiFailureError."""
    try:
        session.call("SR.probe", host, device_config, "lvmoiscsi", {})
    except XenApiFailureError as error:
        if error.code != LUNS or len(error.params) < 3:
            raise
        luns = read_luns(error.params[2])
        if lun in luns:
            return luns[lun]
        raise LunMissingError(device_config["targetIQN"], lun, luns) from error
    raise LunMissingError(device_config["targetIQN"], lun, {})
