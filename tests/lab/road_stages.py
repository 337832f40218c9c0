"""The stages of the whole road, each one thing a person does or sees."""

import json
import os
import re
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import pexpect
import XenAPI

from kronos_lab.cache import REPO
from kronos_lab.guest import INITRD, KERNEL
from kronos_lab.installed import WAIT_FOR_DPKG
from kronos_lab.machine import Machine
from kronos_lab.set_up import wait_until_settled

MIB = 1 << 20
# The emulation loses a PVH guest now and then (docs/support-matrix.md), several times in a row on a busy machine.
PVH_LIVES = 12
HELLO_S = 900.0
# What may differ when all is undone, and why.
MAY_DIFFER = {
    "/etc/ld.so.cache": "ldconfig's cache of libraries, made anew by every package with one",
    "/etc/passwd-": "adduser's backup of a file that is compared itself",
    "/etc/group-": "as passwd-",
    "/etc/shadow-": "as passwd-",
    "/etc/gshadow-": "as passwd-",
    "/boot/grub/grubenv": "GRUB's own scratch block",
}
# Distro packages leave the groups they made (qemu's kvm): lines may be added, none may go or change.
MAY_GROW = ("/etc/group", "/etc/gshadow")
# Of /etc and of what decides about the boot, in Debian's and in Fedora's place.
MANIFEST = "find $(ls -d /etc /boot/grub /boot/grub2 /boot/loader 2>/dev/null) -xdev \\( -type f -exec sha256sum {} + -o -type l -printf 'link:%l  %p\\n' \\) | sort -k2"


@dataclass
class Road:
    machine: Machine
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    times: dict[str, float] = field(default_factory=dict)
    manifest: dict[str, str] = field(default_factory=dict)
    growing: dict[str, set[str]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name):
        started = time.monotonic()
        print(f"road: {name} ...", flush=True)
        try:
            yield
        finally:
            self.times[name] = round(time.monotonic() - started, 1)
            print(f"road: {name}: {self.times[name]} s", flush=True)
            kept = REPO / "dist/lab-times"
            kept.mkdir(parents=True, exist_ok=True)
            (kept / f"{self.machine.spec.name}.json").write_text(json.dumps(self.times, indent=1))

    def read_manifest(self):
        lines = self.machine.succeed(MANIFEST).splitlines()
        found = {path: digest for digest, path in (line.split(None, 1) for line in lines)}
        return {path: digest for path, digest in found.items() if path not in (*MAY_DIFFER, *MAY_GROW)}

    def read_growing(self):
        return {path: set(self.machine.succeed(f"cat {path}").splitlines()) for path in MAY_GROW}

    def address(self):
        return self.machine.succeed("ip -4 -o addr show scope global | awk '{print $2, $4}'").split()

    def xe(self, command):
        return self.machine.succeed(f"xe {command}").strip()

    def session(self):
        session = XenAPI.Session(f"https://127.0.0.1:{self.machine.ports[443]}", ignore_ssl=True)
        session.xenapi.login_with_password("root", self.password, "1.0", "kronos-lab")
        return session


def prepare(road):
    """A root password for PAM; nothing that the packages will remove may be there from before."""
    machine = road.machine
    machine.succeed("chpasswd", stdin=f"root:{road.password}\n")
    machine.succeed("DEBIAN_FRONTEND=noninteractive apt-get autoremove --purge -y -q")
    machine.fail("test -e /sys/hypervisor/type")
    road.manifest = road.read_manifest()
    road.growing = road.read_growing()


def add_repository(road, uri, release="debian-12"):
    machine = road.machine
    sources = re.sub(r"URIs: .*", f"URIs: {uri}", (REPO / f"dist/kronos-{release}.sources").read_text())
    machine.copy_to([REPO / "dist/kronos-archive-keyring.pgp"], "/usr/share/keyrings/")
    machine.succeed("cat > /etc/apt/sources.list.d/kronos.sources", stdin=sources)
    told = machine.succeed("apt-get update 2>&1")
    assert "NO_PUBKEY" not in told
    assert "is not signed" not in told


def install(road):
    machine = road.machine
    # --no-install-recommends saves a developer five minutes of desktop libraries that qemu recommends.
    more = os.environ.get("KRONOS_LAB_APT_OPTIONS", "")
    machine.succeed(
        f"DEBIAN_FRONTEND=noninteractive apt-get {WAIT_FOR_DPKG} install -y -q {more} xapi", timeout_s=1800
    )
    assert machine.succeed("dpkg-query -W -f '${db:Status-Status}' xapi") == "installed"
    # No Xen yet: the daemon waits for it without failing.
    assert machine.succeed("systemctl --failed --no-legend").strip() == ""


def refuse_what_is_not_understood(road):
    """An interfaces file that nobody can parse: one line names it, and nothing changes."""
    machine = road.machine
    machine.succeed("cp -a /etc/network/interfaces /root/interfaces.saved")
    machine.succeed("printf 'iface\\n' >> /etc/network/interfaces")
    before = road.read_manifest()
    done = machine.fail("xapi-host-setup apply --yes")
    line = machine.succeed("wc -l < /etc/network/interfaces").strip()
    assert re.search(rf"/etc/network/interfaces:{line}\b", done.stdout + done.stderr), done
    assert road.read_manifest() == before
    machine.succeed("mv /root/interfaces.saved /etc/network/interfaces")


def set_up(road):
    machine = road.machine
    before = road.read_manifest()
    plan = machine.succeed("xapi-host-setup plan")
    assert "xenbr0" in plan
    assert road.read_manifest() == before, "plan changed something"
    machine.succeed("xapi-host-setup apply --yes")
    applied = road.read_manifest()
    assert applied != before
    machine.succeed("xapi-host-setup apply --yes")
    assert road.read_manifest() == applied, "a second apply changed something"


def boot_into_xen(road):
    machine = road.machine
    nic, address = road.address()
    machine.reboot()
    assert "xen_version" in machine.succeed("xl info")
    assert road.address() == ["xenbr0", address], (nic, address)
    # Xen was tried once; the set-up ends when the network is confirmed, and then Xen is the lasting default.
    wait_until_settled(machine)
    machine.wait_until_succeeds("systemctl is-system-running --wait | grep -qE 'running|degraded'")
    assert machine.succeed("systemctl --failed --no-legend").strip() == ""
    machine.wait_for_unit("xapi.service")
    # What guests' disks are mounted from must be seen by the host and by the next daemon.
    daemon = machine.succeed("systemctl show --property=MainPID --value xapi.service").strip()
    one, its = (machine.succeed(f"readlink /proc/{pid}/ns/mnt") for pid in ("1", daemon))
    assert its == one, "the daemon has mounts of its own"
    machine.succeed("xapi-wait-init-complete 60")
    assert len(road.xe("host-list --minimal")) == 36


def create_guest(road, name, kind, address, sr=""):
    """With xe: a VM from the template, a disk on an SR (the pool's default unless given), an interface on the bridge."""
    sr = sr or road.xe("pool-list params=default-SR --minimal")
    network = road.xe("network-list bridge=xenbr0 --minimal")
    vm = road.xe(f"vm-install template='Linux kernel and ramdisk' new-name-label={name}")
    road.xe(
        f"vm-param-set uuid={vm} PV-kernel={KERNEL} PV-ramdisk={INITRD} domain-type={kind} "
        f"'PV-args=console=hvc0 name={name} ip={address}'"
    )
    vdi = road.xe(f"vdi-create sr-uuid={sr} name-label={name} virtual-size=64MiB")
    road.xe(f"vbd-create vm-uuid={vm} vdi-uuid={vdi} device=0")
    road.xe(f"vif-create vm-uuid={vm} network-uuid={network} device=0")
    return vm


def create_guest_from_outside(road, session, name, kind, address):
    """The same with a XenAPI client over TLS."""
    api = session.xenapi
    (template,) = api.VM.get_by_name_label("Linux kernel and ramdisk")
    (sr,) = api.SR.get_by_name_label("Local storage")
    (network,) = [r for r, n in api.network.get_all_records().items() if n["bridge"] == "xenbr0"]
    vm = api.VM.clone(template, name)
    api.VM.set_is_a_template(vm, False)
    api.VM.provision(vm)
    api.VM.set_PV_kernel(vm, KERNEL)
    api.VM.set_PV_ramdisk(vm, INITRD)
    api.VM.set_PV_args(vm, f"console=hvc0 name={name} ip={address}")
    api.VM.set_domain_type(vm, kind)
    vdi = api.VDI.create(
        {"name_label": name, "name_description": "", "SR": sr, "virtual_size": str(64 * MIB), "type": "user",
         "sharable": False, "read_only": False, "other_config": {}}
    )  # fmt: skip
    api.VBD.create(
        {"VM": vm, "VDI": vdi, "userdevice": "autodetect", "bootable": False, "mode": "RW", "type": "Disk",
         "empty": False, "other_config": {}, "qos_algorithm_type": "", "qos_algorithm_params": {}}
    )  # fmt: skip
    api.VIF.create(
        {"device": "0", "network": network, "VM": vm, "MAC": "", "MTU": "1500", "other_config": {},
         "qos_algorithm_type": "", "qos_algorithm_params": {}}
    )  # fmt: skip
    return vm


def console(road, domid):
    argv = road.machine.ssh_argv(f"xl console {domid}")
    argv.insert(argv.index("ssh") + 1, "-tt")
    return pexpect.spawn(argv[0], argv[1:], encoding="utf-8", codec_errors="replace", timeout=600)


def hello(road, vm, name):
    """Wait for the guest's hello; a PVH guest that the emulated machine lost on the way starts anew, and says it then.

    Domains are counted, not looks: while a lost guest's next domain is being built there is no console to open.
    """
    lives = PVH_LIVES if road.xe(f"vm-param-get uuid={vm} param-name=domain-type") == "pvh" else 1
    domains = set()
    deadline = time.monotonic() + HELLO_S
    while len(domains) <= lives and time.monotonic() < deadline:
        domid = road.xe(f"vm-param-get uuid={vm} param-name=dom-id")
        domains |= {domid} - {"-1"}
        spawned = console(road, domid)
        if spawned.expect([rf"KRONOS-GUEST-HELLO {name} ", pexpect.EOF]) == 0:
            seen = spawned.before
            spawned.close()
            return seen
        spawned.close()
    raise AssertionError(f"{name} said no hello as any of the domains {sorted(domains)}")


def check_guest(road, vm, name, address):
    seen = hello(road, vm, name)
    assert re.search(rf"KRONOS-GUEST-DISK 131072 stamp-{name}", seen), seen
    assert f"KRONOS-GUEST-IP {address}" in seen
    road.machine.wait_until_succeeds(f"ping -c 1 -W 2 {address}")


def tell_guest(road, vm, word):
    """Type a word on the guest's console once it answers there, and stay until the console is gone."""
    spawned = console(road, road.xe(f"vm-param-get uuid={vm} param-name=dom-id"))
    for _ in range(60):
        spawned.send("ping\n")
        if spawned.expect(["KRONOS-GUEST-PONG", pexpect.TIMEOUT], timeout=5) == 0:
            break
    spawned.send(f"{word}\n")
    spawned.expect(pexpect.EOF)
    spawned.close()


def migrate_live(road, session, vm):
    """Move a running PV guest with xl, to where it is: live, when this Xen can; else refused, and the guest lives on.

    Returns whether it moved. The daemon follows what it did not do itself.
    """
    machine = road.machine
    told = json.loads(machine.execute("xapi-host-setup check --json").stdout)
    can = "xen-no-shadow-paging" not in [problem["id"] for problem in told["problems"]]
    assert can == (machine.execute("grep -qx CONFIG_SHADOW_PAGING=y /boot/xen-*.config").returncode == 0)
    before = road.xe(f"vm-param-get uuid={vm} param-name=dom-id")
    done = machine.execute(f"xl migrate -s '' {before} 'xl migrate-receive'", timeout_s=600)
    assert (done.returncode == 0) == can, done
    if can:
        watch = Watcher(session, vm)
        moved = watch.api.VM.get_record(watch.ref)
        if moved["domid"] == before or moved["power_state"] != "Running":
            moved = watch.until(
                lambda vm: vm["power_state"] == "Running" and vm["domid"] not in (before, "-1")
            )
        assert f"{vm} {moved['domid']}\n" in machine.succeed("xl list | awk 'NR>2 {print $1, $2}'")
    else:
        assert "log" in done.stderr.lower(), done
        assert road.xe(f"vm-param-get uuid={vm} param-name=dom-id") == before
    assert road.xe(f"vm-param-get uuid={vm} param-name=power-state") == "running"
    return can


def kill_daemon(road, vm, address):
    """Kill -9 the daemon: guests run on, the next daemon knows them; then they are shut down."""
    machine = road.machine
    before = machine.succeed("xl list | awk 'NR>2 {print $1, $2}'")
    old = machine.succeed("systemctl show -p MainPID --value xapi").strip()
    machine.succeed("systemctl kill -s KILL --kill-whom=main xapi")
    machine.wait_until_succeeds(
        f"test $(systemctl show -p MainPID --value xapi) != {old} && systemctl is-active -q xapi"
    )
    assert machine.succeed("xl list | awk 'NR>2 {print $1, $2}'") == before
    assert road.xe(f"vm-param-get uuid={vm} param-name=power-state") == "running"
    domid = road.xe(f"vm-param-get uuid={vm} param-name=dom-id")
    assert f"{vm} {domid}\n" in before
    machine.wait_until_succeeds(f"ping -c 1 -W 2 {address}")
    session = road.session()
    for ref, record in session.xenapi.VM.get_all_records().items():
        if record["power_state"] == "Running" and not record["is_control_domain"]:
            session.xenapi.VM.hard_shutdown(ref)


class Watcher:
    """Follows one VM by event.from, as clients do."""

    def __init__(self, session, uuid):
        self.session, self.api = session, session.xenapi
        self.ref = self.api.VM.get_by_uuid(uuid)
        self.token = self.api.event_from([f"vm/{self.ref}"], "", 0.1)["token"]

    def until(self, check, timeout_s=600.0):
        """Return the first record of the VM that `check` holds for."""
        deadline = time.monotonic() + timeout_s
        seen = []
        while time.monotonic() < deadline:
            batch = self.api.event_from([f"vm/{self.ref}"], self.token, 10.0)
            self.token = batch["token"]
            for event in batch["events"]:
                if event["operation"] != "del" and check(event["snapshot"]):
                    return event["snapshot"]
                seen.append(
                    [event["snapshot"][key] for key in ("power_state", "domid", "current_operations")]
                )
        now = self.api.VM.get_record(self.ref)
        raise AssertionError(f"events {seen}, now {now['power_state']}, domain {now['domid']}")

    def until_state(self, state):
        return self.until(lambda vm: vm["power_state"] == state)


def check_new_files(road, paths):
    """What is there now and was not before belongs to packages of the distro that apt keeps (it does not
    remove what another package recommends or suggests), and none of it is ours."""
    strange = []
    for path in paths:
        owner = road.machine.execute(f"dpkg -S '{path}'")
        if owner.returncode != 0 or owner.stdout.startswith("xapi"):
            strange.append(path)
    print(f"road: left by distro packages: {' '.join(paths)}", flush=True)
    # python3-minimal, which apt keeps, makes its debian_config itself; alternatives are links made likewise.
    made = ("/etc/alternatives/", "/etc/python3/debian_config")
    assert not [p for p in strange if not p.startswith(made)], strange
