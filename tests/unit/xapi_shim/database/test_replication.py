"""Replicas are what their master is, whoever of them writes, in whatever order they hear of it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xapi_shim.database.database import Database
from xapi_shim.database.replication import (
    Create,
    Put,
    ReplicationError,
    batch_document,
    batch_since,
    operations_document,
    parse_batch,
    parse_operations,
    perform,
)
from xapi_shim.database.table import DELETED_ROWS_KEPT, FIXED
from xapi_shim.datamodel.errors import (
    HandleInvalidError,
    HostOfflineError,
    OtherOperationInProgressError,
    VdiInUseError,
    VmNotResidentHereError,
)
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.pool.members import check_disks, check_guests
from xapi_shim.rpc.roles import fill_roles


class Direct:
    """An upstream without a network: all goes through JSON."""

    def __init__(self, master, replica):
        self.master, self.replica = master, replica

    def commit(self, operations):
        sent = json.loads(json.dumps(operations_document(operations)))
        perform(self.master, parse_operations(DATAMODEL, sent))
        return self.news()

    def news(self):
        batch = batch_since(self.master, self.replica.epoch, self.replica.replicated)
        return parse_batch(DATAMODEL, json.loads(json.dumps(batch_document(batch))))


def rows(db):
    return {
        (cls, ref): (row.created, row.modified, row.values)
        for cls, table in db.tables.items()
        for ref, row in table.rows.items()
        if row.created != FIXED
    }


def pair():
    master, replica = Database(DATAMODEL), Database(DATAMODEL)
    fill_roles(master)
    fill_roles(replica)
    direct = Direct(master, replica)
    assert replica.absorb(direct.news())
    replica.upstream = direct
    return master, replica


LABELS = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["master", "replica"]),
        st.sampled_from(["create", "label", "attach", "destroy", "hear", "two"]),
        st.integers(0, 5),
        LABELS,
    ),
    max_size=40,
)


def act(db, what, at, label):
    vms, vbds = sorted(db.refs("VM")), sorted(db.refs("VBD"))
    if what == "create":
        db.create("VM", {"name_label": label})
    elif what == "two":
        with db.transaction():
            vm = db.create("VM", {"name_label": label})
            db.create("VBD", {"VM": vm, "other_config": {"key": label}})
    elif not vms:
        return
    elif what == "label":
        db.set("VM", vms[at % len(vms)], "name_label", label)
    elif what == "attach" and vbds:
        db.set("VBD", vbds[at % len(vbds)], "VM", vms[at % len(vms)])
    elif what == "destroy":
        db.destroy("VM", vms[at % len(vms)])


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_a_replica_is_what_its_master_is(steps):
    master, replica = pair()
    for who, what, at, label in steps:
        if what == "hear":
            assert replica.absorb(replica.upstream.news())
            continue
        try:
            act(master if who == "master" else replica, what, at, label)
        except HandleInvalidError:
            # The replica had not heard of the end of a row.
            assert who == "replica"
    assert replica.absorb(replica.upstream.news())
    assert rows(replica) == rows(master)
    for label in "abc":
        assert sorted(replica.with_label("VM", label)) == sorted(master.with_label("VM", label))


def test_a_transaction_that_the_master_refuses_leaves_the_replica_as_it_was():
    master, replica = pair()
    vm = replica.create("VM", {"name_label": "a"})
    before = rows(replica)

    class Refusing(Direct):
        def commit(self, operations):
            raise HostOfflineError("master")

    replica.upstream = Refusing(master, replica)
    with pytest.raises(HostOfflineError), replica.transaction():
        replica.set("VM", vm, "name_label", "b")
        replica.create("VM", {})
    assert rows(replica) == before == rows(master)


def test_news_that_do_not_follow_on_are_not_taken():
    master, replica = pair()
    late = replica.upstream.news()
    replica.create("VM", {"name_label": "a"})
    assert not replica.absorb(late)
    assert rows(replica) == rows(master)


def test_a_master_that_was_started_anew_is_copied_whole():
    master, replica = pair()
    master.create("VM", {"name_label": "gone with the old life"})
    replica.absorb(replica.upstream.news())
    again = Database(DATAMODEL)
    again.create("VM", {"name_label": "new"})
    replica.upstream.master = again
    assert replica.absorb(replica.upstream.news())
    assert rows(replica) == rows(again)


def test_a_copy_that_is_older_than_what_there_is_is_not_taken():
    """Two asked a master that was started anew: the answer to the first comes last."""
    old = Database(DATAMODEL)
    replica = Database(DATAMODEL)
    assert replica.absorb(Direct(old, replica).news())
    master = Database(DATAMODEL)
    direct = Direct(master, replica)
    first = direct.news()
    label = {"name_label": "n", "bridge": "n"}
    network = master.create("network", label)
    assert replica.absorb(direct.news())
    assert not replica.absorb(first)
    assert replica.refs("network") == [network]


def test_a_replica_that_missed_more_deletions_than_are_remembered_is_copied_whole():
    master, replica = pair()
    refs = [master.create("VM", {}) for _ in range(DELETED_ROWS_KEPT + 2)]
    replica.absorb(replica.upstream.news())
    for ref in refs:
        master.destroy("VM", ref)
    assert replica.upstream.news().whole
    assert replica.absorb(replica.upstream.news())
    assert rows(replica) == rows(master)


def test_a_repeated_create_mends_the_row():
    db = Database(DATAMODEL)
    ref = db.create("VM", {"name_label": "a"})
    perform(db, [Create("VM", ref, {"name_label": "b"})])
    assert db.text("VM", ref, "name_label") == "b"


def test_operations_are_done_all_or_none():
    db = Database(DATAMODEL)
    with pytest.raises(HandleInvalidError):
        perform(db, [Create("VM", "OpaqueRef:a", {}), Put("VM", "OpaqueRef:b", "name_label", "x")])
    assert not db.refs("VM")


@pytest.mark.parametrize(
    "document",
    [
        None, {}, [[]], ["create"], [["create", "VM", "OpaqueRef:a"]], [["create", "none", "OpaqueRef:a", {}]],
        [["create", "VM", "no ref", {}]], [["put", "VM", "OpaqueRef:a", "no_field", 1]],
        [["put", "VM", "OpaqueRef:a", "name_label", 1]], [["put", "VM", "OpaqueRef:a", "power_state", "Flying"]],
        [["destroy", "none", "OpaqueRef:a"]], [["drop", "VM", "OpaqueRef:a"]],
    ],
)  # fmt: skip
def test_what_is_no_operation_is_refused(document):
    with pytest.raises(ReplicationError):
        parse_operations(DATAMODEL, document)


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"epoch": "", "since": 0, "generation": 0, "whole": True, "rows": [[1]], "gone": []}],
)
def test_what_is_no_batch_is_refused(document):
    with pytest.raises(ReplicationError):
        parse_batch(DATAMODEL, document)


def test_two_hosts_that_begin_with_one_guest_at_once():
    """The second to say so is refused, though it had not heard of the first."""
    master, first = pair()
    second = Database(DATAMODEL)
    second.upstream = Direct(master, second)
    vm = master.create("VM", {})
    for replica in (first, second):
        replica.absorb(replica.upstream.news())
    first.set("VM", vm, "current_operations", {"task 1": "start"})
    with pytest.raises(OtherOperationInProgressError) as refused:
        second.set("VM", vm, "current_operations", {"task 2": "start"})
    assert refused.value.params == ("VM", vm, "start", "task 1")
    assert second.mapping("VM", vm, "current_operations") == {}
    assert master.mapping("VM", vm, "current_operations") == {"task 1": "start"}


def test_the_end_of_an_operation_leaves_what_came_beside_it():
    master, replica = pair()
    vm = replica.create("VM", {"current_operations": {"task 1": "clean_shutdown"}})
    master.set("VM", vm, "current_operations", {"task 1": "clean_shutdown", "task 2": "hard_shutdown"})
    replica.set("VM", vm, "current_operations", {})
    assert replica.mapping("VM", vm, "current_operations") == {"task 2": "hard_shutdown"}
    assert rows(replica) == rows(master)


def test_a_disk_that_was_given_away_meanwhile_is_not_kept_for_another_guest():
    db = Database(DATAMODEL)
    vdi = db.create("VDI", {})
    mine, others = (db.create("VBD", {"VDI": vdi}) for _ in range(2))
    before = db.generation
    keep = [Put("VBD", mine, "reserved", value=True)]
    check_disks(db, keep, before)
    db.set("VBD", others, "reserved", value=True)
    with pytest.raises(VdiInUseError):
        check_disks(db, keep, before)
    # Who knew of it has checked it himself: two may read one disk.
    check_disks(db, keep, db.generation)


def test_a_guest_is_recorded_on_one_host():
    """A host that was out of reach does not take it from the one that has it."""
    db = Database(DATAMODEL)
    here, there = (db.create("host", {"hostname": name}) for name in "ab")
    vm = db.create("VM", {"resident_on": here})
    for host in (here, NULL_REF):
        check_guests(db, [Put("VM", vm, "resident_on", host)])
    with pytest.raises(VmNotResidentHereError):
        check_guests(db, [Put("VM", vm, "name_label", "x"), Put("VM", vm, "resident_on", there)])
    db.set("VM", vm, "resident_on", NULL_REF)
    check_guests(db, [Put("VM", vm, "resident_on", there), Put("VM", "OpaqueRef:x", "resident_on", there)])
