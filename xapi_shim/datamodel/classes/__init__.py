"""The declared classes, one module each.

CLASSES are those that the daemon serves. The other modules here are declared ahead of their
implementation: compared with the facts like the rest, and not on the wire until they are
listed.
"""

from __future__ import annotations

from xapi_shim.datamodel.classes import (
    console,
    event,
    host,
    host_cpu,
    host_metrics,
    network,
    pbd,
    pif,
    pool,
    session,
    sr,
    task,
    vbd,
    vdi,
    vif,
    vm,
    vm_guest_metrics,
    vm_metrics,
)

CLASSES = tuple(
    module.CLASS
    for module in (
        session,
        task,
        event,
        pool,
        host,
        host_metrics,
        host_cpu,
        vm,
        vm_metrics,
        vm_guest_metrics,
        network,
        vif,
        pif,
        sr,
        pbd,
        vdi,
        vbd,
        console,
    )
)
