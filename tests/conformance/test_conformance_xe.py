"""xe against the daemon, over the unix socket and over TLS."""

import re
import sys

import pytest
from conftest import PASSWORD

from xapi_shim.base.process import run


@pytest.fixture
def xe(running, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    def call(*words, check=True, remote=False):
        secret = tmp_path / "secret"
        secret.write_text(f"root\n{PASSWORD}\n")
        local = ["--socket", str(running.paths.unix_socket)]
        far = ["-s", "127.0.0.1", "-p", str(running.daemon.port), "-pwf", str(secret)]
        done = run(
            [sys.executable, "-m", "xapi_shim.cli.main", *(far if remote else local), *words], check=check
        )
        return done if not check else done.stdout

    return call


def test_a_guests_life(xe):
    vm = xe("vm-install", "template=Linux kernel and ramdisk", "new-name-label=g").strip()
    xe(
        "vm-param-set",
        f"uuid={vm}",
        "PV-kernel=/boot/guest/vmlinuz",
        "PV-args=console=hvc0 a=b",
        "other-config:k=v",
    )
    sr = xe("sr-list", "--minimal").strip()
    vdi = xe("vdi-create", f"sr-uuid={sr}", "name-label=d", "virtual-size=1GiB").strip()
    xe("vbd-create", f"vm-uuid={vm}", f"vdi-uuid={vdi}", "device=0")
    network = xe("network-list", "--minimal").strip()
    xe("vif-create", f"vm-uuid={vm}", f"network-uuid={network}", "device=0", "mac=random")
    xe("vm-start", "vm=g")
    assert xe("vm-param-get", f"uuid={vm}", "param-name=power-state") == "running\n"
    assert xe("vm-param-get", f"uuid={vm}", "param-name=other-config", "param-key=k") == "v\n"
    assert xe("vm-list", "power-state=running", "name-label=g", "--minimal") == f"{vm}\n"
    assert xe("vbd-list", f"vm-uuid={vm}", "params=vdi-uuid", "--minimal") == f"{vdi}\n"
    xe("vm-shutdown", f"uuid={vm}", "--force")
    xe("vm-uninstall", f"uuid={vm}", "--force")
    assert xe("vm-list", f"uuid={vm}", "--minimal").strip() == ""
    assert xe("vdi-list", "--minimal").strip() == ""


def test_records_look_as_scripts_expect(xe):
    vm = xe("vm-create", "name-label=some, name").strip()
    assert xe("vm-list", f"uuid={vm}") == (
        f"uuid ( RO)           : {vm}\n     name-label ( RW): some, name\n    power-state ( RO): halted\n\n\n"
    )
    assert xe("vm-list", f"uuid={vm}", "params=name-label", "--minimal") == "some\\, name\n"
    everything = xe("vm-param-list", f"uuid={vm}")
    assert re.search(r"^ +other-config \(MRW\): $", everything, re.MULTILINE)
    assert re.search(r"^ +memory-static-max \( RW\): 268435456$", everything, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["vm-fly"], "Unknown command: vm-fly"),
        (["vm-param-get", "uuid=x"], "Required parameter not found: param-name"),
        (["vm-start"], "Required parameter not found: uuid (or vm=NAME)"),
        (["vm-start", "vm=nobody"], "No matching VMs found"),
        (["vm-list", "colour=red"], "Unknown parameter: colour"),
        (["vm-destroy", "uuid=x"], "Error code: UUID_INVALID\nError parameters: VM, x"),
        (["vdi-create", "sr-uuid=x", "name-label=x", "virtual-size=lots"], "Error code: UUID_INVALID"),
        (
            ["vm-create", "name-label=x", "memory=lots"],
            "a whole number (and KiB, MiB, GiB or TiB) expected, not 'lots'",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_line(xe, words, message):
    done = xe(*words, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(message), done.stderr


def test_from_another_host(xe):
    assert len(xe("host-list", "--minimal", remote=True).strip()) == 36


def test_nobody_there_is_said_in_a_line(xe):
    done = xe("-s", "127.0.0.1", "-p", "1", "host-list", check=False)
    assert done.returncode == 1
    assert "cannot reach the XenAPI daemon" in done.stderr
    assert "Traceback" not in done.stderr
