"""What holds for every host's system, the simulated one and Linux with systemd."""

from datetime import UTC, datetime

import pytest

from xapi_shim.host.interface import HostError, NtpMode

MOMENT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


async def test_services_are_found_and_switched(system):
    services = system.services
    assert await services.present("none.service", "ssh.service", "sshd.service") == ("ssh.service",)
    assert await services.present("none.service") == ()
    assert await services.is_running("ssh.service")
    await services.disable("ssh.service")
    assert not await services.is_running("ssh.service")
    await services.start("ssh.service")
    assert await services.is_running("ssh.service")
    await services.stop("ssh.service")
    await services.enable("ssh.service")
    assert await services.is_running("ssh.service")
    assert not await services.is_running("none.service")
    with pytest.raises(HostError):
        await services.enable("none.service")
    await services.restart_if_running("rsyslog.service")
    await services.reload_units()


async def test_the_clock_is_set_only_by_hand(system):
    clock = system.clock
    state = await clock.read()
    assert (state.ntp_enabled, state.synchronized) == (True, True)
    with pytest.raises(HostError, match="synchronization is enabled"):
        await clock.set_time(MOMENT)
    await clock.set_ntp(NtpMode.DISABLED, ())
    assert not (await clock.read()).ntp_enabled
    await clock.set_time(MOMENT)
    await clock.set_ntp(NtpMode.CUSTOM, ("a.example", "b.example"))
    assert (await clock.read()).ntp_enabled
    assert {"a.example", "b.example"} <= set(await clock.ntp_servers())
    await clock.set_ntp(NtpMode.DHCP, ())
    await clock.set_ntp(NtpMode.FACTORY, ())
    assert (await clock.read()).ntp_enabled


async def test_the_zone_is_one_that_there_is(system):
    await system.clock.set_timezone("Europe/London")
    assert (await system.clock.read()).timezone == "Europe/London"
    with pytest.raises(HostError, match="time zone"):
        await system.clock.set_timezone("Mars/Olympus")


async def test_xen_is_started_with_what_was_chosen(system):
    boot = system.boot
    assert await boot.xen_option("sched-gran") is None
    await boot.set_xen_option("sched-gran", "core")
    await boot.set_xen_option("smt", "0")
    await boot.set_xen_option("sched-gran", "socket")
    assert (await boot.xen_option("sched-gran"), await boot.xen_option("smt")) == ("socket", "0")
    for name, value in (("", "x"), ("a", "b c"), ("a", ""), ("a b", "c")):
        with pytest.raises(HostError):
            await boot.set_xen_option(name, value)


async def test_the_machine_is_named_and_logs(system):
    await system.machine.set_hostname("xen-1")
    assert "xen-1" in await system.machine.log(10)
    await system.machine.reboot()
    await system.machine.power_off()
