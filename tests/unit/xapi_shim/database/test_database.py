"""The object store: relations, indexes, generations, transactions, and what survives kill -9."""

import os
import signal
import sys
from pathlib import Path

import pytest

from xapi_shim.base.process import start
from xapi_shim.database.database import Database
from xapi_shim.database.sqlite_store import SqliteStore, StoreError
from xapi_shim.datamodel.errors import HandleInvalidError, MapDuplicateKeyError, UuidInvalidError
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import NULL_REF

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def db():
    return Database(DATAMODEL)


def test_both_ends_of_a_relation_agree(db):
    vm, other = db.create("VM", {"name_label": "a"}), db.create("VM", {"name_label": "b"})
    vbd = db.create("VBD", {"VM": vm})
    assert db.get("VM", vm, "VBDs") == [vbd]
    db.set("VBD", vbd, "VM", other)
    assert db.get("VM", vm, "VBDs") == []
    assert db.get("VM", other, "VBDs") == [vbd]
    db.destroy("VBD", vbd)
    assert db.get("VM", other, "VBDs") == []


def test_indexes_follow(db):
    vm = db.create("VM", {"name_label": "a"})
    db.set("VM", vm, "name_label", "b")
    assert db.with_label("VM", "a") == []
    assert db.with_label("VM", "b") == [vm]
    assert db.with_uuid("VM", db.text("VM", vm, "uuid")) == vm
    db.destroy("VM", vm)
    assert db.with_label("VM", "b") == []
    with pytest.raises(UuidInvalidError):
        db.with_uuid("VM", "nothing")
    with pytest.raises(HandleInvalidError):
        db.get("VM", vm, "uuid")


def test_refs_and_keys_are_refused_in_words_that_clients_know(db):
    vm = db.create("VM", {"other_config": {"k": "v"}})
    db.assert_exists("VM", vm)
    db.assert_key_free("VM", vm, "other_config", "l")
    for cls, ref in (("VM", NULL_REF), ("VBD", vm), ("no_such_class", vm)):
        with pytest.raises(HandleInvalidError) as refused:
            db.assert_exists(cls, ref)
        assert refused.value.description() == ["HANDLE_INVALID", cls, ref]
        with pytest.raises(HandleInvalidError):
            db.touch(cls, ref)
    with pytest.raises(MapDuplicateKeyError) as taken:
        db.assert_key_free("VM", vm, "other_config", "k")
    assert taken.value.description() == ["MAP_DUPLICATE_KEY", "VM", "other_config", vm, "k"]


def test_a_failed_transaction_leaves_no_trace(db):
    vm = db.create("VM", {"name_label": "a"})
    vbd = db.create("VBD", {"VM": vm})
    told = []
    db.on_change(lambda: told.append(1))
    with pytest.raises(RuntimeError), db.transaction():
        db.set("VM", vm, "name_label", "b")
        db.create("VBD", {"VM": vm})
        db.destroy("VBD", vbd)
        raise RuntimeError
    assert db.text("VM", vm, "name_label") == "a"
    assert db.with_label("VM", "a") == [vm]
    assert db.refs("VBD") == [vbd]
    assert db.get("VM", vm, "VBDs") == [vbd]
    assert told == []


def test_a_touch_that_fails_leaves_no_trace(db):
    vm = db.create("VM", {})
    before = db.generation
    with pytest.raises(RuntimeError), db.transaction():
        db.touch("VM", vm)
        raise RuntimeError
    assert db.changes_since("VM", before).modified == ()


def test_changes_since_a_generation(db):
    vm = db.create("VM", {"name_label": "a"})
    before = db.generation
    db.set("VM", vm, "name_label", "b")
    new = db.create("VM", {})
    gone = db.create("VM", {})
    db.destroy("VM", gone)
    changes = db.changes_since("VM", before)
    assert (changes.created, changes.modified, changes.deleted) == ((new,), (vm,), ())
    before = db.generation
    db.destroy("VM", vm)
    assert db.changes_since("VM", before).deleted == (vm,)
    db.set("VM", new, "name_label", "")
    assert db.changes_since("VM", db.generation) == type(changes)((), (), ())


def test_a_restart_finds_everything_but_what_is_not_kept(tmp_path):
    store = SqliteStore(tmp_path / "state")
    db = Database(DATAMODEL, store)
    vm = db.create("VM", {"name_label": "a", "other_config": {"k": "v"}})
    vbd = db.create("VBD", {"VM": vm})
    db.set("VM", vm, "current_operations", {"t": "start"})
    db.create("task", {"status": "pending"})
    generation = db.generation
    db.close()
    again = Database(DATAMODEL, SqliteStore(tmp_path / "state"))
    assert again.get("VM", vm, "other_config") == {"k": "v"}
    assert again.get("VM", vm, "VBDs") == [vbd]
    assert again.get("VM", vm, "current_operations") == {}
    assert again.refs("task") == []
    assert again.generation >= generation - 1
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600
    again.close()


def test_a_damaged_file_is_named_and_left_alone(tmp_path):
    path = tmp_path / "state"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 20)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="state"):
        SqliteStore(path)
    assert path.read_bytes() == before


WRITER = """
import sys
from pathlib import Path
from xapi_shim.database.database import Database
from xapi_shim.database.sqlite_store import SqliteStore
from xapi_shim.datamodel.registry import DATAMODEL
db = Database(DATAMODEL, SqliteStore(Path(sys.argv[1])))
(vm,) = db.refs("VM") or [db.create("VM", {"user_version": 0})]
while True:
    with db.transaction():
        at = db.number("VM", vm, "user_version") + 1
        db.set("VM", vm, "user_version", at)
        db.create("VBD", {"VM": vm, "userdevice": str(at)})
    print(at, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path):
    """A writer acknowledges on its output after each commit, and is killed in the middle, again and again."""
    log, state = tmp_path / "log", tmp_path / "state"
    for _ in range(5):
        size = log.stat().st_size if log.exists() else 0
        with log.open("a") as out:
            writer = start([sys.executable, "-c", WRITER, state], log=out, env={"PYTHONPATH": str(ROOT)})
        while log.stat().st_size < size + 60:
            assert writer.poll() is None, log.read_text()
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        acknowledged = int([line for line in log.read_text().split("\n")[:-1] if line][-1])
        db = Database(DATAMODEL, SqliteStore(state))
        (vm,) = db.refs("VM")
        kept = db.number("VM", vm, "user_version")
        assert kept >= acknowledged
        assert len(db.items("VM", vm, "VBDs")) == kept, "half a transaction"
        db.close()
