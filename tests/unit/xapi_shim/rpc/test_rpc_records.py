"""Texts of records are as true as the rows, whatever happened to the rows."""

import json

import pytest

from xapi_shim.database.database import Database
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.rpc.jsonrpc import JsonEncoder
from xapi_shim.rpc.records import SPARE, Records, RecordTexts


@pytest.fixture
def db():
    return Database(DATAMODEL)


@pytest.fixture
def encoded():
    """The names of the objects that had to be encoded."""
    return []


@pytest.fixture
def told(db, encoded):
    def encoder(cls):
        write = JsonEncoder(DATAMODEL).record(cls)

        def encode(values):
            encoded.append(values["name_label"])
            return write(values)

        return encode

    texts = RecordTexts(encoder, lambda cls: db.tables[cls].rows)

    def tell():
        records = texts.all(Records("network", db.tables["network"].rows))
        return {ref: json.loads(text)["name_label"] for ref, text in records}

    return tell


def test_only_what_changed_is_encoded_again(db, told, encoded):
    one, other = (db.create("network", {"name_label": name}) for name in ("one", "other"))
    assert told() == told() == {one: "one", other: "other"}
    assert encoded == ["one", "other"]
    db.set("network", one, "name_label", "new")
    assert told() == {one: "new", other: "other"}
    assert encoded == ["one", "other", "new"]


def test_what_is_taken_back_is_not_told(db, told):
    one = db.create("network", {"name_label": "one"})

    class StopError(Exception):
        pass

    for read_meanwhile in (False, True):
        with pytest.raises(StopError), db.transaction():
            db.set("network", one, "name_label", "never")
            if read_meanwhile:
                assert told() == {one: "never"}
            raise StopError
        assert told() == {one: "one"}
    db.set("network", one, "name_label", "two")
    assert told() == {one: "two"}


def test_relations_and_touches_count_as_changes(db, told, encoded):
    one = db.create("network", {"name_label": "one"})
    told()
    db.create("VIF", {"network": one})
    told()
    assert encoded == ["one", "one"]


def test_what_is_gone_is_let_go(db):
    rows = db.tables["task"].rows
    texts = RecordTexts(JsonEncoder(DATAMODEL).record, lambda _: rows)
    # As event.from tells of tasks: one after the other, and nobody asks for all of them.
    for _ in range(10 * SPARE):
        ref = db.create("task", {})
        texts.one("task", ref, rows[ref].modified, rows[ref].values)
        db.destroy("task", ref)
    assert len(texts._kept["task"]) <= 2 * SPARE


def test_a_question_for_a_few_keeps_the_texts_of_the_rest(db):
    rows = db.tables["network"].rows
    texts = RecordTexts(JsonEncoder(DATAMODEL).record, lambda _: rows)
    refs = [db.create("network", {"name_label": f"n{number}"}) for number in range(SPARE + 10)]
    texts.all(Records("network", rows))
    texts.all(Records("network", {refs[0]: rows[refs[0]]}))
    assert list(texts._kept["network"]) == refs
