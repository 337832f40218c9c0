"""The pure decisions of the API: what a difference between record and domain asks for, what is allowed."""

import pytest

from xapi_shim.api.guest_watch import Reaction, Recorded, decide
from xapi_shim.api.macs import normal_mac, random_mac
from xapi_shim.api.vbd import device_name
from xapi_shim.xen.interface import DomainInfo, RunState, ShutdownReason

R = ShutdownReason


def domain(state, reason=None, domid=5):
    return DomainInfo("u", domid, "n", state, reason, 0, 1, 0.0)


def vm(state="Running", domid=5, shutdown="destroy", reboot="restart", crash="destroy"):
    return Recorded(state, domid, shutdown, reboot, crash)


@pytest.mark.parametrize(
    ("recorded", "found", "reaction"),
    [
        (vm(), domain(RunState.RUNNING), Reaction.NOTHING),
        (vm(), None, Reaction.RECORD_HALTED),
        (vm("Halted", -1), None, Reaction.NOTHING),
        (vm("Suspended", -1), None, Reaction.NOTHING),
        (vm("Halted", -1), domain(RunState.RUNNING), Reaction.RECORD_RUNNING),
        (vm(domid=4), domain(RunState.RUNNING), Reaction.RECORD_RUNNING),
        (vm(), domain(RunState.PAUSED), Reaction.RECORD_PAUSED),
        (vm(), domain(RunState.DYING), Reaction.LOOK_AGAIN),
        (vm("Halted", -1), domain(RunState.DYING), Reaction.NOTHING),
        (vm(), domain(RunState.SHUTDOWN, R.POWEROFF), Reaction.DESTROY),
        (vm(shutdown="restart"), domain(RunState.SHUTDOWN, R.POWEROFF), Reaction.RESTART),
        (vm(), domain(RunState.SHUTDOWN, R.REBOOT), Reaction.RESTART),
        (vm(reboot="destroy"), domain(RunState.SHUTDOWN, R.REBOOT), Reaction.DESTROY),
        (vm(), domain(RunState.SHUTDOWN, R.CRASH), Reaction.DESTROY),
        (vm(crash="restart"), domain(RunState.SHUTDOWN, R.CRASH), Reaction.RESTART),
        (vm(crash="restart"), domain(RunState.SHUTDOWN, R.WATCHDOG), Reaction.RESTART),
        (vm(crash="preserve"), domain(RunState.SHUTDOWN, R.CRASH), Reaction.RECORD_PAUSED),
        (vm(), domain(RunState.SHUTDOWN, R.SUSPEND), Reaction.NOTHING),
    ],
)
def test_what_a_difference_asks_for(recorded, found, reaction):
    assert decide(recorded, found) is reaction


def test_devices_and_addresses():
    assert [device_name(d) for d in ("0", "15", "16", "xvdb", "hda", "xvdz", "²", "-1")] == [
        "xvda", "xvdp", None, "xvdb", None, None, None, None,
    ]  # fmt: skip
    assert normal_mac("02:AA:bb:cc:dd:EE") == "02:aa:bb:cc:dd:ee"
    assert [normal_mac(m) for m in ("01:00:00:00:00:00", "2:a:b:c:d:e", "")] == [None, None, None]
    assert normal_mac(random_mac())
