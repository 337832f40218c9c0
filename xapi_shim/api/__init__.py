"""What messages do: one module per XenAPI class or group of its messages."""

from __future__ import annotations

from xapi_shim.api import (
    event,
    host,
    network,
    pbd,
    plugins,
    pool,
    session,
    sr,
    task,
    vbd,
    vdi,
    vif,
    vm_limits,
    vm_power,
    vm_records,
)

MODULES = (
    event,
    host,
    network,
    pbd,
    plugins,
    pool,
    session,
    sr,
    task,
    vbd,
    vdi,
    vif,
    vm_limits,
    vm_power,
    vm_records,
)
