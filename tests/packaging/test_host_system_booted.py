"""host.* on a booted system: the daemon in its unit as it is packaged, with the distro's systemd, chrony and ssh.

Guests are simulated; the host's own system is the real one. The clock is never set: it is this
machine's, too.
"""

import re
import shutil

import pytest
from booted_root import WITHOUT_SANDBOX, booted

from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.declarations import REPO
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]

PACKAGES = (
    "chrony", "dbus", "iproute2", "open-iscsi", "openssh-server", "python3-aiohttp", "python3-cryptography",
    "python3-defusedxml", "python3-pampy", "python3-sdnotify", "rsyslog", "systemd", "systemd-sysv",
)  # fmt: skip
DAEMON = """\
import sys
sys.path.insert(0, "/srv")
from xapi_shim.host.linux import linux_system
from xapi_shim.web import daemon, main
daemon.simulated_system = linux_system
sys.exit(main.main(["--simulator", "--address", "127.0.0.1"]))
"""


def unit():
    """The daemon's unit, but for what asks for Xen, and for the program."""
    text = (REPO / "debian/xapi-toolstack.xapi.service").read_text()
    text = re.sub(r"^(ConditionPathExists|ExecCondition|After|Wants)=.*\n", "", text, flags=re.MULTILINE)
    return text.replace("ExecStart=/usr/sbin/xapi", "ExecStart=/usr/bin/python3 -B /srv/daemon.py")


@pytest.fixture(scope="module")
def machine(target, tmp_path_factory):
    with clean_root(ensure_root_tar(target, PACKAGES, Reporter())) as root:
        shutil.copytree(REPO / "xapi_shim", root.path / "srv/xapi_shim")
        root.write("/srv/daemon.py", DAEMON)
        root.write("/etc/systemd/system/xapi.service", unit())
        # It looks at its sources and leaves the clock alone.
        root.write("/etc/default/chrony", 'DAEMON_OPTS="-x"\n')
        for name in ("systemd-hostnamed", "systemd-timedated", "systemd-logind", "chrony", "rsyslog"):
            folder = f"/etc/systemd/system/{name}.service.d"
            (root.path / folder.lstrip("/")).mkdir(parents=True)
            root.write(f"{folder}/sandbox.conf", WITHOUT_SANDBOX)
        (root.path / "etc/xensource").mkdir(parents=True, exist_ok=True)
        with booted(root.path, tmp_path_factory.mktemp("boot") / "log") as machine:
            machine.run("ip", "link", "set", "lo", "up")
            machine.run("systemctl", "start", "xapi")
            yield machine


@pytest.fixture
def api(machine):
    return machine.session()


@pytest.fixture
def host(api):
    (host,) = api("host.get_all")
    return host


def test_the_record_tells_what_the_system_is_like(machine, api, host):
    assert api("host.get_timezone", host) == "Etc/UTC"
    assert api("host.get_ssh_enabled", host) is True
    assert api("host.get_ntp_mode", host) == "Factory"
    initiator = re.search(
        r"^InitiatorName=(.*)$", machine.read("/etc/iscsi/initiatorname.iscsi"), re.MULTILINE
    )
    assert api("host.get_iscsi_iqn", host) == initiator[1]


def test_chrony_asks_whom_it_is_told_to(machine, api, host):
    path = "/etc/chrony/chrony.conf"
    before = machine.read(path)
    api("host.set_ntp_custom_servers", host, ["192.0.2.5", "192.0.2.6"])
    api("host.set_ntp_mode", host, "Custom")
    assert machine.state("chrony") == "active"
    machine.wait_until(
        lambda: set(api("host.get_ntp_servers_status", host)) == {"192.0.2.5", "192.0.2.6"}, "asked"
    )
    assert api("host.get_ntp_servers_status", host)["192.0.2.5"] == "unreachable"
    api("host.set_ntp_mode", host, "DHCP")
    assert api("host.get_ntp_servers_status", host) == {}
    api("host.set_ntp_mode", host, "Disabled")
    assert machine.state("chrony") == "inactive"
    api("host.set_ntp_mode", host, "Factory")
    assert machine.state("chrony") == "active"
    assert machine.read(path) == before


def test_the_zone_is_the_systems(machine, api, host):
    # One that is never an hour off.
    api("host.set_timezone", host, "Africa/Abidjan")
    assert machine.run("readlink", "/etc/localtime").endswith("zoneinfo/Africa/Abidjan")
    api("host.set_timezone", host, "Etc/UTC")


def test_the_name_is_the_systems(machine, api, host):
    api("host.set_hostname_live", host, "xen-1.example")
    assert machine.run("hostname") == "xen-1.example"
    assert machine.read("/etc/hostname").strip() == "xen-1.example"


def test_ssh_is_switched_and_ends_by_itself(machine, api, host):
    api("host.disable_ssh", host)
    assert machine.state("ssh.service") == "inactive"
    assert machine.run("systemctl", "is-enabled", "ssh.service", check=False) == "disabled"
    api("host.set_ssh_enabled_timeout", host, "1")
    api("host.enable_ssh", host)
    assert machine.run("systemctl", "is-enabled", "ssh.service", check=False) in ("enabled", "disabled")
    machine.wait_until(lambda: machine.state("ssh.service") == "inactive", "stopped when the time was over")
    machine.wait_until(lambda: not api("host.get_ssh_enabled", host), "told")
    api("host.set_ssh_enabled_timeout", host, "0")
    api("host.enable_ssh", host)
    assert machine.state("ssh.service") == "active"


def test_ssh_runs_while_the_daemon_does_not(machine, api, host):
    api("host.set_ssh_auto_mode", host, True)
    assert machine.state("ssh.service") == "inactive"
    machine.run("systemctl", "stop", "xapi")
    machine.wait_until(lambda: machine.state("ssh.service") == "active", "ssh started")
    machine.run("systemctl", "start", "xapi")
    machine.wait_until(lambda: machine.state("ssh.service") == "inactive", "ssh stopped")
    machine.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", "xapi")
    machine.wait_until(lambda: machine.state("ssh.service") == "active", "ssh started after a crash")
    machine.wait_until(lambda: machine.state("xapi.service") == "active", "the daemon is back")
    machine.wait_until(lambda: machine.state("ssh.service") == "inactive", "ssh stopped again")
    api = machine.session()
    api("host.set_ssh_auto_mode", host, False)
    api("host.enable_ssh", host)
    assert not machine.exists("/etc/systemd/system/xapi.service.d/10-ssh-auto-mode.conf")


def test_rsyslog_takes_what_is_written(machine, api, host):
    api("host.set_logging", host, {"syslog_destination": "192.0.2.7:6514"})
    api("host.syslog_reconfigure", host)
    assert 'target="192.0.2.7" port="6514"' in machine.read("/etc/rsyslog.d/90-xapi-remote.conf")
    machine.run("rsyslogd", "-N1")
    assert machine.state("rsyslog") == "active"
    api("host.set_logging", host, {})
    api("host.syslog_reconfigure", host)
    assert not machine.exists("/etc/rsyslog.d/90-xapi-remote.conf")


def test_login_shells_end_when_idle(machine, api, host):
    api("host.set_console_idle_timeout", host, "600")
    assert machine.run("bash", "-lc", "echo $TMOUT") == "600"
    # Nobody takes it back.
    assert machine.run("bash", "-lc", "(TMOUT=0) 2>/dev/null || echo refused") == "refused"
    api("host.set_console_idle_timeout", host, "0")
    assert machine.run("bash", "-lc", "echo $TMOUT") == ""


def test_the_log_is_the_daemons(api, host):
    api("host.set_console_idle_timeout", host, "0")
    text = api("host.get_log", host)
    assert re.search(r"'ALLOWED' 'OK' 'API' 'host.set_console_idle_timeout'", text)
    assert "systemd-logind" not in text


def test_the_daemon_is_started_anew_when_asked_to(machine, api, host):
    before = machine.run("systemctl", "show", "--property=MainPID", "xapi")
    api("host.restart_agent", host)
    machine.wait_until(
        lambda: (
            machine.run("systemctl", "show", "--property=MainPID", "xapi") not in (before, "MainPID=0")
            and machine.state("xapi") == "active"
        ),
        "started anew",
    )
    api = machine.session()
    api("host.shutdown_agent")
    machine.wait_until(lambda: machine.state("xapi") == "inactive", "ended")
    assert machine.run("systemctl", "is-failed", "xapi", check=False) == "inactive"
    machine.run("systemctl", "start", "xapi")


def test_the_host_goes_down_at_the_end(machine, api, host):
    api("host.disable", host)
    api("host.reboot", host)
    machine.wait_until(lambda: not machine.exists("/run/systemd/system"), "gone")
