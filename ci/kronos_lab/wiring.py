"""What the cables of a row's machines lead to."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kronos_lab.far_side import FarSide
from kronos_lab.rows import FAR4, FAR6, VLAN, Wiring
from kronos_lab.segment import Cable, Segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The namespace's address, and the VLAN that the cables carry (0: none).
_GATEWAYS = {Wiring.CABLE4: (f"{FAR4}/24", VLAN), Wiring.CABLE6: (f"{FAR6}/64", 0)}


# How many a row's machine has when it is alone.
CABLES = {Wiring.USER: 0, Wiring.CABLE4: 2, Wiring.CABLE6: 1}


def plugs(folder: Path, count: int) -> tuple[Cable, ...]:
    """Return the cables of the machine in `folder` (see QemuSpec.cable)."""
    return tuple(
        Cable(folder / f"cable{n}.qemu", folder / f"cable{n}.far", os.fspath(folder)) for n in range(count)
    )


def uplink(folder: Path) -> Cable:
    """Return the cable to the user network of the machine in `folder` (see QemuSpec.uplink)."""
    return Cable(folder / "uplink.qemu", folder / "uplink.far", "the router", is_uplink=True)


def cables_of(wiring: Wiring, folder: Path, second: Path | None) -> tuple[Cable, ...]:
    """Return all cables of a row's machine in `folder` and, with a second host's folder, of both."""
    if second is None:
        return plugs(folder, CABLES[wiring])
    both = (*plugs(folder, CABLES[wiring] or 1), *plugs(second, 1))
    return (*both, uplink(folder)) if wiring is Wiring.USER else both


@contextmanager
def wired(wiring: Wiring, name: str, cables: tuple[Cable, ...]) -> Iterator[FarSide | None]:
    """Have the cables be one Ethernet; yield the namespace `name` that they lead to, None where QEMU has the gateway."""
    if wiring is Wiring.USER:
        with Segment(cables):
            yield None
    else:
        address, vlan = _GATEWAYS[wiring]
        with FarSide(name, (address,), cables, vlan) as far:
            yield far
