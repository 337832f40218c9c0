"""Two daemons over the simulator: one joins the other's pool, both run guests, it leaves again."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import XenAPI
from pool_daemons import JOINER, MASTER, domains, guest, host_at
from running_daemon import PASSWORD

from kronos_installer.xenapi_client import XenApiFailureError, local_session
from xapi_shim.api.host_record import NotInPoolError
from xapi_shim.api.pool_leave import leave_operations
from xapi_shim.api.pool_role import read_fingerprints
from xapi_shim.database.replication import perform
from xapi_shim.pool.link import Link, LinkError
from xapi_shim.pool.members import PERFORM
from xapi_shim.pool.replica import PATH
from xapi_shim.web.membership import LeftPoolError


def test_a_second_host_joins(pool):
    master, joiner = pool
    api = master.session().xenapi
    assert len(api.host.get_all()) == 2
    assert joiner.paths.pool_conf.read_text() == f"slave:{MASTER}"
    assert {api.host.get_address(ref) for ref in api.host.get_all()} == {MASTER, JOINER}
    assert joiner.xe("host-list", "--minimal") == master.xe("host-list", "--minimal")
    with pytest.raises(XenAPI.Failure) as refused:
        joiner.session()
    assert refused.value.details == ["HOST_IS_SLAVE", MASTER]


def test_a_guest_runs_on_the_member(pool):
    master, joiner = pool
    api = master.session().xenapi
    there = host_at(api, JOINER)
    vm = guest(api)
    api.VM.start_on(vm, there, False, False)
    assert api.VM.get_resident_on(vm) == there
    assert domains(joiner) == {api.VM.get_uuid(vm)}
    assert domains(master) == set()
    api.VM.pause(vm)
    assert api.VM.get_power_state(vm) == "Paused"
    api.VM.unpause(vm)
    api.VM.hard_shutdown(vm)
    assert (api.VM.get_power_state(vm), domains(joiner)) == ("Halted", set())


def test_a_guest_that_ends_by_itself_on_the_member_is_told_by_the_master(pool):
    master, joiner = pool
    session = master.session()
    api = session.xenapi
    vm = guest(api)
    api.VM.start_on(vm, host_at(api, JOINER), False, False)
    token = api.event_from(["vm"], "", 1.0)["token"]
    joiner.do(joiner.xen.guest_poweroff, api.VM.get_uuid(vm))
    while api.VM.get_power_state(vm) != "Halted":
        batch = api.event_from(["vm"], token, 30.0)
        assert batch["events"]
        token = batch["token"]


def test_root_on_the_member_drives_the_pool(pool):
    master, joiner = pool
    guest(master.session().xenapi)
    assert joiner.xe("host-list", "--minimal") == master.xe("host-list", "--minimal")
    with local_session(joiner.paths.unix_socket) as root:
        (vm,) = root.call("VM.get_by_name_label", "guest")
        (host,) = [r for r, one in root.call("host.get_all_records").items() if one["address"] == MASTER]
        root.call("VM.start_on", vm, host, False, False)
        assert domains(master) == {root.call("VM.get_uuid", vm)}
        with pytest.raises(XenApiFailureError) as refused:
            root.call("VM.start", vm, False, False)
        assert refused.value.code == "VM_BAD_POWER_STATE"


def test_the_pool_is_whole_again_after_the_master_was_started_anew(pool):
    master, joiner = pool
    vm = guest(master.session().xenapi)
    master.stop()
    master.start()
    api = master.session().xenapi
    there = host_at(api, JOINER)
    token = ""
    while not api.host_metrics.get_live(api.host.get_metrics(there)):
        batch = api.event_from(["host_metrics"], token, 30.0)
        token = batch["token"]
    api.VM.start_on(vm, there, False, False)
    assert domains(joiner) == {api.VM.get_uuid(vm)}


def test_a_member_that_was_started_anew_tells_what_became_of_its_guests(pool):
    master, joiner = pool
    api = master.session().xenapi
    vm = guest(api)
    api.VM.start_on(vm, host_at(api, JOINER), False, False)
    joiner.stop()
    assert api.VM.get_power_state(vm) == "Running"
    # The simulator's guests end with its daemon.
    joiner.start()
    assert domains(joiner) == set()
    assert api.VM.get_power_state(vm) == "Halted"


def test_a_member_leaves(pool):
    master, joiner = pool
    api = master.session().xenapi
    before = api.host.get_all()
    api.pool.eject(host_at(api, JOINER))
    joiner.restarted()
    assert len(before) == 2
    assert [api.host.get_address(ref) for ref in api.host.get_all()] == [MASTER]
    assert joiner.paths.pool_conf.read_text() == "master"
    own = joiner.session().xenapi
    assert [own.host.get_address(ref) for ref in own.host.get_all()] == [JOINER]
    assert master.paths.pool_secret.read_text() != joiner.paths.pool_secret.read_text()


def test_a_wrong_password_changes_nothing(hosts):
    master, joiner = hosts
    with pytest.raises(XenAPI.Failure) as refused:
        joiner.session().xenapi.pool.join(MASTER, "root", "wrong")
    assert refused.value.details[0] == "SESSION_AUTHENTICATION_FAILED"
    assert len(master.session().xenapi.host.get_all()) == 1
    assert not joiner.paths.pool_conf.exists()


def test_a_member_waits_for_a_master_that_is_down(pool):
    master, joiner = pool
    joiner.stop()
    master.stop()
    starting = joiner.begin()
    assert joiner.waiting.wait(30)
    assert not starting.done()
    master.start()
    starting.result(30)
    assert len(master.session().xenapi.host.get_all()) == 2


def test_root_on_a_member_is_told_that_the_master_is_down(pool):
    master, joiner = pool
    master.stop()
    with pytest.raises(XenApiFailureError) as refused, local_session(joiner.paths.unix_socket):
        pass
    assert (refused.value.code, refused.value.params) == ("CANNOT_CONTACT_HOST", (MASTER,))
    told = joiner.run_xe("host-list")
    assert (told.returncode, told.stdout) == (1, "")
    assert "could not be contacted" in told.stderr or MASTER in told.stderr
    master.start()


def test_a_master_with_another_certificate_is_told_nothing(pool):
    """Whoever took the master's address: the pool's secret is not sent to him."""
    master, joiner = pool
    stranger = Link(MASTER, master.port, lambda: {"00:11"}, lambda: "the secret")
    heard = master.daemon.tools.requests.copy()
    with pytest.raises(LinkError, match="does not know"):
        stranger.post(PATH, {}, timeout_s=10, repeatable=False)
    assert master.daemon.tools.requests[("POST", PATH)] <= heard[("POST", PATH)] + 4
    known = Link(JOINER, joiner.port, lambda: read_fingerprints(joiner.paths), lambda: "the secret")
    with pytest.raises(LinkError, match="does not know"):
        known.post(PERFORM, {}, timeout_s=10, repeatable=False)


def post(host, path, body, secret):
    link = Link(host.address, host.port, lambda: None, lambda: secret)
    try:
        return json.loads(link.send("POST", path, body, {}, timeout_s=30, repeatable=False))
    finally:
        link.close()


def test_who_does_not_know_the_secret_is_not_served(pool):
    for host in pool:
        for path in (PATH, PERFORM):
            for secret in ("", "x", "x; session_id=x"):
                with pytest.raises(LinkError, match="HTTP 401"):
                    post(host, path, b"{}", secret)


def test_what_is_no_question_is_refused(pool):
    commit = {"host": "", "epoch": "", "since": 0, "id": "1", "operations": [["put", "VM", "x", "y", 1]]}
    passed = {"message": "VM.start", "args": [], "session": "", "role": "root", "task": "", "address": ""}
    for host in pool:
        for document in ("", "x", "[]", "{}", json.dumps(commit), json.dumps(passed)):
            for path in (PATH, PERFORM):
                answer = post(host, path, document.encode(), host.paths.pool_secret.read_text())
                assert list(answer) == ["error"]


def test_a_join_that_was_cut_off_is_mended_by_another(pool):
    master, joiner = pool
    joiner.stop()
    joiner.paths.pool_conf.write_text("master")
    joiner.start()
    api = master.session().xenapi
    metrics = api.host.get_metrics(host_at(api, JOINER))
    master.do(master.daemon.tools.db.set, "host_metrics", metrics, "live", False)
    joiner.session().xenapi.pool.join(MASTER, "root", PASSWORD)
    joiner.restarted()
    assert len(api.host.get_all()) == 2


def test_leaving_goes_on_after_a_crash(pool):
    master, joiner = pool
    api = master.session().xenapi
    there = host_at(api, JOINER)
    joiner.stop()
    joiner.paths.leaving_pool.touch()
    db = master.daemon.tools.db
    master.do(lambda: perform(db, leave_operations(db, there)))
    with pytest.raises(LeftPoolError):
        joiner.start()
    joiner.start()
    assert joiner.paths.pool_conf.read_text() == "master"
    assert len(joiner.session().xenapi.host.get_all()) == 1


def test_a_member_that_its_pool_does_not_know_says_so(pool):
    master, joiner = pool
    api = master.session().xenapi
    there = host_at(api, JOINER)
    joiner.stop()
    db = master.daemon.tools.db
    master.do(lambda: perform(db, leave_operations(db, there)))
    with pytest.raises(NotInPoolError):
        joiner.start()
    assert joiner.paths.pool_conf.read_text() == f"slave:{MASTER}"
    joiner.paths.pool_conf.write_text("master")
    joiner.start()


def test_a_guest_starts_where_there_is_memory(pool):
    master, joiner = pool
    api = master.session().xenapi
    here, there = host_at(api, MASTER), host_at(api, JOINER)
    for host, chosen in ((here, there), (there, here)):
        api.host.disable(host)
        vm = guest(api)
        api.VM.start(vm, False, False)
        assert api.VM.get_resident_on(vm) == chosen
        api.host.enable(host)
    assert len(domains(master)) == len(domains(joiner)) == 1


def test_guests_that_are_started_at_once_run_once(pool):
    """Whoever asks, and whichever host is asked for."""
    master, joiner = pool
    api = master.session().xenapi
    vm = guest(api)
    places = [host_at(api, MASTER), host_at(api, JOINER)] * 4

    def start(place):
        try:
            master.session().xenapi.VM.start_on(vm, place, False, False)
        except XenAPI.Failure as failure:
            return failure.details[0]
        return ""

    with ThreadPoolExecutor(len(places)) as threads:
        outcomes = list(threads.map(start, places))
    assert outcomes.count("") == 1
    assert set(outcomes) <= {"", "VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS"}
    assert len(domains(master)) + len(domains(joiner)) == 1


def test_a_task_on_the_member_is_cancelled(pool):
    master, joiner = pool
    session = master.session()
    api = session.xenapi
    vm = guest(api)
    there = host_at(api, JOINER)
    api.VM.start_on(vm, there, False, False)
    joiner.do(setattr, joiner.xen, "obedient", False)
    task = api.Async.VM.clean_shutdown(vm)
    token = ""
    while not api.VM.get_current_operations(vm):
        token = api.event_from(["vm"], token, 30.0)["token"]
    api.task.cancel(task)
    while api.task.get_status(task) in ("pending", "cancelling"):
        token = api.event_from(["task"], token, 30.0)["token"]
    assert api.task.get_status(task) == "cancelled"
    assert (api.VM.get_power_state(vm), api.VM.get_current_operations(vm)) == ("Running", {})


def test_what_all_hosts_are_to_do_is_done_by_all(pool):
    master, joiner = pool
    api = master.session().xenapi
    (pool_ref,) = api.pool.get_all()
    api.pool.set_console_idle_timeout(pool_ref, 300)
    for host in pool:
        assert "TMOUT=300" in host.paths.console_timeout.read_text()
    assert {api.host.get_console_idle_timeout(ref) for ref in api.host.get_all()} == {"300"}
    joiner.stop()
    with pytest.raises(XenAPI.Failure) as refused:
        api.pool.set_console_idle_timeout(pool_ref, 600)
    assert refused.value.details == ["SET_CONSOLE_TIMEOUT_PARTIALLY_FAILED", host_at(api, JOINER)]
    joiner.start()
