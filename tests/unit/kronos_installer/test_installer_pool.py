"""Leaving a pool by command: what the daemon's records allow, what is said first, and what the journal keeps."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from installer_kit import make_host, put
from pool_kit import CONF, INVENTORY, MASTER, UUID, Joiner, becomes, local_daemon, pool_records

from kronos_installer import executor, life_commands
from kronos_installer.executor import not_in_place
from kronos_installer.journal import Journal
from kronos_installer.leave_pool import announcement, is_alone, leave_problems, read_membership
from kronos_installer.main import main
from kronos_installer.patience import Patience
from kronos_installer.plan import Plan
from kronos_installer.pool_membership import StillMemberError, session_of
from kronos_installer.steps.pool_join_step import PoolJoinStep
from kronos_installer.wishes import Wishes
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host import Host
    from kronos_installer.leave_pool import Membership

QUIET = Reporter(io.StringIO())
ALONE = pool_records("joiner", "joiner")
STEP = PoolJoinStep(master=MASTER, address=MASTER, username="root", password_file="/root/pool", fingerprint="AB",
                    reason="a test")  # fmt: skip


@pytest.fixture
def host() -> Iterator[Host]:
    with tempfile.TemporaryDirectory() as folder:
        made = make_host(Path(folder))
        put(made, CONF, f"slave:{MASTER}")
        put(made, INVENTORY, f"INSTALLATION_UUID='{UUID}'\n")
        yield made


def members(**others: dict[str, Any]) -> dict[str, Any]:
    return pool_records("first", "first", "joiner") | others


def vm(host: str, name: str = "guest", **more: object) -> dict[str, Any]:
    return {"name_label": name, "resident_on": f"OpaqueRef:{host}"} | more


def membership(host: Host, records: dict[str, Any]) -> Membership:
    with local_daemon(host, Joiner(host, records)), session_of(host) as session:
        return read_membership(session, UUID)


STORAGE = {
    "SR": {"OpaqueRef:l": {"name_label": "Disks"}, "OpaqueRef:n": {"name_label": "Shared"}},
    "PBD": {
        "OpaqueRef:1": {"SR": "OpaqueRef:l", "host": "OpaqueRef:joiner"},
        "OpaqueRef:2": {"SR": "OpaqueRef:n", "host": "OpaqueRef:joiner"},
        "OpaqueRef:3": {"SR": "OpaqueRef:n", "host": "OpaqueRef:first"},
    },
}


def test_a_member_may_go_when_only_others_have_guests(host: Host) -> None:
    guests = {
        "1": vm("first"),
        "2": vm("joiner", is_control_domain=True),
        "3": vm("joiner", is_a_template=True),
    }
    found = membership(host, members(VM=guests, **STORAGE))
    assert (is_alone(found), list(leave_problems(found))) == (False, [])
    assert found.repositories == ("Disks",)
    assert "The pool of first forgets this host and its own storage: Disks;" in announcement(found)


def test_guests_and_mastership_come_first(host: Host) -> None:
    found = membership(host, pool_records("joiner", "first", "joiner") | {"VM": {"1": vm("joiner")}})
    problems = list(leave_problems(found))
    assert [problem.id for problem in problems] == ["pool-master-leaves", "pool-guest-runs"]
    assert "first" in problems[0].title
    assert is_alone(membership(host, ALONE))


def call(host: Host, *args: str) -> int:
    return main([*args, "--root", str(host.root)], runner=host.runner)


def set_up(host: Host) -> None:
    """Write the journal of a host that was set up to join the pool, and did."""
    journal = Journal(host)
    journal.begin(Plan((STEP,), (), Wishes(UUID, UUID)))
    journal.add({"record": "applied", "boot_id": ""})
    journal.add({"record": "confirmed", "by": "gateway"})
    journal.add({"record": "intent", "step": 0, "original": {}})
    journal.add({"record": "done", "step": 0})
    journal.add({"record": "finished"})


def test_leaving_waits_and_is_written_down(host: Host, capsys, monkeypatch) -> None:
    set_up(host)
    daemon = Joiner(host, members(**STORAGE), after=[becomes(ALONE)])
    monkeypatch.setattr(life_commands, "Patience", lambda: Patience(pause=daemon.pause))
    with local_daemon(host, daemon):
        assert call(host, "leave-pool", "--yes") == 0
        said = capsys.readouterr().out
        assert said.index("forgets this host") < said.index("The host has left its pool")
        assert daemon.calls == [("pool.eject", ("OpaqueRef:joiner",))]
        state = Journal(host).load()
        assert not_in_place(host, state) == []
        assert state.to_undo == ()
        assert call(host, "leave-pool", "--yes", "--json") == 0
        assert json.loads(capsys.readouterr().out) == {"outcome": "alone"}
        assert len(daemon.calls) == 1


def test_a_leave_that_was_cut_off_is_written_down_by_the_next(host: Host, capsys) -> None:
    set_up(host)
    put(host, CONF, "master")
    assert not_in_place(host, Journal(host).load()) == [STEP.describe()]
    with local_daemon(host, Joiner(host, ALONE)):
        assert call(host, "leave-pool", "--yes") == 0
    assert not_in_place(host, Journal(host).load()) == []


def test_what_forbids_to_leave_is_said_and_nothing_is_done(host: Host, capsys) -> None:
    daemon = Joiner(host, members(VM={"1": vm("joiner", "mail")}))
    with local_daemon(host, daemon):
        assert call(host, "leave-pool", "--yes") == 3
    assert "the guest mail runs on this host" in capsys.readouterr().err
    assert daemon.calls == []
    assert not host.exists("/var/lib/xapi-host-setup")


def test_the_command_without_a_daemon_or_a_set_up(host: Host, capsys) -> None:
    """Nothing was changed, which a script tells from a leave that failed."""
    assert call(host, "leave-pool", "--yes", "--json") == 3
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["id"] == "pool-unknown"
    assert "systemctl status xapi.service" in problem["remediation"]
    assert f"the pool of {MASTER} is gone" in problem["remediation"]
    assert not host.exists("/var/lib/xapi-host-setup")
    host.at(INVENTORY).unlink()
    with local_daemon(host, Joiner(host, ALONE)):
        assert call(host, "leave-pool", "--yes") == 3
    assert "set the host up first" in capsys.readouterr().err


def test_status_names_the_pool(host: Host, capsys) -> None:
    set_up(host)
    call(host, "status")
    assert f"The host is a member of the pool of {MASTER}." in capsys.readouterr().out
    call(host, "status", "--json")
    assert json.loads(capsys.readouterr().out)["pool_master"] == MASTER


def test_a_rollback_leaves_no_pool_behind_unknowing(host: Host, capsys) -> None:
    """A pool that the set-up did not join, and one whose master this is, are left or handed on first."""
    journal = Journal(host)
    journal.begin(Plan((), (), Wishes(UUID, UUID)))
    journal.add({"record": "applied", "boot_id": ""})
    assert call(host, "rollback", "--yes") == 3
    assert "which the set-up did not join" in capsys.readouterr().err
    put(host, CONF, "master")
    with local_daemon(host, Joiner(host, pool_records("joiner", "joiner", "other"))):
        assert call(host, "rollback", "--yes") == 3
    assert "this host is the master of other hosts" in capsys.readouterr().err
    with local_daemon(host, Joiner(host, ALONE)):
        assert call(host, "rollback", "--yes") == 0


def test_a_forced_rollback_gives_a_dead_pool_up(host: Host, capsys) -> None:
    set_up(host)
    with pytest.raises(StillMemberError, match=f"still a member of the pool of {MASTER}"):
        executor.rollback(host, QUIET)
    done = executor.rollback(host, QUIET, force=True)
    assert len(done.given_up) == 1
    assert MASTER in done.given_up[0]
