"""netplan: what is found on captured hosts, what is written, what is refused, and what netplan itself makes of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from stack_kit import check_case, stack_cases, stack_host, wish

from kronos_installer.detect.nics import Nic, NicKind, read_nics
from kronos_installer.network.netplan import read_netplan
from kronos_installer.network.networkd.match import units_for
from kronos_installer.network.networkd.unit_text import parse_unit
from kronos_installer.network.networkd.units import Unit
from kronos_installer.network.stack import BridgeKind

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

CASES = stack_cases("netplan")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_captured_host(case: Path, tmp_path: Path) -> None:
    check_case(case, tmp_path, "netplan", read_netplan)


GENERATOR = shutil.which("netplan") or "/usr/sbin/netplan"
# The program that netplan has to find for a bridge of Open vSwitch's (it says so itself).
OVS_VSCTL = "/usr/bin/ovs-vsctl"
WRITTEN = [
    case
    for case in CASES
    if (case / "edit.diff").exists() and "not in use" not in (case / "edit.diff").read_text()
]
# What is the port's or the bridge's own, and so is not compared: the generator says it of every bridge.
OWN = {("Match", "Name"), ("Match", "PermanentMACAddress"), ("Link", "MACAddress"), ("Network", "Bridge"),
       ("Network", "VLAN"), ("Network", "ConfigureWithoutCarrier"), ("Network", "EmitLLDP")}  # fmt: skip


def generate(host: Host) -> dict[str, Unit]:
    """Return the .network units that netplan makes of the files below the host's root, by name."""
    for path in ("systemd/network", "systemd/system"):
        shutil.rmtree(host.root / "run" / path, ignore_errors=True)
    subprocess.run(
        [GENERATOR, "generate", "--root-dir", str(host.root)], check=True, capture_output=True, text=True
    )
    found = {}
    for path in host.glob("/run/systemd/network/*.network"):
        name = path.rpartition("/")[2]
        found[name] = Unit(name, path, parse_unit(path, host.read(path)), (path,))
    return found


def addressing(unit: Unit) -> list[tuple[str, str, str]]:
    found = [
        (s.name, x.key, x.value) for s in unit.sections for x in s.settings if (s.name, x.key) not in OWN
    ]
    # A bond or a VLAN, as a bridge, waits for no carrier; a NIC does. Both are ready when their addresses are.
    return sorted(found)


@pytest.mark.skipif(not os.access(GENERATOR, os.X_OK), reason="netplan.io is not installed")
@pytest.mark.parametrize("case", WRITTEN, ids=[case.name for case in WRITTEN])
def test_netplan_itself_moves_all_addressing_to_the_bridge(case: Path, tmp_path: Path) -> None:
    host = stack_host(tmp_path, "netplan", case)
    config = read_netplan(host)
    assert config is not None
    nics = read_nics(host)
    management, problems = config.find_management(nics, wish(case, "wished"))
    assert management is not None
    assert not problems
    kind = BridgeKind(wish(case, "bridge") or "bridge")
    if kind is BridgeKind.OPENVSWITCH and not os.access(OVS_VSCTL, os.X_OK):
        pytest.skip(
            f"netplan refuses Open vSwitch's bridges without {OVS_VSCTL}: apt-get install openvswitch-switch"
        )
    edit = config.move_to_bridge(management, kind)
    nic = next(nic for nic in nics if nic.name == management.interface)
    before = generate(host)
    old = found(before, nic)
    for path, content in edit.files.items():
        assert content is not None
        where = host.at(path)
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(content)
    after = generate(host)
    port, bridge = found(after, nic), after["10-netplan-xenbr0.network"]
    assert addressing(bridge) == addressing(old)
    assert [
        name for name in ("DHCP", "Address", "Gateway", "DNS", "Domains") if port.all("Network", name)
    ] == []
    assert {s.name for s in port.sections} <= {"Match", "Link", "Network"}
    assert port.all("Network", "VLAN") == old.all("Network", "VLAN")
    assert port.last("Network", "LinkLocalAddressing") == "no"
    for other in nics:
        if other.kind is not NicKind.LOOPBACK and other.name != nic.name:
            assert found(before, other).sections == found(after, other).sections
    if kind is BridgeKind.LINUX:
        assert port.last("Network", "Bridge") == "xenbr0"
        netdev = host.read("/run/systemd/network/10-netplan-xenbr0.netdev")
        for line in ("Kind=bridge", f"MACAddress={nic.mac}", "ForwardDelaySec=0", "STP=false"):
            assert f"\n{line}\n" in netdev
    else:
        service = host.read("/run/systemd/system/netplan-ovs-xenbr0.service")
        assert f"add-port xenbr0 {nic.name}\n" in service
        assert bridge.last("Link", "MACAddress") == nic.mac


def found(units: dict[str, Unit], nic: Nic) -> Unit:
    """Return the unit that networkd takes for an interface; the NIC's permanent address is the one it has."""
    unit, _ = units_for([units[name] for name in sorted(units, key=str.encode)], nic)
    assert unit is not None
    return unit
