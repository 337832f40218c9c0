"""What a crash or a broken disk may do to the file; dumps; and how start-up grows with the rows."""

import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xapi_shim.base.process import start
from xapi_shim.database import dump
from xapi_shim.database.database import Database
from xapi_shim.database.sqlite_store import SqliteStore, StoreError
from xapi_shim.datamodel.registry import DATAMODEL

ROOT = Path(__file__).resolve().parents[4]
# How often the writer is killed: `./inv test.faults --kills 1000` is the long run.
KILLS = int(os.environ.get("KRONOS_KILLS", "8"))


def labels(path):
    db = Database(DATAMODEL, SqliteStore(path))
    try:
        return [db.text("VM", ref, "name_label") for ref in db.refs("VM")], db.generation
    finally:
        db.close()


@pytest.mark.parametrize("damage", ["cut", "zeros", "noise"])
def test_a_torn_last_page_loses_only_what_was_not_acknowledged(tmp_path, damage):
    """The log as a power failure leaves it: the last transaction's pages whole, in part or wrong."""
    path, crashed = tmp_path / "state", tmp_path / "crashed"
    db = Database(DATAMODEL, SqliteStore(path))
    vm = db.create("VM", {"name_label": "first"})
    acknowledged = Path(f"{path}-wal").stat().st_size
    db.set("VM", vm, "name_label", "second")
    whole = Path(f"{path}-wal").read_bytes()
    assert len(whole) > acknowledged
    for cut in range(acknowledged, len(whole), 997):
        shutil.copy(path, crashed)
        rest = len(whole) - cut
        tail = {"cut": b"", "zeros": bytes(rest), "noise": random.Random(cut).randbytes(rest)}[damage]
        Path(f"{crashed}-wal").write_bytes(whole[:cut] + tail)
        Path(f"{crashed}-shm").unlink(missing_ok=True)
        names, _ = labels(crashed)
        # Where the lost part was zeros anyway, nothing is lost.
        assert names == ["second" if tail == whole[cut:] else "first"], cut
    shutil.copy(path, crashed)
    Path(f"{crashed}-wal").write_bytes(whole)
    assert labels(crashed)[0] == ["second"]
    db.close()


def test_a_commit_that_fails_changes_nothing_in_memory_either(tmp_path):
    db = Database(DATAMODEL, SqliteStore(tmp_path / "state"))
    vm = db.create("VM", {"name_label": "kept"})
    other = sqlite3.connect(tmp_path / "state", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    db._store._db.execute("PRAGMA busy_timeout=0")
    with pytest.raises(StoreError):
        db.set("VM", vm, "name_label", "lost")
    assert db.text("VM", vm, "name_label") == "kept"
    assert db.with_label("VM", "kept") == [vm]
    other.execute("ROLLBACK")
    db.set("VM", vm, "name_label", "written")
    db.close()
    assert labels(tmp_path / "state")[0] == ["written"]


WRITER = """
import random, sys
from pathlib import Path
from xapi_shim.database.database import Database
from xapi_shim.database.sqlite_store import SqliteStore
from xapi_shim.datamodel.registry import DATAMODEL
db = Database(DATAMODEL, SqliteStore(Path(sys.argv[1])))
dice = random.Random()
at = int(sys.argv[2])
while True:
    at += 1
    kept = db.refs("VM")
    if len(kept) > 20 and dice.random() < 0.5:
        gone = dice.choice(kept)
        print("?", gone, at, flush=True)
        db.destroy("VM", gone)
        print("-", gone, at, flush=True)
    else:
        ref = db.create("VM", {"name_label": str(at)})
        print("+", ref, at, flush=True)
"""


@pytest.mark.timeout(120 + 10 * KILLS)
def test_every_acknowledged_write_is_there_after_kill_9(tmp_path):
    """Creations and deletions, each acknowledged on a line; the kill comes at a moment of its own each time."""
    log, state = tmp_path / "log", tmp_path / "state"
    dice, known, read, at, meant = random.Random(4), {}, 0, 0, set()
    for _ in range(KILLS):
        with log.open("a") as out:
            writer = start(
                [sys.executable, "-c", WRITER, state, str(at)], log=out, env={"PYTHONPATH": str(ROOT)}
            )
        wanted = (log.stat().st_size if log.exists() else 0) + dice.randrange(60, 2000)
        while log.stat().st_size < wanted:
            assert writer.poll() is None, log.read_text()
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        text = log.read_text()
        whole = text[: text.rfind("\n") + 1]
        log.write_text(whole)  # a line cut by the kill acknowledged nothing
        for line in whole[read:].splitlines():
            sign, ref, number = line.split()
            at = max(at, int(number))
            meant = {ref} if sign == "?" else set()
            if sign != "?":
                known[ref] = number if sign == "+" else None
        read = len(whole)
        db = Database(DATAMODEL, SqliteStore(state))
        there = {ref: db.text("VM", ref, "name_label") for ref in db.refs("VM")}
        db.close()
        lost = {ref for ref, number in known.items() if number is not None and there.get(ref) != number}
        back = {ref for ref, number in known.items() if number is None and ref in there}
        # One write may have been carried out and not yet acknowledged: the deletion meant, or a creation.
        assert lost <= meant
        assert back == set()
        assert len(there.keys() - known.keys()) <= 1
        known = dict(there)
        at += 1


HEAD = (
    b"<database><manifest><pair key='format' value='1'/><pair key='generation_count' value='1'/></manifest>"
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=40, deadline=None)
@given(label=TEXT, config=st.dictionaries(TEXT, TEXT, max_size=4))
def test_a_dump_brings_every_text_back(label, config):
    db = Database(DATAMODEL)
    db.create("pool", {})
    values = {
        "name_label": label,
        "other_config": config,
        "memory_static_max": 2**62,
        "power_state": "Halted",
    }
    vm = db.create("VM", values)
    read = dump.parse("".join(dump.write(db)).encode())
    assert dump.problems(db, read) == []
    body = {ref: fields for _, ref, fields in read.rows}[vm]
    assert (body["name_label"], body["other_config"], body["memory_static_max"]) == (label, config, 2**62)


def test_a_restored_dump_is_what_the_next_start_reads(tmp_path):
    path = tmp_path / "state"
    db = Database(DATAMODEL, SqliteStore(path))
    db.create("pool", {})
    vm = db.create("VM", {"name_label": "kept"})
    db.create("VBD", {"VM": vm})
    read = dump.parse("".join(dump.write(db)).encode())
    db.destroy("VM", vm)
    later = db.create("VM", {"name_label": "later"})
    generation = db.generation
    db.replace_stored(read.rows, read.generation)
    with pytest.raises(StoreError):  # a write acknowledged now would be lost at the next start
        db.set("VM", later, "name_label", "lost")
    db.close()
    again = Database(DATAMODEL, SqliteStore(path))
    assert again.refs("VM") == [vm]
    assert not again.exists("VM", later)
    assert len(again.items("VM", vm, "VBDs")) == 1
    assert again.generation > generation  # tokens of before stay older
    again.close()


@pytest.mark.parametrize(
    "document",
    [b"", b"<database/>", b"<!DOCTYPE x><database/>", b"\xff", HEAD.replace(b"'1'", b"'9'") + b"</database>",
     HEAD + b"<table name='VM'><row ref='OpaqueRef:a'>[]</row></table></database>"],
)  # fmt: skip
def test_what_is_no_dump_is_refused(document):
    with pytest.raises(dump.DumpError):
        dump.parse(document)


def test_a_dump_that_does_not_fit_is_told_row_by_row():
    db = Database(DATAMODEL)
    a, b, c = (f"OpaqueRef:{name}" for name in "abc")
    rows = (("Nothing", a, {}), ("VM", b, {"no_such": 1}), ("VM", b, {}), ("task", c, {}))
    wrong = dump.problems(db, dump.Dump(1, rows))
    assert [w.split(":")[0] for w in wrong] == [
        "OpaqueRef",
        "VM OpaqueRef",
        "VM OpaqueRef",
        "VM OpaqueRef",
        "OpaqueRef",
        "no pool in it",
    ]


def dumped(**changed):
    """Return the rows of a small database, with `changed` fields of its VM."""
    db = Database(DATAMODEL)
    db.create("pool", {})
    vm = db.create("VM", {"name_label": "a guest", "power_state": "Halted"})
    rows = dump.parse("".join(dump.write(db)).encode()).rows
    return db, vm, [(cls, ref, body | changed if ref == vm else body) for cls, ref, body in rows]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name_label", 5), ("name_label", None), ("memory_static_max", "1"), ("memory_static_max", 1.5),
     ("memory_static_max", True), ("memory_static_max", 2**63), ("is_a_template", 1), ("other_config", []),
     ("other_config", {"a": 1}), ("tags", {}), ("tags", "abc"), ("tags", [1]), ("power_state", "running"),
     ("power_state", ["Running"]), ("snapshot_time", "now"), ("HVM_shadow_multiplier", "1.0"), ("affinity", "host1"),
     ("affinity", "OpaqueRef:<x>"), ("affinity", [])],
)  # fmt: skip
def test_a_dump_with_values_of_other_types_is_refused(field, value):
    db, vm, rows = dumped(**{field: value})
    assert dump.problems(db, dump.Dump(1, tuple(rows))) == [f"VM {vm}: {field} of another type"]


def test_a_dump_that_no_daemon_could_start_from_is_refused():
    db, vm, rows = dumped()
    good = {cls: body for cls, _, body in rows}
    assert dump.problems(db, dump.Dump(1, tuple(rows))) == []
    twin = ("VM", "OpaqueRef:twin", good["VM"])
    assert dump.problems(db, dump.Dump(1, (*rows, twin))) == ["VM OpaqueRef:twin: has the uuid of another"]
    second = ("pool", "OpaqueRef:second", {**good["pool"], "uuid": "other"})
    assert dump.problems(db, dump.Dump(1, (*rows, second))) == ["several pools in it"]
    for ref in ("", "twin", "OpaqueRef:a&b", "OpaqueRef:<name>"):
        assert dump.problems(db, dump.Dump(1, (*rows, ("VM", ref, {})))) == [
            f"VM {ref}: there twice, or without a ref"
        ]
    running = ("VM", "OpaqueRef:run", {"power_state": "Running", "metrics": "OpaqueRef:dead"})
    host = ("host", "OpaqueRef:host", {"metrics": "OpaqueRef:NULL"})
    nic = ("PIF", "OpaqueRef:nic", {"network": vm})
    assert dump.problems(db, dump.Dump(1, (*rows, running, host, nic))) == [
        "VM OpaqueRef:run: its metrics is not there",
        "host OpaqueRef:host: its metrics is not there",
        "PIF OpaqueRef:nic: its network is not there",
    ]
    for generation in (-1, 2**63):
        assert dump.problems(db, dump.Dump(generation, tuple(rows))) == [f"a generation of {generation}"]


def test_reading_the_file_takes_time_in_proportion_to_its_rows(tmp_path):
    """Ten times the rows take no more than about ten times as long (far from a hundred times)."""

    def seconds(count):
        path = tmp_path / str(count)
        db = Database(DATAMODEL, SqliteStore(path))
        with db.transaction():
            for at in range(count):
                vm = db.create("VM", {"name_label": str(at)})
                db.create("VBD", {"VM": vm})
        db.close()
        best = []
        for _ in range(3):
            began = time.process_time()
            Database(DATAMODEL, SqliteStore(path)).close()
            best.append(time.process_time() - began)
        return min(best)

    assert seconds(1500) < 30 * seconds(150)


def test_the_derived_end_of_a_relation_is_rebuilt_and_not_kept(tmp_path):
    db = Database(DATAMODEL, SqliteStore(tmp_path / "state"))
    with db.transaction():
        vm = db.create("VM", {})
        for _ in range(500):
            db.create("VBD", {"VM": vm})
    db.close()
    again = Database(DATAMODEL, SqliteStore(tmp_path / "state"))
    assert len(again.items("VM", vm, "VBDs")) == 500
    assert json.dumps(again.stored("VM", vm)).count("OpaqueRef") < 500  # the derived end is not kept
    again.close()
