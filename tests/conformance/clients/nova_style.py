"""Drives Debian's os_xenapi as OpenStack's Nova did; run by the Python that it belongs to.

On stdin, JSON: {"url", "user", "password"}. Any failure ends it with a status other than 0.

XenAPISession's constructor asks a plugin of the host for a pickled version. That cannot
succeed on Python 3 against any host (it pickles to bytes, and gets text back), so that this
one check is left out; all else of the client is as it is.
"""

import json
import sys

from os_xenapi.client import XenAPI, session, utils


class Session(session.XenAPISession):
    def _verify_plugin_version(self):
        pass


def main():
    wish = json.load(sys.stdin)
    nova = Session(wish["url"], wish["user"], wish["password"], concurrent=3)
    assert nova.product_version >= (1,), nova.product_version
    assert nova.product_brand
    assert nova.get_session_id().startswith("OpaqueRef:")
    host = nova.host.get_record(nova.host_ref)
    assert host["uuid"] == nova.host_uuid
    assert nova.get_rec("host", "OpaqueRef:none") is None

    # Storage, as Nova finds it and makes disks in it.
    sr = utils.get_default_sr(nova) if callable(getattr(utils, "get_default_sr", None)) else None
    assert sr in nova.SR.get_all(), sr
    vdi = utils.create_vdi(nova, sr, None, "root disk", "root", 1 << 30)
    assert nova.VDI.get_virtual_size(vdi) == str(1 << 30)

    # A VM from a whole record, by VM.create.
    vm = nova.VM.create(vm_record(nova))
    vbd = nova.VBD.create({
        "VM": vm, "VDI": vdi, "userdevice": "0", "bootable": True, "mode": "RW", "type": "disk",
        "unpluggable": True, "empty": False, "other_config": {}, "qos_algorithm_type": "",
        "qos_algorithm_params": {}, "qos_supported_algorithms": [],
    })  # fmt: skip
    (network,) = (
        list(nova.network.get_all_records_where('field "bridge" = "xenbr0"')) or nova.network.get_all()[:1]
    )
    nova.VIF.create({
        "device": "0", "network": network, "VM": vm, "MAC": "02:00:00:00:00:01", "MTU": "1500",
        "other_config": {"neutron-port-id": "1"}, "qos_algorithm_type": "", "qos_algorithm_params": {},
    })  # fmt: skip
    nova.VM.add_to_other_config(vm, "nova_uuid", "u")
    nova.call_xenapi("VM.start", vm, False, False)
    found = {ref: rec for ref, rec in nova.get_all_refs_and_recs("VM") if not rec["is_control_domain"]}
    assert found[vm]["power_state"] == "Running"
    assert found[vm]["VBDs"] == [vbd]
    nova.VM.clean_reboot(vm)
    with nova.custom_task("label", "text") as task:
        assert nova.task.get_name_label(task) == "os-xenapi-label"
    assert nova.get_rec("task", task) is None
    nova.VM.hard_shutdown(vm)
    nova.VM.destroy(vm)
    nova.VDI.destroy(vdi)
    try:
        nova.VM.start(vm, False, False)
    except XenAPI.Failure as failure:
        if failure.details[0] != "HANDLE_INVALID":
            raise
    else:
        raise AssertionError("a VM that is gone was started")


def vm_record(nova):
    megabytes = str(256 << 20)
    return {
        "actions_after_crash": "destroy", "actions_after_reboot": "restart", "actions_after_shutdown": "destroy",
        "affinity": nova.host_ref, "blocked_operations": {}, "ha_always_run": False, "ha_restart_priority": "",
        "HVM_boot_params": {}, "HVM_boot_policy": "", "is_a_template": False, "memory_dynamic_min": megabytes,
        "memory_dynamic_max": megabytes, "memory_static_min": "0", "memory_static_max": megabytes,
        "memory_target": megabytes, "name_description": "", "name_label": "instance-00000001",
        "other_config": {"nova_uuid_": "x"}, "PCI_bus": "", "platform": {"acpi": "true", "apic": "true"},
        "PV_args": "", "PV_bootloader": "", "PV_bootloader_args": "", "PV_kernel": "/boot/guest/vmlinuz",
        "PV_legacy_args": "", "PV_ramdisk": "", "recommendations": "", "tags": [], "user_version": "0",
        "VCPUs_at_startup": "1", "VCPUs_max": "1", "VCPUs_params": {}, "xenstore_data": {"vm-data/allowvssprovider": "false"},
    }  # fmt: skip


if __name__ == "__main__":
    main()
