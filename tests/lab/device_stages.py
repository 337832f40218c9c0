"""What changes in a guest while it runs on Xen: disks, interfaces, vCPUs, their shares, memory."""

import re
import time

import pexpect
import pytest
import road_stages as stages
import XenAPI

MIB = 1 << 20
SEEN = re.compile(r"KRONOS-GUEST-SEES disks=(\S*) nics=(\S*) cpus=(\S+) kib=(\d+) end")


def look_inside(road, vm, word=""):
    """Have the guest do a `word`; return what it sees: disks' sectors by name, interfaces, vCPUs in use as ranges."""
    spawned = stages.console(road, road.xe(f"vm-param-get uuid={vm} param-name=dom-id"))
    for _ in range(60):
        spawned.send("look\n")
        if spawned.expect([SEEN, pexpect.TIMEOUT], timeout=5) == 0:
            break
    else:
        raise AssertionError(f"{vm} does not answer")
    if word:
        # It reads its console line by line: what it sees after that is after the word.
        spawned.send(f"{word}\nping\n")
        spawned.expect("KRONOS-GUEST-PONG")
        spawned.send("look\n")
        spawned.expect(SEEN)
    disks, nics, cpus, _ = spawned.match.groups()
    spawned.close()
    sizes = dict(disk.split(":") for disk in disks.split(",") if disk)
    return sizes, [nic for nic in nics.split(",") if nic], cpus


def until_inside(road, vm, check, word="", timeout_s=120.0):
    """Look, after a `word`, until `check` holds for what is seen; the guest takes its time to notice."""
    deadline = time.monotonic() + timeout_s
    while True:
        seen = look_inside(road, vm, word)
        if check(*seen):
            return seen
        assert time.monotonic() < deadline, seen


def device_changes(road, session):
    api = session.xenapi
    with road.stage("a PV guest with two vCPUs: first hello"):
        ref = stages.create_guest_from_outside(road, session, "g-dev", "pv", "10.0.2.52")
        api.VM.set_VCPUs_max(ref, "2")
        api.VM.set_VCPUs_at_startup(ref, "2")
        api.VM.set_memory_limits(ref, str(64 * MIB), str(256 * MIB), str(256 * MIB), str(256 * MIB))
        api.VM.start(ref, False, False)
        uuid = api.VM.get_uuid(ref)
        stages.check_guest(road, uuid, "g-dev", "10.0.2.52")
    with road.stage("plug a disk into the running guest, and unplug it"):
        disk(road, api, ref, uuid)
    with road.stage("plug an interface into the running guest, and unplug it"):
        interface(road, api, ref, uuid)
    with road.stage("fewer and more vCPUs, shares, less memory"):
        processors(road, api, ref, uuid)
        memory(road, api, ref)
    api.VM.hard_shutdown(ref)
    disks = [api.VBD.get_VDI(vbd) for vbd in api.VM.get_VBDs(ref)]
    api.VM.destroy(ref)
    for vdi in disks:
        api.VDI.destroy(vdi)


def disk(road, api, ref, uuid):
    machine, domid = road.machine, api.VM.get_domid(ref)
    (sr,) = api.SR.get_by_name_label("Local storage")
    vdi = api.VDI.create(
        {"name_label": "hot", "name_description": "", "SR": sr, "virtual_size": str(32 * MIB), "type": "user",
         "sharable": False, "read_only": False, "other_config": {}}
    )  # fmt: skip
    vbd = api.VBD.create(
        {"VM": ref, "VDI": vdi, "userdevice": "1", "bootable": False, "mode": "RW", "type": "Disk",
         "empty": False, "other_config": {}, "qos_algorithm_type": "", "qos_algorithm_params": {}}
    )  # fmt: skip
    assert api.VBD.get_currently_attached(vbd) is False
    api.VBD.plug(vbd)
    assert api.VBD.get_currently_attached(vbd) is True
    until_inside(road, uuid, lambda disks, _nics, _cpus: disks.get("xvdb") == str(32 * MIB // 512))
    assert f"/{domid}/51728" in machine.succeed(f"xl block-list {domid}")
    with pytest.raises(XenAPI.Failure, match="DEVICE_ALREADY_ATTACHED"):
        api.VBD.plug(vbd)
    with pytest.raises(XenAPI.Failure, match="VDI_IN_USE"):
        api.VDI.destroy(vdi)
    api.VBD.unplug(vbd)
    until_inside(road, uuid, lambda disks, _nics, _cpus: list(disks) == ["xvda"])
    assert f"/{domid}/51728" not in machine.succeed(f"xl block-list {domid}")
    with pytest.raises(XenAPI.Failure, match="DEVICE_ALREADY_DETACHED"):
        api.VBD.unplug(vbd)
    # What it needed is given back: it can be plugged again, and destroyed in the end.
    api.VBD.plug(vbd)
    until_inside(road, uuid, lambda disks, _nics, _cpus: "xvdb" in disks)
    api.VBD.unplug_force(vbd)
    api.VDI.destroy(vdi)


def interface(road, api, ref, uuid):
    machine, domid = road.machine, api.VM.get_domid(ref)
    (network,) = [
        one for one, record in api.network.get_all_records().items() if record["bridge"] == "xenbr0"
    ]
    vif = api.VIF.create(
        {"device": "1", "network": network, "VM": ref, "MAC": "", "MTU": "1500", "other_config": {},
         "qos_algorithm_type": "", "qos_algorithm_params": {}}
    )  # fmt: skip
    api.VIF.plug(vif)
    until_inside(road, uuid, lambda _disks, nics, _cpus: nics == ["eth0", "eth1"])
    port = f"vif{domid}.1"
    assert port in machine.succeed("ip -o link show master xenbr0")
    inner = api.network.create({"name_label": "inner", "name_description": "", "other_config": {}})
    api.VIF.move(vif, inner)
    assert port in machine.succeed(f"ip -o link show master {api.network.get_bridge(inner)}")
    api.VIF.unplug(vif)
    until_inside(road, uuid, lambda _disks, nics, _cpus: nics == ["eth0"])
    machine.wait_until_succeeds(f"! ip link show {port}", 60)
    assert api.VIF.get_currently_attached(vif) is False
    api.network.destroy(inner)


def processors(road, api, ref, uuid):
    machine, domid = road.machine, api.VM.get_domid(ref)
    count = f"xl list {domid} | awk 'NR==2 {{print $4}}'"
    api.VM.set_VCPUs_number_live(ref, "1")
    machine.wait_until_succeeds(f"test $({count}) = 1", 120)
    until_inside(road, uuid, lambda _disks, _nics, cpus: cpus == "0")
    api.VM.set_VCPUs_number_live(ref, "2")
    # A kernel leaves it to its user space to use what it was given.
    until_inside(road, uuid, lambda _disks, _nics, cpus: cpus == "0-1", word="online")
    machine.wait_until_succeeds(f"test $({count}) = 2", 120)
    scheduler = machine.succeed("xl info xen_scheduler").strip()
    api.VM.add_to_VCPUs_params_live(ref, "weight", "512")
    api.VM.add_to_VCPUs_params_live(ref, "mask", "0")
    assert re.search(rf"\s{domid}\s+512\s", machine.succeed(f"xl sched-{scheduler} -d {domid}"))
    affinities = machine.succeed(f"xl vcpu-list {domid} | awk 'NR>1 {{print $7}}'").split()
    assert affinities == ["0", "0"], affinities


def memory(road, api, ref):
    domid = api.VM.get_domid(ref)
    api.VM.set_memory_target_live(ref, str(192 * MIB))
    api.VM.wait_memory_target_live(ref)
    mib = int(road.machine.succeed(f"xl list {domid} | awk 'NR==2 {{print $3}}'"))
    assert abs(mib - 192) <= 1
    metrics = api.VM.get_metrics(ref)
    assert abs(int(api.VM_metrics.get_memory_actual(metrics)) - mib * MIB) <= MIB
