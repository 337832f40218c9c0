"""What of the pool's records is this host's: the same code runs on every host, over the same records.

A VM belongs to the host that it is recorded to run on; a VM that runs nowhere to the master. A domid says
something on its own host only. An operation is at work on the host that its task names, and where it has no
task on the host that its key names.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import CannotContactHostError, VmNotResidentHereError, XenAPIError

if TYPE_CHECKING:
    from collections.abc import Callable

    from xapi_shim.api.toolstack import Toolstack
    from xapi_shim.database.database import Database

log = logging.getLogger(__name__)

# Of keys in current_operations: what has no task. Clients know the first word.
_WITHOUT_TASK = "DummyRef:"
# Classes whose objects tell what goes on with them.
CLASSES = ("VM", "VM_appliance", "VBD", "VIF", "VDI", "VTPM", "VUSB", "SR", "network", "host", "pool")


def is_master(tools: Toolstack) -> bool:
    """Say whether this host is its pool's master."""
    return tools.db.exists("pool", tools.pool) and tools.db.text("pool", tools.pool, "master") == tools.host


def host_of(db: Database, vm: str) -> str | None:
    """Return the host that a VM is recorded to run on, None where it runs nowhere."""
    host = db.text("VM", vm, "resident_on")
    return host if db.exists("host", host) else None


def is_resident_here(tools: Toolstack, vm: str) -> bool:
    return host_of(tools.db, vm) == tools.host


def runs_elsewhere(tools: Toolstack, vm: str) -> bool:
    """Say whether a VM is recorded to run on another host."""
    return host_of(tools.db, vm) not in (None, tools.host)


def belongs_here(tools: Toolstack, vm: str) -> bool:
    """Say whether it is this host's to keep a VM's record true: its own guests', and on the master those of no host."""
    host = host_of(tools.db, vm)
    return host == tools.host or (host is None and is_master(tools))


def domid_here(tools: Toolstack, vm: str) -> int:
    """Return the domid of a VM on this host, -1 for none.

    Raises VM_NOT_RESIDENT_HERE [vm; host]: the number is another guest's here.
    """
    if runs_elsewhere(tools, vm):
        raise VmNotResidentHereError(vm, tools.host)
    return tools.db.number("VM", vm, "domid")


def operation_key(task: str, host: str, unique: str) -> str:
    """Return the key of an operation in current_operations: its task, and without one whose work it is."""
    return task or f"{_WITHOUT_TASK}|{host}|{unique}"


def worker_of(db: Database, key: str) -> str | None:
    """Return the host that is at work on the operation with this key, None where nobody is known to be."""
    if key.startswith(_WITHOUT_TASK):
        _, _, rest = key.partition("|")
        host = rest.partition("|")[0]
    else:
        host = db.text("task", key, "resident_on") if db.exists("task", key) else ""
    return host if db.exists("host", host) else None


def drop_operations(db: Database, host: str, *, orphans: bool) -> list[tuple[str, str]]:
    """Forget what a host was at work on and is not any more: it was started anew, or is dead.

    With `orphans` also what nobody is known to be at work on. Return the class and ref of what had some.
    """
    gone = (host, None) if orphans else (host,)
    return _drop(db, lambda key: worker_of(db, key) in gone)


def drop_task(db: Database, task: str) -> None:
    """Forget the operations of a task whose host does not say how they ended."""
    _drop(db, lambda key: key == task)


def _drop(db: Database, is_over: Callable[[str], bool]) -> list[tuple[str, str]]:
    """Forget the operations whose keys are those of what is over; return the class and ref of what had some."""
    dropped = []
    with db.transaction():
        for cls in CLASSES:
            for ref in db.refs(cls):
                current = db.mapping(cls, ref, "current_operations")
                left = {key: name for key, name in current.items() if not is_over(key)}
                if left != current:
                    db.set(cls, ref, "current_operations", dict(left))
                    dropped.append((cls, ref))
    return dropped


def record_begin(
    tools: Toolstack, about: tuple[str, ...], begin: Callable[[], None], end: Callable[[], None]
) -> None:
    """Record by `begin` what `end` takes back: where the answer is lost the master may have it, and `end` is owed.

    Raises what `begin` raises.
    """
    tools.owed.pop(about, None)
    try:
        begin()
    except CannotContactHostError:
        tools.owed[about] = end
        raise


def record_end(tools: Toolstack, about: tuple[str, ...], end: Callable[[], None]) -> None:
    """Record by `end` that something is over; while the master cannot be told it is owed, and paid by `pay_owed`.

    Raises CANNOT_CONTACT_HOST [master] then.
    """
    try:
        end()
    except CannotContactHostError:
        tools.owed[about] = end
        raise


def pay_owed(tools: Toolstack) -> None:
    """Record what is owed: the master answers again."""
    for about, end in tuple(tools.owed.items()):
        del tools.owed[about]
        try:
            record_end(tools, about, end)
        except XenAPIError as error:
            log.warning("%s: %s", about[-1], error)


def is_reserved_elsewhere(tools: Toolstack, vbd: str) -> bool:
    """Say whether another host is giving a guest a drive's disk: its guest, or what is at work on the drive or its VM."""
    db, vm = tools.db, tools.db.text("VBD", vbd, "VM")
    if not db.exists("VM", vm):
        return False
    if host := host_of(db, vm):
        return host != tools.host
    keys = [*db.mapping("VM", vm, "current_operations"), *db.mapping("VBD", vbd, "current_operations")]
    return any(worker_of(db, key) not in (None, tools.host) for key in keys)
