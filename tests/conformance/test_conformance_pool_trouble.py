"""Pools of two hosts in trouble: one goes away in the middle of something, or is asked for what it must not do."""

import http.client
import ssl
import threading
import time
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor

import pytest
import XenAPI
from pool_daemons import JOINER, MASTER, domains, guest, host_at
from running_daemon import PASSWORD

from xapi_shim.pool.link import Link, LinkError
from xapi_shim.pool.members import DEAD_S, HEARD_S
from xapi_shim.pool.replica import PATH
from xapi_shim.web.membership import LeftPoolError


def disk(api, vm, host):
    """Give a VM a disk on the local storage of a host."""
    sr = api.PBD.get_SR(api.host.get_PBDs(host)[0])
    vdi = api.VDI.create({"SR": sr, "virtual_size": str(1 << 20), "type": "user", "sharable": False, "read_only": False,
                          "name_label": "disk", "other_config": {}})  # fmt: skip
    return api.VBD.create({"VM": vm, "VDI": vdi, "userdevice": "0", "bootable": True, "mode": "RW", "type": "Disk",
                           "empty": False, "other_config": {}, "qos_algorithm_type": "", "qos_algorithm_params": {}})  # fmt: skip


class Held:
    """Has a host's hypervisor wait in the making of a domain, until `let_go`; `paused` is how that was asked for."""

    def __init__(self, host):
        self.entered, self.let_go = threading.Event(), threading.Event()
        create = host.xen.create

        async def held(*args, **named):
            self.paused = named["paused"]
            self.entered.set()
            await host.loop.run_in_executor(None, self.let_go.wait, 60)
            return await create(*args, **named)

        host.do(setattr, host.xen, "create", held)


class Noting(dict):
    """Says by `event` that `key` was put into it."""

    def __init__(self, key):
        super().__init__()
        self.key, self.event = key, threading.Event()

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        if key == self.key:
            self.event.set()


def until(api, cls, holds):
    """Wait for events of a class, a hundred at most, until something holds."""
    token = ""
    for _ in range(100):
        if holds():
            return
        token = api.event_from([cls], token, 10.0)["token"]
    raise AssertionError("it never held")


def fails(call, *args):
    with pytest.raises(XenAPI.Failure) as failed:
        call(*args)
    return failed.value.details


def forget(master, joiner, seconds, then=lambda: None):
    """Have the master have heard of the other one so long ago, and do something before it hears of it again."""
    heard = master.daemon.tools.members._heard
    uuid = joiner.daemon.tools.db.text("host", joiner.daemon.tools.host, "uuid")

    def do():
        heard[uuid] = time.monotonic() - seconds
        then()

    master.do(do)


def test_a_host_that_left_and_came_again_is_given_work(pool):
    """As another host than it was, with another certificate, at the same address."""
    master, joiner = pool
    api = master.session().xenapi
    vm = guest(api)
    api.VM.start_on(vm, host_at(api, JOINER), False, False)
    api.VM.hard_shutdown(vm)
    api.pool.eject(host_at(api, JOINER))
    joiner.restarted()
    joiner.session().xenapi.pool.join(MASTER, "root", PASSWORD)
    joiner.restarted()
    api.VM.start_on(vm, host_at(api, JOINER), False, False)
    assert domains(joiner) == {api.VM.get_uuid(vm)}


def noted(host, name):
    """Return an event that is set once a host's hypervisor has done `name` to a domain."""
    done, real = threading.Event(), getattr(host.xen, name)

    async def do(domid):
        await real(domid)
        done.set()

    host.do(setattr, host.xen, name, do)
    return done


def test_nobody_waits_for_a_host_that_is_dead(pool):
    master, joiner = pool
    api = master.session().xenapi
    held = Held(joiner)
    task = api.Async.VM.start_on(guest(api), host_at(api, JOINER), False, False)
    assert held.entered.wait(30)
    forget(master, joiner, 2 * DEAD_S, master.daemon.tools.members.record_dead)
    until(api, "task", lambda: api.task.get_status(task) != "pending")
    assert api.task.get_error_info(task)[0] == "CANNOT_CONTACT_HOST"
    held.let_go.set()


def test_a_host_that_lives_is_not_declared_dead(pool):
    """Its guests would be started a second time."""
    master, joiner = pool
    api = master.session().xenapi
    there, vm = host_at(api, JOINER), guest(api)
    api.VM.start_on(vm, there, False, False)
    assert fails(api.host.declare_dead, there) == ["HOST_IS_LIVE", there]
    assert api.VM.get_power_state(vm) == "Running"
    joiner.stop()
    members = master.daemon.tools.members
    note = members._note
    # A question may be on its way yet.
    master.do(setattr, members, "_note", lambda _: None)
    forget(master, joiner, 2 * HEARD_S)
    api.host.declare_dead(there)
    assert api.VM.get_power_state(vm) == "Halted"
    assert fails(api.VM.start_on, vm, there, False, False) == ["HOST_OFFLINE", there]
    master.do(setattr, members, "_note", note)
    joiner.start()


def test_a_guest_that_could_not_be_recorded_does_not_run(pool):
    """The master went away while it was started: it could have it started on another host now."""
    master, joiner = pool
    api = master.session().xenapi
    vm = guest(api)
    held = Held(joiner)
    api.Async.VM.start_on(vm, host_at(api, JOINER), False, False)
    assert held.entered.wait(30)
    ended = noted(joiner, "destroy")
    master.stop()
    held.let_go.set()
    assert ended.wait(30)
    assert domains(joiner) == set()
    master.start()
    assert master.session().xenapi.VM.get_power_state(vm) == "Halted"


def test_a_guest_that_was_started_elsewhere_meanwhile_is_not_left_running(pool):
    """The master was started anew, and did not know that the other host was about to start it."""
    master, joiner = pool
    api = master.session().xenapi
    here, vm = host_at(api, MASTER), guest(api)
    held = Held(joiner)
    task = api.Async.VM.start_on(vm, host_at(api, JOINER), False, False)
    assert held.entered.wait(30)
    db = master.daemon.tools.db
    master.do(
        lambda: db.update("VM", vm, power_state="Running", resident_on=here, domid=7, current_operations={})
    )
    replica = joiner.daemon.tools.replica
    joiner.wait(replica.catch_up())
    held.let_go.set()
    until(api, "task", lambda: api.task.get_status(task) != "pending")
    assert api.task.get_error_info(task)[0] == "VM_NOT_RESIDENT_HERE"
    assert (api.VM.get_resident_on(vm), domains(joiner)) == (here, set())
    # Nor did it run until then.
    assert held.paused


def test_whose_task_it_is(pool):
    """Of what is done by several hosts the master says where it is done now."""
    master, joiner = pool
    api = master.session().xenapi
    here, there, vm = host_at(api, MASTER), host_at(api, JOINER), guest(api)
    held = Held(joiner)
    task = api.Async.VM.start_on(vm, there, False, False)
    assert held.entered.wait(30)
    assert api.task.get_resident_on(task) == there
    held.let_go.set()
    until(api, "task", lambda: api.task.get_status(task) != "pending")
    assert api.task.get_resident_on(task) == here


def test_a_guest_that_reboots_while_the_master_is_away_runs_afterwards(pool):
    master, joiner = pool
    api = master.session().xenapi
    there, vm = host_at(api, JOINER), guest(api)
    disk(api, vm, there)
    api.VM.start_on(vm, there, False, False)
    uuid, before = api.VM.get_uuid(vm), api.VM.get_domid(vm)
    master.stop()
    tried = Noting(vm)
    joiner.do(setattr, joiner.daemon.watch, "_failures", tried)
    joiner.do(joiner.xen.guest_reboot, uuid)
    assert tried.event.wait(30)
    master.start()
    api = master.session().xenapi
    until(api, "vm", lambda: api.VM.get_domid(vm) != before)
    assert (api.VM.get_power_state(vm), domains(joiner)) == ("Running", {uuid})


def test_a_guest_that_was_given_up_for_dead_is_held(pool):
    """It was started elsewhere meanwhile: two that write one disk destroy it."""
    master, joiner = pool
    api = master.session().xenapi
    here, there, vm = host_at(api, MASTER), host_at(api, JOINER), guest(api)
    api.VM.start_on(vm, there, False, False)
    db, replica = master.daemon.tools.db, joiner.daemon.tools.replica
    held = noted(joiner, "pause")
    asked = replica._ask

    async def unreachable(_):
        raise LinkError(MASTER, "away")

    joiner.do(setattr, replica, "_ask", unreachable)
    master.do(lambda: db.update("VM", vm, resident_on=here, domid=7))
    joiner.do(setattr, replica, "_ask", asked)
    assert held.wait(60)


def test_what_a_member_refuses_at_its_door(pool):
    _, joiner = pool
    secret = joiner.paths.pool_secret.read_text().strip()
    there = joiner.daemon.tools.host
    door = xmlrpc.client.ServerProxy(joiner.url, context=ssl._create_unverified_context())
    for name, args in (
        ("session.slave_login", (there, secret)),
        ("session.slave_login", (there, "x")),
        ("session.login_with_password", ("root", PASSWORD)),
        ("host.get_all", ("OpaqueRef:x",)),
        ("nobody.declared_this", ("OpaqueRef:x",)),
        ("event.from", ("OpaqueRef:x", ["*"], "", 1.0)),
        ("session.logout", ("OpaqueRef:x",)),
    ):
        assert getattr(door, name)(*args)["ErrorDescription"] == ["HOST_IS_SLAVE", MASTER], name


def test_a_member_is_not_given_another_database(pool):
    master, joiner = pool
    headers = {"Cookie": f"pool_secret={joiner.paths.pool_secret.read_text().strip()}"}

    def asked(host, method, path, body=None):
        door = http.client.HTTPSConnection(
            host.address, host.port, context=ssl._create_unverified_context(), timeout=30
        )
        door.request(method, path, body, headers)
        answer = door.getresponse()
        return answer.status, answer.read()

    status, dump = asked(master, "GET", "/pool/xmldbdump")
    assert status == 200
    for path in ("/pool/xmldbdump", "/pool/xmldbdump?dry_run=true"):
        status, told = asked(joiner, "PUT", path, dump)
        assert (status, MASTER in told.decode()) == (400, True)
    assert not joiner.daemon.restart.is_set()


def test_a_host_joins_one_pool(hosts):
    """Who asks twice before the daemon has started anew is refused."""
    _, joiner = hosts
    api = joiner.session().xenapi
    api.pool.join(MASTER, "root", PASSWORD)
    assert fails(api.pool.join, MASTER, "root", PASSWORD) == ["HOST_IS_SLAVE", MASTER]
    joiner.restarted()


def test_a_host_does_not_leave_while_it_starts_a_guest(pool):
    master, joiner = pool
    api = master.session().xenapi
    there, vm = host_at(api, JOINER), guest(api)
    held = Held(joiner)
    task = api.Async.VM.start_on(vm, there, False, False)
    assert held.entered.wait(30)
    assert fails(api.pool.eject, there)[0] == "OPERATION_NOT_ALLOWED"
    held.let_go.set()
    until(api, "task", lambda: api.task.get_status(task) != "pending")
    assert api.task.get_status(task) == "success"
    assert fails(api.pool.eject, there)[0] == "OPERATION_NOT_ALLOWED"
    assert all(api.PBD.get_currently_attached(pbd) for pbd in api.host.get_PBDs(there))


def test_a_host_that_could_not_leave_has_its_storage(pool):
    """A guest is started on it while its storage is unplugged."""
    master, joiner = pool
    api = master.session().xenapi
    there, vm = host_at(api, JOINER), guest(api)
    db = joiner.daemon.tools.db
    (pbd,) = api.host.get_PBDs(there)
    started = []

    def start():
        if not db.flag("PBD", pbd, "currently_attached") and not started:
            started.append(vm)
            db.update("VM", vm, power_state="Running", domid=3, resident_on=there)

    joiner.do(db.on_change, start)
    assert fails(api.pool.eject, there)[0] == "OPERATION_NOT_ALLOWED"
    assert started
    assert api.PBD.get_currently_attached(pbd)
    assert not joiner.paths.leaving_pool.exists()


def test_a_host_that_does_not_hear_that_it_has_left_finds_out(pool):
    master, joiner = pool
    api = master.session().xenapi
    there = host_at(api, JOINER)
    link = joiner.daemon.tools.replica.link
    post = link.post

    def lost(path, document, **how):
        answer = post(path, document, **how)
        if any(one[:2] == ["destroy", "host"] for one in document.get("operations", ())):
            raise LinkError(MASTER, "the answer is lost")
        return answer

    joiner.do(setattr, link, "post", lost)
    assert fails(api.pool.eject, there)[0] == "CANNOT_CONTACT_HOST"
    assert len(api.host.get_all()) == 1
    with pytest.raises(LeftPoolError):
        joiner.restarted()
    joiner.start()
    assert len(joiner.session().xenapi.host.get_all()) == 1


def test_many_xe_at_once_by_a_member(pool, caplog):
    """A connection that its client has closed is no error of the daemon's."""
    master, joiner = pool
    expected = master.xe("host-list", "--minimal")
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda _: joiner.xe("host-list", "--minimal"), range(24)))
    assert set(told) == {expected}
    assert "Error handling request" not in caplog.text


def test_who_does_not_answer_is_not_asked_once_more(hosts):
    """It was heard of: waiting again would hold up a member's daemon twice as long."""
    master, _ = hosts
    secret = master.paths.pool_secret.read_text().strip()
    link = Link(MASTER, master.port, lambda: None, lambda: secret)
    asked = {"host": "", "epoch": "", "since": 0, "wait_s": 0}
    answer = link.post(PATH, asked, timeout_s=30, repeatable=True)
    asked.update(epoch=answer["epoch"], since=answer["generation"], wait_s=20)
    with pytest.raises(LinkError):
        link.post(PATH, asked, timeout_s=0.2, repeatable=True)
    link.close()
    assert master.do(lambda: master.daemon.tools.requests[("POST", PATH)]) == 2


def test_no_password_is_in_the_log_of_a_join(pool):
    for host in pool:
        log = host.paths.audit_log.read_text()
        assert "pool.join" in log or host.address == MASTER
        assert PASSWORD not in log
        assert host.paths.pool_secret.read_text().strip() not in log


def test_what_the_master_was_not_told_is_told_when_it_answers_again(pool):
    """A start failed while the master was out of reach: its disk is free, and nobody is at work on anything."""
    master, joiner = pool
    api = master.session().xenapi
    there, vm = host_at(api, JOINER), guest(api)
    vbd = disk(api, vm, there)
    held, replica, db = Held(joiner), joiner.daemon.tools.replica, master.daemon.tools.db
    task = api.Async.VM.start_on(vm, there, False, False)
    assert held.entered.wait(30)
    post = replica.link.post

    def away(*_, **__):
        raise LinkError(MASTER, "away")

    joiner.do(setattr, replica.link, "post", away)
    held.let_go.set()
    until(api, "task", lambda: api.task.get_status(task) != "pending")
    assert api.task.get_error_info(task)[0] == "CANNOT_CONTACT_HOST"
    assert master.do(db.flag, "VBD", vbd, "reserved")
    joiner.do(setattr, replica.link, "post", post)
    until(api, "VBD", lambda: not master.do(db.flag, "VBD", vbd, "reserved"))
    assert api.VM.get_current_operations(vm) == {}
    assert (api.VM.get_power_state(vm), domains(joiner)) == ("Halted", set())
    assert joiner.do(lambda: joiner.daemon.tools.owed) == {}


def test_a_disk_that_could_not_be_recorded_is_taken_from_its_guest(pool):
    """Another guest would get it."""
    master, joiner = pool
    api = master.session().xenapi
    there, vm = host_at(api, JOINER), guest(api)
    api.VM.start_on(vm, there, False, False)
    vbd, replica = disk(api, vm, there), joiner.daemon.tools.replica
    attach, post = joiner.xen.attach_disk, replica.link.post

    def away(*_, **__):
        raise LinkError(MASTER, "away")

    async def cut_off(*args):
        await attach(*args)
        replica.link.post = away

    joiner.do(setattr, joiner.xen, "attach_disk", cut_off)
    assert fails(api.VBD.plug, vbd)[0] == "CANNOT_CONTACT_HOST"
    domid = int(api.VM.get_domid(vm))
    assert joiner.wait(joiner.xen.devices([domid]))[domid].disks == frozenset()
    joiner.do(setattr, replica.link, "post", post)
    db = master.daemon.tools.db
    until(api, "VBD", lambda: not master.do(db.flag, "VBD", vbd, "reserved"))
    assert not api.VBD.get_currently_attached(vbd)


def test_what_the_master_was_told_without_an_answer_is_taken_back(pool):
    """The master keeps a disk for a start of which the member does not know that it may go on."""
    master, joiner = pool
    api = master.session().xenapi
    there, vm = host_at(api, JOINER), guest(api)
    vbd, replica = disk(api, vm, there), joiner.daemon.tools.replica
    post = replica.link.post
    kept = [["put", "VBD", vbd, "reserved", True]]

    def lost(path, document, **how):
        answer = post(path, document, **how)
        if document.get("operations") == kept:
            raise LinkError(MASTER, "the answer is lost")
        return answer

    joiner.do(setattr, replica.link, "post", lost)
    assert fails(api.VM.start_on, vm, there, False, False)[0] == "CANNOT_CONTACT_HOST"
    db = master.daemon.tools.db
    until(api, "VBD", lambda: not master.do(db.flag, "VBD", vbd, "reserved"))
    joiner.do(setattr, replica.link, "post", post)
    api.VM.start_on(vm, there, False, False)


def test_a_member_that_does_not_reach_its_master_says_so(pool):
    master, joiner = pool
    api = master.session().xenapi
    there, link = host_at(api, JOINER), joiner.daemon.tools.replica.link
    post = link.post

    def away(*_, **__):
        raise LinkError(MASTER, "away")

    joiner.do(setattr, link, "post", away)
    assert fails(api.VM.start_on, guest(api), there, False, False)[0] == "CANNOT_CONTACT_HOST"
    joiner.do(setattr, link, "post", post)
