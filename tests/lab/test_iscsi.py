"""A host's disks on a LUN, its library on NFS: set up, probed, used by a guest, and given back.

The machine serves both to itself.
"""

import json
from dataclasses import replace

import matrix_stages
import pytest
import road_stages as stages

from kronos_lab.rows import ROWS
from kronos_lab.set_up import findings, set_up_phase, wait_until_settled

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(7200)]

IQN = "iqn.2001-05.org.example:disks"
PASSWORD = "secret-of-the-lab"
GUEST = "10.0.2.60"
CHAP = f"device-config:chapuser=host device-config:chappassword={PASSWORD}"
# The whole second disk, of which LUN 0 is the target's own controller; an initiator needs CHAP.
TARGET = f"""\
mkdir -p /etc/tgt/conf.d
cat > /etc/tgt/conf.d/disks.conf <<'END'
<target {IQN}>
    backing-store /dev/vdb
    incominguser host {PASSWORD}
</target>
END
(umask 077; echo '{PASSWORD}' > /root/san-password)
systemctl enable -q tgt.service
mkdir -p /srv/isos
truncate --size=1M /srv/isos/small.iso
echo '/srv/isos 127.0.0.1(rw,insecure,no_subtree_check,no_root_squash)' > /etc/exports
"""
ROW = replace(
    ROWS["debian-12-openvswitch"],
    name="debian-12-iscsi",
    packages=("tgt", "open-iscsi", "lvm2", "nfs-kernel-server"),
    prepare=TARGET,
    setup=(
        f"--storage iscsi:127.0.0.1::3260:1:{IQN},name=Disks",
        "--storage-username host --storage-password-file /root/san-password",
        "--iso-library nfs:127.0.0.1:/srv/isos,name=ISOs",
    ),
)


def probe(road, *config):
    """Return what xe says of the server, the target or the LUN: XML, or an error with XML in it."""
    words = " ".join(("device-config:target=127.0.0.1", CHAP, *config))
    done = road.machine.execute(f"xe sr-probe type=lvmoiscsi {words}")
    return done.stdout + done.stderr


def sessions(machine):
    return machine.execute("iscsiadm --mode session").stdout


def test_disks_on_a_lun(tmp_path):
    with matrix_stages.prepared(ROW, tmp_path / "m") as machine:
        road = stages.Road(machine)
        with road.stage("plan and apply"):
            machine.wait_until_succeeds(f"tgtadm --lld iscsi --op show --mode target | grep -q {IQN}")
            machine.succeed("update-grub 2>/dev/null")
            # What was on the LUN before is nobody's to see.
            machine.succeed("yes 'of somebody else' | dd of=/dev/vdb bs=1M count=512 iflag=fullblock")
            road.manifest = road.read_manifest()
            flags = " ".join(ROW.setup)
            refused = machine.execute(f"xapi-host-setup plan {flags.replace(':3260:', ':3261:')}")
            assert refused.returncode == 3
            assert "does not answer" in refused.stdout + refused.stderr
            machine.succeed(f"xapi-host-setup apply --yes {flags}")
            assert sessions(machine) == ""
        with road.stage("reboot into Xen"):
            machine.reboot()
            wait_until_settled(machine)
            machine.succeed("xapi-wait-init-complete 120")
            assert findings(machine) == []
        sr = road.xe("pool-list params=default-SR --minimal")
        with road.stage("probes"):
            assert road.xe(f"sr-param-get uuid={sr} param-name=type") == "lvmoiscsi"
            assert f"<TargetIQN>{IQN}</TargetIQN>" in probe(road)
            target = f"device-config:targetIQN={IQN}"
            luns = probe(road, target)
            scsi_id = road.xe(f"pbd-list sr-uuid={sr} params=device-config").partition("SCSIid: ")[2]
            scsi_id = scsi_id.partition(";")[0].strip()
            assert f"<SCSIid>{scsi_id}</SCSIid>" in luns
            assert f"<UUID>{sr}</UUID>" in probe(road, target, f"device-config:SCSIid={scsi_id}")
            assert sessions(machine).count(IQN) == 1
            assert "node.startup = manual" in machine.succeed(
                f"iscsiadm --mode node --targetname {IQN} --portal 127.0.0.1"
            )
        with road.stage("the library"):
            library = road.xe("sr-list name-label=ISOs --minimal")
            assert road.xe(f"sr-param-get uuid={library} param-name=type") == "iso"
            assert road.xe(f"vdi-list sr-uuid={library} params=name-label --minimal") == "small.iso"
            assert " nfs" in machine.succeed(f"findmnt --noheadings /run/sr-mount/{library}")
        with road.stage("a guest's disk"):
            guest = stages.create_guest(road, "g-lun", "pv", GUEST)
            road.xe(f"vm-start uuid={guest}")
            # The guest has stamped a disk that was zeros, and writes through to the LUN.
            stages.check_guest(road, guest, "g-lun", GUEST)
            (disk,) = road.xe(f"vbd-list vm-uuid={guest} params=vdi-uuid --minimal").split(",")
            device = f"/dev/VG_XenStorage-{sr}/LV-{disk}"
            read = f"dd if={device} bs=1M skip=1 iflag=direct status=none | tr -d '\\0' | wc -c"
            assert machine.succeed(read).strip() == "0"
        with road.stage("the daemon starts anew"):
            machine.succeed("systemctl kill --signal=KILL xapi.service")
            machine.wait_until_succeeds("xapi-wait-init-complete 120")
            assert road.xe(f"pbd-list sr-uuid={sr} params=currently-attached --minimal") == "true"
            assert road.xe(f"vm-list uuid={guest} params=power-state --minimal") == "running"
        with road.stage("a larger disk"):
            road.xe(f"vm-shutdown uuid={guest} force=true")
            road.xe(f"vdi-resize uuid={disk} disk-size=100MiB")
            road.xe(f"vm-start uuid={guest}")
            assert "KRONOS-GUEST-DISK 204800 " in stages.hello(road, guest, "g-lun")
            road.xe(f"vm-shutdown uuid={guest} force=true")
            road.xe(f"vm-uninstall uuid={guest} force=true")
            assert road.xe(f"vdi-list sr-uuid={sr} --minimal") == ""
        with road.stage("rollback and reboot"):
            machine.succeed("xapi-host-setup rollback --yes")
            assert sessions(machine) == ""
            assert machine.execute("findmnt --types nfs,nfs4").stdout == ""
            assert machine.succeed("ls /srv/isos") == "small.iso\n"
            assert (
                json.loads(machine.succeed("lvs --devices /dev/vdb --reportformat json"))["report"][0]["lv"]
                == []
            )
            assert machine.succeed("wipefs /dev/vdb") == ""
            machine.reboot()
            assert machine.execute("test -e /sys/hypervisor/type").returncode != 0
            assert matrix_stages.changed_files(road.manifest, road.read_manifest()) == []
            assert set_up_phase(machine) == "clean"
