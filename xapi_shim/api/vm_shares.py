"""VM.VCPUs_params: how a VM shares the processors, from text to numbers. Pure."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import InvalidValueError
from xapi_shim.xen.interface import Scheduling

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

KEYS = ("weight", "cap", "mask")
WEIGHTS = range(1, 65536)
CAPS = range(65536)


def parse_share(key: str, value: str) -> Scheduling:
    """Return one setting. Raises INVALID_VALUE [key; value]."""
    if key == "weight":
        return Scheduling(weight=_number(key, value, WEIGHTS))
    if key == "cap":
        return Scheduling(cap=_number(key, value, CAPS))
    if key == "mask":
        cpus = tuple(_number(key, one.strip(), range(4096)) for one in value.split(","))
        return Scheduling(cpus=tuple(dict.fromkeys(cpus)))
    raise InvalidValueError("key", key)


def _number(key: str, value: str, allowed: range) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and int(value) in allowed):
        raise InvalidValueError(key, value)
    return int(value)


def scheduling_of(params: Mapping[str, str]) -> Scheduling:
    """Return a VM's settings; one that says nothing, as anybody may write, is passed over as the reference does."""
    found = Scheduling()
    for key in KEYS:
        if not params.get(key):
            continue
        try:
            one = parse_share(key, params[key])
        except InvalidValueError as error:
            log.warning("VCPUs_params: %s", error)
            continue
        found = Scheduling(
            found.weight if one.weight is None else one.weight,
            found.cap if one.cap is None else one.cap,
            one.cpus or found.cpus,
        )
    return found
