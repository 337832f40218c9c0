"""The units of the dead-man switch: enabled before anything of the network is changed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.steps.service_step import ServiceStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.steps.step import Step

GUARD = "xapi-host-guard.service"
SETTLE = "xapi-host-settle.service"


def dead_man_steps() -> Iterator[Step]:
    """Yield what must be in place before the network step: whatever cuts that off, these act at the next boot."""
    yield ServiceStep(
        unit=GUARD, reason="what a crash leaves of the network step is put back before the network starts"
    )
    yield ServiceStep(
        unit=SETTLE, reason="after the reboot the old network comes back unless the new one is confirmed"
    )
