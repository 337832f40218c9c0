"""XlHypervisor's own: files, scopes, failures half-way, a watcher that dies. The tools are stand-ins."""

import asyncio
import json
import stat
import uuid
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from xapi_shim.base.paths import Paths
from xapi_shim.xen import xl
from xapi_shim.xen.interface import (
    Disk,
    DomainConfig,
    DomainStartError,
    DomainType,
    NotEnoughMemoryError,
    Scheduling,
    XenError,
)
from xapi_shim.xen.xl import XlHypervisor

pytestmark = pytest.mark.usefixtures("stand_ins")


@pytest.fixture
def paths(tmp_path):
    return Paths(tmp_path)


@pytest.fixture
def config(tmp_path):
    (tmp_path / "kernel").touch()
    mib = 1 << 20
    kernel = tmp_path / "kernel"
    return DomainConfig(str(uuid.uuid4()), "x", DomainType.PVH, 64 * mib, 64 * mib, 1, 1, kernel)


async def test_the_configuration_is_private_and_goes_with_the_domain(paths, config):
    driver = XlHypervisor(paths, own_scope=False)
    domid = await driver.create(config, paused=False)
    path = paths.domain_configs / f"{config.uuid}.cfg"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await XlHypervisor(paths, own_scope=False).destroy(domid)  # as after a restart of the daemon
    assert not path.exists()


@pytest.mark.parametrize(("cmdline", "error"), [("break", DomainStartError), ("full", NotEnoughMemoryError)])
async def test_a_failed_start_leaves_nothing(paths, config, cmdline, error):
    driver = XlHypervisor(paths, own_scope=False)
    with pytest.raises(error):
        await driver.create(replace(config, cmdline=cmdline), paused=False)
    assert list(paths.domain_configs.iterdir()) == []
    assert len(await driver.domains()) == 1


async def test_a_cancelled_start_leaves_nothing(paths, config, stand_ins):
    driver = XlHypervisor(paths, own_scope=False)
    async with aclosing(driver.changes()) as changes:
        start = asyncio.create_task(driver.create(replace(config, cmdline="hang"), paused=False))
        async for _ in changes:
            if len(await driver.domains()) == 2:
                break
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert len(await driver.domains()) == 1
    assert list(paths.domain_configs.iterdir()) == []


async def test_a_start_that_takes_too_long_leaves_nothing(paths, config, monkeypatch):
    monkeypatch.setattr(xl, "CREATE_TIMEOUT_S", 1.0)
    driver = XlHypervisor(paths, own_scope=False)
    with pytest.raises(XenError, match="not done after 1 s"):
        await driver.create(replace(config, cmdline="hang"), paused=False)
    assert len(await driver.domains()) == 1


async def test_a_guest_has_a_scope_of_its_own(paths, config, stand_ins):
    script = stand_ins / "systemd-run"
    script.write_text(
        f'#!/bin/sh\necho "$@" > {stand_ins}/called\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'
    )
    script.chmod(0o700)
    await XlHypervisor(paths, own_scope=True).create(config, paused=True)
    called = (stand_ins / "called").read_text()
    assert called.startswith(
        f"--quiet --scope --collect --slice=xapi-guests.slice --unit=xapi-guest-{config.uuid}-"
    )
    assert f" -- xl create -q -e -p -f {paths.domain_configs}/{config.uuid}.cfg" in called


async def test_what_a_new_disk_starts_outlives_the_daemon(paths, config, stand_ins):
    domid = await XlHypervisor(paths, own_scope=False).create(config, paused=False)
    script = stand_ins / "systemd-run"
    script.write_text(
        f'#!/bin/sh\necho "$@" > {stand_ins}/called\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'
    )
    script.chmod(0o700)
    driver = XlHypervisor(paths, own_scope=True)
    await driver.attach_disk(domid, Disk(Path("/sr/a.qcow2"), "qcow2", "xvdb", read_only=True))
    called = (stand_ins / "called").read_text()
    assert called.startswith("--quiet --scope --collect --slice=xapi-guests.slice")
    assert called.rstrip().endswith(
        f" -- xl block-attach {domid} vdev=xvdb,format=qcow2,access=ro,backendtype=qdisk,target=/sr/a.qcow2"
    )


async def test_shares_are_told_to_the_scheduler(paths, config, stand_ins):
    driver = XlHypervisor(paths, own_scope=False)
    domid = await driver.create(config, paused=False)
    await driver.set_scheduling(domid, Scheduling(weight=512, cpus=(0, 3)))
    await driver.set_scheduling(domid, Scheduling(cap=50))
    await driver.send_sysrq(domid, "s")
    domain = json.loads((stand_ins / "state.json").read_text())["domains"][str(domid)]
    assert domain["shares"] == {"-w": "512", "-c": "50", "cpus": "0,3"}
    assert domain["sysrq"] == "s"


async def test_a_watcher_that_dies_is_started_again(paths, stand_ins, monkeypatch):
    monkeypatch.setattr(xl, "WATCHER_PAUSE_S", 0.01)
    async with aclosing(XlHypervisor(paths, own_scope=False).changes()) as changes, asyncio.timeout(30):
        async for _ in changes:
            if (stand_ins / "watches").exists():
                break
        (stand_ins / "watcher-dies").touch()
        async for _ in changes:
            if (stand_ins / "watches").read_text() == "xx":
                break


async def test_without_xen_it_is_said(paths, stand_ins):
    (stand_ins / "xl").unlink()
    with pytest.raises(XenError, match="program not found: xl"):
        await XlHypervisor(paths, own_scope=False).info()
    (stand_ins / "xl").write_text(
        '#!/bin/sh\necho "ERROR:  Can\'t find hypervisor information in sysfs!" >&2\nexit 1\n'
    )
    (stand_ins / "xl").chmod(0o700)
    with pytest.raises(XenError, match="Can't find hypervisor information"):
        await XlHypervisor(paths, own_scope=False).domains()
