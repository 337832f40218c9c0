"""What changes in a guest while it runs, by the unmodified Python client."""

import pytest
from test_conformance_xenapi import events_until

from xapi_shim.api.startup import refresh_metrics

MIB = 1 << 20


@pytest.fixture
def guest(api, vm):
    """Return a running guest with 4 vCPUs, 2 in use, and 64 to 256 MiB, 128 in use."""
    api.VM.set_VCPUs_max(vm, "4")
    api.VM.set_VCPUs_at_startup(vm, "2")
    api.VM.set_memory_limits(vm, str(64 * MIB), str(256 * MIB), str(128 * MIB), str(128 * MIB))
    api.VM.start(vm, False, False)
    return vm


def domain(running, api, vm):
    domid = int(api.VM.get_domid(vm))
    return next(d for d in running.wait(running.xen.domains()) if d.domid == domid)


def config(running, api, vm):
    return running.do(running.xen.configs.get, int(api.VM.get_domid(vm)))


def test_processors(running, api, guest, refused):
    api.VM.set_VCPUs_number_live(guest, "3")
    assert domain(running, api, guest).vcpus_online == 3
    assert api.VM.get_VCPUs_at_startup(guest) == "3"
    assert api.VM_metrics.get_VCPUs_number(api.VM.get_metrics(guest)) == "3"
    for number in ("0", "5", "-1"):
        assert refused("INVALID_VALUE", api.VM.set_VCPUs_number_live, guest, number)[2] == number
    assert refused("VM_BAD_POWER_STATE", api.VM.set_VCPUs_max, guest, "8")[1:] == [guest, "halted", "running"]
    api.VM.hard_shutdown(guest)
    assert refused("VM_BAD_POWER_STATE", api.VM.set_VCPUs_number_live, guest, "1")[1:] == [
        guest,
        "running",
        "halted",
    ]
    refused("INVALID_VALUE", api.VM.set_VCPUs_max, guest, "2")
    refused("INVALID_VALUE", api.VM.set_VCPUs_at_startup, guest, "5")


def test_shares(running, api, guest, refused):
    api.VM.add_to_VCPUs_params_live(guest, "weight", "512")
    api.VM.add_to_VCPUs_params_live(guest, "mask", "0, 3")
    api.VM.add_to_VCPUs_params_live(guest, "weight", "1024")
    shares = config(running, api, guest).scheduling
    assert (shares.weight, shares.cap, shares.cpus) == (1024, None, (0, 3))
    assert api.VM.get_VCPUs_params(guest) == {"weight": "1024", "mask": "0, 3"}
    for key, value in (
        ("weight", "0"), ("weight", "much"), ("cap", "-1"), ("mask", "99"), ("mask", ""), ("colour", "red"),
    ):  # fmt: skip
        refused("INVALID_VALUE", api.VM.add_to_VCPUs_params_live, guest, key, value)
    api.VM.add_to_VCPUs_params(guest, "cap", "50")
    api.VM.hard_reboot(guest)
    shares = config(running, api, guest).scheduling
    assert (shares.weight, shares.cap, shares.cpus) == (1024, 50, (0, 3))
    api.VM.remove_from_VCPUs_params(guest, "weight")
    api.VM.add_to_VCPUs_params(guest, "weight", "many")
    api.VM.hard_reboot(guest)
    assert config(running, api, guest).scheduling.weight is None


def test_memory(running, api, guest, refused):
    api.VM.set_memory_target_live(guest, str(96 * MIB))
    assert domain(running, api, guest).memory_bytes == 96 * MIB
    record = api.VM.get_record(guest)
    assert {record[f"memory_{name}"] for name in ("dynamic_min", "dynamic_max", "target")} == {str(96 * MIB)}
    api.VM.wait_memory_target_live(guest)
    metrics = api.VM.get_metrics(guest)
    assert api.VM_metrics.get_memory_actual(metrics) == str(96 * MIB)
    api.VM.set_memory_dynamic_range(guest, str(64 * MIB), str(256 * MIB))
    assert domain(running, api, guest).memory_bytes == 256 * MIB
    refused("MEMORY_CONSTRAINT_VIOLATION_ORDER", api.VM.set_memory_dynamic_max, guest, str(257 * MIB))
    refused("MEMORY_CONSTRAINT_VIOLATION_ORDER", api.VM.set_memory_dynamic_min, guest, str(63 * MIB))
    refused("MEMORY_CONSTRAINT_VIOLATION_ORDER", api.VM.set_memory_target_live, guest, str(1 << 40))
    refused("INVALID_VALUE", api.VM.set_memory_target_live, guest, "-1")
    refused("VM_BAD_POWER_STATE", api.VM.set_memory_static_max, guest, str(512 * MIB))
    api.VM.pause(guest)
    refused("VM_BAD_POWER_STATE", api.VM.set_memory_dynamic_max, guest, str(128 * MIB))
    refused("VM_BAD_POWER_STATE", api.VM.wait_memory_target_live, guest)
    api.VM.hard_shutdown(guest)
    api.VM.set_memory_dynamic_max(guest, str(128 * MIB))
    assert api.VM.get_memory_dynamic_max(guest) == str(128 * MIB)
    refused("VM_BAD_POWER_STATE", api.VM.set_memory_target_live, guest, str(96 * MIB))


def test_a_guest_that_does_not_reach_its_target(running, api, guest, refused, monkeypatch):
    monkeypatch.setattr("xapi_shim.api.vm_live.TARGET_WAIT_S", 0.05)
    monkeypatch.setattr("xapi_shim.api.vm_live.TARGET_LOOK_S", 0.01)
    running.do(setattr, running.xen, "obedient", False)
    api.VM.set_memory_target_live(guest, str(96 * MIB))
    refused("VM_MEMORY_TARGET_WAIT_TIMEOUT", api.VM.wait_memory_target_live, guest)
    assert api.VM.get_current_operations(guest) == {}


def test_what_a_guest_does_by_itself_is_measured(running, api, guest):
    """Its balloon moves, a vCPU goes: nobody says so, the next measurement shows it."""
    domid = int(api.VM.get_domid(guest))
    running.wait(running.xen.set_memory_target(domid, 80 * MIB))
    running.wait(running.xen.set_vcpus(domid, 1))
    running.wait(refresh_metrics(running.daemon.tools))
    metrics = api.VM_metrics.get_record(api.VM.get_metrics(guest))
    assert (metrics["memory_actual"], metrics["VCPUs_number"]) == (str(80 * MIB), "1")


def test_keys_and_wires(running, api, guest, refused):
    api.VM.set_actions_after_crash(guest, "destroy")
    refused("INVALID_VALUE", api.VM.send_sysrq, guest, "--help")
    refused("INVALID_VALUE", api.VM.send_trigger, guest, "bell")
    api.VM.send_trigger(guest, "nmi")
    assert "failed" in refused("INTERNAL_ERROR", api.VM.send_trigger, guest, "sleep")[1]
    api.VM.send_sysrq(guest, "c")
    events_until(api, [f"vm/{guest}"], "", lambda e: e["snapshot"]["power_state"] == "Halted")
    refused("VM_BAD_POWER_STATE", api.VM.send_sysrq, guest, "s")
    refused("VM_BAD_POWER_STATE", api.VM.send_trigger, guest, "nmi")
    (dom0,) = [ref for ref, one in api.VM.get_all_records().items() if one["is_control_domain"]]
    refused("OPERATION_NOT_ALLOWED", api.VM.send_sysrq, dom0, "b")
    refused("OPERATION_NOT_ALLOWED", api.VM.set_memory_target_live, dom0, str(96 * MIB))
