"""What every Hypervisor does to a running guest's devices, vCPUs and memory."""

from dataclasses import replace
from pathlib import Path

import pytest
from test_xen_conformance import MIB, NO_DOMID, config_for, find

from xapi_shim.xen.interface import (
    DeviceBusyError,
    DeviceExistsError,
    DeviceMissingError,
    Devices,
    Disk,
    DomainMissingError,
    InvalidDomainConfigError,
    Scheduling,
    Trigger,
    Vif,
    XenError,
)
from xapi_shim.xen.xl_config import vif_spec
from xapi_shim.xen.xl_devices import with_script

DISK = Disk(Path("/sr/a.qcow2"), "qcow2", "xvdb", read_only=False)
VIF = Vif("00:16:3e:00:00:01", "xenbr0", 1, 1500)


@pytest.fixture
async def domid(world):
    first = replace(DISK, device="xvda")
    config = config_for(world, vcpus_max=2, disks=(first,), vifs=(replace(VIF, devid=0),))
    return await world.hypervisor.create(config, paused=False)


async def devices(world, domid):
    return (await world.hypervisor.devices([domid]))[domid]


async def test_disks_come_and_go(world, domid):
    xen = world.hypervisor
    assert (await devices(world, domid)).disks == {"xvda"}
    await xen.attach_disk(domid, DISK)
    assert (await devices(world, domid)).disks == {"xvda", "xvdb"}
    with pytest.raises(DeviceExistsError):
        await xen.attach_disk(domid, DISK)
    await xen.detach_disk(domid, "xvdb", force=False)
    assert (await devices(world, domid)).disks == {"xvda"}
    with pytest.raises(DeviceMissingError):
        await xen.detach_disk(domid, "xvdb", force=False)
    with pytest.raises(DeviceMissingError):
        await xen.detach_disk(domid, "xvdb", force=True)


async def test_interfaces_come_and_go(world, domid):
    xen = world.hypervisor
    assert (await devices(world, domid)).vifs == {0}
    await xen.attach_vif(domid, VIF)
    assert (await devices(world, domid)).vifs == {0, 1}
    with pytest.raises(DeviceExistsError):
        await xen.attach_vif(domid, VIF)
    await xen.detach_vif(domid, 0)
    assert (await devices(world, domid)).vifs == {1}
    with pytest.raises(DeviceMissingError):
        await xen.detach_vif(domid, 0)


async def test_a_guest_that_holds_a_disk(world, domid):
    world.hold("xvda")
    with pytest.raises(DeviceBusyError):
        await world.hypervisor.detach_disk(domid, "xvda", force=False)
    assert (await devices(world, domid)).disks == {"xvda"}
    await world.hypervisor.detach_disk(domid, "xvda", force=True)
    assert (await devices(world, domid)).disks == set()


async def test_what_xl_would_misread_is_refused(world, domid):
    with pytest.raises(InvalidDomainConfigError):
        await world.hypervisor.attach_disk(domid, replace(DISK, device="xvdb,script=x"))
    with pytest.raises(InvalidDomainConfigError):
        await world.hypervisor.attach_vif(domid, replace(VIF, bridge="a,script=x"))
    with pytest.raises(XenError):
        await world.hypervisor.send_sysrq(domid, "--help")
    assert await devices(world, domid) == Devices(frozenset({"xvda"}), frozenset({0}))


async def test_a_domain_that_is_gone(world, domid):
    xen = world.hypervisor
    for call in (
        xen.attach_disk(NO_DOMID, DISK),
        xen.detach_disk(NO_DOMID, "xvda", force=True),
        xen.attach_vif(NO_DOMID, VIF),
        xen.detach_vif(NO_DOMID, 0),
        xen.set_vcpus(NO_DOMID, 1),
        xen.set_memory_target(NO_DOMID, 64 * MIB),
        xen.send_sysrq(NO_DOMID, "s"),
        xen.send_trigger(NO_DOMID, Trigger.NMI),
        xen.set_scheduling(NO_DOMID, Scheduling(weight=256)),
    ):
        with pytest.raises(DomainMissingError):
            await call
    assert await xen.devices([NO_DOMID, domid]) == {
        NO_DOMID: Devices(),
        domid: Devices(frozenset({"xvda"}), frozenset({0})),
    }


async def test_processors_and_memory_follow(world, domid):
    xen = world.hypervisor
    await xen.set_vcpus(domid, 2)
    assert (await find(world, domid)).vcpus_online == 2
    with pytest.raises(XenError):
        await xen.set_vcpus(domid, 3)
    await xen.set_memory_target(domid, 32 * MIB)
    assert (await find(world, domid)).memory_bytes == 32 * MIB


@pytest.mark.parametrize("shares", [Scheduling(weight=0), Scheduling(weight=65536), Scheduling(cap=-1)])
async def test_shares_that_cannot_be(world, domid, shares):
    with pytest.raises(XenError):
        await world.hypervisor.set_scheduling(domid, shares)


async def test_triggers(world, domid):
    await world.hypervisor.send_trigger(domid, Trigger.NMI)
    with pytest.raises(XenError, match="failed"):
        await world.hypervisor.send_trigger(domid, Trigger.POWER)


def test_an_interface_on_another_bridge_than_linuxs_gets_the_script_of_open_vswitch(tmp_path):
    (tmp_path / "xenbr0/bridge").mkdir(parents=True)
    (tmp_path / "ovsbr0").mkdir()
    scripts = {
        bridge: with_script(replace(VIF, bridge=bridge), tmp_path).script
        for bridge in ("xenbr0", "ovsbr0", "none")
    }
    assert scripts == {"xenbr0": "", "ovsbr0": "vif-openvswitch", "none": ""}
    assert vif_spec(replace(VIF, script="vif-openvswitch")).endswith(",script=vif-openvswitch")
    with pytest.raises(InvalidDomainConfigError, match="script"):
        vif_spec(replace(VIF, script="vif-x,backend=1"))
