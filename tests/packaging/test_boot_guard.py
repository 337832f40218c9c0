"""The dead-man switch's units on a booted system: the distro's systemd starts them as they are packaged.

A unit stands in for the network: at its start it keeps what the network's files are. The boot id is this
machine's, so a journal is of another boot by having none.
"""

import json
import shutil
from pathlib import Path

import pytest
from booted_root import booted

from kronos_installer import executor
from kronos_installer.host import Host
from kronos_installer.journal import JOURNAL, Journal
from kronos_installer.plan import Plan
from kronos_installer.steps.network_step import FileChange, NetworkStep
from kronos_installer.steps.service_step import ServiceStep
from kronos_installer.wishes import Confirm, Wishes
from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.declarations import REPO
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]

PACKAGES = (
    "dbus", "iproute2", "iputils-ping", "python3", "python3-defusedxml", "python3-yaml", "systemd", "systemd-sysv",
)  # fmt: skip
UNITS = ("xapi-host-guard.service", "xapi-host-settle.service")
NETWORK = """\
[Unit]
After=network-pre.target
Before=network.target
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/cp -r /etc/network.d /var/lib/seen
RemainAfterExit=yes
[Install]
WantedBy=sysinit.target
"""
FILES = {"one": b"the old one\n", "two": b"the old two\n"}
STEP = "/var/lib/switched"
# Run inside: an apply whose network is switched at once, by a clock under which the deadline is over already.
SWITCH = f"""\
import sys
from dataclasses import replace
from pathlib import Path
from kronos_installer import executor, live_switch
from kronos_installer.host import Host, SystemRunner
from kronos_installer.journal import Journal
from kronos_installer.plan import Plan
from kronos_installer.settle import Surroundings
from kronos_installer.steps.network_step import FileChange, NetworkStep
from kronos_installer.wishes import Confirm, Wishes
from xapi_shim.base.progress import Reporter
host = Host(Path("/"), SystemRunner(Path("/")))
files = [FileChange(f"/etc/network.d/{{name}}", b"new\\n", host.state(f"/etc/network.d/{{name}}")) for name in ("one", "two")]
step = NetworkStep(reason="a test", files=tuple(files), interface="lo", switch=(("touch", "{STEP}"),
                   ("setsid", "--fork", "sh", "-c", "exec sleep 1000 >/dev/null 2>&1")), switch_back=(("rm", "{STEP}"),))
with executor.exclusive(host):
    executor.apply(Plan((step,), (), Wishes("1", "2", confirm=Confirm.OPERATOR)), host, Reporter())
    around = replace(Surroundings(), now=lambda: Surroundings().now() + float(sys.argv[1]))
    live_switch.start_switch(host, around, Reporter())
"""


class Crash(BaseException):
    """The power cut."""


def prepare(root):
    """Install the program and its units as the package does, and the network that stands in."""
    packages = root / "usr/lib/python3/dist-packages"
    shutil.copytree(REPO / "installer/kronos_installer", packages / "kronos_installer")
    (packages / "xapi_shim").mkdir()
    shutil.copy(REPO / "xapi_shim/__init__.py", packages / "xapi_shim")
    shutil.copytree(REPO / "xapi_shim/base", packages / "xapi_shim/base")
    shutil.copy(REPO / "packaging/scripts/xapi-host-setup", root / "usr/sbin")
    for unit in UNITS:
        shutil.copy(REPO / "debian" / f"xapi-host-setup.{unit}", root / "lib/systemd/system" / unit)
    (root / "etc/systemd/system/lab-network.service").write_text(NETWORK)
    (root / "etc/network.d").mkdir()
    for name, content in FILES.items():
        (root / "etc/network.d" / name).write_bytes(content)
    run(["systemctl", f"--root={root}", "enable", "lab-network.service"])


def apply_in(root, *, crash_after=""):
    """Enable the units and change the network's files, as apply does; with a crash, half-way."""

    def on_effect(effect):
        if crash_after and effect == crash_after:
            raise Crash

    host = Host(root, lambda argv: run([argv[0], f"--root={root}", *argv[1:]]).stdout, on_effect)
    files = (
        FileChange(f"/etc/network.d/{name}", b"new\n", host.state(f"/etc/network.d/{name}")) for name in FILES
    )
    steps = [ServiceStep(unit=unit, reason="a test") for unit in UNITS]
    network = NetworkStep(reason="a test", files=tuple(files), interface="enp0s3")
    wishes = Wishes("1", "2", confirm=Confirm.OPERATOR)
    executor.apply(Plan((*steps, network), (), wishes), host, Reporter())


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def root(target):
    with clean_root(ensure_root_tar(target, PACKAGES, Reporter())) as root:
        prepare(root.path)
        yield root.path


def status(machine):
    return json.loads(machine.run("xapi-host-setup", "status", "--json", check=False))


def test_a_half_written_network_is_put_back_before_it_starts(root, tmp_path):
    with pytest.raises(Crash):
        apply_in(root, crash_after="after renaming /etc/network.d/one")
    half = files_in(root / "etc/network.d")
    assert half["one"] == b"new\n"
    assert half["two"] == FILES["two"]
    with booted(root, tmp_path / "log") as machine:
        machine.wait_until(lambda: machine.state("lab-network.service") == "active", "the network")
        assert machine.state("xapi-host-guard.service") == "active"
        assert files_in(root / "var/lib/seen") == FILES
        assert status(machine)["phase"] == "apply interrupted"
        # Nothing is there to be confirmed.
        machine.wait_until(lambda: machine.state("xapi-host-settle.service") == "inactive", "settled")


def test_a_torn_journal_does_not_hold_the_boot_up(root, tmp_path):
    apply_in(root)
    with (root / JOURNAL.lstrip("/")).open("ab") as file:
        file.write(b'{"record": "roll')
    with booted(root, tmp_path / "log") as machine:
        assert machine.state("xapi-host-guard.service") == "active"
        assert files_in(root / "var/lib/seen") == dict.fromkeys(FILES, b"new\n")
        machine.wait_until(lambda: status(machine)["seconds_left"] is not None, "the count")
        machine.run("xapi-host-setup", "confirm")
        machine.wait_until(lambda: machine.state("xapi-host-settle.service") == "inactive", "settled")
        assert status(machine)["phase"] == "confirmed"


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGTERM"])
def test_nobody_confirms_and_settle_is_killed(root, tmp_path, signal):
    """systemd starts it again, and the deadline is the one of before: all is taken back, and the boot ends."""
    apply_in(root)
    with booted(root, tmp_path / "log") as machine:
        let_time_pass(machine, signal)
        machine.wait_until(lambda: not machine.is_up(), "rebooted")
    assert files_in(root / "etc/network.d") == FILES
    assert Journal(Host(root, str)).load_finished().why_rolled_back.startswith("nobody ran")
    assert not list((root / "etc/systemd/system").glob(f"*.wants/{UNITS[0]}"))


def let_time_pass(machine, signal):
    """Have the deadline over for the settle that systemd starts when a signal has ended this one."""
    machine.wait_until(lambda: machine.exists("/run/xapi-host-setup/deadline"), "the count")
    found = json.loads(machine.read("/run/xapi-host-setup/deadline"))
    over = json.dumps({**found, "deadline": 0})
    machine.run("python3", "-c", f"open('/run/xapi-host-setup/deadline', 'w').write({over!r})")
    # Of the unit's own process: a child of it that ends just then makes Debian 12's systemctl fail.
    machine.run("systemctl", "kill", "--kill-whom=main", f"--signal={signal}", "xapi-host-settle.service")


def test_a_boot_that_ends_in_the_emergency_mode_is_taken_back_too(root, tmp_path):
    """A file system is not there: no network, no ssh, and a shell at a console that nobody sits at."""
    units = root / "etc/systemd/system"
    (units / "srv-none.mount").write_text("[Unit]\nDefaultDependencies=no\nBefore=local-fs.target\n"
                                          "[Mount]\nWhat=none\nWhere=/srv/none\nType=nothing\n"
                                          "[Install]\nRequiredBy=local-fs.target\n")  # fmt: skip
    (units / "emergency.service.d").mkdir()
    # Without a console the shell would end at once.
    (units / "emergency.service.d/waits.conf").write_text("[Service]\nExecStart=\nExecStart=sleep infinity\n")
    run(["systemctl", f"--root={root}", "enable", "srv-none.mount"])
    apply_in(root)
    with booted(root, tmp_path / "log") as machine:
        assert machine.state("emergency.target") == "active"
        assert machine.state("basic.target") == "inactive"
        let_time_pass(machine, "SIGKILL")
        machine.wait_until(lambda: not machine.is_up(), "rebooted")
    assert files_in(root / "etc/network.d") == FILES


def test_switched_while_it_runs(root, tmp_path):
    (root / "srv/switch.py").write_text(SWITCH)
    with booted(root, tmp_path / "log") as machine:
        machine.run("python3", "/srv/switch.py", "0")
        machine.wait_until(lambda: machine.exists(STEP), "switched")
        machine.wait_until(lambda: confirmed(machine), "confirmed")
        machine.wait_until(lambda: machine.state("xapi-host-switch.service") == "inactive", "over")
        # What the switch left running is the network's own.
        assert is_running(machine, "sleep\0001000\0")
        assert machine.state("xapi-host-switch-back.timer") == "active"
        machine.run("systemctl", "start", "xapi-host-switch-back.service")
        machine.wait_until(lambda: machine.state("xapi-host-switch-back.service") == "inactive", "over")
        assert machine.exists(STEP)
        assert is_running(machine, "sleep\0001000\0")


def is_running(machine, command):
    """Tell whether a process has that command line (proc(5): each argument ends with a NUL)."""
    return any(
        path.read_text() == command for path in Path(f"/proc/{machine.init}/root/proc").glob("[0-9]*/cmdline")
    )


def confirmed(machine):
    """Say it until it is heard: when the last command of the switch is through."""
    machine.run("xapi-host-setup", "confirm", check=False)
    return status(machine)["phase"] == "confirmed"


def test_switched_back_by_the_timer_when_the_switch_is_dead(root, tmp_path):
    (root / "srv/switch.py").write_text(SWITCH)
    with booted(root, tmp_path / "log") as machine:
        # The deadline is far in the future for who waits; nobody does.
        machine.run("python3", "/srv/switch.py", "100000")
        machine.wait_until(lambda: machine.exists(STEP), "switched")
        machine.run("systemctl", "kill", "--signal=SIGKILL", "xapi-host-switch.service")
        machine.wait_until(lambda: machine.state("xapi-host-switch.service") == "inactive", "dead")
        assert files_in(root / "etc/network.d") == dict.fromkeys(FILES, b"new\n")
        journal = root / JOURNAL.lstrip("/")
        journal.write_text(journal.read_text().replace('"deadline": ', '"deadline": -'))
        machine.run("systemctl", "start", "xapi-host-switch-back.service")
        machine.wait_until(lambda: not machine.exists(STEP), "switched back")
        machine.wait_until(lambda: not machine.exists(JOURNAL), "rolled back")
        assert files_in(root / "etc/network.d") == FILES
