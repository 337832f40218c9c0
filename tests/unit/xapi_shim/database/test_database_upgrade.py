"""A new version reads what a former one wrote, and loses nothing of it."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from xapi_shim.database.database import Database
from xapi_shim.database.sqlite_store import SqliteStore, StoreError
from xapi_shim.database.upgrade import Step
from xapi_shim.datamodel.model import Access, Kin
from xapi_shim.datamodel.registry import DATAMODEL

# What the daemon of that version kept after a guest with a disk and an interface was made, row by row.
FORMER = sorted((Path(__file__).parent / "former").glob("*.jsonl"))
GENERATION = 110


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_store(path, rows):
    """Make a file as format 1 had it: the tables are spelled out, whatever today's are."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "CREATE TABLE object (class TEXT, ref TEXT, body TEXT NOT NULL, PRIMARY KEY (class, ref))"
            " WITHOUT ROWID"
        )
        db.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL)")
        db.execute("INSERT INTO meta VALUES ('format', 1), ('generation', ?)", (GENERATION,))
        db.executemany(
            "INSERT INTO object VALUES (?, ?, ?)", [(cls, ref, json.dumps(body)) for cls, ref, body in rows]
        )
    return path


@pytest.mark.parametrize("former", FORMER, ids=lambda path: path.stem)
def test_every_value_that_a_former_version_kept_is_there(tmp_path, former):
    rows = rows_of(former)
    db = Database(DATAMODEL, SqliteStore(write_store(tmp_path / "state", rows)))
    assert {name: len(table.rows) for name, table in db.tables.items() if table.rows} == Counter(
        cls for cls, _, _ in rows
    )
    derived = {(rel.many, rel.field_many) for rel in DATAMODEL.relations}
    for cls, ref, body in rows:
        kept = {name: value for name, value in body.items() if (cls, name) not in derived}
        assert {name: db.get(cls, ref, name) for name in kept} == kept
        assert db.values(cls, ref).keys() == DATAMODEL.classes[cls].by_name.keys()
    assert db.generation >= GENERATION


@pytest.mark.parametrize("former", FORMER, ids=lambda path: path.stem)
def test_relations_among_rows_of_a_former_version_hold_at_both_ends(tmp_path, former):
    db = Database(DATAMODEL, SqliteStore(write_store(tmp_path / "state", rows_of(former))))
    (vbd,), (pbd,), (vif,) = db.refs("VBD"), db.refs("PBD"), db.refs("VIF")
    assert db.items("VM", db.text("VBD", vbd, "VM"), "VBDs") == [vbd]
    assert db.items("VDI", db.text("VBD", vbd, "VDI"), "VBDs") == [vbd]
    assert db.items("SR", db.text("PBD", pbd, "SR"), "PBDs") == [pbd]
    assert db.items("network", db.text("VIF", vif, "network"), "VIFs") == [vif]


@pytest.mark.parametrize("former", FORMER, ids=lambda path: path.stem)
def test_rows_of_a_former_version_take_what_is_new(tmp_path, former):
    path = write_store(tmp_path / "state", rows_of(former))
    db = Database(DATAMODEL, SqliteStore(path))
    host = db.refs("host")[0]
    card = db.create("PCI", {"host": host, "pci_id": "0000:00:02.0"})
    db.close()
    again = Database(DATAMODEL, SqliteStore(path))
    assert again.items("host", host, "PCIs") == [card]
    assert again.generation > GENERATION


def owner_is_called_keeper(cls, body):
    if cls == "VM" and "owner" in body["other_config"]:
        body["other_config"] = {"keeper": body["other_config"]["owner"]}
    return None if cls == "host_cpu" else body


STEPS = (
    Step("a VM's owner is its keeper, and processors are told otherwise", owner_is_called_keeper),
    Step("networks have no bridge", lambda cls, body: {**body, "bridge": ""} if cls == "network" else body),
)


def keepers(db):
    return [db.mapping("VM", vm, "other_config").get("keeper") for vm in db.refs("VM")]


def test_steps_change_the_rows_once_and_leave_a_copy(tmp_path):
    rows = rows_of(FORMER[0])
    path = write_store(tmp_path / "state", rows)
    store = SqliteStore(path, STEPS)
    db = Database(DATAMODEL, store)
    assert keepers(db).count("anna") == 1
    assert db.refs("host_cpu") == []
    assert [db.text("network", ref, "bridge") for ref in db.refs("network")] == [""]
    db.set("network", db.refs("network")[0], "bridge", "xenbr0")
    db.close()

    copy = tmp_path / "state.format1"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as old:
        found = old.execute("SELECT class, ref, body FROM object").fetchall()
    assert sorted((c, r, json.loads(b)) for c, r, b in found) == sorted((c, r, b) for c, r, b in rows)

    again = Database(DATAMODEL, SqliteStore(path, STEPS))
    assert [again.text("network", ref, "bridge") for ref in again.refs("network")] == ["xenbr0"]


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = write_store(tmp_path / "state", rows_of(FORMER[0]))

    def fail(cls, body):
        raise KeyError(cls)

    with pytest.raises(KeyError):
        SqliteStore(path, (Step("no", fail),))
    assert Database(DATAMODEL, SqliteStore(path)).refs("host_cpu")


def test_an_older_version_refuses_what_a_newer_one_upgraded(tmp_path):
    path = write_store(tmp_path / "state", rows_of(FORMER[0]))
    SqliteStore(path, STEPS).close()
    with pytest.raises(StoreError, match="newer version"):
        SqliteStore(path)


def test_many_to_many_relations_agree_at_both_ends(tmp_path):
    store = SqliteStore(tmp_path / "state")
    db = Database(DATAMODEL, store)
    red, blue = (db.create("VM_group", {"name_label": name}) for name in ("red", "blue"))
    vm = db.create("VM", {"groups": [red]})
    assert (db.items("VM_group", red, "VMs"), db.items("VM_group", blue, "VMs")) == ([vm], [])
    before = db.generation
    db.set("VM", vm, "groups", [red, blue])
    assert (db.items("VM_group", red, "VMs"), db.items("VM_group", blue, "VMs")) == ([vm], [vm])
    assert db.changes_since("VM_group", before).modified == (blue,)
    db.set("VM", vm, "groups", [blue])
    assert (db.items("VM_group", red, "VMs"), db.items("VM_group", blue, "VMs")) == ([], [vm])
    db.close()
    again = Database(DATAMODEL, SqliteStore(tmp_path / "state"))
    assert (again.items("VM_group", red, "VMs"), again.items("VM_group", blue, "VMs")) == ([], [vm])


def test_clients_can_not_write_the_end_that_follows():
    ends = {(rel.many, rel.field_many) for rel in DATAMODEL.relations if not rel.is_loop}
    written = [
        (cls.name, one.name)
        for cls in DATAMODEL.classes.values()
        for one in (*cls.fields, *cls.messages)
        if (getattr(one, "access", None) is Access.RW and (cls.name, one.name) in ends)
        or (getattr(one, "kin", None) is Kin.CUSTOM and (cls.name, getattr(one, "field", "")) in ends)
    ]
    assert written == []
