"""The walk of a matrix row: a prepared machine, set up, booted into Xen, used, rolled back, and identical to the start."""

import itertools
import json
import time
from contextlib import contextmanager

import pool_stages
import road_stages as stages

from kronos_lab.bases import ensure_base
from kronos_lab.cache import REPO
from kronos_lab.guest import install_guest
from kronos_lab.image import ensure_image, release_spec
from kronos_lab.installed import APT_GET, ensure_installed
from kronos_lab.machine import Machine, wait_until
from kronos_lab.rows import Disk, Wiring
from kronos_lab.second_host import machine_of, release_for, second_host_for
from kronos_lab.set_up import set_up_phase, wait_until_settled
from kronos_lab.wiring import CABLES, cables_of, wired
from kronos_packaging import factory
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter

RESULTS = REPO / "dist/lab-results"
GUEST = "10.0.2.60"
DAEMONS_OWN = "/etc/xensource/"
# LVM's own record of what was done to a volume group (vgcfgbackup(8)): that a volume came and went is a part of it.
LVMS_OWN = ("/etc/lvm/archive/", "/etc/lvm/backup/")


@contextmanager
def prepared(row, folder, second=None, **more):
    """Yield a machine with Kronos installed, the row's network configured, and booted with it; `more` is Machine's.

    With `second` (of kronos_lab.second_host, what makes the disk) its neighbour is a second host, not booted yet.
    """
    wanted = sorted({row.release, *([release_for(row)] if second else [])})
    # What is compiled for an rpm is built in its distribution's own root only.
    factory.build(wanted, Reporter(), tolerant=row.disk is Disk.BLS)
    second_disk = second_hosts_disk(row, second) if second else None
    base = ensure_base(Reporter(), row)
    configure(row, base, folder)
    spare = folder / "spare.qcow2" if row.spare_disk else None
    if spare is not None:
        run(["qemu-img", "create", "-q", "-f", "qcow2", spare, "8G"])
    aside = folder / "second" if second else None
    if aside is not None:
        aside.mkdir()
    with wired(row.wiring, f"kl-{row.name[-8:]}", cables_of(row.wiring, folder, aside)) as far:
        if second:
            host = second_host_for(row)
            more["neighbour"] = machine_of(host, second_disk, aside, far, f"{row.name}-second")
        with Machine(
            base,
            name=row.name,
            folder=folder,
            uefi=row.disk is Disk.UEFI,
            far_side=far,
            cables=CABLES[row.wiring] or int(second is not None),
            address=row.address,
            second_disk=spare,
            **more,
        ) as machine:
            yield machine


def configure(row, base, folder):
    """Make the machine's disk in `folder`, with the row's network from its next boot on."""
    with Machine(base, name=row.name, folder=folder, uefi=row.disk is Disk.UEFI) as first:
        if row.packages:
            first.succeed(f"apt-get update -q && {APT_GET} {' '.join(row.packages)}", timeout_s=1800)
        install_guest(first)
        if row.prepare:
            first.succeed("bash -e", stdin=row.prepare)
        first.succeed("rm -f /etc/apt/preferences.d/kronos; sync")
        first.shut_down()


def second_hosts_disk(row, second):
    release = release_for(row)
    plain = ensure_image(Reporter(), release_spec(release))
    return second(Reporter(), ensure_installed(Reporter(), plain, release), second_host_for(row))


def network(machine):
    """What an operator would miss: addresses, routes, name servers, host name; interfaces by their role."""
    links = json.loads(machine.succeed("ip -json address"))
    routes = [
        route
        for family in ("-4", "-6")
        for route in json.loads(machine.succeed(f"ip {family} -json route") or "[]")
        if route.get("protocol") not in ("kernel",) and not str(route["dst"]).startswith("fe80")
    ]
    carriers = {route["dev"] for route in routes if route["dst"] == "default"}
    return {
        "addresses": sorted(
            f"{address['local']}/{address['prefixlen']}"
            for link in links
            for address in link["addr_info"]
            if address["scope"] == "global" and not address.get("temporary")
        ),
        "routes": sorted({f"{route['dst']} via {route.get('gateway', 'link')}" for route in routes}),
        "one carrier": len(carriers) == 1,
        "resolv.conf": machine.succeed("cat /etc/resolv.conf"),
        "hostname": machine.succeed("hostname").strip(),
        "macs": sorted(link["address"] for link in links if link["ifname"] in carriers),
        "IPv6 settings": sorted(
            machine.succeed(
                f"cd /proc/sys/net/ipv6/conf/{carrier} && grep -H . accept_ra autoconf use_tempaddr"
            )
            for carrier in carriers
        ),
    }


def changed_files(before, after):
    """Return the paths whose files differ between two manifests, but for the daemon's own new ones, and LVM's."""
    differing = {path for path in after.keys() | before.keys() if after.get(path) != before.get(path)}
    # Keys and certificates that the daemon made for itself at its first start; a purge takes them.
    return sorted(
        path
        for path in differing
        if not path.startswith(LVMS_OWN) and (path in before or not path.startswith(DAEMONS_OWN))
    )


def wait_for_network(machine, before, timeout_s=300.0):
    """Router advertisements come when they come."""
    seen = {}

    def check():
        seen.update(network(machine))
        return seen == before

    try:
        wait_until("the network is as before", check, timeout_s)
    except Exception as error:
        raise AssertionError(f"before {before}, now {seen}") from error


def check_doctor(machine):
    """There is no time server in the lab, and nothing else is wrong."""
    found = json.loads(machine.execute("xapi-host-setup doctor --json").stdout)["findings"]
    assert [one["id"] for one in found if one["level"] != "info"] == ["time-not-synchronized"], found


def wait_until_up_in_xen(machine, before):
    """After a reboot: Xen runs, the set-up ends, the network is as before, and the doctor has nothing to say."""
    machine.succeed("test -e /sys/hypervisor/type")
    wait_until_settled(machine)
    wait_for_network(machine, before)
    machine.succeed("xapi-wait-init-complete 120")
    check_doctor(machine)


def break_xens_entries(machine):
    """Have what the menu's entries for Xen boot end at once: their root file system is not there. The others stay."""
    machine.succeed(
        "sed -i '/^[[:space:]]*menuentry .*Xen/,/^[[:space:]]*}/ s/root=UUID=[^ ]*/root=UUID=00000000-dead/'"
        " /boot/grub/grub.cfg"
    )
    assert "00000000-dead" in machine.succeed("cat /boot/grub/grub.cfg")


def walk(row, machine, in_xen=None):
    """Walk the row; its times are in the road's `times`. `in_xen` does more while Xen runs."""
    road = stages.Road(machine)
    result = {
        "row": row.name,
        "summary": row.summary,
        "outcome": "failed",
        "times": road.times,
        "date": time.strftime("%F"),
    }
    try:
        _walk(row, road, result, in_xen)
        result["outcome"] = "passed"
    finally:
        RESULTS.mkdir(parents=True, exist_ok=True)
        result["failed at"] = "" if result["outcome"] == "passed" else list(road.times)[-1]
        (RESULTS / f"{row.name}.json").write_text(json.dumps(result, indent=1) + "\n")


class Transcript:
    """Runs commands on the machine and keeps what they said, as a person would have seen it."""

    def __init__(self, machine, name):
        self.machine, self.path = machine, RESULTS / f"{name}.txt"
        RESULTS.mkdir(parents=True, exist_ok=True)
        self.path.write_text("")

    def run(self, command, timeout_s=900.0, status=0):
        """Return a command's output; it ends with `status`."""
        done = self.machine.execute(f"{command} 2>&1", timeout_s=timeout_s)
        with self.path.open("a") as file:
            file.write(f"# {command}\n{done.stdout}\n")
        assert done.returncode == status, f"{command}: {done.returncode}: {done.stdout[-2000:]}"
        return done.stdout


def _walk(row, road, result, in_xen):
    machine = road.machine
    told = Transcript(machine, row.name)
    with road.stage("before"):
        machine.wait_until_succeeds("systemctl is-system-running --wait | grep -qE 'running|degraded'")
        # The menu made on this very machine: what a rollback has to bring back.
        machine.succeed(row.make_menu)
        before = network(machine)
        assert before["one carrier"], before
        machine.succeed("chpasswd", stdin=f"root:{road.password}\n")
        road.manifest = manifest = road.read_manifest()
    with road.stage("plan and apply"):
        plan = told.run(f"xapi-host-setup plan {' '.join(row.setup)}")
        assert "xenbr0" in plan
        assert road.read_manifest() == manifest, "plan changed something"
        told.run(f"xapi-host-setup apply --yes {' '.join(row.setup)}")
    with road.stage("reboot into Xen"):
        machine.reboot()
        assert "xen_version" in machine.succeed("xl info")
        wait_until_settled(machine)
        wait_for_network(machine, before)
        assert machine.succeed("systemctl --failed --no-legend").strip() == ""
        machine.succeed("xapi-wait-init-complete 120")
        assert len(road.xe("host-list --minimal")) == 36
        for command in ("xapi-host-setup status", "xe host-list", "xe sr-list", "xe pif-list"):
            told.run(command)
        told.run("xapi-host-setup doctor", status=5)
        check_doctor(machine)
    with road.stage("a PV guest's hello"):
        guest = stages.create_guest(road, "g-pv", "pv", GUEST)
        road.xe(f"vm-start uuid={guest}")
        stages.hello(road, guest, "g-pv")
        if row.wiring is Wiring.USER:
            machine.wait_until_succeeds(f"ping -c 1 -W 2 {GUEST}")
        if row.storage_device:
            storage(road, guest, row)
        road.xe(f"vm-shutdown uuid={guest} force=true")
        road.xe(f"vm-uninstall uuid={guest} force=true")
    if in_xen:
        in_xen(road)
    if machine.neighbour:
        with road.stage("second host joins"), machine.neighbour:
            pool_stages.a_second_host(road, management_address(machine), pool_stages.join_with_xe)
    with road.stage("rollback and reboot"):
        told.run("xapi-host-setup rollback --yes")
        machine.reboot()
        assert machine.execute("test -e /sys/hypervisor/type").returncode != 0
        wait_for_network(machine, before)
        assert changed_files(manifest, road.read_manifest()) == []
        assert set_up_phase(machine) == "clean"
    with road.stage("switch while it runs"):
        result["silences"] = switch_while_it_runs(row, told, before)
        assert [path for path in changed_files(manifest, road.read_manifest()) if path in manifest] == []


def management_address(machine):
    return (
        machine.address
        or machine.succeed("ip -4 -o addr show scope global | awk '{print $4}'").partition("/")[0]
    )


def storage(road, guest, row):
    """The guest's disk is where the set-up was told, on a file system of its own; the library is there."""
    default = road.xe("pool-list params=default-SR --minimal")
    (disk,) = road.xe(f"vbd-list vm-uuid={guest} params=vdi-uuid --minimal").split(",")
    assert road.xe(f"vdi-param-get uuid={disk} param-name=sr-uuid") == default
    assert road.xe(f"sr-param-get uuid={default} param-name=name-label") == "Disks"
    source = road.machine.succeed("findmnt --noheadings --output SOURCE /var/lib/xapi/storage")
    assert source == f"{row.storage_device}\n"
    libraries = road.xe("sr-list name-label=ISOs params=type --minimal")
    assert libraries == ("iso" if any("name=ISOs" in flag for flag in row.setup) else "")


def switch_while_it_runs(row, told, before):
    """Switch the running network and back; return the longest silence of the gateway in each, in seconds."""
    machine = told.machine
    silences = {}
    flags = " ".join(row.setup)
    for way, command in (
        ("switched", f"apply --yes --switch-network-now {flags}"),
        ("back", "rollback --yes"),
    ):
        with Silence(machine, before) as silence:
            told.run(f"xapi-host-setup {command}")
            wait_for_network(machine, before)
        silences[way] = silence.longest_s
        expected = ("confirmed", 0) if way == "switched" else ("clean", 1)
        bridge = machine.execute("test -e /sys/class/net/xenbr0").returncode
        assert (set_up_phase(machine), bridge) == expected
    return silences


class Silence:
    """A context manager: a ping ten times a second to the default gateway, and how long it did not answer."""

    every_s = 0.1

    def __init__(self, machine, before):
        self.machine = machine
        self.gateway = next(route.split()[2] for route in before["routes"] if route.startswith("default "))
        self.longest_s = 0.0

    def __enter__(self):
        self.machine.succeed(
            "systemd-run --quiet --collect --unit=silence --property=StandardOutput=truncate:/run/silence "
            f"ping -n -D -i {self.every_s} {self.gateway}"
        )
        self.machine.wait_until_succeeds("grep -q 'bytes from' /run/silence")
        return self

    def __exit__(self, *_):
        heard = self.machine.succeed("date +[%s.%N]; cat /run/silence; systemctl stop silence.service")
        end, *lines = [float(line[1:].split("]")[0]) for line in heard.splitlines() if line.startswith("[")]
        answers = [*lines, end]
        self.longest_s = round(
            max(after - before for before, after in itertools.pairwise(answers)) - self.every_s, 1
        )
