"""Pools of two hosts in trouble: one goes away in the middle of something, or is asked for what it must not do."""

import http.client
import ssl
import threading
import time
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor

import pytest
import XenAPI
from pool_daemons import JOINER, MASTER, free_port, guest, host_at, two_hosts
from running_daemon import PASSWORD

from xapi_shim.pool.link import Link, LinkError
from xapi_shim.pool.members import DEAD_S, HEARD_S
from xapi_shim.pool.replica import PATH
from xapi_shim.web.membership import LeftPoolError


@pytest.fixture
def hosts(tmp_path):
    with two_hosts(tmp_path, free_port()) as made:
        yield made


@pytest.fixture
def pool(hosts):
    master, joiner = hosts
    joiner.session().xenapi.pool.join(MASTER, "root", PASSWORD)
    joiner.restarted()
    return master, joiner


def domains(host):
    return {one.uuid for one in host.wait(host.xen.domains()) if one.domid != 0}


def disk(api, vm, host):
    """Give a VM a disk on the local storage of a host."""
    sr = api.PBD.get_SR(api.host.get_PBDs(host)[0])
    vdi = api.VDI.create({"SR": sr, "virtual_size": str(1 << 20), "type": "user", "sharable": False, "read_only": False,
                          "name_label": "disk", "other_config": {}})  # fmt: skip
    return api.VBD.create({"VM": vm, "VDI": vdi, "userdevice": "0", "bootable": True, "mode": "RW", "type": "Disk",
                           "empty": False, "other_config": {}, "qos_algorithm_type": "", "qos_algorithm_params": {}})  # fmt: skip


class Held:
    """Has a host's hypervisor wait in the making of a domain: `entered` until `let_go`."""

    def __init__(self, host):
        self.entered, self.let_go = threading.Event(), threading.Event()
        create = host.xen.create

        async def held(*args, **named):
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
    """Wait for events of a class until something holds."""
    token = ""
    while not holds():
        token = api.event_from([cls], token, 30.0)["token"]


def fails(call, *args):
    with pytest.raises(XenAPI.Failure) as failed:
        call(*args)
    return failed.value.details


def forget(master, joiner, seconds):
    """Have the master have heard of the other one so long ago."""
    heard = master.daemon.tools.members._heard
    uuid = joiner.daemon.tools.db.text("host", joiner.daemon.tools.host, "uuid")
    master.do(heard.__setitem__, uuid, time.monotonic() - seconds)


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


def test_nobody_waits_for_a_host_that_is_dead(pool):
    master, joiner = pool
    api = master.session().xenapi
    held = Held(joiner)
    task = api.Async.VM.start_on(guest(api), host_at(api, JOINER), False, False)
    assert held.entered.wait(30)
    forget(master, joiner, 2 * DEAD_S)
    master.do(master.daemon.tools.members.record_dead)
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
    forget(master, joiner, 2 * HEARD_S)
    api.host.declare_dead(there)
    assert api.VM.get_power_state(vm) == "Halted"
    joiner.start()


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
