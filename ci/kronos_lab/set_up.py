"""How far the host set-up of a lab machine is, as its own program says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kronos_lab.machine import wait_until

if TYPE_CHECKING:
    from kronos_lab.machine import Machine

# The settling takes seconds, and a minute of GRUB's scripts in the emulation.
SETTLE_S = 900.0
# There is no time server in the lab.
EXPECTED = ("time-not-synchronized",)


def set_up_phase(machine: Machine) -> str:
    """Return how far xapi-host-setup says that the machine is, "" where it does not answer."""
    said = machine.execute("xapi-host-setup status --json").stdout
    return str(json.loads(said)["phase"]) if said else ""


def wait_until_settled(machine: Machine) -> None:
    """Wait until the set-up ends after its reboot: the network is confirmed, Xen the lasting default. Raises LabError."""
    # While its network comes up it may not answer for longer than a connection waits.
    wait_until("the set-up has settled", lambda: set_up_phase(machine) == "finished", SETTLE_S)


def boot_without_xen(machine: Machine) -> None:
    """Reboot into the entry without Xen, once: apt below an emulated Xen takes half an hour for one kernel."""
    entry = machine.succeed("grep -om1 'gnulinux-simple-[0-9a-f-]*' /boot/grub/grub.cfg").strip()
    machine.succeed(f"grub-reboot {entry}")
    machine.reboot()
    machine.fail("test -e /sys/hypervisor/type")


def findings(machine: Machine) -> list[dict[str, Any]]:
    """Return what the doctor finds wrong, but for what is wrong with every lab machine."""
    found = json.loads(machine.execute("xapi-host-setup doctor --json").stdout)["findings"]
    return [one for one in found if one["level"] != "info" and one["id"] not in EXPECTED]
