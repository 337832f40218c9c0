"""Whether this host's KVM can carry the lab: found out by trying, since a /dev/kvm proves nothing."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from xapi_shim.base.process import ProcessTimeoutError, ProgramMissingError, run

# Nested virtualization of the two vendors' modules: Xen inside needs it for PVH and HVM guests.
NESTED = tuple(Path(f"/sys/module/kvm_{vendor}/parameters/nested") for vendor in ("amd", "intel"))
TRY_S = 30.0
# Set to "no" by who wants the emulation even where KVM works, as CI has it.
SETTING = "KRONOS_LAB_KVM"


def nested_is_on(parameters: tuple[Path, ...] = NESTED) -> bool:
    """Return whether the loaded KVM module lets guests be hypervisors (it prints Y or 1)."""
    return any(path.exists() and path.read_text().strip() in ("Y", "1") for path in parameters)


def try_argv() -> list[str]:
    """Return a QEMU that makes a processor under KVM, takes one command and quits."""
    return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35",
            "-accel", "kvm", "-cpu", "host", "-S", "-qmp", "stdio"]  # fmt: skip


@cache
def kvm_works() -> bool:
    """Return whether machines may run under KVM here: nested, and QEMU really starts with it."""
    if os.environ.get(SETTING) == "no" or not nested_is_on():
        return False
    commands = '{"execute": "qmp_capabilities"}{"execute": "quit"}'
    try:
        return run(try_argv(), stdin=commands, check=False, timeout_s=TRY_S).returncode == 0
    except (ProcessTimeoutError, ProgramMissingError):
        return False
