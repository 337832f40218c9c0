"""Hypervisors to hold to the same conformance tests."""

import shutil
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from xapi_shim.base.paths import Paths
from xapi_shim.base.process import run_async
from xapi_shim.xen.interface import Hypervisor, ShutdownReason
from xapi_shim.xen.simulator import SimulatedXen
from xapi_shim.xen.xl import XlHypervisor

TOOLS = ("xl", "xenstore-watch", "xenstore-read")


@dataclass
class World:
    """A hypervisor, a kernel that boots on it, and what happens to guests by themselves, by domid."""

    hypervisor: Hypervisor
    kernel: Path
    stop_inside: Callable[[int, ShutdownReason], Awaitable[None]]
    destroy_outside: Callable[[int], Awaitable[None]]
    # Have guests not let go of the disk of this name.
    hold: Callable[[str], None]


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the stand-ins for Xen's tools first on PATH; return their folder."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        shutil.copy(Path(__file__).with_name("stand_in_xl.py"), folder / name)
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture(params=["simulator", "xl"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(b"kernel")
    if request.param == "simulator":
        xen = SimulatedXen(total_bytes=1 << 30, dom0_bytes=256 << 20)

        async def stop(domid: int, reason: ShutdownReason) -> None:
            xen.stop_inside(domid, reason)

        async def remove(domid: int) -> None:
            xen.xl_destroy(xen.configs[domid].uuid)

        yield World(xen, kernel, stop, remove, xen.held.add)
        return
    folder = request.getfixturevalue("stand_ins")
    driver = XlHypervisor(Paths(tmp_path), own_scope=False)

    async def stop_by_xl(domid: int, reason: ShutdownReason) -> None:
        await run_async(["xl", "stop", str(domid), str(reason.value)])

    async def remove_by_xl(domid: int) -> None:
        await run_async(["xl", "destroy", str(domid)])

    def hold(device: str) -> None:
        (folder / "held").write_text(device)

    yield World(driver, kernel, stop_by_xl, remove_by_xl, hold)
    await driver.close()
