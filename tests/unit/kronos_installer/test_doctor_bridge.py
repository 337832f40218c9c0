"""The management bridge, its port and its routes, one fault at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from doctor_kit import (
    ROUTES,
    ids,
    readings,
    well_host,
)
from installer_kit import put

from kronos_installer.doctor.answer import Answer
from kronos_installer.doctor.bridge_health import BridgeReading, bridge_findings, read_bridge

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return well_host(tmp_path)


BRIDGE_FAULTS: dict[str, dict[str, Any]] = {
    "bridge-missing": {"there": False}, "bridge-port-missing": {"port_there": False}, "bridge-port": {"master": ""},
    "bridge-no-carrier": {"carrier": False}, "inventory-interface": {"recorded": "eth0"},
    "bridge-no-address": {"addresses": Answer("[]")}, "addresses-unknown": {"addresses": Answer(error="no")},
    "default-route-missing": {"routes": (Answer("[]"), Answer(error="no"))},
    "routes-unknown": {"routes": (Answer(error="no"), Answer(error="no"))},
    "default-route": {"routes": (Answer(ROUTES.replace("xenbr0", "eth1")),)},
    "bridge-down": {"down": frozenset({"xenbr0"})}, "bridge-port-down": {"down": frozenset({"enp0s3"}), "carrier": False},
    "bridge-kind": {"is_bridge": False},
    "bridge-switch-silent": {"master": "ovs-system", "switch": Answer(error="no")},
}  # fmt: skip


@pytest.mark.parametrize("fault", BRIDGE_FAULTS)
def test_the_bridge(host: Host, fault: str) -> None:
    found = readings(host)
    assert ids(bridge_findings(found.bridge)) == []
    assert ids(bridge_findings(replace(found.bridge, **BRIDGE_FAULTS[fault]))) == [fault]
    in_switch = replace(found.bridge, master="ovs-system")
    assert ids(bridge_findings(in_switch)) == []


def test_a_port_of_another_bridge_is_named_with_it(host: Host) -> None:
    found = readings(host).bridge
    assert found is not None
    (problem,) = bridge_findings(replace(found, master="virbr0"))
    assert (problem.id, "of virbr0" in problem.title) == ("bridge-port", True)
    there = replace(found, master="ovs-system", switch=Answer("xenbr0\n"))
    assert ids(bridge_findings(there)) == []
    (problem,) = bridge_findings(replace(there, switch=Answer("br-int\n")))
    assert (problem.id, "of br-int" in problem.title) == ("bridge-port", True)
    assert "ovs-vsctl" in problem.remediation


def test_what_the_kernel_shows_of_bridge_and_port(host: Host) -> None:
    def read() -> BridgeReading:
        return read_bridge(host, lambda _argv: "xenbr0\n", "enp0s3")

    put(host, "/sys/class/net/xenbr0/flags", "0x1003\n")
    put(host, "/sys/class/net/xenbr0/uevent", "DEVTYPE=bridge\nINTERFACE=xenbr0\n")
    put(host, "/sys/class/net/enp0s3/flags", "rubbish")
    assert (read().down, read().is_bridge, read().switch) == (frozenset(), True, None)
    put(host, "/sys/class/net/enp0s3/flags", "0x1002\n")
    put(host, "/sys/class/net/xenbr0/uevent", "DEVTYPE=vlan\nINTERFACE=xenbr0\n")
    assert (read().down, read().is_bridge) == ({"enp0s3"}, False)
    host.at("/sys/class/net/enp0s3/master").unlink()
    host.at("/sys/class/net/enp0s3/master").symlink_to("../ovs-system")
    assert read().switch == Answer("xenbr0\n")


def test_a_host_that_never_had_a_gateway_need_not_have_one(host: Host) -> None:
    found = readings(host).bridge
    assert found is not None
    alone = replace(found, routes=(Answer("[]"),), had_gateway=False)
    assert [(p.id, p.level) for p in bridge_findings(alone)] == [("default-route-missing", "info")]
