"""The units as systemd-networkd itself takes them, in a namespace beside a DHCP server: the bridge keeps the address."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from installer_kit import HERE, put
from stack_kit import stack_host

from kronos_installer.detect.nics import read_nics
from kronos_installer.network.netplan import read_netplan
from kronos_installer.network.networkd import read_networkd
from kronos_installer.network.stack import BridgeKind

if TYPE_CHECKING:
    from kronos_installer.host import Host

NETWORKD = Path("/lib/systemd/systemd-networkd")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(not NETWORKD.exists(), reason="systemd-networkd is not installed"),
    pytest.mark.skipif(not shutil.which("dnsmasq"), reason="dnsmasq-base is not installed"),
]
NETPLAN = shutil.which("netplan")
READERS = {"networkd": read_networkd, "netplan": read_netplan, "netplan_pattern": read_netplan}
UNITS = {
    "networkd": ("05-xenbr0.network", "05-xenbr0-port.network"),
    "netplan": ("10-netplan-xenbr0.network", "10-netplan-enp0s3.network"),
    "netplan_pattern": ("10-netplan-xenbr0.network", "10-netplan-0-enp0s3.network"),
}
FILES = {
    "networkd": ("/etc/systemd/network/50-wired.network", """\
[Match]
Name=en*

[Network]
DHCP=ipv4
IPv6AcceptRA=no
DNS=192.0.2.53
"""),
    "netplan": ("/etc/netplan/50-host.yaml", """\
network:
  version: 2
  ethernets:
    enp0s3:
      dhcp4: true
      accept-ra: false
      nameservers: {addresses: [192.0.2.53]}
"""),
    # As Debian's cloud images have it: guests' interfaces have to be kept out, the bridge in.
    "netplan_pattern": ("/etc/netplan/50-host.yaml", """\
network:
  version: 2
  ethernets:
    all-en:
      match: {name: "en*"}
      dhcp4: true
      accept-ra: false
      nameservers: {addresses: [192.0.2.53]}
"""),
}  # fmt: skip


def lay_out(host: Host, units: Path) -> None:
    """Gather the units that networkd would read on the host, netplan's made of its files."""
    shutil.rmtree(units, ignore_errors=True)
    units.mkdir()
    if NETPLAN and host.exists("/etc/netplan/50-host.yaml"):
        subprocess.run([NETPLAN, "generate", "--root-dir", str(host.root)], check=True, capture_output=True)
    for folder in ("/etc/systemd/network", "/run/systemd/network"):
        if host.at(folder).exists():
            shutil.copytree(host.at(folder), units, dirs_exist_ok=True)


def run(units: Path, state: Path, interface: str, online: str, *then: Path) -> str:
    """Let networkd run with `units` until `interface` is online, and `then` a script; return its address."""
    script = str(HERE / "networkd_in_a_namespace.sh")
    arguments = [str(units), str(state), interface, online, *map(str, then)]
    done = subprocess.run(["unshare", "--net", "--mount", "sh", script, *arguments],
                          check=False, capture_output=True, text=True, timeout=100)  # fmt: skip
    log = state / "networkd.log"
    if done.returncode:
        if "unshare failed" in done.stderr or "permitted" in done.stderr:
            pytest.skip(f"no namespaces here: {done.stderr}")
        pytest.fail(done.stderr + (log.read_text() if log.exists() else ""))
    return (state / "addresses").read_text().split()[2]


@pytest.mark.parametrize("stack", READERS)
def test_the_bridge_has_the_address_that_the_nic_had(tmp_path: Path, stack: str) -> None:
    if stack != "networkd" and not NETPLAN:
        pytest.skip("netplan.io is not installed")
    state, units = tmp_path / "state", tmp_path / "units"
    state.mkdir()
    host = stack_host(tmp_path, stack.partition("_")[0])
    put(host, *FILES[stack])
    lay_out(host, units)
    # Without udev networkd makes the IAID from the Ethernet address, which the bridge has too; as with udev's
    # names, it is one here that the bridge would not come to by itself, and that the host's files do not tell.
    drop_in = next(units.glob("*.network")).name + ".d/iaid.conf"
    (units / drop_in).parent.mkdir()
    (units / drop_in).write_text("[DHCPv4]\nIAID=1234567\n")
    before = run(units, state, "enp0s3", "--interface=enp0s3:routable")

    shutil.rmtree(host.at("/run/systemd/netif"))
    shutil.copytree(state / "netif", host.at("/run/systemd/netif"))
    config = READERS[stack](host)
    assert config is not None
    management, problems = config.find_management(read_nics(host))
    assert management is not None
    assert not problems
    for path, content in config.move_to_bridge(management, BridgeKind.LINUX).files.items():
        assert content is not None
        put(host, path, content.decode())
    lay_out(host, units)

    after = run(units, state, "xenbr0", "--interface=xenbr0:routable --interface=enp0s3")
    assert after == before
    links = {}
    for path in (state / "netif/links").iterdir():
        lines = (line.partition("=") for line in path.read_text().splitlines())
        link = {key: value for key, _, value in lines}
        links[link.get("NETWORK_FILE", "")] = link
    bridge, port = UNITS[stack]
    assert links[f"/etc/systemd/network/{bridge}"]["DNS"] == "192.0.2.53"
    assert links[f"/etc/systemd/network/{port}"]["OPER_STATE"] == "enslaved"


SWITCH = """\
cp {new}/* /etc/systemd/network
{switch}
/lib/systemd/systemd-networkd-wait-online --timeout=60 --interface=xenbr0:routable --interface=enp0s3 &&
ip -4 -brief addr show dev xenbr0 >{state}/switched
(cd {new} && for name in *; do rm "/etc/systemd/network/$name"; done)
{switch_back}
/lib/systemd/systemd-networkd-wait-online --timeout=60 --interface=enp0s3:routable
"""


@pytest.mark.skipif(not shutil.which("dbus-daemon"), reason="dbus-daemon is not installed")
def test_the_running_network_is_switched_and_switched_back(tmp_path: Path) -> None:
    state, units, new = tmp_path / "state", tmp_path / "units", tmp_path / "new"
    state.mkdir()
    new.mkdir()
    host = stack_host(tmp_path, "networkd")
    put(host, *FILES["networkd"])
    put(host, "/run/systemd/netif/leases/2", "")
    host.at("/etc/systemd/network/50-wired.network").open("a").write("\n[DHCPv4]\nClientIdentifier=mac\n")
    lay_out(host, units)
    config = read_networkd(host)
    assert config is not None
    management, problems = config.find_management(read_nics(host))
    assert management is not None
    assert not problems
    edit = config.move_to_bridge(management, BridgeKind.LINUX)
    for path, content in edit.files.items():
        assert content is not None
        (new / Path(path).name).write_bytes(content)
    commands = {"switch": edit.switch, "switch_back": edit.switch_back}
    lines = {name: "\n".join(map(shlex.join, argvs)) for name, argvs in commands.items()}
    script = tmp_path / "switch.sh"
    script.write_text(SWITCH.format(new=new, state=state, **lines))
    at_the_end = run(units, state, "enp0s3", "--interface=enp0s3:routable", script)
    assert (state / "switched").read_text().split()[2] == at_the_end
