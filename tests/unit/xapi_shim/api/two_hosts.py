"""Two hosts of one pool in a process: two toolstacks, each with drivers of its own, over the same records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from xapi_shim.api import MODULES
from xapi_shim.api.external_auth import ExternalAuth
from xapi_shim.api.guest_watch import GuestWatch
from xapi_shim.api.host_facts import Cpu, HostFacts
from xapi_shim.api.startup import start_up
from xapi_shim.api.toolstack import Call, Toolstack
from xapi_shim.api.vm_records import add_vm
from xapi_shim.base.paths import Paths
from xapi_shim.database.database import Database
from xapi_shim.datamodel.model import Role
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.host.simulated import simulated_system
from xapi_shim.network.simulated import SimulatedNetwork
from xapi_shim.rpc.audit_file import AuditFile
from xapi_shim.rpc.call import CallInfo
from xapi_shim.rpc.dates import now_text
from xapi_shim.rpc.events import Events
from xapi_shim.rpc.sessions import Door, Origin, Sessions
from xapi_shim.rpc.tasks import Tasks
from xapi_shim.storage.simulated_sr import SimulatedSr
from xapi_shim.xen.host_tools import SimulatedXenHostTools
from xapi_shim.xen.simulator import SimulatedXen

if TYPE_CHECKING:
    from pathlib import Path

IMPLEMENTED = {key: function for module in MODULES for key, function in module.MESSAGES.items()}
UUIDS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


class SharedSr(SimulatedSr):
    """What a server would keep: hosts see the same volumes."""

    def driver_info(self):
        return replace(super().driver_info(), type="shared", sharable=True)


SR_TYPES = {"dummy": SimulatedSr, "shared": SharedSr}


async def nobody(user, password):
    return False


@dataclass
class Host:
    """A host: what its machine is, and its toolstack, which `start` begins anew as a daemon does."""

    number: int
    db: Database
    paths: Paths
    sessions: Sessions
    xen: SimulatedXen
    network: SimulatedNetwork
    member: bool

    def __post_init__(self):
        self.tools = self._assemble()

    def _assemble(self):
        return Toolstack(
            db=self.db, sessions=self.sessions, tasks=Tasks(self.db), events=Events(self.db, self.sessions),
            hypervisor=self.xen, network=self.network, sr_types=SR_TYPES, paths=self.paths,
            audit=AuditFile(self.paths.audit_log, f"host{self.number}"), authenticate=nobody,
            external_auth=ExternalAuth({}), system=simulated_system(), xen_host=SimulatedXenHostTools(),
        )  # fmt: skip

    @property
    def ref(self):
        return self.tools.host

    @cached_property
    def facts(self):
        cpus = tuple(Cpu(number, "GenuineIntel", "cpu", 6, 1, "1", "", 2000) for number in range(2))
        inventory = {"INSTALLATION_UUID": UUIDS[self.number]}
        return HostFacts(f"host{self.number}", "6.1", "Debian", "12", cpus, inventory, 4 << 30)

    async def start(self):
        self.tools = self._assemble()
        await start_up(self.tools, self.facts, local_sr_type="dummy", is_member=self.member)
        self.watch = GuestWatch(self.tools)
        await self.watch.settle()

    def call(self, *, task=""):
        return Call(self.tools, CallInfo("", "", Role.LOCAL_ROOT, Origin(Door.UNIX), task))

    async def do(self, key, *args):
        """Do a message here, wherever its place is."""
        return await IMPLEMENTED[key](self.call(), *args)

    def task(self):
        """Make a task whose work is here."""
        return self.tools.tasks.create("work", "", "")


@dataclass
class Pool:
    """A master and a member, both started."""

    db: Database
    master: Host
    member: Host
    root: Path

    def vm(self, **values):
        template = next(v for v in self.db.refs("VM") if self.db.flag("VM", v, "is_default_template"))
        memory = {k: v for k, v in self.db.values("VM", template).items() if k.startswith("memory_")}
        base = {**memory, "VCPUs_max": 1, "VCPUs_at_startup": 1, "domain_type": "pv", "PV_kernel": "/boot/guest/vmlinuz",
                "actions_after_shutdown": "destroy", "actions_after_reboot": "restart", "actions_after_crash": "destroy",
                "affinity": NULL_REF, "name_label": "guest"}  # fmt: skip
        return add_vm(self.db, {**base, **values})

    async def sr(self, *hosts, shared=False):
        """Make an SR with a PBD that is plugged into each of these hosts."""
        first, *others = hosts
        location = str(self.root / f"sr{len(self.db.refs('SR'))}")
        kind = "shared" if shared else "dummy"
        sr = await first.do(
            "SR.create", first.ref, {"location": location}, 0, "sr", "", kind, "user", shared, {}
        )
        for other in others:
            (pbd,) = [
                p for p in self.db.items("SR", sr, "PBDs") if self.db.text("PBD", p, "host") == other.ref
            ]
            await other.do("PBD.plug", pbd)
        return sr

    def pbd(self, sr, host):
        return next(p for p in self.db.items("SR", sr, "PBDs") if self.db.text("PBD", p, "host") == host.ref)

    async def disk(self, host, sr, vm=None, mode="RW"):
        """Make a disk, and put it into a VM."""
        record = {"SR": sr, "virtual_size": 1 << 20, "type": "user", "sharable": False, "read_only": False,
                  "other_config": {}}  # fmt: skip
        vdi = await host.do("VDI.create", record)
        if vm is not None:
            await host.do("VBD.create", {"VM": vm, "VDI": vdi, "userdevice": "autodetect", "bootable": False, "mode": mode,
                                         "type": "Disk", "unpluggable": True, "empty": False, "other_config": {},
                                         "qos_algorithm_type": "", "qos_algorithm_params": {}})  # fmt: skip
        return vdi

    def metrics(self, host, **values):
        self.db.update("host_metrics", self.db.text("host", host.ref, "metrics"), **values)


def machine(db, root, number, sessions):
    paths = Paths(root / f"host{number}")
    kernel = paths.root / "boot/guest/vmlinuz"
    kernel.parent.mkdir(parents=True)
    kernel.write_bytes(b"kernel")
    paths.audit_log.parent.mkdir(parents=True)
    paths.state.mkdir(parents=True)
    network = SimulatedNetwork()
    mac = f"52:54:00:00:00:0{number + 1}"
    nics = tuple(replace(nic, mac=mac) for nic in network.interfaces.nics)
    network.interfaces = replace(network.interfaces, nics=nics)
    return Host(number, db, paths, sessions, SimulatedXen(), network, member=number > 0)


async def two_hosts(root, store=None):
    """Start a pool whose member has a record, as joining leaves it, and starts for the first time."""
    db = Database(DATAMODEL, store)
    sessions = Sessions(db)
    master, member = machine(db, root, 0, sessions), machine(db, root, 1, sessions)
    await master.start()
    metrics = db.create("host_metrics", {"live": True, "last_updated": now_text()})
    db.create("host", {"uuid": UUIDS[1], "name_label": "host1", "metrics": metrics, "enabled": True})
    await member.start()
    return Pool(db, master, member, root)
