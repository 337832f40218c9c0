"""Linux with systemd: which files are written, what is asked of the tools, what is undone when they refuse."""

import json
import os
from datetime import datetime, timedelta, timezone

import pytest

from xapi_shim.base.paths import Paths
from xapi_shim.host.config_files import replace_files
from xapi_shim.host.interface import HostError, NotHereError, NtpMode, ServiceMissingError
from xapi_shim.host.linux_clock import LinuxClock
from xapi_shim.host.ntp_config import chrony_config, chrony_original, parse_timesync
from xapi_shim.host.trust_store import NameInvalidError, NameTakenError, NameUnknownError, TrustStore

CHRONY = """\
# Debian's
confdir /etc/chrony/conf.d
pool 2.debian.pool.ntp.org iburst
 server  indented.example
#server commented.example
sourcedir /run/chrony-dhcp
serverstats on
"""


async def test_the_tools_are_asked_as_their_manuals_say(linux, stand_ins):
    await linux.clock.set_ntp(NtpMode.DISABLED, ())
    await linux.clock.set_time(datetime(2030, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2))))
    await linux.machine.set_hostname("xen-1")
    await linux.machine.reboot()
    await linux.machine.power_off()
    await linux.machine.log(10**9)
    await linux.services.disable("ssh.service")
    assert stand_ins.calls == [
        ["timedatectl", "set-ntp", "false"],
        ["timedatectl", "set-time", "2030-01-02 03:04:05 UTC"],
        ["hostnamectl", "set-hostname", "xen-1"],
        ["systemctl", "--no-block", "reboot"],
        ["systemctl", "--no-block", "poweroff"],
        [
            "journalctl",
            "--boot",
            "--no-pager",
            "--quiet",
            "--output=short-iso",
            "--unit=xapi.service",
            "--lines=20000",
        ],
        ["systemctl", "disable", "--now", "--quiet", "ssh.service"],
    ]


async def test_a_host_that_goes_down_takes_the_answer_along(linux, stand_ins):
    stand_ins.cut_the_bus(goes_down=True)
    await linux.machine.reboot()
    await linux.machine.power_off()


async def test_a_host_that_stays_up_says_why(linux, stand_ins):
    stand_ins.cut_the_bus(goes_down=False)
    with pytest.raises(HostError, match="Connection reset by peer"):
        await linux.machine.reboot()


async def test_other_names_and_masked_units_do_not_count(linux):
    names = ("ssh.service", "sshd.service", "hidden.service", "ssh.socket")
    assert await linux.services.present(*names) == ("ssh.service", "ssh.socket")


async def test_timesyncd_has_a_file_of_its_own(linux, root, stand_ins):
    folder = root / "etc/systemd/timesyncd.conf.d"
    await linux.clock.set_ntp(NtpMode.CUSTOM, ("a.example", "2001:db8::1"))
    assert {p.name: p.read_text() for p in folder.iterdir()} == {
        "90-xapi.conf": "[Time]\nNTP=\nNTP=a.example 2001:db8::1\nFallbackNTP=\n"
    }
    assert stand_ins.calls == [
        ["timedatectl", "set-ntp", "true"],
        ["systemctl", "try-restart", "systemd-timesyncd.service"],
    ]
    await linux.clock.set_ntp(NtpMode.DHCP, ())
    assert {p.name: p.read_text() for p in folder.iterdir()} == {
        "00-xapi.conf": "[Time]\nNTP=\nFallbackNTP=\n"
    }
    await linux.clock.set_ntp(NtpMode.FACTORY, ())
    assert list(folder.iterdir()) == []
    assert await linux.clock.ntp_servers() == {"a.example": "not combined", "b.example": "current synced"}


async def test_a_refused_configuration_is_undone(linux, root, stand_ins):
    folder = root / "etc/systemd/timesyncd.conf.d"
    await linux.clock.set_ntp(NtpMode.CUSTOM, ("a.example",))
    before = (folder / "90-xapi.conf").read_bytes()
    stand_ins.refuse_next_restart()
    with pytest.raises(HostError, match=r"Job for systemd-timesyncd\.service failed"):
        await linux.clock.set_ntp(NtpMode.CUSTOM, ("b.example",))
    assert (folder / "90-xapi.conf").read_bytes() == before
    # The service was restarted with what was there before.
    assert stand_ins.calls[-1] == ["systemctl", "try-restart", "systemd-timesyncd.service"]


@pytest.mark.parametrize(
    ("name", "unit"), [("etc/chrony/chrony.conf", "chrony.service"), ("etc/chrony.conf", "chronyd.service")]
)
async def test_chrony_is_configured_where_it_is(linux, root, stand_ins, name, unit):
    path = root / name
    path.parent.mkdir(parents=True)
    path.write_text(CHRONY)
    path.chmod(0o640)
    await linux.clock.set_ntp(NtpMode.CUSTOM, ("a.example",))
    assert stand_ins.calls[-1] == ["systemctl", "try-restart", unit]
    assert "server a.example iburst" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
    await linux.clock.set_ntp(NtpMode.FACTORY, ())
    assert path.read_text() == CHRONY
    assert await linux.clock.ntp_servers() == {"a.example": "current synced", "b.example": "unreachable"}


async def test_a_removed_chronys_file_does_not_count(linux, root, stand_ins):
    path = root / "etc/chrony/chrony.conf"
    path.parent.mkdir(parents=True)
    path.write_text(CHRONY)
    await linux.services.present("ssh.service")
    state = stand_ins.state
    del state["units"]["chrony.service"]
    (stand_ins.folder / "state.json").write_text(json.dumps(state))
    await linux.clock.set_ntp(NtpMode.CUSTOM, ("a.example",))
    assert path.read_text() == CHRONY
    assert (root / "etc/systemd/timesyncd.conf.d/90-xapi.conf").exists()


async def test_a_host_without_a_time_service_says_so(root, stand_ins):
    class None_:
        async def present(self, *names):
            return ()

    with pytest.raises(ServiceMissingError, match="chrony"):
        await LinuxClock(None_(), root).set_ntp(NtpMode.CUSTOM, ("a.example",))
    assert not (root / "etc").exists()


@pytest.mark.parametrize("text", [CHRONY, CHRONY.rstrip("\n"), "", "pool x\n", "\n\n# only\n"])
def test_chronys_original_comes_back_to_the_byte(text):
    for mode in NtpMode:
        changed = chrony_config(text, mode, ("a.example", "b.example"))
        assert chrony_original(changed) == text
        # Changed again, the former change is gone.
        assert chrony_config(changed, NtpMode.CUSTOM, ("c.example",)) == chrony_config(
            text, NtpMode.CUSTOM, ("c.example",)
        )


def active(text):
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_chrony_asks_our_servers_only():
    rest = ["confdir /etc/chrony/conf.d", "sourcedir /run/chrony-dhcp", "serverstats on"]
    assert active(chrony_config(CHRONY, NtpMode.CUSTOM, ("a.example",))) == [*rest, "server a.example iburst"]
    assert active(chrony_config(CHRONY, NtpMode.DHCP, ("a.example",))) == rest


def test_a_server_is_what_it_is_thought_to_be():
    text = "LinkNTPServers=\nFallbackNTPServers=f.example\nServerName=\n"
    assert parse_timesync(text, synchronized=False) == {"f.example": "not combined"}
    text = "SystemNTPServers=s.example\nFallbackNTPServers=f.example\nServerName=s.example\n"
    assert parse_timesync(text, synchronized=False) == {"s.example": "unreachable"}


async def test_grub_is_told_in_a_file_of_its_own(linux, root, stand_ins, monkeypatch):
    path = root / "etc/default/grub.d/95-xapi-xen.cfg"
    await linux.boot.set_xen_option("sched-gran", "core")
    assert path.read_text() == (
        '# Set by way of XenAPI.\nGRUB_CMDLINE_XEN="$GRUB_CMDLINE_XEN sched-gran=core"\n'
    )
    assert stand_ins.calls == [["systemd-run", "--wait", "--collect", "--quiet", "--pipe", "update-grub"]]
    (stand_ins.folder / "refuse-grub").touch()
    with pytest.raises(HostError, match="no such disk"):
        await linux.boot.set_xen_option("sched-gran", "socket")
    assert await linux.boot.xen_option("sched-gran") == "core"
    (stand_ins.folder / "update-grub").unlink()
    monkeypatch.setenv("PATH", str(stand_ins.folder))
    with pytest.raises(NotHereError, match="update-grub"):
        await linux.boot.set_xen_option("sched-gran", "cpu")


async def test_services_of_other_users_may_read_what_is_written(tmp_path):
    async def take():
        """Nothing takes it."""

    before = os.umask(0o077)
    try:
        await replace_files({tmp_path / "etc/some.conf.d/x.conf": b"x"}, take)
    finally:
        os.umask(before)
    for path, mode in (("etc", 0o755), ("etc/some.conf.d", 0o755), ("etc/some.conf.d/x.conf", 0o644)):
        assert (tmp_path / path).stat().st_mode & 0o777 == mode


async def test_files_are_put_back_when_they_are_not_taken(tmp_path):
    taken = []

    async def take():
        taken.append((tmp_path / "a").read_text())
        if taken[-1] == "new":
            raise HostError("no")

    (tmp_path / "a").write_text("old")
    with pytest.raises(HostError, match="no"):
        await replace_files({tmp_path / "a": b"new", tmp_path / "b": b"new"}, take)
    assert taken == ["new", "old"]
    assert not (tmp_path / "b").exists()
    (tmp_path / "d").mkdir()
    with pytest.raises(HostError, match="cannot be read"):
        await replace_files({tmp_path / "d": b"x"}, take)
    with pytest.raises(HostError, match="cannot be written"):
        await replace_files({tmp_path / "c": b"x", tmp_path / "a" / "below": b"x"}, take)
    assert not (tmp_path / "c").exists()


def test_a_store_keeps_what_has_a_name(tmp_path):
    store = TrustStore(Paths(tmp_path).trusted_certificates)
    assert store.names() == []
    store.add("b.pem", "B")
    store.add("a.pem", "A\n")
    (Paths(tmp_path).trusted_certificates / "README").write_text("no")
    assert (store.names(), store.bundle()) == (["a.pem", "b.pem"], "A\nB\n")
    with pytest.raises(NameTakenError):
        store.add("a.pem", "x")
    for name in ("../a.pem", "a", "", ".a.pem", "a\n.pem", f"{'a' * 260}.pem"):
        with pytest.raises(NameInvalidError):
            store.read(name)
    store.remove("a.pem")
    with pytest.raises(NameUnknownError):
        store.remove("a.pem")
