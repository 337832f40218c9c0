"""The lab's Ethernet: who sees which frame, tagged or not."""

import contextlib
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronos_lab.rows import Wiring
from kronos_lab.segment import Cable, Segment, for_router, tagged, untagged
from kronos_lab.wiring import cables_of

FRAMES = st.binary(min_size=14, max_size=200)
OURS, THEIRS, ROUTER = (bytes.fromhex(mac) for mac in ("525400123400", "525400123401", "52550a000202"))
BROADCAST = b"\xff" * 6
BODY = b"\x08\x00" + bytes(46)
LOOK_S = 20.0


@given(FRAMES, st.integers(1, 4094))
def test_a_frame_comes_back_from_its_vlan_and_from_no_other(frame, vlan):
    assert untagged(tagged(frame, vlan), vlan) == frame
    assert untagged(tagged(frame, vlan), vlan % 4094 + 1) is None


def test_a_frame_without_a_tag_is_of_no_vlan():
    assert untagged(bytes(12) + b"\x08\x00" + bytes(40), 5) is None
    assert untagged(b"\x81\x00", 5) is None


def test_the_router_is_shown_what_is_for_it_or_for_all():
    multicast = bytes.fromhex("333300000001")
    shown = {to for to in (OURS, THEIRS, ROUTER, BROADCAST, multicast) if for_router(to + OURS + BODY)}
    assert shown == {ROUTER, BROADCAST, multicast}


class Nic:
    """QEMU's end of a cable."""

    def __init__(self, cable):
        self.cable, self.wire = cable, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.wire.bind(str(cable.qemu))
        self.wire.settimeout(LOOK_S)

    def send(self, frame):
        self.wire.sendto(frame, str(self.cable.far))

    def seen(self, until):
        """The frames that came, up to one that is known to be the last."""
        frames = []
        while not frames or frames[-1] != until:
            frames.append(self.wire.recv(65536))
        return frames[:-1]


@pytest.fixture
def plug(tmp_path):
    """Start a segment of these cables; return the ends of its NICs."""
    with contextlib.ExitStack() as opened:

        def start(*cables, vlan=0):
            nics = [Nic(cable) for cable in cables]
            for nic in nics:
                opened.enter_context(nic.wire)
            opened.enter_context(Segment(cables, vlan))
            return nics

        yield start


def cable(folder, name, machine, **more):
    return Cable(folder / f"{name}.qemu", folder / f"{name}.far", machine, **more)


def test_two_machines_and_their_router_see_each_other_and_nobody_answers_for_another(tmp_path, plug):
    ours, theirs, router = plug(
        cable(tmp_path, "a", "a"), cable(tmp_path, "b", "b"), cable(tmp_path, "r", "r", is_uplink=True)
    )
    between, all_see, last = THEIRS + OURS + BODY, BROADCAST + OURS + BODY, BROADCAST + OURS + b"last" + BODY
    for frame in (between, all_see, last):
        ours.send(frame)
    assert theirs.seen(last) == [between, all_see]
    assert router.seen(last) == [all_see]
    router.send(OURS + ROUTER + BODY)
    assert ours.wire.recv(65536) == OURS + ROUTER + BODY


def test_what_a_machine_sends_by_one_cable_does_not_come_back_by_its_other(tmp_path, plug):
    first, other, theirs = plug(
        cable(tmp_path, "a0", "a"), cable(tmp_path, "a1", "a"), cable(tmp_path, "b", "b"), vlan=5
    )
    own, last = tagged(BROADCAST + OURS + BODY, 5), tagged(BROADCAST + THEIRS + BODY, 5)
    first.send(BROADCAST + OURS + BODY)  # of no VLAN: lost
    first.send(own)
    assert theirs.wire.recv(65536) == own
    theirs.send(last)
    assert (first.seen(last), other.seen(last)) == ([], [])


def test_an_unplugged_cable_does_not_hold_up_the_others(tmp_path, plug):
    gone, ours, theirs = plug(cable(tmp_path, "x", "x"), cable(tmp_path, "a", "a"), cable(tmp_path, "b", "b"))
    gone.wire.close()
    gone.cable.qemu.unlink()
    for _ in range(3):
        ours.send(THEIRS + OURS + BODY)
        assert theirs.wire.recv(65536) == THEIRS + OURS + BODY


@pytest.mark.parametrize(
    ("wiring", "alone", "two"), [(Wiring.USER, 0, 3), (Wiring.CABLE4, 2, 3), (Wiring.CABLE6, 1, 2)]
)
def test_a_second_host_has_one_cable_and_qemus_network_its_own(tmp_path, wiring, alone, two):
    assert len(cables_of(wiring, tmp_path, None)) == alone
    both = cables_of(wiring, tmp_path, tmp_path / "second")
    assert len(both) == two
    assert len({one.far for one in both}) == two
    assert [one.is_uplink for one in both].count(True) == (wiring is Wiring.USER)
