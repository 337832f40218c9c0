"""The one-time try of Xen after a network that was confirmed without it: Xen becomes what boots only if it answers too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from dead_man_kit import (
    LATER,
    Clock,
    applied_host,
    boot,
    commands_of,
    network_files,
    settled,
    wishes,
)
from installer_kit import boot as boots

from kronos_installer import executor
from kronos_installer.confirm import Action, Sight, next_action
from kronos_installer.grub_config import DEFAULT_PATH
from kronos_installer.journal import Journal, Phase, State
from kronos_installer.main import main
from kronos_installer.wishes import Confirm

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

XEN = "Debian GNU/Linux, with Xen hypervisor"


def call(host: Host, *args: str) -> int:
    return main([*args, "--root", str(host.root)], runner=host.runner)


def tried_again(folder: Path, confirm: Confirm = Confirm.GATEWAY) -> Host:
    """Return a host whose Xen did not start, whose network works without it, and which now runs Xen."""
    host = applied_host(folder, wishes(confirm))
    boot(host)
    if confirm is Confirm.OPERATOR:
        assert call(host, "confirm") == 0
    assert settled(host).phase is Phase.CONFIRMED
    assert boots(host) == XEN
    assert call(host, "apply", "--yes") == 0
    assert boots(host) == XEN
    boot(host, xen=True)
    commands_of(host).ran.clear()
    return host


@pytest.mark.parametrize("confirm", [Confirm.GATEWAY, Confirm.OPERATOR])
def test_a_network_that_answers_under_xen_too_makes_it_what_boots(tmp_path: Path, confirm: Confirm) -> None:
    host = tried_again(tmp_path, confirm)
    assert settled(host).phase is Phase.FINISHED
    assert host.exists(DEFAULT_PATH)
    assert host.read(LATER) == "later\n"


def test_a_network_that_is_silent_under_xen_gets_the_old_kernel_back(tmp_path: Path, capsys) -> None:
    """It was confirmed without Xen: its files stay, and the default is still the kernel without it."""
    host = tried_again(tmp_path)
    commands_of(host).broken.add("ping")
    network = network_files(host)
    clock = Clock()
    assert settled(host, clock).phase is Phase.CONFIRMED
    assert clock.seconds >= 20 + 600
    assert commands_of(host).ran[-1] == "systemctl reboot"
    assert not host.exists(DEFAULT_PATH)
    assert not host.exists(LATER)
    assert boots(host) == "Debian GNU/Linux"
    assert network_files(host) == network
    boot(host)
    commands_of(host).ran.clear()
    assert settled(host).phase is Phase.CONFIRMED
    assert "systemctl reboot" not in commands_of(host).ran
    capsys.readouterr()
    assert call(host, "status") == 5
    said = "Under Xen the gateway (192.0.2.1) did not answer within 10 minutes"
    assert said in capsys.readouterr().out


def test_while_it_waits_status_says_so_and_apply_changes_nothing(tmp_path: Path, capsys) -> None:
    host = tried_again(tmp_path)
    commands_of(host).broken.add("ping")
    capsys.readouterr()
    assert call(host, "status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["awaits_confirmation"] is True
    assert call(host, "status") == 0
    assert "under Xen" in capsys.readouterr().out
    assert call(host, "apply", "--yes") == 0
    assert "Already set up" in capsys.readouterr().out
    assert not host.exists(DEFAULT_PATH)


def test_the_operators_word_counts_under_xen_too(tmp_path: Path, capsys) -> None:
    host = tried_again(tmp_path)
    commands_of(host).broken.add("ping")
    capsys.readouterr()
    assert call(host, "confirm") == 0
    assert "Confirmed" in capsys.readouterr().out
    state = settled(host)
    assert (state.phase, state.confirmed_by) == (Phase.FINISHED, "the operator")


def test_what_was_confirmed_under_xen_is_not_asked_for_again(tmp_path: Path) -> None:
    """A last step failed, and the gateway is silent by now: nothing hangs on it any more."""
    host = applied_host(tmp_path)
    boot(host, xen=True)
    host.at(LATER).mkdir()
    with pytest.raises(executor.AfterRebootError):
        settled(host)
    host.at(LATER).rmdir()
    commands_of(host).broken.add("ping")
    assert settled(host).phase is Phase.FINISHED


@pytest.mark.parametrize("confirm", [Confirm.GATEWAY, Confirm.OPERATOR])
def test_where_xen_is_the_default_already_its_network_is_seen_to_work_too(
    tmp_path: Path, confirm: Confirm
) -> None:
    """As on LVM, after a switch of the running network: the next boot would be one into Xen as well."""
    state = without_a_try(tmp_path, confirm)
    assert next_action(state, Sight("this boot", True, 60)) is Action.WAIT
    assert next_action(state, Sight("this boot", True, 0)) is Action.ROLL_BACK
    assert next_action(state, Sight("this boot", True, 0, "gateway 192.0.2.1")) is Action.CONFIRM


def test_where_no_gateway_could_answer_the_operators_word_counts_for_xen_too(tmp_path: Path) -> None:
    state = without_a_try(tmp_path, Confirm.OPERATOR)
    state.gateways = ()
    assert next_action(state, Sight("this boot", True, 0)) is Action.FINISH


def without_a_try(folder: Path, confirm: Confirm) -> State:
    """Return the state of a host whose GRUB cannot forget a choice: confirmed without Xen, and in Xen now."""
    state = Journal(tried_again(folder, confirm)).load()
    assert next_action(state, Sight("this boot", True, 0)) is Action.REBOOT
    state.steps = tuple(step for step in state.steps if not step.ends_try)
    return state
