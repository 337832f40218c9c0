"""Simulated iSCSI targets for tests, and the SRs on them."""

import json
import uuid

from xapi_shim.storage.lvmoiscsi_sr import LvmOverIscsiSr
from xapi_shim.storage.simulated_groups import SimulatedVolumeGroups
from xapi_shim.storage.simulated_iscsi import SimulatedIscsi

IQN = "iqn.2001-05.org.example:disks"
SCSI_ID = "360000000000000000e00000000010001"
CONFIG = {"target": "san", "targetIQN": IQN, "SCSIid": SCSI_ID}
UUID = str(uuid.uuid4())
EXTENT = 4 << 20


class Targets:
    """The server `san` with the target `IQN`, and a host that reaches it."""

    def __init__(self, tmp_path):
        self.servers, self.dev, self.sessions = (
            tmp_path / "iscsi",
            tmp_path / "dev",
            tmp_path / "run/sr-iscsi",
        )
        self.target = self.servers / "san" / IQN
        self.target.mkdir(parents=True)
        self.iscsi = SimulatedIscsi(self.servers, self.sessions)
        self.groups = SimulatedVolumeGroups(self.dev)

    def lun(self, number=1, scsi_id=SCSI_ID, size=1 << 30):
        """Add a LUN; return the directory that it is."""
        folder = self.target / str(number)
        folder.mkdir()
        said = {"scsi_id": scsi_id, "size": size, "vendor": "IET", "serial": f"beaf{number}"}
        (folder / "lun.json").write_text(json.dumps(said))
        return folder

    def driver(self, uuid=UUID, maker="here", **config):
        return LvmOverIscsiSr({**CONFIG, **config}, uuid, iscsi=self.iscsi, groups=self.groups, maker=maker)
