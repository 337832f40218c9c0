"""xe against the daemon, over the unix socket and over TLS."""

import re
import socket
import ssl
import sys
import time
from contextlib import ExitStack

import pytest
from running_daemon import PASSWORD

from kronos_lab.cache import REPO
from xapi_shim.base.process import run
from xapi_shim.cli.protocol import HELLO
from xapi_shim.web.cli_endpoint import MAX_COMMANDS


@pytest.fixture
def xe(running, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    def call(*words, check=True, remote=False, answer=None):
        secret = tmp_path / "secret"
        secret.write_text(f"root\n{PASSWORD}\n")
        local = ["--socket", str(running.paths.unix_socket)]
        far = ["-s", "127.0.0.1", "-p", str(running.daemon.port), "-pwf", str(secret)]
        done = run(
            [sys.executable, "-m", "xapi_shim.cli.main", *(far if remote else local), *words],
            check=check,
            stdin=answer,
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


def test_a_running_guest_is_changed(xe, running):
    vm = xe("vm-install", "template=Linux kernel and ramdisk", "new-name-label=g").strip()
    xe("vm-param-set", f"uuid={vm}", "PV-kernel=/boot/guest/vmlinuz", "VCPUs-max=2")
    mib = ("64MiB", "256MiB", "128MiB", "128MiB")
    names = ("static-min", "static-max", "dynamic-min", "dynamic-max")
    xe(
        "vm-memory-limits-set",
        f"uuid={vm}",
        *(f"{name}={size}" for name, size in zip(names, mib, strict=True)),
    )
    xe("vm-start", f"uuid={vm}")
    sr = xe("sr-list", "--minimal").strip()
    vdi = xe("vdi-create", f"sr-uuid={sr}", "name-label=d", "virtual-size=1MiB").strip()
    disc = xe("vdi-create", f"sr-uuid={sr}", "name-label=disc", "virtual-size=1MiB").strip()
    vbd = xe("vbd-create", f"vm-uuid={vm}", f"vdi-uuid={vdi}", "device=autodetect").strip()
    xe("vbd-plug", f"uuid={vbd}")
    assert xe("vbd-param-get", f"uuid={vbd}", "param-name=currently-attached") == "true\n"
    xe("vbd-unplug", f"uuid={vbd}")
    drive = xe("vbd-create", f"vm-uuid={vm}", "device=3", "type=CD", "mode=RO").strip()
    xe("vbd-insert", f"uuid={drive}", f"vdi-uuid={disc}")
    assert xe("vbd-param-get", f"uuid={drive}", "param-name=vdi-uuid") == f"{disc}\n"
    xe("vm-cd-eject", f"uuid={vm}")
    assert xe("vbd-param-get", f"uuid={drive}", "param-name=empty") == "true\n"
    network = xe("network-list", "--minimal").strip()
    vif = xe("vif-create", f"vm-uuid={vm}", f"network-uuid={network}", "device=0", "mac=random").strip()
    xe("vif-plug", f"uuid={vif}")
    xe("vif-unplug", f"uuid={vif}")
    xe("vm-vcpu-hotplug", f"uuid={vm}", "new-vcpus=2")
    xe("vm-memory-target-set", f"uuid={vm}", "target=96MiB")
    xe("vm-memory-target-wait", f"uuid={vm}")
    (domain,) = [one for one in running.wait(running.xen.domains()) if one.uuid == vm]
    assert (domain.vcpus_online, domain.memory_bytes) == (2, 96 << 20)
    assert xe("vm-compute-memory-overhead", f"uuid={vm}").strip() == "4194304"
    assert int(xe("vm-compute-maximum-memory", f"uuid={vm}", "total=256MiB")) < 256 << 20
    xe("vm-shutdown", f"uuid={vm}", "--force")


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
        (["vm-fly"], "Unknown command: vm-fly\nFor usage run: 'xe help'\n"),
        (["vm-start"], "Error: No matching VMs found"),
        (["vm-start", "vm=nobody"], "Error: No matching VMs found"),
        (["vm-list", "colour=red"], "Error: Unknown parameter: colour"),
        (["vm-list", "colour"], "Syntax error: not NAME=VALUE: 'colour'"),
        (["vm-suspend", "is-control-domain=true"], "Error: No matching VMs found"),
        (["pool-eject", "--force", "host-uuid=x"], "Error code: UUID_INVALID\nError parameters: host, x"),
        (["pool-ha-enable"], "Error code: NOT_IMPLEMENTED\nError parameters: pool.enable_ha"),
        (["vm-destroy", "uuid=x"], "Error code: UUID_INVALID\nError parameters: VM, x"),
        (["vdi-create", "sr-uuid=x", "name-label=x", "virtual-size=lots"], "Error code: UUID_INVALID"),
        (
            ["vm-create", "name-label=x", "memory=lots"],
            "Error: Failed to parse parameter 'memory': expecting a whole number",
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


def test_uninstall_asks_and_no_means_no(xe, running):
    vm = xe("vm-create", "name-label=g").strip()
    done = xe("vm-uninstall", f"uuid={vm}", check=False, answer="no\n")
    assert done.returncode == 1
    assert f"VM : {vm} (g)" in done.stdout
    assert xe("vm-list", "name-label=g", "--minimal").strip() == vm
    xe("vm-uninstall", f"uuid={vm}", answer="yes\n")
    assert xe("vm-list", "name-label=g", "--minimal").strip() == ""


def test_several_need_multiple(xe):
    both = {xe("vm-create", f"name-label={name}").strip() for name in "ab"}
    refused = xe("vm-memory-set", "memory=512MiB", "power-state=halted", check=False)
    assert refused.returncode == 1
    assert "--multiple required to complete the operation" in refused.stderr
    xe("vm-memory-set", "memory=512MiB", "power-state=halted", "--multiple")
    assert set(xe("vm-list", "memory-static-max=536870912", "--minimal").strip().split(",")) == both
    one_only = xe("vm-clone", "new-name-label=c", "power-state=halted", "--multiple", check=False)
    assert "can only be performed on one VM at a time" in one_only.stderr


def test_parameters_of_maps_and_sets(xe):
    vm = f"uuid={xe('vm-create', 'name-label=g').strip()}"
    xe("vm-param-add", vm, "param-name=other-config", "a=1", "b=x=y")
    assert xe("vm-param-get", vm, "param-name=other-config") == "a: 1; b: x=y\n"
    xe("vm-param-set", vm, "other-config:a=2")
    assert xe("vm-list", "other-config:a=2", "params=other-config:b", "--minimal") == "x=y\n"
    xe("vm-param-remove", vm, "param-name=other-config", "param-key=a")
    assert (
        "Key a not found in map"
        in xe("vm-param-get", vm, "param-name=other-config", "param-key=a", check=False).stderr
    )
    xe("vm-param-clear", vm, "param-name=other-config")
    assert xe("vm-param-get", vm, "param-name=other-config") == "\n"
    xe("vm-param-add", vm, "param-name=tags", "param-key=red")
    xe("vm-param-add", vm, "param-name=tags", "param-key=blue")
    assert xe("vm-list", "tags:contains=red", "params=tags", "--minimal") == "red; blue\n"
    assert "read-only" in xe("vm-param-set", vm, "power-state=running", check=False).stderr
    lines = xe("vm-list", vm, "params=all").splitlines()
    assert any(re.match(r" +tags \(SRW\): ", line) for line in lines)
    assert any(re.match(r" +bios-strings \(MRO\): ", line) for line in lines)
    assert any(re.match(r" +ha-always-run \( RW\) \[DEPRECATED\]: false$", line) for line in lines)
    assert any(re.match(r" +possible-hosts \( RO\): <expensive field>$", line) for line in lines)


def test_every_class_that_is_served_is_listed_whole(xe, running):
    """No parameter of the tables is without a value's source, and none breaks a list."""
    from xapi_shim.cli.engine.classes import CLASSES
    from xapi_shim.datamodel.registry import DATAMODEL

    for cls in CLASSES.values():
        done = xe(f"{cls.name}-list", "params=all", check=False)
        assert done.returncode == (0 if cls.api in DATAMODEL.classes else 1), (cls, done.stderr)
        assert "INTERNAL_ERROR" not in done.stderr


def test_settings_from_file_and_environment(xe, running, tmp_path, monkeypatch):
    (tmp_path / ".xe").write_text(
        f"server=127.0.0.1\nport={running.daemon.port}\nusername=root\npassword=wrong\n"
    )
    plain = [sys.executable, "-m", "xapi_shim.cli.main", "host-list", "--minimal"]
    done = run(plain, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "Error code: SESSION_AUTHENTICATION_FAILED")
    (tmp_path / "secret").write_text(f"root\n{PASSWORD}\n")
    extra = f"passwordfile={tmp_path}/secret"
    assert len(run(plain, env={"XE_EXTRA_ARGS": extra}).stdout.strip()) == 36


def test_help(xe):
    assert "vm-start" in xe("help")
    assert "vdi-copy" not in xe("help")
    assert "vdi-copy" in xe("help", "--all")
    assert "blob-get" not in xe("help", "--all")
    page = xe("help", "vm-clone")
    assert re.search(r"^ +reqd params +: new-name-label$", page, re.MULTILINE)
    assert re.search(r"^ +optional params : new-name-description, <vm-selectors>$", page, re.MULTILINE)
    assert xe("help", "vm-fly", check=False).returncode == 1


def test_its_own_usage_needs_no_host(tmp_path):
    xe = [sys.executable, "-m", "xapi_shim.cli.main", "--socket", str(tmp_path / "none")]
    assert run([*xe, "--help"]).stdout.startswith("Usage: xe COMMAND")
    page = run([*xe, "help", "vm-clone"], check=False)
    assert (page.returncode, page.stdout) == (1, "")
    assert "cannot reach the XenAPI daemon" in page.stderr


def test_event_wait_ends_when_the_vm_runs(xe, running, vm, api):
    import threading

    uuid = api.VM.get_uuid(vm)
    seen = threading.Thread(target=xe, args=("event-wait", "class=vm", f"uuid={uuid}", "power-state=running"))
    seen.start()
    seen.join(0.3)
    assert seen.is_alive()
    api.VM.start(vm, False, False)
    seen.join(60)
    assert not seen.is_alive()


def test_files_that_the_command_names_are_sent_and_no_others(xe, tmp_path):
    missing = xe("pool-install-ca-certificate", f"filename={tmp_path}/none.pem", check=False)
    assert missing.returncode == 1
    assert "No such file or directory" in missing.stderr
    (tmp_path / "ca.pem").write_text("a certificate")
    sent = xe("pool-install-ca-certificate", f"filename={tmp_path}/ca.pem", check=False)
    assert sent.stderr.startswith("Error code: CA_CERTIFICATE_INVALID\n")


def test_a_database_is_saved_and_put_back(xe, running, api, vm, tmp_path):
    saved, other = tmp_path / "saved", tmp_path / "other"
    xe("pool-dump-database", f"file-name={saved}")
    other.write_text("no dump")
    refused = xe("pool-restore-database", f"file-name={other}", check=False)
    assert refused.stderr.startswith(
        "Error code: INTERNAL_ERROR\nError parameters: not a dump of the database"
    )
    other.write_text(saved.read_text().replace('"guest"', "5"))
    refused = xe("pool-restore-database", f"file-name={other}", check=False)
    assert "name_label of another type" in refused.stderr
    xe("pool-restore-database", f"file-name={saved}", "--dry-run")
    assert not running.daemon.restart.is_set()
    assert api.task.get_all() == []
    api.VM.set_name_label(vm, "renamed")
    xe("pool-restore-database", f"file-name={saved}")
    running.wait(running.daemon.restart.wait())
    running.stop()
    running.start()
    assert xe("vm-list", "name-label=renamed", "--minimal") == "\n"
    assert xe("vm-list", "name-label=guest", "--minimal") != "\n"


def test_a_refused_download_leaves_no_file(xe, tmp_path):
    done = xe("pool-dump-database", f"file-name={tmp_path}/dump", check=False)
    if done.returncode == 0:  # served by now
        assert (tmp_path / "dump").stat().st_size > 0
    else:
        assert "the host refused the transfer" in done.stderr
        assert not (tmp_path / "dump").exists()


@pytest.fixture
def complete(running, tmp_path, monkeypatch):
    """Return what bash offers for a line; `xe` in it is ours, at this test's daemon."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def offered(line):
        script = (
            'xe() { "$PYTHON" -m xapi_shim.cli.main --socket "$SOCKET" "$@"; }\n'
            "compopt() { :; }\n"  # works within a completion only
            '. "$COMPLETION"\nCOMP_LINE=$1 COMP_POINT=${#1}\n_xe\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
        )
        env = {
            "PYTHON": sys.executable,
            "SOCKET": str(running.paths.unix_socket),
            "COMPLETION": str(REPO / "packaging/completions/xe"),
        }
        return set(run(["bash", "-c", script, "bash", line], env=env).stdout.split())

    return offered


def test_completion(complete, xe):
    assert complete("xe vm-sta") == {"vm-start"}
    assert {"host-list", "host-enable"} <= complete("xe -s 127.0.0.1 host-")
    assert complete("xe help vm-clo") == {"vm-clone"}
    assert complete("xe vdi-create name") == {"name-label="}
    vm = xe("vm-create", "name-label=g").strip()
    assert complete("xe vm-destroy uuid=") >= {vm}
    assert complete(f"xe vm-param-get uuid={vm[:8]}") == {vm}
    assert "other-config" in complete(f"xe vm-param-get uuid={vm} param-name=other")
    assert complete("xe vm-start vm=") >= {"g"}


def test_a_console_of_this_host_is_xls(xe, vm, api):
    """The simulator's guests are no domains: xl, where there is one, says so."""
    halted = xe("console", f"uuid={api.VM.get_uuid(vm)}", check=False)
    api.VM.start(vm, False, False)
    running = xe("console", f"uuid={api.VM.get_uuid(vm)}", check=False)
    assert (halted.returncode, running.returncode) == (1, 1)
    assert "No text console available" in halted.stderr
    assert "xl" in running.stderr


def test_strangers_who_log_in_do_not_keep_this_hosts_xe_waiting(xe, running):
    running.daemon.tools.login_delay_s = 120.0
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    body = b"vm-list\nusername=root\npassword=wrong\n"
    with ExitStack() as strangers:
        for _ in range(MAX_COMMANDS):
            plain = strangers.enter_context(socket.create_connection(("127.0.0.1", running.daemon.port)))
            wire = strangers.enter_context(context.wrap_socket(plain))
            wire.sendall(b"POST /cli HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            # The daemon greets, and is greeted: from here on a command runs.
            assert wire.recv(len(HELLO)).startswith(HELLO[:4])
            wire.sendall(HELLO)
        began = time.monotonic()
        assert "power-state" in xe("vm-list")
        assert time.monotonic() - began < 40
