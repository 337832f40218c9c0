"""A pool's secret, its hosts switched on from afar, where guests run, keys and programs of others."""

import stat
import uuid

import pytest
import XenAPI
from test_conformance_host import again
from test_conformance_wire import rpc

MAC = "52:54:00:00:00:42"


@pytest.fixture
def host(api):
    return api.host.get_all()[0]


@pytest.fixture
def pool(api):
    return api.pool.get_all()[0]


@pytest.fixture
def other(api):
    return api.host.create(str(uuid.uuid4()), "other", "", "other.example", "192.0.2.20")


def program(folder, name, value):
    """Put a program in a folder that answers `value`, and keeps what it was asked beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    body = (
        "#!/usr/bin/python3\nimport sys, xmlrpc.client\nfrom pathlib import Path\n"
        "sent = sys.stdin.read() if sys.argv[1] == '--xmlrpc' else sys.argv[1]\n"
        f"Path(__file__ + '.asked').write_text(sent)\n"
        f"print(xmlrpc.client.dumps(({{'Status': 'Success', 'Value': {value!r}}},), methodresponse=True))\n"
    )
    (folder / name).write_text(body)
    (folder / name).chmod(stat.S_IRWXU)
    return lambda: XenAPI.xmlrpclib.loads((folder / f"{name}.asked").read_text())


def test_another_secret(running, api, other, refused):
    path = running.paths.pool_secret
    before = path.read_text()
    assert refused("CANNOT_CONTACT_HOST", api.pool.rotate_secret)[1:] == [other]
    api.host.destroy(other)
    api.pool.rotate_secret()
    after = path.read_text()
    assert before != after
    assert len(after.split("/")) == 3
    assert path.stat().st_mode & 0o777 == 0o600
    (host,) = api.host.get_all()
    assert rpc(running, "session.slave_login", host, before)["error"][0] == "SESSION_AUTHENTICATION_FAILED"
    assert rpc(running, "session.slave_login", host, after)["error"] is None
    later = again(running)
    assert path.read_text() == after
    db = running.daemon.tools.db
    running.do(lambda: db.set("pool", db.refs("pool")[0], "ha_enabled", value=True))
    refused("HA_IS_ENABLED", later.pool.rotate_secret)


def test_a_host_is_switched_on(running, api, host, other, refused):
    woken = running.daemon.tools.network.woken
    assert refused("HOST_IS_LIVE", api.host.power_on, host)[1:] == [host]
    assert refused("HOST_POWER_ON_MODE_DISABLED", api.host.power_on, other)[1:] == []
    assert "power_on" not in api.host.get_allowed_operations(other)
    api.host.set_power_on_mode(other, "wake-on-lan", {})
    assert "power_on" in api.host.get_allowed_operations(other)
    refused("OPERATION_NOT_ALLOWED", api.host.power_on, other)
    db, network = running.daemon.tools.db, api.network.get_all()[0]
    for device, mac, management in (("eth0", "52:54:00:00:00:41", False), ("eth1", MAC, True)):
        pif = {"device": device, "MAC": mac, "host": other, "network": network, "management": management}
        running.do(db.create, "PIF", pif)
    api.host.power_on(other)
    assert woken == [(b"\xff" * 6 + bytes.fromhex(MAC.replace(":", "")) * 16, "192.0.2.255")]
    # Other ways are a plugin's.
    api.host.set_power_on_mode(other, "DRAC", {"power_on_ip": "192.0.2.30"})
    assert refused("XENAPI_MISSING_PLUGIN", api.host.power_on, other)[1:] == ["power-on-host"]
    asked = program(running.paths.plugins, "power-on-host", "True")
    api.host.power_on(other)
    (_, arguments), function = asked()
    assert (function, arguments) == ("main", {"remote_host_uuid": api.host.get_uuid(other)})
    assert len(woken) == 1
    assert api.host.get_current_operations(other) == {}


def test_guests_run_anywhere_or_on_chosen_nodes(running, api, host, vm):
    for policy, chosen in (("any", False), ("best_effort", True), ("default_policy", True)):
        api.host.set_numa_affinity_policy(host, policy)
        assert api.host.get_numa_affinity_policy(host) == policy
        api.VM.start(vm, False, False)
        assert running.do(running.xen.configs.get, int(api.VM.get_domid(vm))).numa_placement is chosen
        api.VM.hard_shutdown(vm)


def test_when_updates_are_looked_for(api, pool, refused):
    for frequency, day in (("daily", "1"), ("weekly", "7"), ("weekly", "-1")):
        assert refused("INVALID_UPDATE_SYNC_DAY", api.pool.configure_update_sync, pool, frequency, day)[
            1:
        ] == [day]
    api.pool.configure_update_sync(pool, "weekly", "6")
    assert (api.pool.get_update_sync_frequency(pool), api.pool.get_update_sync_day(pool)) == ("weekly", "6")
    api.pool.configure_update_sync(pool, "daily", "0")
    assert api.pool.get_update_sync_enabled(pool) is False


def test_keys_of_secure_boot(running, api, pool):
    def ready():
        return api.pool.get_guest_secureboot_readiness(pool)

    folder = running.paths.secureboot_keys
    assert ready() == "not_ready"
    folder.mkdir(parents=True)
    for name, state in (("PK.auth", "not_ready"), ("KEK.auth", "not_ready"), ("db.auth", "ready_no_dbx"),
                        ("dbx.auth", "ready")):  # fmt: skip
        (folder / name).touch()
        assert ready() == state


def test_programs_of_others_are_asked(running, api, host, pool, refused):
    assert refused("XENAPI_MISSING_PLUGIN", api.pool.test_archive_target, pool, {})[1:] == ["vmpr"]
    asked = program(running.paths.plugins, "vmpr", "fine")
    assert api.pool.test_archive_target(pool, {"location": "nfs"}) == "fine"
    assert asked()[0][1] == {"location": "nfs"}
    (sr,) = api.SR.get_by_name_label("Local storage")
    name, enable = "LVHD.enable_thin_provisioning", api.LVHD.enable_thin_provisioning
    assert refused("MESSAGE_METHOD_UNKNOWN", enable, host, sr, "1", "2")[1:] == [name]
    asked = program(running.paths.extensions, name, "done")
    assert enable(host, sr, "16777216", "2") == "done"
    params, function = asked()
    assert (function, params[1:]) == (name, (host, sr, "16777216", "2"))


def test_what_the_host_runs_is_read_anew(running, api, host, other, refused):
    before = api.host.get_software_version(host)
    db = running.daemon.tools.db
    running.do(lambda: db.set("host", host, "software_version", {"xen": "0"}))
    api.host.refresh_pack_info(host)
    assert api.host.get_software_version(host) == before
    assert refused("HOST_OFFLINE", api.host.refresh_pack_info, other)[1:] == [other]
