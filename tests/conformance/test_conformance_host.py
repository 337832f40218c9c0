"""The host's own system by way of XenAPI: clock, ssh, names, logs, power, Xen's console."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta

import pytest
import XenAPI
from running_daemon import PASSWORD

from xapi_shim.xen.interface import ShutdownReason

NULL, NEVER = "OpaqueRef:NULL", "19700101T00:00:00Z"


@pytest.fixture
def pool(api):
    (pool,) = api.pool.get_all()
    return pool


@pytest.fixture
def system(running):
    return running.daemon.tools.system


def again(running):
    """Start the daemon anew; return a client of it."""
    running.stop()
    running.start()
    return connect(running)


def connect(running):
    session = XenAPI.Session(running.url, ignore_ssl=True)
    session.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
    return session.xenapi


def test_the_time_comes_from_servers_or_is_set(api, host, system, refused):
    assert api.host.get_ntp_mode(host) == "Factory"
    assert api.host.get_ntp_synchronized(host) is True
    moment = "20300101T00:00:00Z"
    assert refused("NOT_ALLOWED_WHEN_NTP_IS_ENABLED", api.host.set_servertime, host, moment)[1:] == [host]
    assert len(refused("INVALID_NTP_CONFIG", api.host.set_ntp_mode, host, "Custom")) == 2
    for wrong in ("a b", "", "x\niburst", "-x", "fe80::1%eth0"):
        assert len(refused("INVALID_NTP_CONFIG", api.host.set_ntp_custom_servers, host, [wrong])) == 2
    api.host.set_ntp_custom_servers(host, ["ntp.example", "2001:db8::1"])
    assert system.clock.mode == "Factory"
    api.host.set_ntp_mode(host, "Custom")
    assert (system.clock.mode, system.clock.servers) == ("Custom", ("ntp.example", "2001:db8::1"))
    assert api.host.get_ntp_servers_status(host).keys() == {"ntp.example", "2001:db8::1"}
    api.host.set_ntp_custom_servers(host, ["192.0.2.1"])
    assert system.clock.servers == ("192.0.2.1",)
    refused("INVALID_NTP_CONFIG", api.host.set_ntp_custom_servers, host, [])
    api.host.set_ntp_mode(host, "Disabled")
    assert api.host.get_ntp_synchronized(host) is False
    api.host.set_servertime(host, "20300101T05:00:00+05:00")
    wanted = datetime(2030, 1, 1, tzinfo=UTC)
    assert abs(datetime.now(UTC) + system.clock.offset - wanted) < timedelta(minutes=5)
    refused("INVALID_VALUE", api.host.set_servertime, host, "20300231T00:00:00Z")


def test_the_zone_is_one_that_there_is(api, host, system, refused):
    api.host.set_timezone(host, "Europe/London")
    assert (system.clock.timezone, api.host.get_timezone(host)) == ("Europe/London",) * 2
    assert refused("INVALID_VALUE", api.host.set_timezone, host, "../../etc/passwd")[1] == "timezone"
    assert "Europe/London" in api.host.list_timezones(host)


def test_ssh_is_switched_for_a_time(running, api, host, pool, system, refused):
    assert api.host.get_ssh_enabled(host)
    api.host.disable_ssh(host)
    assert not system.services.running["ssh.service"]
    assert not api.host.get_ssh_enabled(host)
    for wrong in (-1, 172801):
        refused("INVALID_VALUE", api.host.set_ssh_enabled_timeout, host, str(wrong))
    api.host.set_ssh_enabled_timeout(host, "3600")
    assert api.host.get_ssh_expiry(host).value == NEVER
    api.pool.enable_ssh(pool)
    assert system.services.running["ssh.service"]
    assert api.host.get_ssh_expiry(host).value != NEVER
    # The time runs on while the daemon does not.
    api = again(running)
    tools = running.daemon.tools
    assert "ssh" in tools.timers
    running.do(tools.timers["ssh"]._run)
    finish_background(running)
    assert not tools.system.services.running["ssh.service"]
    assert not api.host.get_ssh_enabled(host)
    assert api.host.get_ssh_expiry(host).value == NEVER
    api.host.enable_ssh(host)
    api.host.set_ssh_enabled_timeout(host, "0")
    assert api.host.get_ssh_expiry(host).value == NEVER
    assert "ssh" not in tools.timers


def finish_background(running):
    async def go():
        await asyncio.gather(*running.daemon.tools.background)

    running.wait(go())


def test_time_that_is_over_ends_ssh_at_the_start(running, api, host):
    api.host.enable_ssh(host)
    running.do(lambda: running.daemon.tools.db.set("host", host, "ssh_expiry", "20200101T00:00:00Z"))
    api = again(running)
    assert not api.host.get_ssh_enabled(host)
    assert not running.daemon.tools.system.services.running["ssh.service"]


def test_ssh_runs_only_while_the_daemon_does_not(running, api, host, pool, system):
    drop_in = running.paths.ssh_auto_mode
    api.pool.set_ssh_auto_mode(pool, True)
    assert "ExecStopPost=-systemctl --no-block start ssh.service" in drop_in.read_text()
    assert not system.services.running["ssh.service"]
    assert "ssh.service" in system.services.at_boot
    assert system.services.units_read == 1
    api = again(running)
    assert (api.host.get_ssh_auto_mode(host), api.host.get_ssh_enabled(host)) == (True, False)
    api.host.set_ssh_auto_mode(host, False)
    assert not drop_in.exists()
    api = again(running)
    assert api.host.get_ssh_enabled(host)


def test_a_host_without_ssh_says_so(api, host, pool, system, refused):
    del system.services.running["ssh.service"]
    assert refused("ENABLE_SSH_FAILED", api.host.enable_ssh, host)[1:] == [host]
    assert refused("DISABLE_SSH_FAILED", api.host.disable_ssh, host)[1:] == [host]
    assert refused("ENABLE_SSH_PARTIALLY_FAILED", api.pool.enable_ssh, pool)[1:] == [host]
    assert refused("DISABLE_SSH_PARTIALLY_FAILED", api.pool.disable_ssh, pool)[1:] == [host]
    assert refused("SET_SSH_AUTO_MODE_PARTIALLY_FAILED", api.pool.set_ssh_auto_mode, pool, True)[1:] == [host]
    refused("OPERATION_NOT_ALLOWED", api.host.set_ssh_auto_mode, host, True)


def test_idle_consoles_end(running, api, host, pool, refused):
    script = running.paths.console_timeout
    api.pool.set_console_idle_timeout(pool, "600")
    assert "TMOUT=600\n" in script.read_text()
    assert oct(script.stat().st_mode)[-3:] == "644"
    assert api.host.get_console_idle_timeout(host) == "600"
    refused("INVALID_VALUE", api.host.set_console_idle_timeout, host, "-1")
    api.host.set_console_idle_timeout(host, "0")
    assert not script.exists()


def test_a_hosts_name_is_changed_at_once(running, api, host, system, refused):
    api.host.set_hostname_live(host, "xen-1.example")
    assert system.machine.hostname == api.host.get_hostname(host) == "xen-1.example"
    assert api.host.get_software_version(host)["hostname"] == "xen-1.example"
    for wrong in ("", "a" * 65, "-a", "a_b", "a..b", "a b", "ä", "a."):
        assert len(refused("HOST_NAME_INVALID", api.host.set_hostname_live, host, wrong)) == 2
    assert system.machine.hostname == "xen-1.example"


def test_the_initiators_name_is_kept_in_its_file(running, api, host, system, refused):
    path = running.paths.initiator_name
    path.parent.mkdir(parents=True)
    path.write_text("## comment\nInitiatorName=iqn.1993-08.org.debian:01:abc\nInitiatorAlias=a\n")
    path.chmod(0o600)
    system.services.running["iscsid.service"] = True
    name = "iqn.2026-11.example.host:one"
    api.host.set_iscsi_iqn(host, name)
    assert path.read_text() == f"## comment\nInitiatorName={name}\nInitiatorAlias=a\n"
    assert oct(path.stat().st_mode)[-3:] == "600"
    assert system.services.restarted == ["iscsid.service"]
    assert api.host.get_iscsi_iqn(host) == api.host.get_other_config(host)["iscsi_iqn"] == name
    for wrong in ("", "iqn", "iqn.2026-13.example", "iqn.2026-11.example:a\nb", "iqn.2026-11.e" + "e" * 300):
        assert refused("INVALID_VALUE", api.host.set_iscsi_iqn, host, wrong)[1] == "value"
    path.write_text("InitiatorName=iqn.2026-11.example.other\n")
    assert again(running).host.get_iscsi_iqn(host) == "iqn.2026-11.example.other"


def test_multipathing_is_a_service(api, host, system, refused):
    api.host.set_multipathing(host, True)
    assert system.services.running["multipathd.service"]
    assert api.host.get_multipathing(host)
    assert api.host.get_other_config(host)["multipathing"] == "true"
    api.host.set_multipathing(host, False)
    assert not system.services.running["multipathd.service"]
    del system.services.running["multipathd.service"]
    refused("OPERATION_NOT_ALLOWED", api.host.set_multipathing, host, True)
    api.host.set_multipathing(host, False)


def test_the_log_goes_elsewhere_too(running, api, host, system, refused):
    path = running.paths.remote_syslog

    def reconfigure(destination):
        api.host.set_logging(host, {"syslog_destination": destination})
        api.host.syslog_reconfigure(host)

    reconfigure("log.example")
    assert 'target="log.example" port="514" protocol="udp"' in path.read_text()
    assert system.services.restarted == ["rsyslog.service"]
    reconfigure("[2001:db8::1]:6514")
    assert 'target="2001:db8::1" port="6514"' in path.read_text()
    for wrong in ('a" b', "a:0", "a:b:c", "a:70000"):
        assert refused("INVALID_VALUE", reconfigure, wrong)[1:] == ["syslog_destination", wrong]
    assert 'target="2001:db8::1" port="6514"' in path.read_text()
    reconfigure("")
    assert not path.exists()
    del system.services.running["rsyslog.service"]
    refused("OPERATION_NOT_ALLOWED", reconfigure, "log.example")
    assert not path.exists()


def test_a_host_goes_down_only_when_disabled_and_empty(running, api, host, vm, system, refused):
    refused("HOST_NOT_DISABLED", api.host.shutdown, host)
    api.VM.start(vm, False, False)
    api.host.disable(host)
    assert refused("HOST_IN_USE", api.host.reboot, host)[1:] == [host, "VM", vm]
    api.VM.hard_shutdown(vm)
    assert system.machine.done == []
    assert sorted(api.host.get_allowed_operations(host)) == ["enable", "reboot", "shutdown"]
    api.host.reboot(host)
    assert system.machine.done == ["reboot"]
    assert list(api.host.get_current_operations(host).values()) == ["reboot"]
    api = again(running)
    assert api.host.get_current_operations(host) == {}
    assert not api.host.get_enabled(host)
    api.host.shutdown(host)
    assert running.daemon.tools.system.machine.done == ["power off"]


def test_the_daemon_ends_after_it_has_answered(running, api, host):
    async def ends(event):
        async with asyncio.timeout(10):
            await event.wait()

    api.host.restart_agent(host)
    assert not running.daemon.shut_down.is_set()
    running.wait(ends(running.daemon.restart))
    api.host.shutdown_agent()
    running.wait(ends(running.daemon.shut_down))


def test_a_host_is_forgotten_when_it_is_dead(running, api, host, vm, refused):
    assert refused("HOST_CANNOT_DESTROY_SELF", api.host.destroy, host)[1:] == [host]
    assert refused("HOST_IS_LIVE", api.host.declare_dead, host)[1:] == [host]
    db = running.daemon.tools.db

    def make():
        metrics = db.create("host_metrics", {"live": True})
        other = db.create("host", {"metrics": metrics, "name_label": "gone", "enabled": True})
        db.update("VM", vm, resident_on=other, power_state="Running")
        return other

    other = running.do(make)
    assert refused("HOST_IS_LIVE", api.host.destroy, other)[1:] == [other]
    running.do(lambda: db.set("host_metrics", db.text("host", other, "metrics"), "live", value=False))
    assert refused("HOST_HAS_RESIDENT_VMS", api.host.destroy, other)[1:] == [other]
    api.host.declare_dead(other)
    assert api.VM.get_power_state(vm) == "Halted"
    api.host.destroy(other)
    assert api.host.get_all() == [host]


def test_xens_console_and_keys(running, api, host, refused):
    assert "Xen version" in api.host.dmesg(host)
    api.host.send_debug_keys(host, "q")
    assert "'q' pressed" in api.host.dmesg(host)
    assert "'q' pressed" in api.host.dmesg_clear(host)
    assert api.host.dmesg(host) == ""
    for wrong in ("", "-x", "a b", "q;reboot"):
        refused("INVALID_VALUE", api.host.send_debug_keys, host, wrong)
    api.host.set_hostname_live(host, "logged")
    assert "logged" in api.host.get_log(host)


def test_idle_states_are_limited_after_a_restart_too(running, api, host, refused):
    for value, limit, told in (("1", (1, None), "1"), ("unlimited", None, ""), ("2,3", (2, 3), "2,3")):
        api.host.set_max_cstate(host, value)
        assert running.daemon.tools.xen_host.limit == limit
        assert api.host.get_max_cstate(host) == told
    for wrong in ("x", "-1", "1,", "1,2,3", "٣"):
        refused("INVALID_VALUE", api.host.set_max_cstate, host, wrong)
    again(running)
    assert running.daemon.tools.xen_host.limit == (2, 3)


def test_what_xen_keeps_for_itself(running, api, host):
    assert api.host.get_sched_gran(host) == "cpu"
    api.host.set_sched_gran(host, "core")
    assert api.host.get_sched_gran(host) == "core"
    assert running.daemon.tools.system.boot.options == {"sched-gran": "core"}
    assert api.host.compute_memory_overhead(host) == api.host.get_memory_overhead(host)


def test_licences_are_not_read(api, host, pool, refused):
    refused("LICENSE_PROCESSING_ERROR", api.host.license_add, host, base64.b64encode(b"x").decode())
    assert refused("INVALID_EDITION", api.host.apply_edition, host, "gold")[1:] == ["gold"]
    refused("INVALID_EDITION", api.pool.apply_edition, pool, "gold")
    api.pool.apply_edition(pool, "free")
    api.host.license_remove(host)
    assert api.host.get_edition(host) == "free"


def test_a_cache_needs_a_repository_that_keeps_one(running, api, host, pool, vm, refused):
    (sr,) = api.SR.get_all()
    assert refused("SR_OPERATION_NOT_SUPPORTED", api.host.enable_local_storage_caching, host, sr)[1:] == [sr]
    assert refused("HOSTS_FAILED_TO_ENABLE_CACHING", api.pool.enable_local_storage_caching, pool)[1:] == [
        host
    ]
    db = running.daemon.tools.db
    running.do(lambda: db.create("SM", {"type": "dummy", "features": {"SR_SUPPORTS_LOCAL_CACHING": 1}}))
    api.pool.enable_local_storage_caching(pool)
    assert api.host.get_local_cache_sr(host) == sr
    assert api.SR.get_local_cache_enabled(sr)
    api.VM.start(vm, False, False)
    assert refused("HOST_IN_USE", api.host.disable_local_storage_caching, host)[1:] == [host, "VM", vm]
    api.VM.hard_shutdown(vm)
    api.pool.disable_local_storage_caching(pool)
    assert api.host.get_local_cache_sr(host) == NULL
    assert not api.SR.get_local_cache_enabled(sr)
    foreign = running.do(lambda: db.create("SR", {"type": "dummy"}))
    assert refused("HOST_CANNOT_SEE_SR", api.host.enable_local_storage_caching, host, foreign)[1:] == [
        host,
        foreign,
    ]


def test_settings_of_the_pool(running, api, host, pool, refused):
    api.pool.set_https_only(pool, True)
    assert api.host.get_https_only(host)
    refused("OPERATION_NOT_ALLOWED", api.pool.set_https_only, pool, False)
    api.pool.reset_telemetry_uuid(pool)
    first = api.pool.get_telemetry_uuid(pool)
    value = api.secret.get_value(first)
    api.pool.reset_telemetry_uuid(pool)
    assert api.secret.get_all() == [api.pool.get_telemetry_uuid(pool)] != [first]
    assert api.secret.get_value(api.pool.get_telemetry_uuid(pool)) != value
    assert not api.pool.has_extension(pool, "X.y")
    running.paths.extensions.mkdir(parents=True)
    (running.paths.extensions / "X.y").write_text("#!/bin/sh\n")
    (running.paths.extensions / "X.y").chmod(0o755)
    assert api.pool.has_extension(pool, "X.y")
    for wrong in (0, 9):
        refused("INVALID_VALUE", api.pool.set_local_auth_max_threads, pool, str(wrong))
    api.pool.set_local_auth_max_threads(pool, "3")
    assert api.pool.get_local_auth_max_threads(pool) == "3"


def test_messages_are_forgotten_by_age_and_priority(api, host, refused):
    uuid = api.host.get_uuid(host)
    for priority in (1, 2, 2, 3):
        api.message.create("ALARM", str(priority), "Host", uuid, "")
    for wrong in ({"colour": "red"}, {"before": "yesterday"}, {"priority": "high"}):
        assert refused("INVALID_VALUE", api.message.destroy_all, wrong)[1] == "filters"
    api.message.destroy_all({"before": "20200101T00:00:00Z"})
    api.message.destroy_all({"after": "29990101T00:00:00Z", "priority": "1"})
    assert len(api.message.get_all()) == 4
    api.message.destroy_all({"priority": "2", "after": "20200101T00:00:00Z"})
    assert sorted(m["priority"] for m in api.message.get_all_records().values()) == ["1", "3"]
    api.message.destroy_all({})
    assert api.message.get_all() == []


def test_crash_dumps_are_found_and_deleted(running, api, host, refused):
    dumps = running.paths.crash_dumps
    for name in ("202611210930", "127.0.0.1-2026-11-21-09:30:00", "lost+found", "kexec_cmd"):
        (dumps / name).mkdir(parents=True)
        (dumps / name / "dmesg").write_bytes(b"x" * 100)
    (dumps / "202611210931").symlink_to("/etc")
    api = again(running)
    records = api.host_crashdump.get_all_records()
    assert [(r["host"], r["size"]) for r in records.values()] == [(host, "100")] * 2
    assert sorted(api.host.get_crashdumps(host)) == sorted(records)
    first, second = records
    api.host_crashdump.destroy(first)
    assert len(list(dumps.iterdir())) == 4
    assert api.host.get_crashdumps(host) == [second]
    for folder in dumps.glob("*0*"):
        if not folder.is_symlink():
            (folder / "dmesg").unlink()
            folder.rmdir()
    api.host_crashdump.destroy(second)
    assert api.host_crashdump.get_all() == []
    (dumps / "202612210930").mkdir()
    api = again(running)
    assert len(api.host_crashdump.get_all()) == 1
    (dumps / "202612210930").rmdir()
    assert again(running).host_crashdump.get_all() == []


def test_what_was_legacy_stays_off(running, api, host, pool, refused):
    assert api.host.get_ssl_legacy(host) is False
    refused("OPERATION_NOT_ALLOWED", api.host.set_ssl_legacy, host, True)
    api.pool.disable_ssl_legacy(pool)
    running.do(lambda: running.daemon.tools.db.set("host", host, "pending_guidances", ["reboot_host"]))
    api.host.emergency_clear_mandatory_guidance()
    assert api.host.get_pending_guidances(host) == []


def test_a_disabled_host_stays_so(running, api, host):
    def boot():
        """As far as the daemon sees it: what is in /run is gone."""
        running.stop()
        running.paths.disabled_until_boot.unlink()
        running.start()
        return connect(running)

    api.host.disable(host)
    api = again(running)
    assert not api.host.get_enabled(host)
    assert boot().host.get_enabled(host)
    api = connect(running)
    api.host.disable(host, False)
    api = boot()
    assert not api.host.get_enabled(host)
    api.host.enable(host)
    assert again(running).host.get_enabled(host)
    api = connect(running)
    api.host.disable(host, False)
    api.host.disable(host)
    assert boot().host.get_enabled(host)


def test_a_host_is_made_ready_to_go_down(running, api, host, vm):
    stubborn = api.VM.clone(vm, "stubborn")
    api.VM.start(vm, False, False)
    api.VM.start(stubborn, True, False)  # paused: it cannot be asked
    (pbd,) = api.host.get_PBDs(host)
    asked = api.Async.host.prepare_for_poweroff(host)
    while api.task.get_status(asked) == "pending":
        domid = int(api.VM.get_domid(vm))
        if domid > 0 and api.VM.get_power_state(stubborn) == "Halted":
            running.do(running.xen.stop_inside, domid, ShutdownReason.POWEROFF)
    assert api.task.get_status(asked) == "success"
    assert [api.VM.get_power_state(one) for one in (vm, stubborn)] == ["Halted", "Halted"]
    assert not api.PBD.get_currently_attached(pbd)
    assert not api.host.get_enabled(host)
