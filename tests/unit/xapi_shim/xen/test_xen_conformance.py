"""What every Hypervisor does. On a real host the lab runs this module with a `world` of its own."""

import asyncio
import uuid
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from xapi_shim.xen.interface import (
    BootFileMissingError,
    DomainConfig,
    DomainExistsError,
    DomainInfo,
    DomainMissingError,
    DomainType,
    InvalidDomainConfigError,
    NotEnoughMemoryError,
    RunState,
    ShutdownReason,
    XenError,
)

MIB = 1 << 20
NO_DOMID = 32000


def config_for(world, **change) -> DomainConfig:
    config = DomainConfig(
        uuid=str(uuid.uuid4()),
        name="guest",
        domain_type=DomainType.PV,
        memory_static_max_bytes=64 * MIB,
        memory_target_bytes=64 * MIB,
        vcpus_max=1,
        vcpus=1,
        kernel=world.kernel,
    )
    return replace(config, **change)


async def find(world, domid) -> DomainInfo | None:
    return next((d for d in await world.hypervisor.domains() if d.domid == domid), None)


async def next_state(changes, world, domid, wanted) -> DomainInfo | None:
    """Return the domain once it is as wanted, looking only when the hypervisor says so."""
    async for _ in changes:
        found = await find(world, domid)
        if wanted(found):
            return found
    raise AssertionError("changes ended")


async def test_the_host(world):
    info = await world.hypervisor.info()
    assert info.version
    assert 0 < info.free_memory_bytes < info.total_memory_bytes
    assert info.cpus >= 1
    dom0 = await find(world, 0)
    assert dom0 is not None
    assert (dom0.run_state, dom0.shutdown_reason) == (RunState.RUNNING, None)


async def test_a_guest_from_start_to_end(world):
    xen, config = world.hypervisor, config_for(world)
    free = (await xen.info()).free_memory_bytes
    domid = await xen.create(config, paused=False)
    found = await find(world, domid)
    assert found is not None
    assert (found.uuid, found.run_state, found.shutdown_reason) == (config.uuid, RunState.RUNNING, None)
    assert (found.memory_bytes, found.vcpus_online) == (64 * MIB, 1)
    assert (await xen.info()).free_memory_bytes <= free - 64 * MIB
    assert await xen.console_tty(domid)
    await xen.destroy(domid)
    assert await find(world, domid) is None
    assert (await xen.info()).free_memory_bytes == free


async def test_pause_and_unpause(world):
    domid = await world.hypervisor.create(config_for(world), paused=True)
    assert (await find(world, domid)).run_state is RunState.PAUSED
    await world.hypervisor.unpause(domid)
    assert (await find(world, domid)).run_state is RunState.RUNNING
    await world.hypervisor.pause(domid)
    assert (await find(world, domid)).run_state is RunState.PAUSED
    await world.hypervisor.destroy(domid)


@pytest.mark.parametrize("field", ["kernel", "ramdisk"])
async def test_a_missing_boot_file(world, field):
    with pytest.raises(BootFileMissingError) as caught:
        await world.hypervisor.create(config_for(world, **{field: Path("/nowhere/x")}), paused=False)
    assert caught.value.path == Path("/nowhere/x")
    assert len(await world.hypervisor.domains()) == 1


async def test_too_little_memory(world):
    free = (await world.hypervisor.info()).free_memory_bytes
    config = config_for(world, memory_static_max_bytes=free, memory_target_bytes=free)
    with pytest.raises(NotEnoughMemoryError) as caught:
        await world.hypervisor.create(config, paused=False)
    assert caught.value.free_bytes == free
    assert caught.value.needed_bytes > free
    assert len(await world.hypervisor.domains()) == 1


async def test_a_second_domain_of_a_guest(world):
    config = config_for(world)
    domid = await world.hypervisor.create(config, paused=False)
    with pytest.raises(DomainExistsError):
        await world.hypervisor.create(config, paused=False)
    assert await find(world, domid) is not None
    await world.hypervisor.destroy(domid)


async def test_a_configuration_that_cannot_be(world):
    with pytest.raises(InvalidDomainConfigError):
        await world.hypervisor.create(config_for(world, cmdline="a\nb"), paused=False)
    assert len(await world.hypervisor.domains()) == 1


async def test_a_domain_that_is_not_there(world):
    xen = world.hypervisor
    for call in (xen.destroy, xen.pause, xen.unpause):
        with pytest.raises(DomainMissingError):
            await call(NO_DOMID)
    with pytest.raises(DomainMissingError):
        await xen.request_shutdown(NO_DOMID, ShutdownReason.POWEROFF)


@pytest.mark.parametrize("domid", [0, -1])
async def test_dom0_is_no_guest(world, domid):
    for call in (world.hypervisor.destroy, world.hypervisor.pause):
        with pytest.raises(XenError, match="not a guest"):
            await call(domid)


@pytest.mark.parametrize("reason", [ShutdownReason.POWEROFF, ShutdownReason.REBOOT])
async def test_a_request_is_obeyed_and_the_domain_stays(world, reason):
    domid = await world.hypervisor.create(config_for(world), paused=False)
    async with aclosing(world.hypervisor.changes()) as changes, asyncio.timeout(30):
        await world.hypervisor.request_shutdown(domid, reason)
        found = await next_state(changes, world, domid, lambda d: d.run_state is RunState.SHUTDOWN)
    assert found.shutdown_reason is reason
    await world.hypervisor.destroy(domid)


async def test_only_shutdowns_can_be_requested(world):
    domid = await world.hypervisor.create(config_for(world), paused=False)
    with pytest.raises(XenError, match="cannot be asked"):
        await world.hypervisor.request_shutdown(domid, ShutdownReason.CRASH)
    await world.hypervisor.destroy(domid)


@pytest.mark.parametrize(
    "reason", [ShutdownReason.POWEROFF, ShutdownReason.REBOOT, ShutdownReason.CRASH, ShutdownReason.WATCHDOG]
)
async def test_a_guest_that_stops_by_itself_is_noticed(world, reason):
    domid = await world.hypervisor.create(config_for(world), paused=False)
    async with aclosing(world.hypervisor.changes()) as changes, asyncio.timeout(30):
        await anext(changes)
        await world.stop_inside(domid, reason)
        found = await next_state(changes, world, domid, lambda d: d.run_state is RunState.SHUTDOWN)
    assert found.shutdown_reason is reason
    await world.hypervisor.destroy(domid)


async def test_a_guest_destroyed_behind_our_back_is_noticed(world):
    domid = await world.hypervisor.create(config_for(world), paused=False)
    async with aclosing(world.hypervisor.changes()) as changes, asyncio.timeout(30):
        await anext(changes)
        await world.destroy_outside(domid)
        await next_state(changes, world, domid, lambda d: d is None)
    with pytest.raises(DomainMissingError):
        await world.hypervisor.destroy(domid)


async def test_close_ends_changes(world):
    changes = world.hypervisor.changes()
    await anext(changes)
    await world.hypervisor.close()
    async with asyncio.timeout(30):
        assert await anext(changes, "ended") == "ended"


async def test_keys_of_a_guest_that_is_not_there(world):
    for domid in (0, -1):
        with pytest.raises(XenError, match="not a guest's domid"):
            await world.hypervisor.write_keys(domid, "x", {"y": "z"})
    with pytest.raises(DomainMissingError):
        await world.hypervisor.write_keys(77, "x", {"y": "z"})
