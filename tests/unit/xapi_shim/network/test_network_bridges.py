"""Internal bridges, on the simulated network and, in a network namespace of its own, on the real one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xapi_shim.network.interface import BridgeNameError
from xapi_shim.network.linux import check_bridge_name
from xapi_shim.network.simulated import SimulatedNetwork

REAL = """
import asyncio
from xapi_shim.base.process import run
from xapi_shim.network.interface import BridgeInUseError, BridgeNameError
from xapi_shim.network.linux import LinuxNetwork


async def refuses(error, call):
    try:
        await call
    except error:
        return
    raise AssertionError(error)


async def main():
    net = LinuxNetwork()
    await net.create_bridge("xapi0")
    await net.create_bridge("xapi0")
    assert [b.name for b in (await net.read()).bridges] == ["xapi0"]
    assert "inet6" not in run(["ip", "address", "show", "dev", "xapi0"]).stdout
    run(["ip", "tuntap", "add", "dev", "p0", "mode", "tap"])
    run(["ip", "link", "set", "p0", "master", "xapi0"])
    await refuses(BridgeInUseError, net.destroy_bridge("xapi0"))
    await refuses(BridgeNameError, net.create_bridge("p0"))
    run(["ip", "link", "delete", "p0"])
    await net.destroy_bridge("xapi0")
    await net.destroy_bridge("xapi0")
    run(["ip", "link", "add", "theirs", "type", "bridge"])
    await net.create_bridge("theirs")
    await net.destroy_bridge("theirs")
    assert [b.name for b in (await net.read()).bridges] == ["theirs"]


asyncio.run(main())
"""


def namespace_refused() -> bool:
    probe = "ip link add name br9 type bridge && ip tuntap add dev tap9 mode tap"
    argv = ["unshare", "-rn", "sh", "-c", probe]
    return (
        shutil.which("ip") is None or subprocess.run(argv, capture_output=True, check=False).returncode != 0
    )


def test_real_bridges():
    if namespace_refused():
        pytest.skip("no network namespace may be made here")
    root = Path(__file__).parents[4]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    argv = ["unshare", "-rn", sys.executable, "-c", REAL]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def test_simulated_bridges():
    net = SimulatedNetwork()
    await net.create_bridge("xapi0")
    await net.create_bridge("xapi0")
    assert [b.name for b in (await net.read()).bridges] == ["xenbr0", "xapi0"]
    await net.destroy_bridge("xapi0")
    await net.destroy_bridge("xenbr0")
    assert [b.name for b in (await net.read()).bridges] == ["xenbr0"]
    with pytest.raises(BridgeNameError):
        await net.create_bridge("eth0")


@pytest.mark.parametrize("name", ["", ".", "..", "-n", "a" * 16, "a/b", "a b", "a\n", "ü"])
def test_names_no_bridge_can_have(name):
    with pytest.raises(BridgeNameError):
        check_bridge_name(name)
