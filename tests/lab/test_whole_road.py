"""The whole road on a real machine: packages, apt, set-up, Xen, guests, and all the way back."""

import device_stages
import pytest
import road_stages as stages
import XenAPI

from kronos_lab.cache import REPO
from kronos_lab.guest import install_guest
from kronos_lab.image import ensure_image
from kronos_lab.machine import Machine
from kronos_lab.repo_server import serve
from kronos_packaging import factory
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(5400)]


@pytest.fixture(scope="module")
def base():
    return ensure_image(Reporter())


@pytest.fixture(scope="module")
def repository():
    factory.build(["debian-12"], Reporter())
    with serve(REPO / "dist/apt") as uri:
        yield uri


def test_the_whole_road(base, repository):
    with Machine(base, name="whole-road", extra_ports=(443,)) as machine:
        road = stages.Road(machine)
        with road.stage("prepare"):
            stages.prepare(road)
        with road.stage("add the repository"):
            stages.add_repository(road, repository)
        with road.stage("apt-get install xapi"):
            stages.install(road)
        with road.stage("refuse an interfaces file that cannot be parsed"):
            stages.refuse_what_is_not_understood(road)
        with road.stage("xapi-host-setup plan, apply, apply again"):
            stages.set_up(road)
        with road.stage("reboot into Xen"):
            stages.boot_into_xen(road)
        with road.stage("Xen's own console"):
            xen_itself(road.session().xenapi)
        guests(road)
        with road.stage("roll back and purge"):
            undo(road)


def xen_itself(api):
    (host,) = api.host.get_all()
    api.host.send_debug_keys(host, "h")
    assert "'h' pressed" in api.host.dmesg(host)
    assert int(api.host.compute_memory_overhead(host)) > 0
    assert api.host.get_sched_gran(host) == "cpu"


def guests(road):
    with road.stage("make the guests' kernel and initrd"):
        install_guest(road.machine)
    session = road.session()
    with road.stage("a PV guest with xe: first hello"):
        pv = stages.create_guest(road, "g-pv", "pv", "10.0.2.50")
        road.xe(f"vm-start uuid={pv}")
        stages.check_guest(road, pv, "g-pv", "10.0.2.50")
    with road.stage("a PVH guest with XenAPI over TLS"):
        ref = stages.create_guest_from_outside(road, session, "g-pvh", "pvh", "10.0.2.51")
        session.xenapi.VM.start(ref, False, False)
        pvh = session.xenapi.VM.get_uuid(ref)
        stages.check_guest(road, pvh, "g-pvh", "10.0.2.51")
    with road.stage("what must be refused"):
        refusals(road, session, pv)
    device_stages.device_changes(road, session)
    with road.stage("live migration of a PV guest: done, or refused clearly"):
        stages.migrate_live(road, session, pv)
        road.machine.wait_until_succeeds("ping -c 1 -W 2 10.0.2.50")
    with road.stage("pause, unpause, shutdown, reboot, crash"):
        lives(road, session, pv)
    with road.stage("kill -9 the daemon while guests run"):
        stages.kill_daemon(road, pvh, "10.0.2.51")


def refusals(road, session, pv):
    api = session.xenapi
    vm = api.VM.get_by_uuid(pv)

    def refused(code, call, *args):
        with pytest.raises(XenAPI.Failure) as failure:
            call(*args)
        assert failure.value.details[0] == code, failure.value.details
        return failure.value.details

    assert refused("VM_BAD_POWER_STATE", api.VM.destroy, vm) == [
        "VM_BAD_POWER_STATE",
        vm,
        "halted",
        "running",
    ]
    assert refused("VM_BAD_POWER_STATE", api.VM.start, vm, False, False)[2:] == ["halted", "running"]
    (template,) = api.VM.get_by_name_label("Linux kernel and ramdisk")
    other = api.VM.clone(template, "g-bad")
    api.VM.set_is_a_template(other, False)
    api.VM.set_PV_kernel(other, "/boot/guest/none")
    refused("BOOTLOADER_FAILED", api.VM.start, other, False, False)
    api.VM.set_PV_kernel(other, stages.KERNEL)
    api.VM.set_memory(other, str(64 << 30))
    needed = refused("HOST_NOT_ENOUGH_FREE_MEMORY", api.VM.start, other, False, False)
    assert int(needed[1]) > int(needed[2])
    assert api.VM.get_power_state(other) == "Halted"
    api.VM.destroy(other)
    with pytest.raises(XenAPI.Failure) as failure:
        XenAPI.Session(
            f"https://127.0.0.1:{road.machine.ports[443]}", ignore_ssl=True
        ).xenapi.login_with_password("root", "wrong", "1.0", "kronos-lab")
    assert failure.value.details[0] == "SESSION_AUTHENTICATION_FAILED"


def lives(road, session, pv):
    api = session.xenapi
    watch = stages.Watcher(session, pv)
    api.VM.pause(watch.ref)
    watch.until_state("Paused")
    api.VM.unpause(watch.ref)
    watch.until_state("Running")
    domid = api.VM.get_domid(watch.ref)
    stages.tell_guest(road, pv, "reboot")
    watch.until(lambda vm: vm["power_state"] == "Running" and vm["domid"] not in (domid, "-1"))
    stages.hello(road, pv, "g-pv")
    api.VM.clean_shutdown(watch.ref)
    watch.until_state("Halted")
    assert api.VM.get_domid(watch.ref) == "-1"
    api.VM.set_actions_after_crash(watch.ref, "destroy")
    api.VM.start(watch.ref, False, False)
    stages.hello(road, pv, "g-pv")
    watch.until_state("Running")
    stages.tell_guest(road, pv, "crash")
    watch.until_state("Halted")
    api.VM.start(watch.ref, False, False)
    watch.until_state("Running")
    with road.stage("notice xl destroy behind our back"):
        road.machine.succeed(f"xl destroy {api.VM.get_domid(watch.ref)}")
        watch.until_state("Halted")
    task = api.Async.VM.start(watch.ref, False, False)
    watch.until_state("Running")
    while api.task.get_status(task) == "pending":
        api.event_from([f"task/{task}"], "", 1.0)
    assert api.task.get_status(task) == "success", api.task.get_record(task)


def undo(road):
    machine = road.machine
    machine.succeed("xapi-host-setup rollback --yes")
    machine.reboot()
    machine.succeed("DEBIAN_FRONTEND=noninteractive apt-get purge -y -q 'xapi*'", timeout_s=1800)
    machine.succeed("DEBIAN_FRONTEND=noninteractive apt-get autoremove --purge -y -q", timeout_s=1800)
    machine.succeed(
        "rm -f /etc/apt/sources.list.d/kronos.sources /usr/share/keyrings/kronos-archive-keyring.pgp"
    )
    machine.succeed("rm -rf /boot/guest")
    # Debian's Xen packages do not make GRUB's menu anew when they are purged.
    machine.succeed("update-grub")
    after = road.read_manifest()
    changed = {path for path, digest in road.manifest.items() if after.get(path) != digest}
    assert not changed, sorted(changed)
    stages.check_new_files(road, sorted(after.keys() - road.manifest.keys()))
    for path, lines in road.read_growing().items():
        assert lines >= road.growing[path], path
    machine.reboot()
    assert "xen" not in machine.succeed("cat /sys/hypervisor/type 2>/dev/null || true")
    assert machine.succeed("systemctl --failed --no-legend").strip() == ""
