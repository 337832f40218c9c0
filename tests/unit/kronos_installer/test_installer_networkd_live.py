"""The units as systemd-networkd itself takes them, in a namespace beside a DHCP server: the bridge keeps the address."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from installer_kit import HERE
from stack_kit import stack_host

from kronos_installer.detect.nics import read_nics
from kronos_installer.network.networkd import read_networkd
from kronos_installer.network.stack import BridgeKind

NETWORKD = Path("/lib/systemd/systemd-networkd")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(not NETWORKD.exists(), reason="systemd-networkd is not installed"),
    pytest.mark.skipif(not shutil.which("dnsmasq"), reason="dnsmasq-base is not installed"),
]
UNIT = "[Match]\nName=en*\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\nDNS=192.0.2.53\n\n[Route]\nDestination=198.51.100.0/24\nGateway=192.0.2.1\n"


def run(units: Path, state: Path, interface: str, online: str) -> str:
    """Let networkd run with `units` until `interface` is online; return its address."""
    script = str(HERE / "networkd_in_a_namespace.sh")
    done = subprocess.run(["unshare", "--net", "--mount", "sh", script, str(units), str(state), interface, online],
                          check=False, capture_output=True, text=True, timeout=100)  # fmt: skip
    log = state / "networkd.log"
    if done.returncode:
        if "unshare failed" in done.stderr or "permitted" in done.stderr:
            pytest.skip(f"no namespaces here: {done.stderr}")
        pytest.fail(done.stderr + (log.read_text() if log.exists() else ""))
    return (state / "addresses").read_text().split()[2]


def test_the_bridge_has_the_address_that_the_nic_had(tmp_path: Path) -> None:
    state, units = tmp_path / "state", tmp_path / "units"
    state.mkdir()
    units.mkdir()
    (units / "50-wired.network").write_text(UNIT)
    # Without udev networkd makes the IAID from the Ethernet address, which the bridge has too; as with udev's
    # names, it is one here that the bridge would not come to by itself, and that the host's files do not tell.
    dropin = units / "50-wired.network.d/iaid.conf"
    dropin.parent.mkdir()
    dropin.write_text("[DHCPv4]\nIAID=1234567\n")
    before = run(units, state, "enp0s3", "--interface=enp0s3:routable")
    shutil.rmtree(dropin.parent)

    host = stack_host(tmp_path, "networkd")
    shutil.rmtree(host.at("/run/systemd/netif"))
    shutil.copytree(state / "netif", host.at("/run/systemd/netif"))
    shutil.copy(units / "50-wired.network", host.at("/etc/systemd/network"))
    config = read_networkd(host)
    assert config is not None
    management, problems = config.find_management(read_nics(host))
    assert management is not None
    assert not problems
    for path, content in config.move_to_bridge(management, BridgeKind.LINUX).files.items():
        assert content is not None
        (units / Path(path).name).write_bytes(content)

    after = run(units, state, "xenbr0", "--interface=xenbr0:routable --interface=enp0s3")
    assert after == before
    links = {}
    for path in (state / "netif/links").iterdir():
        lines = (line.partition("=") for line in path.read_text().splitlines())
        link = {key: value for key, _, value in lines}
        links[link.get("NETWORK_FILE", "")] = link
    assert links["/etc/systemd/network/05-xenbr0.network"]["DNS"] == "192.0.2.53"
    assert links["/etc/systemd/network/05-xenbr0-port.network"]["OPER_STATE"] == "enslaved"
