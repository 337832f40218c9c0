"""The set-up joins a pool and leaves it again, with two running daemons: its questions, its steps, its doctor."""

import io
import re
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pool_daemons import JOINER, MASTER, free_port, guest, host_at, two_hosts
from running_daemon import PASSWORD

from kronos_installer import executor, leave_pool
from kronos_installer.detect.pool_master import LOOK_THERE, PoolMaster, read_pool_master
from kronos_installer.doctor.path_health import path_findings, read_places
from kronos_installer.doctor.toolstack_health import read_toolstack, toolstack_findings
from kronos_installer.host import Host
from kronos_installer.journal import Journal, Phase
from kronos_installer.main import main
from kronos_installer.patience import Patience
from kronos_installer.plan import Plan
from kronos_installer.pool_membership import StillMemberError, look, missing_of_master, session_of, uuid_of
from kronos_installer.problem import Problem
from kronos_installer.remote_client import look_at
from kronos_installer.steps import pool_join_step
from kronos_installer.steps.pool_join_step import MasterChangedError, PoolJoinStep
from kronos_installer.steps.storage_step import StorageStep
from kronos_installer.wishes import FINGERPRINT, PoolWish, Wishes
from kronos_installer.xenapi_client import XenApiFailureError
from xapi_shim.base.progress import Reporter

pytestmark = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")

WISH = PoolWish(MASTER, password_file="/root/pool")


class Joining:
    """A host that the set-up works on, whose daemon is started anew when it asks for it, as systemd does."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.said = []
        self.host = Host(daemon.paths.root, runner=lambda argv: "", say=self.said.append)
        password = self.host.at(WISH.password_file)
        password.parent.mkdir()
        password.write_text(f"{PASSWORD}\n")
        password.chmod(0o600)

    def pause(self):
        if self.daemon.daemon.restart.is_set() or self.asks_for_restart():
            self.daemon.restarted()
        else:
            time.sleep(0.05)

    def asks_for_restart(self):
        return "end" in self.daemon.daemon.tools.timers

    def step(self, **other):
        shown = look_at(MASTER, self.daemon.port)
        fields = {
            "master": MASTER,
            "address": shown.address,
            "username": "root",
            "fingerprint": shown.fingerprint,
        }
        return PoolJoinStep(**fields | other, password_file=WISH.password_file, reason="",
                            patience=Patience(pause=self.pause))  # fmt: skip

    def storage(self, key="storage"):
        config = {"location": str(self.daemon.paths.root / "srv/disks")}
        return StorageStep(key=key, type="file", name="disks", device_config=config, reason="", default=True)


@pytest.fixture
def daemons(tmp_path, monkeypatch):
    port = free_port()
    monkeypatch.setattr(pool_join_step, "HTTPS_PORT", port)
    with two_hosts(tmp_path, port) as made:
        yield made


@pytest.fixture
def joining(daemons):
    return Joining(daemons[1])


@contextmanager
def started_anew(daemon):
    """Start the daemon anew when it asks for it, once, meanwhile."""
    systemd = threading.Thread(target=daemon.restarted)
    systemd.start()
    yield
    systemd.join()


def test_the_master_is_asked(daemons, joining):
    told = read_pool_master(joining.host, WISH, daemons[0].port)
    assert isinstance(told, PoolMaster), told
    assert (told.address, told.fingerprint) == (MASTER, look_at(MASTER, daemons[0].port).fingerprint)
    assert [(host.uuid, host.live) for host in told.hosts] == [
        (uuid_of(Host(daemons[0].paths.root, str)), True)
    ]
    assert (told.software["product_brand"], told.software["network_backend"]) == ("Kronos", "bridge")
    assert (told.vlan, told.address_type, told.external_auth, told.ha_enabled) == (-1, "IPv4", "", False)
    assert abs(told.seconds_ahead) < 60
    joining.host.at(WISH.password_file).write_text("wrong\n")
    refused = read_pool_master(joining.host, WISH, daemons[0].port)
    assert isinstance(refused, Problem)
    assert refused.id == "pool-login-refused"


def test_from_the_join_to_a_pool_of_its_own_again(daemons, joining):
    master, joiner = daemons
    step, storage, host = joining.step(), joining.storage(), joining.host
    made = storage.capture(host)
    storage.apply(host, made)
    step.apply(host, step.capture(host))
    assert step.is_applied(host)
    assert not joiner.paths.master_to_join.exists()
    assert storage.is_applied(host)
    assert any("has not started anew" in line for line in joining.said)
    api = master.session().xenapi
    assert api.host.get_uuid(host_at(api, JOINER)) == uuid_of(host)
    (pool,) = api.pool.get_all()
    (disks,) = api.SR.get_by_name_label("disks")
    assert api.pool.get_default_SR(pool) != disks
    # A member that points to itself is slave to an address; asked once more, nothing is done.
    step.apply(host, {})
    member = read_pool_master(host, replace(WISH, master=JOINER), joiner.port)
    assert isinstance(member, Problem)
    assert (member.id, member.remediation) == ("pool-master-is-member", f"--join {MASTER}")

    step.undo(host, {})
    assert not step.is_applied(host)
    assert missing_of_master(look(host)) == ""
    assert len(api.host.get_all()) == 1
    storage.undo(host, made)
    assert not storage.is_applied(host)
    assert (joiner.paths.root / "srv/disks").is_dir()
    step.undo(host, {})


def test_the_set_up_ends_in_the_pool_and_its_rollback_outside(daemons, joining, capsys):
    """The whole way of the last steps: from the journal, with a daemon that systemd starts anew."""
    master, joiner = daemons
    host, journal = joining.host, Journal(joining.host)
    steps = (joining.storage(), joining.step())
    wishes = Wishes(uuid_of(host), uuid_of(host), pool=WISH)
    journal.begin(Plan(steps, (), wishes))
    for record in ({"record": "applied", "boot_id": ""}, {"record": "confirmed", "by": "gateway"}):
        journal.add(record)
    told = io.StringIO()
    with started_anew(joiner):
        executor.finish(host, Reporter(told))
    assert journal.load().phase is Phase.FINISHED
    assert executor.not_in_place(host, journal.load()) == []
    assert len(master.session().xenapi.host.get_all()) == 2
    with started_anew(joiner):
        assert main(["rollback", "--yes", "--root", str(host.root)], runner=host.runner) == 0
    assert journal.load().phase is Phase.CLEAN
    assert len(master.session().xenapi.host.get_all()) == 1
    assert missing_of_master(look(host)) == ""
    left = "".join(path.read_text() for path in host.at("/var/lib/xapi-host-setup").iterdir())
    assert PASSWORD not in left + told.getvalue() + "".join(capsys.readouterr())


def test_a_refused_join_changes_nothing(daemons, joining):
    master, joiner = daemons
    joining.host.at(WISH.password_file).write_text("wrong\n")
    with pytest.raises(XenApiFailureError) as refused:
        joining.step().apply(joining.host, {})
    assert refused.value.code == "SESSION_AUTHENTICATION_FAILED"
    assert len(master.session().xenapi.host.get_all()) == 1
    assert missing_of_master(look(joining.host)) in ("", "pool.conf says nothing")
    assert len(joiner.session().xenapi.host.get_all()) == 1


def test_the_ways_to_read_the_fingerprint_on_the_master_print_the_one_that_it_shows(daemons):
    master = daemons[0]
    argv = LOOK_THERE.replace("/etc/", f"{master.paths.root}/etc/").split()
    printed = [
        subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip(),
        master.xe("certificate-list", "type=host", "params=fingerprint_sha256", "--minimal").strip(),
    ]
    shown = look_at(MASTER, master.port).fingerprint
    assert [replace(WISH, fingerprint=text).certificate for text in printed] == [shown, shown]
    assert all(re.fullmatch(FINGERPRINT, text) for text in printed), printed


def test_a_master_of_another_certificate_is_refused_and_not_logged_in_to(daemons, joining):
    master, joiner = daemons
    # Were a password sent, a wrong one would be told as such.
    joining.host.at(WISH.password_file).write_text("wrong\n")
    other = ":".join(["AB"] * 32)
    refused = read_pool_master(joining.host, replace(WISH, fingerprint=other), master.port)
    assert isinstance(refused, Problem)
    assert refused.id == "pool-master-other-certificate"
    with pytest.raises(MasterChangedError, match=other):
        joining.step(fingerprint=other).apply(joining.host, {})
    # What a failed join has left there says nothing of the master of another pool.
    for content, refusal in {
        f"{MASTER}\n{other}\n": "CANNOT_CONTACT_HOST",
        "": "CANNOT_CONTACT_HOST",
        f"{JOINER}\n{other}\n": "SESSION_AUTHENTICATION_FAILED",
    }.items():
        joiner.paths.master_to_join.write_text(content)
        with session_of(joining.host) as session, pytest.raises(XenApiFailureError) as caught:
            session.call("pool.join", MASTER, "root", "wrong")
        assert caught.value.code == refusal
    assert len(master.session().xenapi.host.get_all()) == 1


@pytest.fixture
def joined(joining):
    joining.step().apply(joining.host, {})
    return joining


def reading_of(joined):
    return read_toolstack(joined.host, lambda: session_of(joined.host), lambda _address: "")


def test_doctor_on_a_member_minds_its_own_host(daemons, joined):
    api = daemons[0].session().xenapi
    assert [p.id for p in toolstack_findings(reading_of(joined), running=True)] == []
    api.host.disable(host_at(api, MASTER))
    (pbd,) = api.host.get_PBDs(host_at(api, MASTER))
    api.PBD.unplug(pbd)
    assert [p.id for p in toolstack_findings(reading_of(joined), running=True)] == []
    api.host.disable(host_at(api, JOINER))
    assert [p.id for p in toolstack_findings(reading_of(joined), running=True)] == ["host-disabled"]
    joined.daemon.paths.state.chmod(0o700)
    made_by_others = ("/etc/xapi.d/", "/var/lib/xapi-host-setup")
    found = path_findings(read_places(joined.host), running=True)
    assert [f"{p.id} {p.diagnosis}" for p in found if not p.diagnosis.startswith(made_by_others)] == []


def test_another_hosts_repository_is_never_taken_for_this_ones(daemons, joined):
    """Both hosts were set up with storage: each undo forgets its own."""
    first = Joining.__new__(Joining)
    first.daemon, first.host = daemons[0], Host(daemons[0].paths.root, runner=lambda argv: "")
    other, own = first.storage(), joined.storage()
    made = other.capture(first.host)
    other.apply(first.host, made)
    assert other.is_applied(first.host)
    assert not own.is_applied(joined.host)
    own.undo(joined.host, {"defaults": made["defaults"]})
    assert other.is_applied(first.host)


def test_guests_keep_the_host_in_its_pool(daemons, joined):
    api = daemons[0].session().xenapi
    vm = guest(api, "mail")
    api.VM.start_on(vm, host_at(api, JOINER), False, False)
    with session_of(joined.host) as session:
        membership = leave_pool.read_membership(session, uuid_of(joined.host))
    assert membership.guests == ("mail",)
    assert [p.id for p in leave_pool.leave_problems(membership)] == ["pool-guest-runs"]
    with pytest.raises(StillMemberError):
        joined.step().undo(joined.host, {})
    assert joined.step().is_applied(joined.host)


def test_a_dead_master_is_told_of_with_the_way_out(daemons, joined):
    step = joined.step()
    daemons[0].stop()
    with pytest.raises(StillMemberError, match=r"write .master. to /etc/xensource/pool\.conf"):
        step.undo(joined.host, {})
    assert step.is_applied(joined.host)
    joined.daemon.stop()
    joined.daemon.paths.pool_conf.write_text("master")
    joined.daemon.start()
    assert missing_of_master(look(joined.host)) == ""
    step.undo(joined.host, {})
    assert len(joined.daemon.session().xenapi.host.get_all()) == 1
    daemons[0].start()
