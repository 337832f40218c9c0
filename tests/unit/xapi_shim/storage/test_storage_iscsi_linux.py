"""The host's initiator: what iscsiadm prints and keeps, what sysfs tells, and whose sessions are ended."""

import os
import socket
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iscsi_targets import IQN, SCSI_ID

from xapi_shim.storage.interface import StorageError
from xapi_shim.storage.iscsi import Chap, Portal, Target
from xapi_shim.storage.iscsi_records import OURS, lun_identity, node_record, read_targets
from xapi_shim.storage.linux_iscsi import LinuxIscsi

# iscsiadm's arguments, records and sessions: a record is made from iscsid.conf, a login needs its password.
ISCSIADM = """#!/bin/sh
echo "$@" >> {root}/log
case "$*" in
*discoverydb*--op\\ new*) mkdir -p {records}/send_targets/127.0.0.1,{port}
  printf 'discovery.type = send_targets\\n' > {records}/send_targets/127.0.0.1,{port}/st_config ;;
*discoverydb*--discover*) cat {root}/announced ;;
*discoverydb*--op\\ delete*) rm -r {records}/send_targets/127.0.0.1,{port} ;;
*node*--op\\ new*) mkdir -p {record}
  printf '# BEGIN RECORD 2.1.8\\nnode.startup = automatic\\n# END RECORD\\n' > {record}/default ;;
*node*--op\\ delete*) rm -r {records}/nodes ;;
*--login*) grep -qx 'node.session.auth.password = secret' {record}/default || exit 24
  mv {root}/sys-aside {root}/sys ;;
*--logout*) mv {root}/sys {root}/sys-aside ;;
*--rescan*) if [ -e {root}/dead ]; then echo "iscsiadm: connection timed out" >&2; exit 8; fi ;;
esac
"""
# Captured of tgt 1.0.85: a T10 designator, and an NAA one of type 6 hidden behind it.
PAGE_83 = bytes.fromhex(
    "0083003c02010024" + b"IET     00010001".ljust(36, b"\0").hex() + "01030010" + SCSI_ID[1:]
)
PAGE_80 = b"\0\x80\0\x08   beaf1"


class Machine:
    """A host whose iscsiadm is a script, and what its kernel would say of a session of two LUNs, one being a disk."""

    def __init__(self, tmp_path, monkeypatch, port):
        self.root, self.records = tmp_path, tmp_path / "etc/iscsi"
        self.record = self.records / f"nodes/{IQN}/127.0.0.1,{port},1"
        (tmp_path / "bin").mkdir()
        (tmp_path / "announced").write_text(f"127.0.0.1:{port},1 {IQN}\n")
        where = {"root": tmp_path, "records": self.records, "record": self.record, "port": port}
        for name, text in (("iscsiadm", ISCSIADM.format(**where)), ("udevadm", "#!/bin/sh\n")):
            (tmp_path / "bin" / name).write_text(text)
            (tmp_path / "bin" / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        aside = tmp_path / "sys-aside"
        disk, enclosure = (
            aside / f"class/iscsi_session/session3/device/target2:0:0/2:0:0:{lun}" for lun in (1, 0)
        )
        for path, content in (
            (aside / "class/iscsi_session/session3/targetname", IQN),
            (aside / "class/iscsi_connection/connection3:0/persistent_address", "127.0.0.1"),
            (aside / "class/iscsi_connection/connection3:0/persistent_port", str(port)),
            (enclosure / "type", "12"),
            (disk / "type", "0"),
            (disk / "vendor", "IET     "),
            (disk / "model", "VIRTUAL-DISK    "),
            (disk / "vpd_pg80", PAGE_80),
            (disk / "vpd_pg83", PAGE_83),
            (disk / "block/sdb/size", "2097152"),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else f"{content}\n".encode())
        self.target = Target(Portal("localhost", port), IQN)
        self.iscsi = self.anew()

    def anew(self):
        """Return the initiator as a daemon that has started has it."""
        return LinuxIscsi(
            self.root / "run", sysfs=self.root / "sys", records=(self.records, self.root / "none")
        )

    @property
    def is_logged_in(self):
        return (self.root / "sys").exists()

    def said(self):
        return (self.root / "log").read_text()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    # `localhost` may be an address of either family.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setattr(socket, "has_ipv6", False)
        yield Machine(tmp_path, monkeypatch, listening.getsockname()[1])


CHAP = Chap("host", "secret")


async def test_a_session_from_start_to_end(machine):
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    await machine.iscsi.open(machine.target, CHAP, one)
    record = machine.record / "default"
    assert record.stat().st_mode & 0o777 == 0o600
    text = record.read_text()
    assert OURS in text
    assert "node.startup = manual" in text
    assert "automatic" not in text
    assert "node.session.auth.username = host\nnode.session.auth.password = secret\n" in text
    assert "secret" not in machine.said()
    (lun,) = await machine.iscsi.luns(machine.target)
    assert (lun.number, lun.vendor, lun.serial, lun.size_bytes) == (1, "IET", "beaf1", 1 << 30)
    assert (lun.scsi_id, str(lun.device)) == (SCSI_ID, "/dev/sdb")
    await machine.iscsi.open(machine.target, CHAP, other)
    await machine.iscsi.open(machine.target, CHAP, "probe-1")
    # A daemon that starts anew knows who uses it, and that probes ended with the former one.
    again = machine.anew()
    await again.close(machine.target, one)
    assert machine.is_logged_in
    await again.close(machine.target, other)
    assert not machine.is_logged_in
    assert not (machine.records / "nodes").exists()
    assert list((machine.root / "run").iterdir()) == []
    assert await again.luns(machine.target) == ()


async def test_a_session_of_somebody_else_is_used_and_left(machine):
    machine.record.mkdir(parents=True)
    (machine.record / "default").write_text("node.startup = automatic\n")
    (machine.root / "sys-aside").rename(machine.root / "sys")
    await machine.iscsi.open(machine.target, CHAP, "one")
    assert len(await machine.iscsi.luns(machine.target)) == 1
    await machine.iscsi.close(machine.target, "one")
    assert machine.is_logged_in
    assert (machine.record / "default").read_text() == "node.startup = automatic\n"
    assert "--op" not in machine.said()
    assert "--logout" not in machine.said()


async def test_a_wrong_password_leaves_nothing(machine):
    with pytest.raises(StorageError, match="refuses the login") as caught:
        await machine.iscsi.open(machine.target, Chap("host", "wrong"), "one")
    assert caught.value.code == 68
    assert not (machine.records / "nodes").exists()
    assert "wrong" not in str(caught.value)


async def test_a_target_that_goes_away_amid_it_is_logged_out_of(machine):
    (machine.root / "dead").touch()
    with pytest.raises(StorageError, match="timed out") as caught:
        await machine.iscsi.open(machine.target, CHAP, "one")
    assert caught.value.code == 141
    assert not machine.is_logged_in
    assert not (machine.records / "nodes").exists()


async def test_discovery_leaves_no_record_and_touches_none_of_others(machine):
    portal = machine.target.portal
    (found,) = await machine.iscsi.discover(portal, CHAP)
    assert found == Target(Portal("127.0.0.1", portal.port), IQN)
    assert list((machine.records / "send_targets").iterdir()) == []
    theirs = machine.records / f"send_targets/127.0.0.1,{portal.port}/st_config"
    theirs.parent.mkdir()
    theirs.write_text("discovery.type = send_targets\n")
    await machine.iscsi.discover(portal, CHAP)
    assert theirs.read_text() == "discovery.type = send_targets\n"
    assert "secret" not in machine.said()


async def test_who_does_not_answer(machine, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for portal, code in ((Portal("127.0.0.1", port), 141), (Portal("nobody.invalid"), 140)):
        with pytest.raises(StorageError) as caught:
            await machine.iscsi.open(Target(portal, IQN), None, "one")
        assert caught.value.code == code
    monkeypatch.setenv("PATH", str(machine.root / "empty"))
    with pytest.raises(StorageError, match="open-iscsi") as caught:
        await machine.iscsi.discover(machine.target.portal, None)
    assert caught.value.code == 70


def test_what_discovery_prints():
    said = (
        f"192.0.2.1:3260,1 {IQN}\n[2001:DB8:0::1]:860,-1 {IQN}\n192.0.2.1:3260,1 {IQN}\n"
        "192.0.2.1:3260,1 iqn.2001-05.org.example:../../etc\n192.0.2.1:70000,1 iqn.2001-05.org.example:x\n"
        "-o:3260,1 iqn.2001-05.org.example:x\nnonsense\n\n"
    )
    assert read_targets(said) == (
        Target(Portal("192.0.2.1"), IQN),
        Target(Portal("2001:db8::1", 860), IQN),
    )


def test_a_record_keeps_what_is_not_ours():
    text = "# BEGIN RECORD\nnode.name = x\nnode.session.auth.password = old\n# END RECORD\n"
    ours = node_record(text, CHAP)
    assert ours.startswith("# BEGIN RECORD\nnode.name = x\n")
    assert "old" not in ours
    assert node_record(ours, CHAP) == ours
    # Without CHAP what iscsid.conf says of it stays.
    assert "node.session.auth.password = old\n" in node_record(text, None)


@pytest.mark.parametrize(
    ("page", "serial", "identity"),
    [
        (PAGE_83, "s", SCSI_ID),
        (bytes.fromhex("0083000c") + bytes.fromhex("010300085001405bff3f42a4"), "", "35001405bff3f42a4"),
        (bytes.fromhex("0083000c") + bytes.fromhex("010200080011223344556677"), "", "20011223344556677"),
        (b"\0\x83\0\x0c\x02\x01\0\x08A B  /\0\0", "", "1A_B__"),
        (b"\0\x83\0\x08\x02\x00\0\x04abcd", "", "0IETVIRTUAL-DISKabcd"),
        (b"\0\x83\0\x0c\x01\x13\0\x08" + bytes(8), "unit", "SIETVIRTUAL-DISKunit"),
        (b"", "", ""),
        (b"\0\x80\0\x04abcd", "", ""),
    ],
)
def test_identities_as_udev_writes_them(page, serial, identity):
    assert lun_identity(page, serial, "IET     ", "VIRTUAL-DISK    ") == identity


@given(st.binary(max_size=300), st.text(max_size=20), st.text(max_size=20))
def test_whatever_a_target_says_is_no_path(page, serial, vendor):
    identity = lun_identity(b"\0\x83" + page, serial, vendor, "m")
    assert not set(identity) & set("/ \n\0<>&")
    assert ".." not in identity or identity[0] in "01S"


@given(st.text(max_size=200))
def test_whatever_is_printed_is_read(text):
    for target in read_targets(text):
        assert not set(target.name + target.portal.server) & set("/ \n,")
