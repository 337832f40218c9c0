"""A second host for a row's pool, ready made: booting it is all that a row has to do.

A host joins a pool only when it is like its master in some things (POOL_JOINING_HOST_..., XenAPI), so there is one
for each likeness. Made on the row's own kind of wire and kept by what it was made of, and made only when asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_lab.cache import lab_dir
from kronos_lab.guest import install_guest
from kronos_lab.installed import APT_GET
from kronos_lab.machine import LabError, Machine, free_port
from kronos_lab.rows import FAR4, FAR6, VLAN, Disk, Wiring
from kronos_lab.set_up import findings, wait_until_settled
from kronos_lab.wiring import plugs, wired
from kronos_packaging.build_rpm import STAND_IN

if TYPE_CHECKING:
    from collections.abc import Callable

    from kronos_lab.far_side import FarSide
    from kronos_lab.rows import Row
    from xapi_shim.base.progress import Reporter

HOSTNAME = "kronos-second"
# The first machine's MAC addresses end in 0.
INDEX = 1
PORTS = (22, 443)


@dataclass(frozen=True)
class SecondHost:
    """What is alike: the wire, the management interface's VLAN and address family, the network backend."""

    name: str
    wiring: Wiring
    address: str
    interfaces: str
    packages: tuple[str, ...] = ()
    setup: str = ""

    @property
    def prepare(self) -> str:
        """The script that makes a machine with Kronos installed this host, with its network from the next boot on."""
        install = f"apt-get update -q && {APT_GET} {' '.join(self.packages)}" if self.packages else ""
        return f"""\
{install}
echo {HOSTNAME} > /etc/hostname
sed -i 's/^127\\.0\\.1\\.1.*/127.0.1.1\\t{HOSTNAME}/' /etc/hosts
# Where dhcpcd is the DHCP client it leaves a resolv.conf with nothing but its head (dhcpcd-run-hooks(8)).
echo 'nameserver 10.0.2.3' | tee /etc/resolv.conf.head > /etc/resolv.conf
truncate --size=0 /etc/machine-id
rm -f /etc/apt/preferences.d/kronos
cat > /etc/network/interfaces <<'END'
auto lo
iface lo inet loopback

{self.interfaces}END
sync
"""


_USER = SecondHost("user", Wiring.USER, "10.0.2.20", """\
auto enp0s3
iface enp0s3 inet static
\taddress 10.0.2.20/24
\tgateway 10.0.2.2
""")  # fmt: skip
_OPENVSWITCH = SecondHost("openvswitch", Wiring.USER, _USER.address, _USER.interfaces, ("openvswitch-switch",),
                          "--network-backend openvswitch")  # fmt: skip
_VLAN = SecondHost("vlan", Wiring.CABLE4, "192.0.2.20", f"""\
auto enp0s3.{VLAN}
iface enp0s3.{VLAN} inet static
\taddress 192.0.2.20/24
\tgateway {FAR4}
\tvlan-raw-device enp0s3
""", ("vlan",))  # fmt: skip
_IPV6 = SecondHost("ipv6", Wiring.CABLE6, "2001:db8:5::20", f"""\
auto enp0s3
iface enp0s3 inet6 static
\taddress 2001:db8:5::20/64
\tgateway {FAR6}
\taccept_ra 0
""")  # fmt: skip


def second_host_for(row: Row) -> SecondHost:
    """Return the host that may join the row's pool."""
    if row.wiring is Wiring.USER:
        return _OPENVSWITCH if _OPENVSWITCH.setup in row.setup else _USER
    return {Wiring.CABLE4: _VLAN, Wiring.CABLE6: _IPV6}[row.wiring]


def release_for(row: Row) -> str:
    """Return the release of that host: a pool's hosts have one version of Xen (HOSTS_NOT_HOMOGENEOUS, XenAPI)."""
    # Our Xen's rpms are built from the source of that release's (xen_rpms.py).
    return STAND_IN if row.disk is Disk.BLS else row.release


def machine_of(host: SecondHost, base: Path, folder: Path, far: FarSide | None, name: str) -> Machine:
    """Return the machine, with one cable to a segment, `far`'s or that of the machine whose neighbour it is."""
    ports = {} if far else {port: free_port() for port in PORTS}
    return Machine(
        base, name=name, folder=folder, index=INDEX, cables=1, far_side=far, address=host.address, ports=ports
    )


def ensure_prepared(reporter: Reporter, base: Path, host: SecondHost) -> Path:
    """Return an overlay of `base` (Kronos installed) with the host's name and network, not set up. Raises LabError."""
    return _ensure(reporter, base, "second", host, _prepare, host.prepare)


def ensure_joiner(reporter: Reporter, base: Path, host: SecondHost) -> Path:
    """Return the same set up, booted into Xen once, settled and shut down: a pool of its own. Raises LabError."""
    prepared = ensure_prepared(reporter, base, host)
    return _ensure(reporter, prepared, "joiner", host, _set_up, host.setup)


def _ensure(
    reporter: Reporter, below: Path, kind: str, host: SecondHost,
    make: Callable[[SecondHost, Path, Path], Machine], made_of: str,
) -> Path:  # fmt: skip
    key = hashlib.sha256(f"{below.name}\n{made_of}".encode()).hexdigest()[:16]
    image = lab_dir() / f"{kind}-{host.name}-{key}.qcow2"
    if not image.exists():
        what = f"making the lab's second host ({host.name}), {kind}"
        with reporter.stage(what), tempfile.TemporaryDirectory(dir=lab_dir()) as tmp:
            os.replace(make(host, below, Path(tmp)).spec.disk, image)
    for used in (below, image):
        os.utime(used)  # see image.prune_images
    return image


def _prepare(host: SecondHost, base: Path, folder: Path) -> Machine:
    with Machine(base, name=f"second-{host.name}", folder=folder, index=INDEX) as machine:
        install_guest(machine)
        machine.succeed("bash -e", stdin=host.prepare, timeout_s=1800)
        machine.shut_down()
    return machine


def _set_up(host: SecondHost, base: Path, folder: Path) -> Machine:
    with wired(host.wiring, f"kl-j-{host.name}", plugs(folder, 1)) as far:
        machine = machine_of(host, base, folder, far, f"joiner-{host.name}")
        # By itself it has QEMU's user network of its own.
        machine.cables = 1 if far else 0
        with machine:
            machine.succeed(f"xapi-host-setup apply --yes {host.setup}")
            machine.reboot()
            wait_until_settled(machine)
            machine.succeed("xapi-wait-init-complete 120")
            if found := findings(machine):
                raise LabError(f"{machine.name}: the doctor found: {json.dumps(found)}")
            machine.shut_down()
    return machine
