"""Leaving a pool: what the daemon's records allow, and a daemon that cannot do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from installer_kit import make_host, put

from kronos_installer.leave_pool import eject, is_alone, leave_problems, read_membership
from kronos_installer.main import main
from kronos_installer.problem import RefusedError
from kronos_installer.xenapi_client import XenApiFailureError

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.xenapi_client import Session

HOSTS = {"OpaqueRef:me": {"name_label": "me"}, "OpaqueRef:other": {"name_label": "other"}}


class Daemon:
    """A session whose daemon answers from records; `fails` is the error that pool.eject ends with."""

    def __init__(
        self, master: str, hosts: dict[str, Any], vms: list[dict[str, Any]], fails: str = ""
    ) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []
        self._fails = fails
        self._answers = {
            "host.get_by_uuid": "OpaqueRef:me",
            "pool.get_all_records": {"OpaqueRef:p": {"master": master}},
            "host.get_all_records": hosts,
            "VM.get_all_records": {f"OpaqueRef:{n}": vm for n, vm in enumerate(vms)},
            "pool.eject": "",
        }

    def call(self, method: str, *args: object) -> Any:
        self.calls.append((method, args))
        if method == "pool.eject" and self._fails:
            raise XenApiFailureError(method, [self._fails])
        return self._answers[method]


def session(daemon: Daemon) -> Session:
    return daemon  # type: ignore[return-value] -- all that is used of one is `call`


def test_a_member_without_guests_is_ejected() -> None:
    there = {"name_label": "there", "resident_on": "OpaqueRef:other"}
    dom0 = {"name_label": "dom0", "resident_on": "OpaqueRef:me", "is_control_domain": True}
    daemon = Daemon("OpaqueRef:other", HOSTS, [there, dom0])
    membership = read_membership(session(daemon), "uuid")
    assert (is_alone(membership), list(leave_problems(membership))) == (False, [])
    eject(session(daemon), membership)
    assert daemon.calls[-1] == ("pool.eject", ("OpaqueRef:me",))


def test_guests_and_mastership_come_first() -> None:
    guest = {"uuid": "u", "resident_on": "OpaqueRef:me"}
    membership = read_membership(session(Daemon("OpaqueRef:me", HOSTS, [guest])), "uuid")
    problems = list(leave_problems(membership))
    assert [problem.id for problem in problems] == ["pool-master-leaves", "pool-guest-runs"]
    assert "other" in problems[0].title


def test_a_host_alone_has_nothing_to_leave() -> None:
    daemon = Daemon("OpaqueRef:me", {"OpaqueRef:me": {}}, [])
    assert is_alone(read_membership(session(daemon), "uuid"))


@pytest.mark.parametrize(("code", "error"), [("NOT_IMPLEMENTED", RefusedError), ("MESSAGE_METHOD_UNKNOWN", RefusedError),
                                             ("HOST_OFFLINE", XenApiFailureError)])  # fmt: skip
def test_a_daemon_that_does_not_serve_it_is_told_from_one_that_fails(
    code: str, error: type[Exception]
) -> None:
    daemon = Daemon("OpaqueRef:other", HOSTS, [], fails=code)
    with pytest.raises(error, match=code if error is XenApiFailureError else "does not serve pool.eject yet"):
        eject(session(daemon), read_membership(session(daemon), "uuid"))


def test_the_command_without_a_daemon_or_a_set_up(tmp_path: Path, capsys) -> None:
    host = make_host(tmp_path)
    assert main(["leave-pool", "--yes", "--root", str(host.root)], runner=host.runner) == 2
    put(host, "/etc/xensource-inventory", "INSTALLATION_UUID='u-1'\n")
    assert main(["leave-pool", "--yes", "--root", str(host.root)], runner=host.runner) == 1
    assert "systemctl status xapi.service" in capsys.readouterr().err
